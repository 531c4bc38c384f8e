/*
 * svg.c - a scene as SVG 1.1: letters stay text, so they can be selected, searched and read aloud,
 * and are drawn with the fonts of who looks.
 */
#include "server/render/writers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FONTS "'Noto Sans', 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"

bool markup_append(struct bytes *out, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const references[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
    while (*text) {
        const size_t plain = strcspn(text, special);
        bytes_append(out, text, plain);
        text += plain;
        if (*text)
            bytes_append_text(out, references[strchr(special, *text++) - special]);
    }
    return !out->failed;
}

/* At most two decimals, and no more than it needs. */
static void append_number(struct bytes *out, double value)
{
    const long hundredths = lround(value * 100);
    const long whole = labs(hundredths) / 100, rest = labs(hundredths) % 100;
    bytes_printf(out, "%s%ld", hundredths < 0 ? "-" : "", whole);
    if (rest % 10 > 0)
        bytes_printf(out, ".%02ld", rest);
    else if (rest > 0)
        bytes_printf(out, ".%ld", rest / 10);
}

static void append_attribute(struct bytes *out, const char *name, double value)
{
    bytes_printf(out, " %s=\"", name);
    append_number(out, value);
    bytes_append_char(out, '"');
}

static void append_point(struct bytes *out, const char *before, double x, double y)
{
    bytes_append_text(out, before);
    append_number(out, x);
    bytes_append_char(out, ' ');
    append_number(out, y);
}

/* ---- shapes ---- */

static void append_box(struct bytes *out, const struct shape *s)
{
    bytes_append_text(out, "<rect");
    append_attribute(out, "x", s->x);
    append_attribute(out, "y", s->y);
    append_attribute(out, "width", s->width);
    append_attribute(out, "height", s->height);
}

static void append_line(struct bytes *out, const struct shape *s)
{
    bytes_append_text(out, "<path d=\"");
    for (int i = 0; i < s->count; i++)
        append_point(out, i == 0 ? "M" : "L", s->points[i].x, s->points[i].y);
    bytes_append_char(out, '"');
}

static void append_curve(struct bytes *out, struct point from, struct point to, bool across)
{
    const double x = ((double)from.x + to.x) / 2, y = ((double)from.y + to.y) / 2;
    append_point(out, "C", across ? x : from.x, across ? from.y : y);
    append_point(out, " ", across ? x : to.x, across ? to.y : y);
    append_point(out, " ", to.x, to.y);
}

static void append_band(struct bytes *out, const struct shape *s)
{
    const struct point *p = s->points;
    bytes_append_text(out, "<path d=\"");
    if (s->count == 4) {
        append_point(out, "M", p[0].x, p[0].y);
        append_curve(out, p[0], p[2], s->across);
        append_point(out, "L", p[3].x, p[3].y);
        append_curve(out, p[3], p[1], s->across);
    }
    bytes_append_text(out, "Z\"");
}

static void append_dot(struct bytes *out, const struct shape *s)
{
    bytes_append_text(out, "<circle");
    append_attribute(out, "cx", s->x);
    append_attribute(out, "cy", s->y);
    append_attribute(out, "r", s->stroke);
}

static void append_text_start(struct bytes *out, const struct shape *s)
{
    static const char *const anchors[] = { [ANCHOR_MIDDLE] = "middle", [ANCHOR_END] = "end" };
    bytes_append_text(out, "<text");
    if (s->angle == 0) {
        append_attribute(out, "x", s->x);
        append_attribute(out, "y", s->y);
    } else {
        append_point(out, " transform=\"translate(", s->x, s->y);
        bytes_append_text(out, ") rotate(");
        append_number(out, s->angle);
        bytes_append_text(out, ")\"");
    }
    append_attribute(out, "font-size", s->size);
    if (s->anchor != ANCHOR_START)
        bytes_printf(out, " text-anchor=\"%s\"", anchors[s->anchor]);
    if (s->bold)
        bytes_append_text(out, " font-weight=\"bold\"");
}

static void append_start(struct bytes *out, const struct shape *s)
{
    switch (s->kind) {
    case SHAPE_RECTANGLE:
    case SHAPE_FRAME:
        append_box(out, s);
        break;
    case SHAPE_LINE:
        append_line(out, s);
        break;
    case SHAPE_BAND:
        append_band(out, s);
        break;
    case SHAPE_DOT:
        append_dot(out, s);
        break;
    case SHAPE_TEXT:
        append_text_start(out, s);
        break;
    }
}

static void append_paint(struct bytes *out, const struct shape *s)
{
    const bool is_line = s->kind == SHAPE_LINE || s->kind == SHAPE_FRAME;
    if (is_line) {
        bytes_printf(out, " fill=\"none\" stroke=\"#%06x\"", (unsigned)s->colour);
        append_attribute(out, "stroke-width", s->stroke);
    } else {
        bytes_printf(out, " fill=\"#%06x\"", (unsigned)s->colour);
    }
    if (s->kind == SHAPE_LINE)
        bytes_append_text(out, " stroke-linejoin=\"round\"");
    if (s->opacity < 1)
        append_attribute(out, "opacity", s->opacity);
}

static void append_shape(struct bytes *out, const struct shape *s, bool inside)
{
    static const char *const names[] = {
        [SHAPE_RECTANGLE] = "rect", [SHAPE_FRAME] = "rect", [SHAPE_LINE] = "path",
        [SHAPE_BAND] = "path",      [SHAPE_DOT] = "circle", [SHAPE_TEXT] = "text"
    };
    append_start(out, s);
    append_paint(out, s);
    if (inside && s->source >= 0)
        bytes_printf(out, " data-s=\"%d\"", s->source);
    if (inside && s->target >= 0)
        bytes_printf(out, " data-t=\"%d\"", s->target);
    if (!s->text && !s->hint) {
        bytes_append_text(out, "/>\n");
        return;
    }
    bytes_append_char(out, '>');
    if (s->hint) {
        bytes_append_text(out, "<title>");
        markup_append(out, s->hint);
        bytes_append_text(out, "</title>");
    }
    if (s->text)
        markup_append(out, s->text);
    bytes_printf(out, "</%s>\n", names[s->kind]);
}

/* ---- the whole ---- */

static void append_head(struct bytes *out, const struct scene *scene, bool inside)
{
    if (!inside)
        bytes_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    bytes_printf(out,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                 "viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"title%s\" "
                 "font-family=\"%s\">\n<title id=\"title\">",
                 scene->width, scene->height, scene->width, scene->height,
                 scene->description ? " description" : "", FONTS);
    markup_append(out, scene->title);
    bytes_append_text(out, "</title>\n");
    if (scene->description) {
        bytes_append_text(out, "<desc id=\"description\">");
        markup_append(out, scene->description);
        bytes_append_text(out, "</desc>\n");
    }
    bytes_printf(out, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#%06x\"/>\n", scene->width,
                 scene->height, (unsigned)scene->paper);
}

enum status svg_write(const struct scene *scene, bool inside, struct bytes *out, struct error *err)
{
    append_head(out, scene, inside);
    for (int i = 0; i < scene->count && !out->failed; i++)
        append_shape(out, &scene->shapes[i], inside);
    bytes_append_text(out, "</svg>\n");
    return bytes_check(out, "the picture", err);
}
