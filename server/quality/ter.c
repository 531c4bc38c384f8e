/*
 * ter.c - translation edit rate (Snover et al. 2006): edits / words of the reference.
 *
 * An edit inserts, deletes or replaces a word, or moves a stretch of words that
 * the reference has elsewhere. The fewest edits are too costly to find, so the
 * figure is defined by the heuristic of the program tercom, as sacreBLEU reads
 * it: as long as some move lowers the edit distance, make the best one. What
 * can move, the order of preference, the limits and the band of the distance
 * matrix are part of the definition: change one and published figures no
 * longer compare.
 */
#include <math.h>
#include <string.h>
#include "server/quality/metrics.h"
#include "tokenizer/character.h"

#define MOVE_WORDS_MAX 10    // in one move
#define MOVE_DISTANCE_MAX 50 // between its place in hypothesis and reference
#define CANDIDATES_MAX 1000  // moves tried in a sentence; the round that gets there is void
#define BAND 25              // cells of a matrix row on either side of the diagonal
#define FAR (1 << 29)        // cost of a cell outside the band

enum edit { KEEP, REPLACE, DELETE, INSERT }; // of the hypothesis, towards the reference

/* Row i of the distance matrix: the cost of turning the first i words of the hypothesis into the
 * first j of the reference, from <= j < to. */
struct row {
    int32_t *cost;
    uint8_t *edit; // the last one on the way; NULL where no trace is wanted
    int from, to;
};

struct alignment {          // of the hypothesis as it now stands
    int *of_reference;      // (R) the word of the hypothesis it stands for, or stands behind; -1
    bool *reference_wrong;  // (R)
    bool *hypothesis_wrong; // (H)
};

struct pair {
    const int32_t *reference; // (R)
    int32_t *hypothesis;      // (H) moves are made here
    int32_t *moved;           // (H) a candidate
    int H, R;
    struct row *rows;        // (H+1) of the hypothesis as it stands
    struct row candidate[2]; // the last two rows of a candidate
    struct alignment alignment;
    int candidates; // tried so far
};

struct move {
    int gain; // how much it lowers the edit distance
    int length, start, target;
};

static int32_t cost_at(const struct row *row, int j)
{
    return j >= row->from && j < row->to ? row->cost[j - row->from] : FAR;
}

static double words_ratio(const struct pair *p)
{
    return p->H ? (double)p->R / p->H : 1;
}

/* In a pair of very different lengths the band must still touch that of the row above. */
static int band(const struct pair *p)
{
    double half_step = words_ratio(p) / 2;
    return half_step > BAND ? (int)ceil(half_step + BAND) : BAND;
}

static void set_range(const struct pair *p, struct row *row, int i)
{
    int diagonal = (int)floor(i * words_ratio(p));
    row->from = diagonal - band(p) > 0 ? diagonal - band(p) : 0;
    row->to = diagonal + band(p) < p->R + 1 && i < p->H ? diagonal + band(p) : p->R + 1;
}

/* Among equal costs: keep or replace, then delete, then insert. */
static void fill_row(const struct pair *p, const struct row *above, int32_t word, struct row *row)
{
    for (int j = row->from; j < row->to; j++) {
        bool same = j > 0 && p->reference[j - 1] == word;
        int32_t best = cost_at(above, j - 1) + !same;
        enum edit edit = same ? KEEP : REPLACE;
        if (best > cost_at(above, j) + 1) {
            best = cost_at(above, j) + 1;
            edit = DELETE;
        }
        int32_t left = j > row->from ? row->cost[j - 1 - row->from] : FAR;
        if (best > left + 1) {
            best = left + 1;
            edit = INSERT;
        }
        row->cost[j - row->from] = best;
        if (row->edit)
            row->edit[j - row->from] = (uint8_t)edit;
    }
}

static int distance(const struct pair *p)
{
    for (int i = 1; i <= p->H; i++)
        fill_row(p, &p->rows[i - 1], p->hypothesis[i - 1], &p->rows[i]);
    return cost_at(&p->rows[p->H], p->R);
}

