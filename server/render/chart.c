/*
 * chart.c - panels below each other over one x axis, a legend above.
 */
#include "server/render/chart.h"

#include <math.h>

#include "server/render/axis.h"
#include "server/render/label.h"
#include "server/render/scene.h"
#include "server/render/writers.h"

#define MARGIN 18.0
#define WIDTH 900.0
#define PANEL_HEIGHT 190.0
#define ONLY_PANEL_HEIGHT 380.0
#define PANEL_GAP 26.0
#define RIGHT_ROOM 20.0 // for the half of the last tick's label
#define TITLE_SIZE 16.0
#define SIZE 12.0
#define LINE_HEIGHT 20.0
#define TICK 4.0
#define SWATCH 22.0
#define BASELINE 0.36
#define DOT 2.6
#define STROKE 1.8
#define FAINT_STROKE 1.0
#define FAINT_OPACITY 0.35f
#define LINE_POINTS_MAX 8192 // of a line; a longer one goes on as another

struct drawing {
    const struct chart *chart;
    struct scene *scene;
    const struct theme *theme;
    double left, right; // of all panels
    struct axis x;
};

struct plot { // one panel
    const struct chart_panel *panel;
    double top, bottom;
    struct axis y;
};

/* ---- what there is to draw ---- */

struct range {
    double lowest, highest;
};

static void widen(struct range *range, double value)
{
    range->lowest = fmin(range->lowest, value);
    range->highest = fmax(range->highest, value);
}

static bool is_shown(double value, bool is_log)
{
    return isfinite(value) && (!is_log || value > 0);
}

/* Of all points that can be shown; false if there is none. */
static bool find_ranges(const struct chart *chart, const struct chart_panel *panel, struct range *x,
                        struct range *y)
{
    bool any = false;
    *y = (struct range){ INFINITY, -INFINITY };
    for (int i = 0; i < panel->series_count; i++) {
        const struct chart_series *s = &panel->series[i];
        for (int k = 0; k < s->count; k++)
            if (is_shown(s->x[k], chart->log_x) && is_shown(s->y[k], panel->log_y)) {
                widen(x, s->x[k]);
                widen(y, s->y[k]);
                any = true;
            }
    }
    return any;
}

static enum status check_panel(const struct chart_panel *panel, struct error *err)
{
    if (panel->series_count > CHART_SERIES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "%d lines are too many to tell apart: draw at most %d at once",
                         panel->series_count, CHART_SERIES_MAX);
    for (int i = 0; i < panel->series_count; i++)
        if (panel->series[i].count > CHART_POINTS_MAX)
            return error_set(err, STATUS_TOO_LARGE, "a line may have at most %d points",
                             CHART_POINTS_MAX);
    return STATUS_OK;
}

