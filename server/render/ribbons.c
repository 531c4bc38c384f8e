/*
 * ribbons.c - two lines of words, and a band from each target word to what it looked at.
 *
 *     Un   chat   dort  .            A ----- Un
 *     |     |      |    |     or      cat --- chat      for long sentences
 *     A    cat  sleeps  .           sleeps --- dort
 *
 * A target word's bands together are as wide as a whole attention, WHOLE; a
 * source word that was looked at by several gives each its share of that.
 */
#include "server/render/layouts.h"

#include <math.h>
#include <stddef.h>

#include "server/render/label.h"

#define LINE_WIDTH_MAX 1500.0 // of words side by side; longer ones stand in columns
#define SIZE 15.0             // of the font, in lines
#define SIZE_COLUMNS 13.0
#define WORD_GAP 16.0
#define WORD_WIDTH_MIN 24.0
#define LINE_SPACE 150.0 // between the two lines of words
#define COLUMN_SPACE 300.0
#define ROW 24.0
#define ROW_MAX 60.0 // of the side with fewer words
#define WHOLE 20.0   // width of the band of a weight of 1
#define BAND_GAP 7.0 // between a word and its bands
#define BASELINE 0.36
#define RIBBON_MIN 0.03f // weights below are left out

struct side {
    const char **labels;
    int count;
    double *middle; // (count) of each word, along the line
    double *used;   // (count) of the band's width so far
    bool right_to_left;
};

struct ribbons {
    struct scene *scene;
    const struct alignment_view *view;
    const struct theme *theme;
    struct side source, target;
    bool columns;
    double source_edge, target_edge; // where bands begin and end
};

static bool side_init(struct side *side, struct scene *scene, const char *const *tokens, int count,
                      bool is_source)
{
    const int places = count + is_source;
    *side = (struct side){ .labels = layout_labels(scene, tokens, count, is_source),
                           .count = places,
                           .middle = arena_array(&scene->arena, double, places + 1),
                           .used = arena_array(&scene->arena, double, places + 1) };
    if (!side->labels || !side->middle || !side->used)
        return false;
    side->right_to_left = layout_is_right_to_left(side->labels, count);
    return true;
}

static double word_width(const char *label)
{
    return fmax(label_ems(label) * SIZE, WORD_WIDTH_MIN) + WORD_GAP;
}

static double line_width(const struct side *side)
{
    double sum = 0;
    for (int i = 0; i < side->count; i++)
        sum += word_width(side->labels[i]);
    return sum;
}

/* The i-th of a side from the left or the top. */
static int in_order(const struct side *side, bool columns, int i)
{
    return side->right_to_left && !columns ? side->count - 1 - i : i;
}

static void place_in_line(struct side *side, double from, double room)
{
    double x = from + (room - line_width(side)) / 2;
    for (int i = 0; i < side->count; i++) {
        const int word = in_order(side, false, i);
        const double width = word_width(side->labels[word]);
        side->middle[word] = x + width / 2;
        x += width;
    }
}

static void place_in_column(struct side *side, double from, double room)
{
    const double row = side->count > 0 ? fmin(room / side->count, ROW_MAX) : ROW;
    const double first = from + (room - row * side->count) / 2 + row / 2;
    for (int i = 0; i < side->count; i++)
        side->middle[i] = first + i * row;
}

/* ---- bands ---- */

static bool is_drawn(const struct ribbons *r, int t, int s)
{
    return alignment_view_weight(r->view, t, s) >= RIBBON_MIN;
}

/* How wide a weight is where it meets its source word. */
static double share_of_source(const struct ribbons *r, int s, float weight)
{
    double sum = 0;
    for (int t = 0; t < r->view->T; t++)
        if (is_drawn(r, t, s))
            sum += (double)alignment_view_weight(r->view, t, s);
    return (double)weight * WHOLE / fmax(sum, 1);
}

/* Bands of a word stand side by side, and all of them around its middle. */
static void centre_bands(struct ribbons *r)
{
    for (int s = 0; s < r->source.count; s++)
        r->source.used[s] = r->source.middle[s];
    for (int t = 0; t < r->target.count; t++)
        r->target.used[t] = r->target.middle[t];
    for (int t = 0; t < r->target.count; t++)
        for (int s = 0; s < r->source.count; s++)
            if (is_drawn(r, t, s)) {
                const float weight = alignment_view_weight(r->view, t, s);
                r->target.used[t] -= (double)weight * WHOLE / 2;
                r->source.used[s] -= share_of_source(r, s, weight) / 2;
            }
}

static struct point point_at(const struct ribbons *r, double edge, double along)
{
    if (r->columns)
        return (struct point){ (float)edge, (float)along };
    return (struct point){ (float)along, (float)edge };
}

