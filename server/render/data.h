/*
 * data.h - an alignment for programs: JSON, CSV, Pharaoh; and as a page.
 *
 * Private to server/render.
 */
#ifndef SERVER_RENDER_DATA_H
#define SERVER_RENDER_DATA_H

#include "base/bytes.h"
#include "server/render/scene.h"
#include "server/render/view.h"

/* {"source_language":"en","target_language":"fr","source":[...],"target":[...],
 *  "alignment":[[...],...],"links":[0,-1,...],"confidence":[...],"coverage":[...]}
 * with figures of four decimals. */
MUST_CHECK enum status data_json(const struct alignment_view *view, struct bytes *out,
                                 struct error *err);

/* RFC 4180, texts quoted, CRLF; the first line has the source tokens and "</s>", the first field of
 * each other its target token. */
MUST_CHECK enum status data_csv(const struct alignment_view *view, struct bytes *out,
                                struct error *err);

/* A line of links, "0-0 1-1", source-target. */
MUST_CHECK enum status data_pharaoh(const struct alignment_view *view, struct bytes *out,
                                    struct error *err);

/* A page around the scene, which is one of this view. */
MUST_CHECK enum status page_html(const struct alignment_view *view, struct scene *scene, bool dark,
                                 struct bytes *out, struct error *err);

/* What the page may run and load, as it says itself: the value of a Content-Security-Policy. */
void page_policy(struct bytes *out);

#endif
