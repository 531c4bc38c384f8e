/*
 * matrix.c - the alignment as Bahdanau, Cho and Bengio drew it (2015, figure 3).
 *
 *         A   cat   sleeps   .  </s>      slanted labels, in the order they are read
 *     Un  ##  ..                          brightness is the weight, black 0, white 1
 *   chat      ##                          frames: what a word looked at most
 */
#include "server/render/layouts.h"

#include <math.h>
#include <stddef.h>

#include "server/render/label.h"

#define SLANT 60.0 // degrees of the labels along the top
#define RADIANS (3.14159265358979323846 / 180)
#define LABEL_GAP 7.0     // between a label and its row or column
#define END_GAP 5.0       // between the last token and </s>
#define BASELINE 0.36     // of a font's height: from the middle of a letter down to its foot
#define LEGEND_SPACE 40.0 // below the matrix
#define LEGEND_SIZE 11.0
#define LEGEND_STEPS 11
#define LEGEND_STEP_WIDTH 9.0
#define WIDTH_MIN 330.0 // room for the legend
#define ECHO_TOKENS 30  // with more on a side, labels are on all four sides, and there are
#define RULE_TOKENS 5   // lines behind every so many
#define RULE_BRIGHTNESS 0.22

struct matrix {
    struct scene *scene;
    const struct alignment_view *view;
    const struct theme *theme;
    const char **source, **target; // labels
    double cell, size;             // of a cell, of the font
    double left, top;              // corner of the cells
    bool right_to_left;
    bool echoes; // labels also on the right and below
};

/* Fewer tokens have more room. */
static void choose_sizes(struct matrix *m)
{
    const int longest = m->view->S > m->view->T ? m->view->S : m->view->T;
    m->echoes = longest > ECHO_TOKENS;
    m->cell = longest <= 12 ? 34 : longest <= 30 ? 27 : longest <= 60 ? 22 : 19;
    m->size = longest <= 12 ? 15 : longest <= 60 ? 13 : 12;
}

static double column_x(const struct matrix *m, int s)
{
    const int S = m->view->S;
    if (m->right_to_left)
        return m->left + (s == S ? 0 : (S - s) * m->cell + END_GAP);
    return m->left + s * m->cell + (s == S ? END_GAP : 0);
}

static double row_y(const struct matrix *m, int t)
{
    return m->top + t * m->cell;
}

static double widest(const char **labels, int count)
{
    double most = 0;
    for (int i = 0; i < count; i++)
        most = fmax(most, label_ems(labels[i]));
    return most;
}

static double matrix_width(const struct matrix *m)
{
    return (m->view->S + 1) * m->cell + END_GAP;
}

/* How far right of the last column the slanted labels reach. */
static double overhang(const struct matrix *m)
{
    double most = 0;
    for (int s = 0; s <= m->view->S; s++) {
        const double reach = column_x(m, s) + m->cell / 2 +
                             label_ems(m->source[s]) * m->size * cos(SLANT * RADIANS) + m->size / 2;
        most = fmax(most, reach - m->left - matrix_width(m));
    }
    return most;
}

static double bottom_of(const struct matrix *m)
{
    return row_y(m, m->view->T);
}

/* Above the column, or below it. */
static void add_source_label(const struct matrix *m, int s, bool above)
{
    const bool is_end = s == m->view->S;
    const double middle = column_x(m, s) + m->cell / 2 + m->size * 0.25;
    struct shape *label = scene_text(m->scene, m->source[s], middle,
                                     above ? m->top - LABEL_GAP : bottom_of(m) + m->size, m->size,
                                     is_end ? m->theme->quiet : m->theme->ink);
    label->anchor = above ? ANCHOR_START : ANCHOR_END;
    label->angle = -SLANT;
    label->source = s;
    if (!is_end)
        label->hint =
            scene_print(m->scene, "%s: coverage %.2f", m->source[s], (double)m->view->coverage[s]);
}

/* Left of the row, or right of it. */
static void add_target_label(const struct matrix *m, int t, bool left)
{
    struct shape *label = scene_text(
        m->scene, m->target[t], left ? m->left - LABEL_GAP : m->left + matrix_width(m) + LABEL_GAP,
        row_y(m, t) + m->cell / 2 + m->size * BASELINE, m->size, m->theme->ink);
    label->anchor = left ? ANCHOR_END : ANCHOR_START;
    label->target = t;
    label->hint =
        scene_print(m->scene, "%s: confidence %.2f", m->target[t], (double)m->view->confidence[t]);
}

static void add_labels(const struct matrix *m)
{
    for (int s = 0; s <= m->view->S; s++) {
        add_source_label(m, s, true);
        if (m->echoes)
            add_source_label(m, s, false);
    }
    for (int t = 0; t < m->view->T; t++) {
        add_target_label(m, t, true);
        if (m->echoes)
            add_target_label(m, t, false);
    }
}

static void add_rule(const struct matrix *m, double x, double y, double x_to, double y_to)
{
    const struct point points[2] = { { (float)x, (float)y }, { (float)x_to, (float)y_to } };
    scene_line(m->scene, points, 2, 1,
               colour_between(m->theme->dark_cell, m->theme->bright_cell, RULE_BRIGHTNESS));
}

