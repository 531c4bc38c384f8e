/*
 * scene.h - what a picture is made of: rectangles, lines, bands and texts, in the order of painting.
 *
 *     struct scene scene;
 *     status = scene_init(&scene, title, paper, &err);
 *     scene_rectangle(&scene, x, y, width, height, colour);
 *     scene_text(&scene, "chat", x, y, 13, colour)->anchor = ANCHOR_END;
 *     status = scene_finish(&scene, width, height, &err);
 *     status = svg_write(&scene, false, &out, &err);          // or png_write
 *     scene_release(&scene);
 *
 * matrix.c, ribbons.c and chart.c lay out; svg.c and png.c put the same scene
 * into bytes. Units are pixels of an SVG, y downwards. A scene that is full
 * gives shapes away that nobody sees and says so in scene_finish, so that no
 * layout need look. One thread at a time.
 *
 * Private to server/render.
 */
#ifndef SERVER_RENDER_SCENE_H
#define SERVER_RENDER_SCENE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

#define SCENE_SHAPES_MAX 40000
#define SCENE_BYTES_MAX ((size_t)32 << 20) // of shapes, points and texts; untouched costs nothing
#define SCENE_SIDE_MAX 16000               // pixels

enum shape_kind { SHAPE_RECTANGLE, SHAPE_FRAME, SHAPE_LINE, SHAPE_BAND, SHAPE_DOT, SHAPE_TEXT };
enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };

struct point {
    float x, y;
};

struct shape {
    enum shape_kind kind;
    uint32_t colour; // 0xRRGGBB
    float opacity;
    float x, y, width, height; // rectangle, frame; text: where its baseline starts, middles or ends
    float stroke;              // line and frame: how thick; dot: its radius
    struct point *points;      // line: (count); band: from [0][1] to [2][3]
    int count;
    bool across;      // band: from left to right, not downwards
    const char *text; // can be shown
    const char *hint; // what the pointer says of the shape; NULL: nothing
    float size;       // text: height of the font
    float angle;      // text: degrees, clockwise around where it is anchored
    bool bold;
    enum anchor anchor;
    int source, target; // tokens that the shape is about, or -1
};

struct theme {
    uint32_t paper, ink, quiet, rule; // background, text, text of less weight, lines
    uint32_t dark_cell, bright_cell;  // weight 0 and weight 1
    uint32_t accent;
    const uint32_t *palette; // (PALETTE_COLOURS)
};

#define PALETTE_COLOURS 8

const struct theme *theme_of(bool dark);
uint32_t colour_between(uint32_t from, uint32_t to, double share);

struct scene {
    struct arena arena;
    struct shape *shapes; // (count)
    int count;
    double width, height;
    uint32_t paper;
    const char *title;       // of the whole, also for those who hear it
    const char *description; // or NULL
    bool untitled;           // who shows the scene shows its title
    bool full;               // something did not fit
    bool out_of_memory;      // ... because there was no memory
    struct shape unseen;     // given away when full
};

/* STATUS_NO_MEMORY. The title may be any bytes. */
MUST_CHECK enum status scene_init(struct scene *scene, const char *title, uint32_t paper,
                                  struct error *err);
void scene_release(struct scene *scene); // {0} is fine
/* Sets the size. STATUS_TOO_LARGE if the scene is full or a side too long. */
MUST_CHECK enum status scene_finish(struct scene *scene, double width, double height,
                                    struct error *err);

struct shape *scene_rectangle(struct scene *scene, double x, double y, double width, double height,
                              uint32_t colour);
struct shape *scene_frame(struct scene *scene, double x, double y, double width, double height,
                          double stroke, uint32_t colour);
struct shape *scene_line(struct scene *scene, const struct point *points, int count, double stroke,
                         uint32_t colour);
/* Between two edges, from[0]-from[1] and to[0]-to[1], leaving both at right angles. */
struct shape *scene_band(struct scene *scene, const struct point from[2], const struct point to[2],
                         bool across, uint32_t colour);
struct shape *scene_dot(struct scene *scene, double x, double y, double radius, uint32_t colour);
struct shape *scene_text(struct scene *scene, const char *text, double x, double y, double size,
                         uint32_t colour);

/* A text of at most LABEL_COLUMNS_MAX columns as label.h shows it, of all columns, or of what
 * printf makes of it; "" when the scene is full. */
const char *scene_label(struct scene *scene, const char *text);
const char *scene_words(struct scene *scene, const char *text);
const char *scene_print(struct scene *scene, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