/* Of the candidate, whose first `unmoved` words are those of the hypothesis. */
static int candidate_distance(struct pair *p, int unmoved)
{
    const struct row *above = &p->rows[unmoved];
    for (int i = unmoved + 1; i <= p->H; i++) {
        struct row *row = &p->candidate[i % 2];
        set_range(p, row, i);
        fill_row(p, above, p->moved[i - 1], row);
        above = row;
    }
    return cost_at(above, p->R);
}

/* Walk the matrix back from its end. */
static void align(struct pair *p)
{
    struct alignment *a = &p->alignment;
    for (int i = p->H, j = p->R; i > 0 || j > 0;) {
        enum edit edit = p->rows[i].edit[j - p->rows[i].from];
        if (edit == DELETE) {
            a->hypothesis_wrong[--i] = true;
            continue;
        }
        j--;
        a->of_reference[j] = i - 1;
        a->reference_wrong[j] = edit != KEEP;
        if (edit != INSERT)
            a->hypothesis_wrong[--i] = edit != KEEP;
    }
}

/* A stretch and the words between it and its target change places. A target inside the stretch
 * means as many words further on. */
static void make_move(const int32_t *words, int count, const struct move *m, int32_t *out)
{
    int from = m->start, middle = m->start + m->length;
    int to = m->target > middle ? m->target : m->target + m->length;
    if (m->target < m->start) {
        from = m->target;
        middle = m->start;
        to = m->start + m->length;
    }
    if (to > count)
        to = count;
    memcpy(out, words, (size_t)from * sizeof *words);
    memcpy(out + from, words + middle, (size_t)(to - middle) * sizeof *words);
    memcpy(out + from + to - middle, words + from, (size_t)(middle - from) * sizeof *words);
    memcpy(out + to, words + to, (size_t)(count - to) * sizeof *words);
}

static bool is_better(const struct move *a, const struct move *b)
{
    if (a->gain != b->gain)
        return a->gain > b->gain;
    if (a->length != b->length)
        return a->length > b->length;
    if (a->start != b->start)
        return a->start < b->start;
    return a->target < b->target;
}

static bool any(const bool *flags, int count)
{
    for (int i = 0; i < count; i++)
        if (flags[i])
            return true;
    return false;
}

/* Only what is wrong at both places may move, and not into itself. */
static bool may_move(const struct alignment *a, int start, int in_reference, int length)
{
    int place = a->of_reference[in_reference];
    return any(a->hypothesis_wrong + start, length) &&
           any(a->reference_wrong + in_reference, length) &&
           !(place >= start && place < start + length);
}

/* Try the stretch at each place next to the words that stand for its words in the reference. */
static void try_moves(struct pair *p, int distance_now, int start, int in_reference, int length,
                      struct move *best)
{
    int last = -1;
    for (int j = in_reference - 1; j < in_reference + length; j++) {
        struct move m = { .length = length, .start = start };
        m.target = j < 0 ? 0 : p->alignment.of_reference[j] + 1;
        if (m.target == last)
            continue;
        last = m.target;
        make_move(p->hypothesis, p->H, &m, p->moved);
        m.gain = distance_now - candidate_distance(p, start < m.target ? start : m.target);
        p->candidates++;
        if (best->length == 0 || is_better(&m, best))
            *best = m;
    }
}

/* The best move of all stretches that the reference has too; no gain when there is none. */
static struct move best_move(struct pair *p, int distance_now)
{
    struct move best = { 0 };
    for (int start = 0; start < p->H; start++) {
        int first = start > MOVE_DISTANCE_MAX ? start - MOVE_DISTANCE_MAX : 0;
        for (int r = first; r < p->R && r <= start + MOVE_DISTANCE_MAX; r++) {
            for (int n = 1; n <= MOVE_WORDS_MAX && start + n <= p->H && r + n <= p->R &&
                            p->hypothesis[start + n - 1] == p->reference[r + n - 1];
                 n++) {
                if (!may_move(&p->alignment, start, r, n))
                    continue;
                try_moves(p, distance_now, start, r, n, &best);
                if (p->candidates >= CANDIDATES_MAX)
                    return best;
            }
        }
    }
    return best;
}

static int count_edits(struct pair *p)
{
    for (int moves = 0;; moves++) {
        int now = distance(p);
        align(p);
        struct move best = best_move(p, now);
        if (p->candidates >= CANDIDATES_MAX || best.gain <= 0)
            return moves + now;
        make_move(p->hypothesis, p->H, &best, p->moved);
        memcpy(p->hypothesis, p->moved, (size_t)p->H * sizeof *p->moved);
    }
}