static double first_word_x(const struct matrix *m)
{
    return column_x(m, m->right_to_left && m->view->S > 0 ? m->view->S - 1 : 0);
}

/* Behind the words, not across the gap to </s>. */
static void add_rules(const struct matrix *m)
{
    const double left = first_word_x(m), right = left + m->view->S * m->cell;
    const double bottom = bottom_of(m);
    for (int s = RULE_TOKENS; s < m->view->S; s += RULE_TOKENS) {
        const double x = column_x(m, m->right_to_left ? s - 1 : s);
        add_rule(m, x, m->top, x, bottom);
    }
    for (int t = RULE_TOKENS; t < m->view->T; t += RULE_TOKENS)
        add_rule(m, left, row_y(m, t), right, row_y(m, t));
}

static void add_cell(const struct matrix *m, int t, int s)
{
    const float weight = alignment_view_weight(m->view, t, s);
    struct shape *cell;
    if (weight < WEIGHT_SHOWN_MIN)
        return;
    cell =
        scene_rectangle(m->scene, column_x(m, s) + 0.5, row_y(m, t) + 0.5, m->cell - 1, m->cell - 1,
                        colour_between(m->theme->dark_cell, m->theme->bright_cell, (double)weight));
    cell->source = s;
    cell->target = t;
    cell->hint = layout_hint(m->scene, m->source[s], m->target[t], weight);
}

static void add_frame(const struct matrix *m, int t, int s)
{
    struct shape *frame = scene_frame(m->scene, column_x(m, s) + 1, row_y(m, t) + 1, m->cell - 2,
                                      m->cell - 2, m->echoes ? 1.5 : 2, m->theme->accent);
    frame->source = s;
    frame->target = t;
}

static void add_cells(const struct matrix *m)
{
    const double height = m->view->T * m->cell, words = m->view->S * m->cell;
    if (m->view->S > 0)
        scene_rectangle(m->scene, first_word_x(m), m->top, words, height, m->theme->dark_cell);
    scene_rectangle(m->scene, column_x(m, m->view->S), m->top, m->cell, height,
                    m->theme->dark_cell);
    if (m->echoes)
        add_rules(m);
    for (int t = 0; t < m->view->T; t++)
        for (int s = 0; s <= m->view->S; s++)
            add_cell(m, t, s);
    for (int t = 0; t < m->view->T; t++)
        if (m->view->links[t] >= 0)
            add_frame(m, t, m->view->links[t]);
}

static void add_legend(const struct matrix *m, double y)
{
    const uint32_t ink = m->theme->quiet;
    const double foot = y + LEGEND_SIZE;
    double x = LAYOUT_MARGIN;
    scene_text(m->scene, "weight 0", x, foot, LEGEND_SIZE, ink);
    x += 54;
    for (int i = 0; i < LEGEND_STEPS; i++)
        scene_rectangle(m->scene, x + i * LEGEND_STEP_WIDTH, y, LEGEND_STEP_WIDTH, LEGEND_SIZE + 2,
                        colour_between(m->theme->dark_cell, m->theme->bright_cell,
                                       (double)i / (LEGEND_STEPS - 1)));
    scene_frame(m->scene, x, y, LEGEND_STEPS * LEGEND_STEP_WIDTH, LEGEND_SIZE + 2, 1,
                m->theme->rule);
    x += LEGEND_STEPS * LEGEND_STEP_WIDTH + 6;
    scene_text(m->scene, "1", x, foot, LEGEND_SIZE, ink);
    x += 24;
    scene_frame(m->scene, x, y, LEGEND_SIZE + 2, LEGEND_SIZE + 2, 2, m->theme->accent);
    scene_text(m->scene, "looked at most", x + LEGEND_SIZE + 8, foot, LEGEND_SIZE, ink);
}

enum status matrix_layout(struct scene *scene, const struct alignment_view *view,
                          const struct theme *theme, struct error *err)
{
    struct matrix m = { .scene = scene,
                        .view = view,
                        .theme = theme,
                        .source = layout_labels(scene, view->source, view->S, true),
                        .target = layout_labels(scene, view->target, view->T, false) };
    if (!m.source || !m.target)
        return scene_finish(scene, 0, 0, err);
    choose_sizes(&m);
    m.right_to_left = layout_is_right_to_left(m.source, view->S);
    m.top = layout_head(scene, view, m.source, m.target, theme) +
            widest(m.source, view->S + 1) * m.size * sin(SLANT * RADIANS) + m.size + LABEL_GAP;
    m.left = LAYOUT_MARGIN + widest(m.target, view->T) * m.size + LABEL_GAP;
    add_cells(&m);
    add_labels(&m);
    double right = overhang(&m), bottom = bottom_of(&m);
    if (m.echoes) {
        right = fmax(right, LABEL_GAP + widest(m.target, view->T) * m.size);
        bottom += widest(m.source, view->S + 1) * m.size * sin(SLANT * RADIANS) + m.size;
    }
    right += m.left + matrix_width(&m);
    add_legend(&m, bottom + LAYOUT_MARGIN);
    const double title = label_ems(scene->title) * LAYOUT_TITLE_SIZE + LAYOUT_MARGIN;
    return scene_finish(scene, fmax(fmax(right, WIDTH_MIN), title) + LAYOUT_MARGIN,
                        bottom + LEGEND_SPACE + LAYOUT_MARGIN, err);
}
