/*
 * layouts.c - what the pictures of an alignment have in common.
 */
#include "server/render/layouts.h"

#include <string.h>

#include "server/render/label.h"
#include "tokenizer/display.h"
#include "tokenizer/utf8.h"

#define DESCRIPTION_BYTES_MAX ((size_t)256 << 10)
#define NOTE_SIZE 12.0
#define NOTE_SPACE 22.0

const char **layout_labels(struct scene *scene, const char *const *tokens, int count,
                           bool is_source)
{
    const char **labels = arena_array(&scene->arena, const char *, count + 1);
    scene->full |= !labels;
    for (int i = 0; labels && i < count; i++)
        labels[i] = scene_label(scene, tokens[i]);
    if (labels)
        labels[count] = is_source ? END_LABEL : "";
    return labels;
}

static bool has_weights(const struct alignment_view *view)
{
    for (int t = 0; t < view->T; t++)
        for (int s = 0; s <= view->S; s++)
            if (alignment_view_weight(view, t, s) > 0)
                return true;
    return false;
}

static const char *note_of(const struct alignment_view *view)
{
    if (view->T == 0 || view->S == 0)
        return "There are no words on one of the sides.";
    return has_weights(view) ? NULL : "This model has no attention: there are no weights.";
}

static const char *describe(struct scene *scene, const struct alignment_view *view,
                            const char **source, const char **target)
{
    struct bytes text;
    bytes_init(&text, DESCRIPTION_BYTES_MAX);
    bytes_append_text(&text, "Each word of the translation and the source word it looked at most:");
    for (int t = 0; t < view->T; t++) {
        const int s = view->links[t];
        bytes_printf(&text, "%s %s - %s", t > 0 ? ";" : "", target[t], s >= 0 ? source[s] : "none");
        if (s >= 0)
            bytes_printf(&text, " (%.2f)", (double)alignment_view_weight(view, t, s));
    }
    bytes_append_char(&text, '.');
    const char *kept = text.failed ? NULL : arena_copy(&scene->arena, text.data, text.len);
    scene->full |= !kept;
    scene->out_of_memory |= text.out_of_memory;
    bytes_release(&text);
    return kept;
}

double layout_head(struct scene *scene, const struct alignment_view *view, const char **source,
                   const char **target, const struct theme *theme)
{
    const char *note = note_of(view);
    double y = LAYOUT_MARGIN + (scene->untitled ? 0 : LAYOUT_TITLE_SPACE);
    if (!scene->untitled)
        scene_text(scene, scene->title, LAYOUT_MARGIN, LAYOUT_MARGIN + LAYOUT_TITLE_SIZE,
                   LAYOUT_TITLE_SIZE, theme->ink)
            ->bold = true;
    if (note)
        scene_text(scene, note, LAYOUT_MARGIN, y, NOTE_SIZE, theme->quiet);
    scene->description = note ? note : describe(scene, view, source, target);
    return note ? y + NOTE_SPACE : y;
}

const char *layout_hint(struct scene *scene, const char *source, const char *target, float weight)
{
    return scene_print(scene, "%s - %s: %.2f", target, source, (double)weight);
}

bool layout_is_right_to_left(const char *const *labels, int count)
{
    int to_left = 0, to_right = 0;
    for (int i = 0; i < count; i++) {
        bool found;
        const bool is_to_left = text_is_right_to_left(labels[i], strlen(labels[i]), &found);
        to_left += found && is_to_left;
        to_right += found && !is_to_left;
    }
    return to_left > to_right;
}
