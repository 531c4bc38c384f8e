/*
 * writers.h - a scene as bytes, and text as SVG, HTML and XML have it.
 *
 * Private to server/render.
 */
#ifndef SERVER_RENDER_WRITERS_H
#define SERVER_RENDER_WRITERS_H

#include "server/render/scene.h"

/* `inside` a page there is no XML head, and shapes say of which tokens they are: data-s, data-t. */
MUST_CHECK enum status svg_write(const struct scene *scene, bool inside, struct bytes *out,
                                 struct error *err);

MUST_CHECK enum status png_write(const struct scene *scene, struct bytes *out, struct error *err);

/* Text that can be shown, with & < > " ' as references: for elements and quoted attributes. */
bool markup_append(struct bytes *out, const char *text);

#endif
