/*
 * png.c - a scene painted by cairo, its letters set by pango.
 *
 * Pango shapes every script and finds a font for each letter; for what no font
 * has it draws a box. Both libraries may be used by several threads, but each
 * thread would have fonts of its own: several MB, and half a second to find
 * them. So all threads share one set, behind a lock that is held while letters
 * are set; painting the rest and compressing, which takes most of the time,
 * goes on at once.
 */
#include "server/render/writers.h"

#include <pango/pangocairo.h>
#include <pthread.h>

#define SCALE 2                      // pixels of the file to one of the scene, while that fits
#define PIXELS_MAX ((size_t)9 << 20) // of the file, four bytes each
#define FONTS "Noto Sans, DejaVu Sans, sans"
#define RADIANS (3.14159265358979323846 / 180)

static pthread_mutex_t fonts_lock = PTHREAD_MUTEX_INITIALIZER;
static PangoFontMap *fonts; // made by the first picture, kept for all others

/* ---- shapes ---- */

static void set_colour(cairo_t *cairo, uint32_t colour, float opacity)
{
    cairo_set_source_rgba(cairo, (colour >> 16) / 255.0, (colour >> 8 & 0xff) / 255.0,
                          (colour & 0xff) / 255.0, (double)opacity);
}

static void trace_line(cairo_t *cairo, const struct shape *s)
{
    for (int i = 0; i < s->count; i++)
        cairo_line_to(cairo, s->points[i].x, s->points[i].y);
}

static void trace_curve(cairo_t *cairo, struct point from, struct point to, bool across)
{
    const double x = ((double)from.x + to.x) / 2, y = ((double)from.y + to.y) / 2;
    cairo_curve_to(cairo, across ? x : from.x, across ? from.y : y, across ? x : to.x,
                   across ? to.y : y, to.x, to.y);
}

static void trace_band(cairo_t *cairo, const struct shape *s)
{
    const struct point *p = s->points;
    if (s->count != 4)
        return;
    cairo_move_to(cairo, p[0].x, p[0].y);
    trace_curve(cairo, p[0], p[2], s->across);
    cairo_line_to(cairo, p[3].x, p[3].y);
    trace_curve(cairo, p[3], p[1], s->across);
    cairo_close_path(cairo);
}

static void paint_shape(cairo_t *cairo, const struct shape *s)
{
    set_colour(cairo, s->colour, s->opacity);
    cairo_new_path(cairo);
    if (s->kind == SHAPE_LINE)
        trace_line(cairo, s);
    else if (s->kind == SHAPE_BAND)
        trace_band(cairo, s);
    else if (s->kind == SHAPE_DOT)
        cairo_arc(cairo, s->x, s->y, s->stroke, 0, 360 * RADIANS);
    else
        cairo_rectangle(cairo, s->x, s->y, s->width, s->height);
    if (s->kind == SHAPE_LINE || s->kind == SHAPE_FRAME) {
        cairo_set_line_width(cairo, s->stroke);
        cairo_stroke(cairo);
    } else {
        cairo_fill(cairo);
    }
}

/* ---- letters ---- */

static void paint_text(cairo_t *cairo, PangoLayout *layout, PangoFontDescription *font,
                       const struct shape *s)
{
    int width, height;
    pango_font_description_set_absolute_size(font, (double)s->size * PANGO_SCALE);
    pango_font_description_set_weight(font, s->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, s->text, -1);
    pango_layout_get_size(layout, &width, &height);
    const double before = s->anchor == ANCHOR_START ? 0 : s->anchor == ANCHOR_MIDDLE ? 0.5 : 1;
    cairo_save(cairo);
    cairo_translate(cairo, s->x, s->y);
    cairo_rotate(cairo, (double)s->angle * RADIANS);
    cairo_move_to(cairo, -before * width / PANGO_SCALE,
                  -(double)pango_layout_get_baseline(layout) / PANGO_SCALE);
    set_colour(cairo, s->colour, s->opacity);
    pango_cairo_show_layout(cairo, layout);
    cairo_restore(cairo);
}

/* Letters are as wide at every scale, as in an SVG. */
static void set_smooth(PangoContext *context)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
}

static void paint_texts(cairo_t *cairo, const struct scene *scene)
{
    pthread_mutex_lock(&fonts_lock);
    if (!fonts)
        fonts = pango_cairo_font_map_new();
    PangoContext *context = pango_font_map_create_context(fonts);
    PangoFontDescription *font = pango_font_description_from_string(FONTS);
    set_smooth(context);
    PangoLayout *layout = pango_layout_new(context);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    for (int i = 0; i < scene->count; i++)
        if (scene->shapes[i].kind == SHAPE_TEXT)
            paint_text(cairo, layout, font, &scene->shapes[i]);
    g_object_unref(layout);
    pango_font_description_free(font);
    g_object_unref(context);
    pthread_mutex_unlock(&fonts_lock);
}

/* ---- the whole ---- */

static cairo_status_t append_bytes(void *out, const unsigned char *data, unsigned len)
{
    return bytes_append(out, (const char *)data, len) ? CAIRO_STATUS_SUCCESS
                                                      : CAIRO_STATUS_WRITE_ERROR;
}

static void paint(cairo_t *cairo, const struct scene *scene, int scale)
{
    cairo_scale(cairo, scale, scale);
    set_colour(cairo, scene->paper, 1);
    cairo_paint(cairo);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    for (int i = 0; i < scene->count; i++)
        if (scene->shapes[i].kind != SHAPE_TEXT)
            paint_shape(cairo, &scene->shapes[i]);
    paint_texts(cairo, scene);
}

enum status png_write(const struct scene *scene, struct bytes *out, struct error *err)
{
    const size_t pixels = (size_t)scene->width * (size_t)scene->height;
    const int scale = pixels * SCALE * SCALE <= PIXELS_MAX ? SCALE : 1;
    if (pixels > PIXELS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "the picture would be too large: ask for svg");
    cairo_surface_t *surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)scene->width * scale, (int)scene->height * scale);
    cairo_t *cairo = cairo_create(surface);
    paint(cairo, scene, scale);
    cairo_status_t status = cairo_status(cairo);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_write_to_png_stream(surface, append_bytes, out);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS && !out->failed)
        return error_set(err, STATUS_NO_MEMORY, "the picture cannot be painted: %s",
                         cairo_status_to_string(status));
    return bytes_check(out, "the picture", err);
}