static enum status check(const struct chart *chart, struct error *err)
{
    enum status status = STATUS_OK;
    if (chart->panel_count < 1)
        return error_set(err, STATUS_BAD_INPUT, "there is nothing to draw");
    if (chart->panel_count > CHART_PANELS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a chart has at most %d panels", CHART_PANELS_MAX);
    for (int i = 0; status == STATUS_OK && i < chart->panel_count; i++)
        status = check_panel(&chart->panels[i], err);
    return status;
}

/* ---- lines ---- */

/* The points of one pixel's width: all that is seen of them is the first, the lowest, the highest
 * and the last. */
struct column {
    int at; // -1: none yet
    struct point first, last, low, high;
    bool low_first;
};

struct pen {
    const struct drawing *d;
    const struct chart_series *series;
    struct point *points; // (count)
    int count;
    struct column column;
};

static void lift(struct pen *pen)
{
    const struct chart_series *s = pen->series;
    const uint32_t colour = pen->d->theme->palette[s->colour % PALETTE_COLOURS];
    struct shape *shape = NULL;
    if (pen->count > 1)
        shape = scene_line(pen->d->scene, pen->points, pen->count, s->faint ? FAINT_STROKE : STROKE,
                           colour);
    else if (pen->count == 1)
        shape = scene_dot(pen->d->scene, pen->points[0].x, pen->points[0].y,
                          s->faint ? FAINT_STROKE : DOT, colour);
    if (shape && s->faint)
        shape->opacity = FAINT_OPACITY;
    pen->count = 0;
}

static void put(struct pen *pen, struct point p)
{
    if (pen->count == LINE_POINTS_MAX) {
        lift(pen);
        pen->points[pen->count++] = pen->points[LINE_POINTS_MAX - 1];
    }
    pen->points[pen->count++] = p;
}

static bool is_same(struct point a, struct point b)
{
    return a.x == b.x && a.y == b.y;
}

static void put_column(struct pen *pen)
{
    const struct column *c = &pen->column;
    const struct point order[4] = { c->first, c->low_first ? c->low : c->high,
                                    c->low_first ? c->high : c->low, c->last };
    if (c->at < 0)
        return;
    put(pen, order[0]);
    for (int i = 1; i < 4; i++)
        if (!is_same(order[i], order[i - 1]))
            put(pen, order[i]);
    pen->column.at = -1;
}

static void move_to(struct pen *pen, struct point p)
{
    struct column *c = &pen->column;
    if (c->at != (int)p.x)
        put_column(pen);
    if (c->at < 0)
        *c = (struct column){ .at = (int)p.x, .first = p, .last = p, .low = p, .high = p };
    c->last = p;
    if (p.y < c->low.y) {
        c->low = p;
        c->low_first = false;
    }
    if (p.y > c->high.y) {
        c->high = p;
        c->low_first = true;
    }
}

static struct point place(const struct drawing *d, const struct plot *plot, double x, double y)
{
    return (struct point){ (float)(d->left + axis_share(&d->x, x) * (d->right - d->left)),
                           (float)(plot->bottom -
                                   axis_share(&plot->y, y) * (plot->bottom - plot->top)) };
}

static void add_line(const struct drawing *d, const struct plot *plot,
                     const struct chart_series *series, struct point *points)
{
    struct pen pen = { .d = d, .series = series, .points = points, .column.at = -1 };
    for (int i = 0; i < series->count && !d->scene->full; i++) {
        if (axis_has(&d->x, series->x[i]) && axis_has(&plot->y, series->y[i])) {
            move_to(&pen, place(d, plot, series->x[i], series->y[i]));
            continue;
        }
        put_column(&pen);
        lift(&pen);
    }
    put_column(&pen);
    lift(&pen);
}

static void add_dots(const struct drawing *d, const struct plot *plot,
                     const struct chart_series *series)
{
    for (int i = 0; i < series->count && !d->scene->full; i++)
        if (axis_has(&d->x, series->x[i]) && axis_has(&plot->y, series->y[i])) {
            const struct point p = place(d, plot, series->x[i], series->y[i]);
            struct shape *dot = scene_dot(d->scene, p.x, p.y, DOT,
                                          d->theme->palette[series->colour % PALETTE_COLOURS]);
            dot->hint = scene_print(d->scene, "%.7g: %.5g", series->x[i], series->y[i]);
        }
}

/* ---- axes ---- */

static void add_rule(const struct drawing *d, double x, double y, double x_to, double y_to,
                     uint32_t colour)
{
    const struct point points[2] = { { (float)x, (float)y }, { (float)x_to, (float)y_to } };
    scene_line(d->scene, points, 2, 1, colour);
}

static const char *tick_label(const struct drawing *d, const struct axis *axis, double value)
{
    char text[AXIS_LABEL_BYTES];
    axis_label(axis, value, text);
    return scene_words(d->scene, text);
}

static void add_y_axis(const struct drawing *d, const struct plot *plot)
{
    for (int i = 0; i < plot->y.tick_count; i++) {
        const double value = plot->y.ticks[i];
        const double y = plot->bottom - axis_share(&plot->y, value) * (plot->bottom - plot->top);
        add_rule(d, d->left, y, d->right, y, d->theme->rule);
        scene_text(d->scene, tick_label(d, &plot->y, value), d->left - TICK - 2,
                   y + SIZE * BASELINE, SIZE, d->theme->quiet)
            ->anchor = ANCHOR_END;
    }
    struct shape *title =
        scene_text(d->scene, scene_words(d->scene, plot->panel->y_title), MARGIN + SIZE,
                   (plot->top + plot->bottom) / 2, SIZE, d->theme->ink);
    title->anchor = ANCHOR_MIDDLE;
    title->angle = -90;
}

static void add_x_ticks(const struct drawing *d, const struct plot *plot, bool labelled)
{
    for (int i = 0; i < d->x.tick_count; i++) {
        const double value = d->x.ticks[i];
        const double x = d->left + axis_share(&d->x, value) * (d->right - d->left);
        add_rule(d, x, plot->bottom, x, plot->bottom + TICK, d->theme->quiet);
        if (labelled)
            scene_text(d->scene, tick_label(d, &d->x, value), x, plot->bottom + TICK + SIZE + 2,
                       SIZE, d->theme->quiet)
                ->anchor = ANCHOR_MIDDLE;
    }
    add_rule(d, d->left, plot->bottom, d->right, plot->bottom, d->theme->quiet);
}

/* ---- the legend ---- */

static bool is_named_before(const struct chart *chart, int panel, int series)
{
    const struct chart_series *s = &chart->panels[panel].series[series];
    for (int p = 0; p <= panel; p++)
        for (int i = 0; i < (p == panel ? series : chart->panels[p].series_count); i++) {
            const struct chart_series *other = &chart->panels[p].series[i];
            if (!other->faint && other->colour == s->colour)
                return true;
        }
    return false;
}

static double add_entry(const struct drawing *d, const struct chart_series *s, double *x, double y)
{
    const char *name = scene_words(d->scene, s->name);
    const double width = SWATCH + 6 + label_ems(name) * SIZE + MARGIN;
    const uint32_t colour = d->theme->palette[s->colour % PALETTE_COLOURS];
    if (*x > MARGIN && *x + width > WIDTH - MARGIN) {
        *x = MARGIN;
        y += LINE_HEIGHT;
    }
    const double middle = y - SIZE * BASELINE;
    const struct point points[2] = { { (float)*x, (float)middle },
                                     { (float)(*x + SWATCH), (float)middle } };
    scene_line(d->scene, points, 2, STROKE + 0.6, colour);
    if (s->points)
        scene_dot(d->scene, *x + SWATCH / 2, middle, DOT, colour);
    scene_text(d->scene, name, *x + SWATCH + 6, y, SIZE, d->theme->ink);
    *x += width;
    return y;
}

static int colours_of(const struct chart *chart)
{
    int count = 0;
    for (int p = 0; p < chart->panel_count; p++)
        for (int i = 0; i < chart->panels[p].series_count; i++)
            count += !chart->panels[p].series[i].faint && !is_named_before(chart, p, i);
    return count;
}

/* Returns how far down it reaches; one line alone needs no name. */
static double add_legend(const struct drawing *d, double top)
{
    const struct chart *chart = d->chart;
    double x = MARGIN, y = top + SIZE;
    if (colours_of(chart) < 2)
        return top;
    for (int p = 0; p < chart->panel_count; p++)
        for (int i = 0; i < chart->panels[p].series_count; i++)
            if (!chart->panels[p].series[i].faint && !is_named_before(chart, p, i))
                y = add_entry(d, &chart->panels[p].series[i], &x, y);
    return y + LINE_HEIGHT / 2;
}

/* ---- the whole ---- */

static double label_room(const struct plot *plots, int count)
{
    double most = 0;
    for (int p = 0; p < count; p++)
        for (int i = 0; i < plots[p].y.tick_count; i++) {
            char text[AXIS_LABEL_BYTES];
            axis_label(&plots[p].y, plots[p].y.ticks[i], text);
            most = fmax(most, label_ems(text) * SIZE);
        }
    return most;
}

static void add_panel(const struct drawing *d, const struct plot *plot, bool is_last,
                      struct point *points)
{
    const struct chart_panel *panel = plot->panel;
    add_y_axis(d, plot);
    for (int faint = 1; faint >= 0; faint--)
        for (int i = 0; i < panel->series_count; i++)
            if (panel->series[i].faint == (faint == 1))
                add_line(d, plot, &panel->series[i], points);
    for (int i = 0; i < panel->series_count; i++)
        if (panel->series[i].points)
            add_dots(d, plot, &panel->series[i]);
    add_x_ticks(d, plot, is_last);
}

static enum status find_axes(struct drawing *d, struct plot *plots, struct error *err)
{
    const struct chart *chart = d->chart;
    struct range x = { INFINITY, -INFINITY }, y;
    for (int p = 0; p < chart->panel_count; p++) {
        plots[p].panel = &chart->panels[p];
        if (!find_ranges(chart, &chart->panels[p], &x, &y))
            return error_set(err, STATUS_BAD_INPUT, "there are no points of \"%s\" to draw",
                             chart->panels[p].y_title);
        plots[p].y = axis_of(y.lowest, y.highest, chart->panels[p].log_y);
    }
    d->x = axis_tight(x.lowest, x.highest, chart->log_x);
    return STATUS_OK;
}

static enum status lay_out(struct drawing *d, struct error *err)
{
    const struct chart *chart = d->chart;
    const double height = chart->panel_count == 1 ? ONLY_PANEL_HEIGHT : PANEL_HEIGHT;
    struct plot plots[CHART_PANELS_MAX];
    struct point *points = arena_array(&d->scene->arena, struct point, LINE_POINTS_MAX);
    double y = MARGIN;
    enum status status = find_axes(d, plots, err);
    if (status != STATUS_OK)
        return status;
    if (!points)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the chart");
    if (chart->title) {
        scene_text(d->scene, d->scene->title, MARGIN, y + TITLE_SIZE, TITLE_SIZE, d->theme->ink)
            ->bold = true;
        y += TITLE_SIZE + LINE_HEIGHT * 0.8;
    }
    y = add_legend(d, y) + SIZE;
    d->left = MARGIN + SIZE + 8 + label_room(plots, chart->panel_count) + TICK + 4;
    d->right = WIDTH - RIGHT_ROOM;
    for (int p = 0; p < chart->panel_count; p++) {
        plots[p].top = y;
        plots[p].bottom = y + height;
        add_panel(d, &plots[p], p == chart->panel_count - 1, points);
        y += height + PANEL_GAP;
    }
    y += SIZE;
    scene_text(d->scene, scene_words(d->scene, chart->x_title), (d->left + d->right) / 2, y, SIZE,
               d->theme->ink)
        ->anchor = ANCHOR_MIDDLE;
    return scene_finish(d->scene, WIDTH, y + MARGIN, err);
}

enum status chart_render(const struct chart *chart, enum render_form form, bool dark,
                         struct bytes *out, struct error *err)
{
    struct scene scene = { 0 };
    struct drawing d = { .chart = chart, .scene = &scene, .theme = theme_of(dark) };
    enum status status = check(chart, err);
    if (status == STATUS_OK && form != RENDER_SVG && form != RENDER_PNG)
        status = error_set(err, STATUS_BAD_USAGE, "a chart is an svg or a png");
    if (status == STATUS_OK)
        status = scene_init(&scene, chart->title ? chart->title : "Chart", d.theme->paper, err);
    if (status == STATUS_OK)
        status = lay_out(&d, err);
    if (status == STATUS_OK)
        status =
            form == RENDER_SVG ? svg_write(&scene, false, out, err) : png_write(&scene, out, err);
    scene_release(&scene);
    return status;
}