static void add_band(struct ribbons *r, int t, int s)
{
    const float weight = alignment_view_weight(r->view, t, s);
    double *a = &r->source.used[s], *b = &r->target.used[t];
    const double a_to = *a + share_of_source(r, s, weight), b_to = *b + (double)weight * WHOLE;
    const struct point from[2] = { point_at(r, r->source_edge, *a),
                                   point_at(r, r->source_edge, a_to) };
    const struct point to[2] = { point_at(r, r->target_edge, *b),
                                 point_at(r, r->target_edge, b_to) };
    const uint32_t colour =
        s == r->view->S ? r->theme->quiet : r->theme->palette[s % (PALETTE_COLOURS - 1)];
    struct shape *band = scene_band(r->scene, from, to, r->columns, colour);
    band->opacity = 0.25f + 0.55f * weight;
    band->source = s;
    band->target = t;
    band->hint = layout_hint(r->scene, r->source.labels[s], r->target.labels[t], weight);
    *a = a_to;
    *b = b_to;
}

static void add_bands(struct ribbons *r)
{
    centre_bands(r);
    for (int i = 0; i < r->target.count; i++)
        for (int j = 0; j < r->source.count; j++) {
            const int t = in_order(&r->target, r->columns, i);
            const int s = in_order(&r->source, r->columns, j);
            if (is_drawn(r, t, s))
                add_band(r, t, s);
        }
}

/* ---- words ---- */

static struct shape *add_word(const struct ribbons *r, const struct side *side, int i, double edge,
                              enum anchor anchor, uint32_t colour)
{
    const double size = r->columns ? SIZE_COLUMNS : SIZE, middle = side->middle[i];
    struct shape *word =
        r->columns
            ? scene_text(r->scene, side->labels[i], edge, middle + size * BASELINE, size, colour)
            : scene_text(r->scene, side->labels[i], middle, edge, size, colour);
    word->anchor = r->columns ? anchor : ANCHOR_MIDDLE;
    return word;
}

static void add_words(const struct ribbons *r)
{
    const double above = r->source_edge - BAND_GAP;
    const double below = r->target_edge + (r->columns ? BAND_GAP : BAND_GAP + SIZE * 0.75);
    for (int s = 0; s < r->source.count; s++)
        add_word(r, &r->source, s, above, ANCHOR_END,
                 s == r->view->S ? r->theme->quiet : r->theme->ink)
            ->source = s;
    for (int t = 0; t < r->target.count; t++)
        add_word(r, &r->target, t, below, ANCHOR_START, r->theme->ink)->target = t;
}

static double widest(const struct side *side)
{
    double most = 0;
    for (int i = 0; i < side->count; i++)
        most = fmax(most, label_ems(side->labels[i]) * SIZE_COLUMNS);
    return most;
}

/* ---- the whole ---- */

/* Returns how wide it is, and in *bottom how far down it reaches. */
static double lay_out_lines(struct ribbons *r, double top, double *bottom)
{
    const double room = fmax(line_width(&r->source), line_width(&r->target));
    r->source_edge = top + SIZE + BAND_GAP;
    r->target_edge = r->source_edge + LINE_SPACE;
    place_in_line(&r->source, LAYOUT_MARGIN, room);
    place_in_line(&r->target, LAYOUT_MARGIN, room);
    *bottom = r->target_edge + BAND_GAP + SIZE * 1.2;
    return LAYOUT_MARGIN + room;
}

static double lay_out_columns(struct ribbons *r, double top, double *bottom)
{
    const int longest = r->source.count > r->target.count ? r->source.count : r->target.count;
    const double room = longest * ROW;
    r->source_edge = LAYOUT_MARGIN + widest(&r->source) + BAND_GAP;
    r->target_edge = r->source_edge + COLUMN_SPACE;
    place_in_column(&r->source, top, room);
    place_in_column(&r->target, top, room);
    *bottom = top + room;
    return r->target_edge + BAND_GAP + widest(&r->target);
}

enum status ribbons_layout(struct scene *scene, const struct alignment_view *view,
                           const struct theme *theme, struct error *err)
{
    struct ribbons r = { .scene = scene, .view = view, .theme = theme };
    double bottom;
    if (!side_init(&r.source, scene, view->source, view->S, true) ||
        !side_init(&r.target, scene, view->target, view->T, false)) {
        scene->full = true;
        return scene_finish(scene, 0, 0, err);
    }
    r.columns = fmax(line_width(&r.source), line_width(&r.target)) > LINE_WIDTH_MAX;
    const double top = layout_head(scene, view, r.source.labels, r.target.labels, theme);
    const double right =
        r.columns ? lay_out_columns(&r, top, &bottom) : lay_out_lines(&r, top, &bottom);
    add_bands(&r);
    add_words(&r);
    const double title = label_ems(scene->title) * LAYOUT_TITLE_SIZE + LAYOUT_MARGIN;
    return scene_finish(scene, fmax(right, title) + LAYOUT_MARGIN, bottom + LAYOUT_MARGIN, err);
}
