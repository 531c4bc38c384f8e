/*
 * terminal.c - the matrix in a terminal, in blocks of as many source tokens as fit beside each other.
 *
 *              A  cat  sleeps    .  </s>
 *          Un ███                                 or, with colours, a cell as bright as the weight
 *        chat     ███                             with the weight in it
 *        dort          ██████
 */
#include "server/render/render.h"

#include <stdio.h>
#include <string.h>

#include "server/render/label.h"
#include "server/render/layouts.h"
#include "tokenizer/display.h"

#define TARGET_COLUMNS_MAX 18
#define SOURCE_COLUMNS_MAX 12
#define CELL_COLUMNS_MIN 3 // ".97"
#define WIDTH_MIN 40
#define WIDTH_MAX 10000
#define COLOUR_RESET "\x1b[0m"
#define BRIGHT_ENOUGH 0.55f // for dark digits

struct grid {
    const struct alignment_view *view;
    bool colours;
    int label; // columns of the target labels
    struct bytes *out, text;
    const struct theme *theme;
};

/* The token in g->text; returns its columns. */
static int take_label(struct grid *g, const char *token, int columns_max)
{
    bytes_reset(&g->text);
    if (!label_append(&g->text, token, columns_max)) {
        g->out->failed = g->out->out_of_memory = true;
        return 0;
    }
    return text_columns(g->text.data, g->text.len);
}

static const char *source_token(const struct grid *g, int s)
{
    return s < g->view->S ? g->view->source[s] : END_LABEL;
}

static int cell_columns(struct grid *g, int s)
{
    const int columns = take_label(g, source_token(g, s), SOURCE_COLUMNS_MAX);
    return columns < CELL_COLUMNS_MIN ? CELL_COLUMNS_MIN : columns;
}

static void append_times(struct bytes *out, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        bytes_append_text(out, text);
}

static void append_right(struct grid *g, const char *token, int width)
{
    const int columns = take_label(g, token, width);
    append_times(g->out, " ", width - columns);
    if (g->text.data)
        bytes_append(g->out, g->text.data, g->text.len);
}

static void append_shades(struct grid *g, float weight, int width)
{
    static const char *const shades[] = { " ", "░", "▒", "▓", "█" };
    const int shade = weight < 0.05f   ? 0
                      : weight < 0.25f ? 1
                      : weight < 0.5f  ? 2
                      : weight < 0.75f ? 3
                                       : 4;
    append_times(g->out, shades[shade], width);
}

static void append_colour(struct grid *g, float weight, int width)
{
    const uint32_t back =
        colour_between(g->theme->dark_cell, g->theme->bright_cell, (double)weight);
    const uint32_t front = weight > BRIGHT_ENOUGH ? 0 : 0xffffff;
    char digits[8] = "   ";
    if (weight >= 0.995f)
        memcpy(digits, "1.0", 4);
    else if (weight >= 0.05f)
        snprintf(digits, sizeof digits, ".%02d", (int)(weight * 100 + 0.5f));
    bytes_printf(g->out, "\x1b[48;2;%u;%u;%um\x1b[38;2;%u;%u;%um", back >> 16, back >> 8 & 0xff,
                 back & 0xff, front >> 16, front >> 8 & 0xff, front & 0xff);
    const int left = (width - CELL_COLUMNS_MIN) / 2;
    append_times(g->out, " ", left);
    bytes_append_text(g->out, digits);
    append_times(g->out, " ", width - left - CELL_COLUMNS_MIN);
    bytes_append_text(g->out, COLOUR_RESET);
}

/* How many source tokens from `from` on fit into `width` columns; at least one. */
static int block_end(struct grid *g, int from, int width)
{
    int used = g->label, s = from;
    while (s <= g->view->S) {
        used += 1 + cell_columns(g, s);
        if (used > width && s > from)
            break;
        s++;
    }
    return s;
}

static void append_block(struct grid *g, int from, int to)
{
    append_times(g->out, " ", g->label);
    for (int s = from; s < to; s++) {
        const int width = cell_columns(g, s);
        bytes_append_char(g->out, ' ');
        append_right(g, source_token(g, s), width);
    }
    bytes_append_char(g->out, '\n');
    for (int t = 0; t < g->view->T && !g->out->failed; t++) {
        append_right(g, g->view->target[t], g->label);
        for (int s = from; s < to; s++) {
            const float weight = alignment_view_weight(g->view, t, s);
            const int width = cell_columns(g, s);
            bytes_append_char(g->out, ' ');
            if (g->colours)
                append_colour(g, weight, width);
            else
                append_shades(g, weight, width);
        }
        bytes_append_char(g->out, '\n');
    }
}

enum status render_terminal(const struct alignment_view *view, int width_columns, bool colours,
                            struct bytes *out, struct error *err)
{
    struct grid g = { .view = view, .colours = colours, .out = out, .theme = theme_of(true) };
    const int width = width_columns < WIDTH_MIN   ? WIDTH_MIN
                      : width_columns > WIDTH_MAX ? WIDTH_MAX
                                                  : width_columns;
    bytes_init(&g.text, 2 * LABEL_BYTES_MAX);
    for (int t = 0; t < view->T; t++) {
        const int columns = take_label(&g, view->target[t], TARGET_COLUMNS_MAX);
        if (columns > g.label)
            g.label = columns;
    }
    for (int from = 0, to; from <= view->S && !out->failed; from = to) {
        to = block_end(&g, from, width);
        if (from > 0)
            bytes_append_char(out, '\n');
        append_block(&g, from, to);
    }
    bytes_release(&g.text);
    return bytes_check(out, "the matrix", err);
}
