/*
 * scene.c - shapes in an arena, and the colours they have.
 */
#include "server/render/scene.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/render/label.h"

#define PRINT_BYTES_MAX 8192 // of a text that printf makes

/* ---- colours ---- */

/* Okabe and Ito's, which the colour-blind tell apart, darker or brighter for the paper. */
static const uint32_t palette_light[PALETTE_COLOURS] = { 0x0060a8, 0xc85000, 0x00805c, 0xb04a86,
                                                         0x8a6d00, 0x2a8fc4, 0x7a4a20, 0x5a5f6a };
static const uint32_t palette_dark[PALETTE_COLOURS] = { 0x5fb2f0, 0xf08a3c, 0x35c596, 0xe08fbd,
                                                        0xe0c040, 0x8fd3f8, 0xc79a6b, 0xa8b0bc };

static const struct theme themes[2] = {
    { .paper = 0xffffff,
      .ink = 0x16181d,
      .quiet = 0x5c6370,
      .rule = 0xd5d9e0,
      .dark_cell = 0x0b0d12,
      .bright_cell = 0xffffff,
      .accent = 0xe07000,
      .palette = palette_light },
    { .paper = 0x14171c,
      .ink = 0xe9ecf1,
      .quiet = 0xa2aab8,
      .rule = 0x3a414d,
      .dark_cell = 0x05060a,
      .bright_cell = 0xf4f6fa,
      .accent = 0xffa64d,
      .palette = palette_dark },
};

const struct theme *theme_of(bool dark)
{
    return &themes[dark];
}

static uint32_t part_between(uint32_t from, uint32_t to, double share, int shift)
{
    const double a = (double)(from >> shift & 0xff), b = (double)(to >> shift & 0xff);
    return (uint32_t)lround(a + (b - a) * share) << shift;
}

uint32_t colour_between(uint32_t from, uint32_t to, double share)
{
    return part_between(from, to, share, 16) | part_between(from, to, share, 8) |
           part_between(from, to, share, 0);
}

/* ---- life cycle ---- */

enum status scene_init(struct scene *scene, const char *title, uint32_t paper, struct error *err)
{
    *scene = (struct scene){ .paper = paper };
    if (arena_init(&scene->arena, SCENE_BYTES_MAX))
        scene->shapes = arena_array(&scene->arena, struct shape, SCENE_SHAPES_MAX);
    if (!scene->shapes) {
        arena_release(&scene->arena);
        return error_set(err, STATUS_NO_MEMORY, "there is no memory to draw the picture in");
    }
    scene->title = scene_words(scene, title);
    return STATUS_OK;
}

void scene_release(struct scene *scene)
{
    arena_release(&scene->arena);
}

enum status scene_finish(struct scene *scene, double width, double height, struct error *err)
{
    if (scene->out_of_memory)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory to draw the picture in");
    scene->width = ceil(width);
    scene->height = ceil(height);
    if (scene->full || scene->width > SCENE_SIDE_MAX || scene->height > SCENE_SIDE_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "the picture would be too large: draw less, or ask for json or csv");
    return STATUS_OK;
}

/* ---- shapes ---- */

static struct shape *add(struct scene *scene, enum shape_kind kind, uint32_t colour)
{
    struct shape *shape = &scene->unseen;
    if (scene->count < SCENE_SHAPES_MAX)
        shape = &scene->shapes[scene->count++];
    else
        scene->full = true;
    *shape =
        (struct shape){ .kind = kind, .colour = colour, .opacity = 1, .source = -1, .target = -1 };
    return shape;
}

static struct shape *add_box(struct scene *scene, enum shape_kind kind, double x, double y,
                             double width, double height, uint32_t colour)
{
    struct shape *shape = add(scene, kind, colour);
    shape->x = (float)x;
    shape->y = (float)y;
    shape->width = (float)width;
    shape->height = (float)height;
    return shape;
}

struct shape *scene_rectangle(struct scene *scene, double x, double y, double width, double height,
                              uint32_t colour)
{
    return add_box(scene, SHAPE_RECTANGLE, x, y, width, height, colour);
}

struct shape *scene_frame(struct scene *scene, double x, double y, double width, double height,
                          double stroke, uint32_t colour)
{
    struct shape *shape = add_box(scene, SHAPE_FRAME, x, y, width, height, colour);
    shape->stroke = (float)stroke;
    return shape;
}

static struct point *add_points(struct scene *scene, struct shape *shape, int count)
{
    shape->points = arena_array(&scene->arena, struct point, count);
    shape->count = shape->points ? count : 0;
    scene->full |= !shape->points;
    return shape->points;
}

struct shape *scene_line(struct scene *scene, const struct point *points, int count, double stroke,
                         uint32_t colour)
{
    struct shape *shape = add(scene, SHAPE_LINE, colour);
    shape->stroke = (float)stroke;
    if (add_points(scene, shape, count))
        memcpy(shape->points, points, sizeof *points * (size_t)count);
    return shape;
}

struct shape *scene_band(struct scene *scene, const struct point from[2], const struct point to[2],
                         bool across, uint32_t colour)
{
    struct shape *shape = add(scene, SHAPE_BAND, colour);
    shape->across = across;
    if (add_points(scene, shape, 4)) {
        memcpy(shape->points, from, 2 * sizeof *from);
        memcpy(shape->points + 2, to, 2 * sizeof *to);
    }
    return shape;
}

struct shape *scene_dot(struct scene *scene, double x, double y, double radius, uint32_t colour)
{
    struct shape *shape = add_box(scene, SHAPE_DOT, x, y, 0, 0, colour);
    shape->stroke = (float)radius;
    return shape;
}

struct shape *scene_text(struct scene *scene, const char *text, double x, double y, double size,
                         uint32_t colour)
{
    struct shape *shape = add_box(scene, SHAPE_TEXT, x, y, 0, 0, colour);
    shape->text = text;
    shape->size = (float)size;
    return shape;
}

/* ---- texts ---- */

static const char *keep(struct scene *scene, const char *text, size_t len)
{
    const char *kept = arena_copy(&scene->arena, text, len);
    scene->full |= !kept;
    return kept ? kept : "";
}

static const char *keep_label(struct scene *scene, const char *text, int columns)
{
    struct bytes label;
    bytes_init(&label, 2 * LABEL_BYTES_MAX);
    if (!label_append(&label, text, columns))
        scene->full = scene->out_of_memory = true;
    const char *kept = label.data ? keep(scene, label.data, label.len) : "";
    bytes_release(&label);
    return kept;
}

const char *scene_label(struct scene *scene, const char *text)
{
    return keep_label(scene, text, LABEL_COLUMNS_MAX);
}

const char *scene_words(struct scene *scene, const char *text)
{
    return keep_label(scene, text, INT_MAX);
}

const char *scene_print(struct scene *scene, const char *fmt, ...)
{
    char text[PRINT_BYTES_MAX];
    va_list args;
    va_start(args, fmt);
    const int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof text)
        return keep(scene, text, (size_t)len);
    scene->full = true;
    return "";
}
