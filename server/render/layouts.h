/*
 * layouts.h - an alignment as a scene: where everything stands.
 *
 *     status = scene_init(&scene, layout_title(...), theme->paper, &err);
 *     status = matrix_layout(&scene, &view, theme, &err);         // or ribbons_layout
 *
 * Private to server/render. A view here has no more tokens than a picture shows.
 */
#ifndef SERVER_RENDER_LAYOUTS_H
#define SERVER_RENDER_LAYOUTS_H

#include "server/render/scene.h"
#include "server/render/view.h"

#define END_LABEL "</s>"        // of the last column, the end of the sentence
#define LAYOUT_MARGIN 18.0      // around every picture
#define LAYOUT_TITLE_SIZE 15.0  // height of the font
#define LAYOUT_TITLE_SPACE 34.0 // from the margin to what is below it
#define WEIGHT_SHOWN_MIN 0.005f // less is drawn as nothing

/* Source along the top, target down the side, brightness the weight; what a token is linked to has
 * a frame. */
MUST_CHECK enum status matrix_layout(struct scene *scene, const struct alignment_view *view,
                                     const struct theme *theme, struct error *err);

/* The source above the target, or, if that is too long, to the left of it; a band from a token to
 * each that it looked at, as wide as the weight. */
MUST_CHECK enum status ribbons_layout(struct scene *scene, const struct alignment_view *view,
                                      const struct theme *theme, struct error *err);

/* ---- what both have ---- */

/* Labels of all tokens; of the source with END_LABEL behind the last. NULL: no room. */
const char **layout_labels(struct scene *scene, const char *const *tokens, int count,
                           bool is_source);

/* Draws the title and a sentence below it if there is something to say; says it all in words for
 * those who do not see. Returns how far down that reaches. */
double layout_head(struct scene *scene, const struct alignment_view *view, const char **source,
                   const char **target, const struct theme *theme);

/* "chat - cat: 0.97" */
const char *layout_hint(struct scene *scene, const char *source, const char *target, float weight);

/* Whether most labels that have a direction run from right to left: so does then their line. */
bool layout_is_right_to_left(const char *const *labels, int count);

#endif
