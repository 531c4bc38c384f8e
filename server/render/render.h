/*
 * render.h - an alignment as a file: data for programs, pictures for people.
 *
 *     struct bytes out;
 *     bytes_init(&out, RENDER_BYTES_MAX);
 *     const struct render_options options = { .ribbons = true, .title = "a1-01J..." };
 *     status = render_alignment(&view, RENDER_SVG, &options, &out, &err);
 *
 *     json     {"source":["A","cat"],"target":["Un","chat"],"alignment":[[0.97,0.02,0.01],...],...}
 *     csv      a line a target token, a column a source token and one for </s>
 *     txt      Pharaoh: 0-0 1-1 2-2, source-target
 *     svg, png the matrix (source along the top, target down the side, brightness the weight) or
 *              ribbons (two lines of words, bands between them as wide as the weight)
 *     html     one page that asks nothing of the network: words that light up their partners, the
 *              weights, and the picture
 *
 * Pure functions for any number of threads. Text is escaped, what is not UTF-8
 * or cannot be seen is replaced by a sign for it. Without fonts a PNG has boxes
 * for letters; an SVG's letters are text, drawn with the fonts of who looks.
 */
#ifndef SERVER_RENDER_RENDER_H
#define SERVER_RENDER_RENDER_H

#include "base/bytes.h"
#include "server/render/view.h"

#define RENDER_BYTES_MAX ((size_t)16 << 20) // enough for all that a view may hold

enum render_form {
    RENDER_JSON,
    RENDER_CSV,
    RENDER_PHARAOH,
    RENDER_HTML,
    RENDER_SVG,
    RENDER_PNG,
    RENDER_FORMS
};

struct render_options {
    bool ribbons;      // pictures: ribbons, not the matrix
    bool dark;         // pictures and pages
    const char *title; // UTF-8; NULL: one made of the languages
};

/* Appends. STATUS_TOO_LARGE: more tokens than a picture shows (VIEW_TOKENS_MAX), or than out may
 * hold; what was appended before a failure stays. */
MUST_CHECK enum status render_alignment(const struct alignment_view *view, enum render_form form,
                                        const struct render_options *options, struct bytes *out,
                                        struct error *err);

/* The matrix for a terminal of so many columns, in blocks of as many source tokens as fit: shades
 * of 24-bit colour, or of plain characters. */
MUST_CHECK enum status render_terminal(const struct alignment_view *view, int width_columns,
                                       bool colours, struct bytes *out, struct error *err);

const char *render_form_name(enum render_form form); // "svg"; of Pharaoh "txt"
const char *render_form_type(enum render_form form); // "image/svg+xml"

/* Appends the value of the Content-Security-Policy to serve it with: nothing is loaded, only a page's
 * own script runs, and the file is of no origin. */
void render_form_policy(enum render_form form, struct bytes *out);

/* By name, or by what a path ends in (".svg", any case). STATUS_BAD_USAGE lists the names. */
MUST_CHECK enum status render_form_of_name(enum render_form *out, const char *name,
                                           struct error *err);
MUST_CHECK enum status render_form_of_path(enum render_form *out, const char *path,
                                           struct error *err);

#endif
