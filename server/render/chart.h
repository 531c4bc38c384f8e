/*
 * chart.h - lines over a common axis, on one panel or several.
 *
 *     const struct chart_series lines[] = { { "loss", updates, losses, count, 0 } };
 *     const struct chart_panel panel = { "loss", lines, 1 };
 *     const struct chart chart = { .title = "run.jsonl", .x_title = "update",
 *                                  .panels = &panel, .panel_count = 1 };
 *     status = chart_render(&chart, RENDER_SVG, false, &out, &err);       // or RENDER_PNG
 *
 * Ticks are at round numbers. Points that are not finite, or not above 0 on a
 * logarithmic axis, are gaps in their line. Lines of more points than a picture
 * can show keep the lowest and the highest of each stretch. Series of the same
 * colour number have the same colour on all panels; the legend names each
 * colour once. Pure functions for any number of threads.
 */
#ifndef SERVER_RENDER_CHART_H
#define SERVER_RENDER_CHART_H

#include "base/bytes.h"
#include "server/render/render.h"

#define CHART_PANELS_MAX 8
#define CHART_SERIES_MAX 16       // of a panel
#define CHART_POINTS_MAX 10000000 // of a series

struct chart_series {
    const char *name; // UTF-8, for the legend
    const double *x, *y;
    int count;
    int colour;  // 0, 1, ...: which of the palette; CHART_SERIES_MAX - 1 at most
    bool faint;  // thin and pale, behind the others: a line that others make smooth
    bool points; // marked, for few
};

struct chart_panel {
    const char *y_title;
    const struct chart_series *series;
    int series_count;
    bool log_y;
};

struct chart {
    const char *title; // NULL: none
    const char *x_title;
    bool log_x;
    const struct chart_panel *panels; // one below the other
    int panel_count;
};

/* Appends an SVG or a PNG. STATUS_BAD_INPUT: no panel, or one without a point that can be shown;
 * STATUS_TOO_LARGE: over a limit above. */
MUST_CHECK enum status chart_render(const struct chart *chart, enum render_form form, bool dark,
                                    struct bytes *out, struct error *err);

#endif