static bool row_init(struct row *row, struct arena *arena, int cells)
{
    row->cost = arena_array(arena, int32_t, cells);
    row->edit = arena_array(arena, uint8_t, cells);
    return row->cost && row->edit;
}

/* Everything but the words. */
static bool lay_out(struct pair *p, struct arena *arena)
{
    size_t H = (size_t)p->H, R = (size_t)p->R;
    int cells = p->R < 2 * band(p) + 1 ? p->R + 1 : 2 * band(p) + 2;
    struct alignment *a = &p->alignment;
    p->moved = arena_array(arena, int32_t, H + 1);
    p->rows = arena_array(arena, struct row, H + 1);
    a->of_reference = arena_array(arena, int, R);
    a->reference_wrong = arena_array(arena, bool, R);
    a->hypothesis_wrong = arena_array(arena, bool, H + 1);
    if (!p->moved || !p->rows || !a->of_reference || !a->reference_wrong || !a->hypothesis_wrong ||
        !row_init(&p->candidate[0], arena, cells) || !row_init(&p->candidate[1], arena, cells) ||
        !row_init(&p->rows[0], arena, p->R + 1))
        return false;
    p->candidate[0].edit = p->candidate[1].edit = NULL;
    p->rows[0].from = 0;
    p->rows[0].to = p->R + 1;
    for (int j = 0; j <= p->R; j++) {
        p->rows[0].cost[j] = j;
        p->rows[0].edit[j] = INSERT;
    }
    for (int i = 1; i <= p->H; i++) {
        if (!row_init(&p->rows[i], arena, cells))
            return false;
        set_range(p, &p->rows[i], i);
    }
    return true;
}

/* The words of a text as numbers that equal words share. */
static int32_t *number_words(struct scratch *s, const char *text, int *count)
{
    struct units *u = &s->hypothesis;
    bytes_reset(&s->lower);
    if (!text_lower(text, strlen(text), &s->lower) ||
        !units_of_words(u, s->lower.data, s->lower.len))
        return NULL;
    int32_t *ids = arena_array(&s->arena, int32_t, u->count + 1);
    *count = u->count;
    return ids && grams_number(&s->grams, u, ids) ? ids : NULL;
}

/* An empty reference needs every word deleted. */
static bool edits_to(struct scratch *s, const int32_t *hypothesis, int H, const char *reference,
                     struct ter_counts *out)
{
    struct pair p = { .H = H };
    p.reference = number_words(s, reference, &p.R);
    p.hypothesis = arena_array(&s->arena, int32_t, H + 1);
    if (!p.reference || !p.hypothesis)
        return false;
    *out = (struct ter_counts){ .edits = H, .reference_words = p.R };
    if (p.R == 0)
        return true;
    memcpy(p.hypothesis, hypothesis, (size_t)H * sizeof *hypothesis);
    if (!lay_out(&p, &s->arena))
        return false;
    out->edits = count_edits(&p);
    return true;
}

bool ter_count(struct scratch *s, const struct sentence *in, struct ter_counts *out)
{
    int H;
    arena_reset(&s->arena);
    grams_clear(&s->grams);
    const int32_t *hypothesis = number_words(s, in->hypothesis, &H);
    if (!hypothesis)
        return false;
    *out = (struct ter_counts){ 0 };
    for (int r = 0; r < in->reference_count; r++) {
        struct ter_counts one;
        struct arena_mark mark = arena_mark(&s->arena);
        if (!edits_to(s, hypothesis, H, in->references[r], &one))
            return false;
        arena_rewind(&s->arena, mark);
        if (r == 0 || one.edits < out->edits)
            out->edits = one.edits;
        out->reference_words += one.reference_words;
    }
    out->reference_words /= in->reference_count;
    return true;
}

void ter_add(struct ter_counts *sum, const struct ter_counts *one)
{
    sum->edits += one->edits;
    sum->reference_words += one->reference_words;
}

double ter_score(const struct ter_counts *counts)
{
    if (counts->reference_words == 0)
        return counts->edits > 0 ? 100 : 0;
    return 100 * ((double)counts->edits / counts->reference_words);
}
