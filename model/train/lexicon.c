/*
 * lexicon.c - a table of pairs of pieces, filled by one pass over the shard, refined by others.
 *
 *     counted  c(s,t) += 1/S for each target piece t and each source piece s of a pair
 *     round    t(t|s) = c(s,t) / sum_t c(s,t), then c(s,t) += t(t|s) / sum_s t(t|s)
 *
 * S source pieces, </s> among them. The table is open-addressed and its order
 * comes from the pieces alone.
 */
#include "model/train/lexicon.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define FIRST_CELLS (1 << 16)
#define LEAST_KEPT 0.05f // count below which cells go first; doubled until there is room

struct cell {        // free where target is <pad>, which is never one
    uint32_t source; // of a pair of pieces
    uint32_t target;
    float count, probability;
};

struct lexicon {
    const struct lexicon_options *options;
    struct shard *shard;
    int vocabulary;
    struct cell *cells; // (capacity), a power of two
    size_t capacity, used;
    double *totals; // (V) of a source piece's counts
    struct pairs pairs;
    struct cell *row[LEXICON_SIDE_MAX]; // of one target piece and all of the source
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory to learn a shortlist");
}

/* ---- the table ---- */

/* Where the pair is, or the free cell where it belongs. */
static struct cell *find_cell(struct cell *cells, size_t capacity, int32_t source, int32_t target)
{
    const uint64_t key = (uint64_t)source << 32 | (uint32_t)target;
    size_t at = (size_t)((key * 0x9E3779B97F4A7C15u) >> 40) & (capacity - 1);
    while (cells[at].target != 0 &&
           (cells[at].source != (uint32_t)source || cells[at].target != (uint32_t)target))
        at = (at + 1) & (capacity - 1);
    return &cells[at];
}

/* Into a table of `capacity`, without those whose count is below `least`. */
static enum status move_cells(struct lexicon *x, size_t capacity, float least, struct error *err)
{
    struct cell *cells = memory_zeroed(capacity, sizeof *cells);
    if (!cells)
        return no_memory(err);
    x->used = 0;
    for (size_t i = 0; i < x->capacity; i++) {
        const struct cell *from = &x->cells[i];
        if (from->target == 0 || from->count < least)
            continue;
        *find_cell(cells, capacity, (int32_t)from->source, (int32_t)from->target) = *from;
        x->used++;
    }
    memory_free(x->cells);
    x->cells = cells;
    x->capacity = capacity;
    return STATUS_OK;
}

/* Three quarters are full: twice as large, or the rarest go until half is free. */
static enum status make_room(struct lexicon *x, struct error *err)
{
    if (x->capacity < (size_t)x->options->cells_max)
        return move_cells(x, 2 * x->capacity, 0, err);
    enum status status = STATUS_OK;
    for (float least = LEAST_KEPT; status == STATUS_OK && x->used > x->capacity / 2; least *= 2)
        status = move_cells(x, x->capacity, least, err);
    return status;
}

static enum status count_cell(struct lexicon *x, int32_t source, int32_t target, float count,
                              struct error *err)
{
    struct cell *cell = find_cell(x->cells, x->capacity, source, target);
    if (cell->target == 0) {
        if (4 * x->used >= 3 * x->capacity) {
            enum status status = make_room(x, err);
            if (status != STATUS_OK)
                return status;
            cell = find_cell(x->cells, x->capacity, source, target);
        }
        *cell = (struct cell){ .source = (uint32_t)source, .target = (uint32_t)target };
        x->used++;
    }
    cell->count += count;
    return STATUS_OK;
}

/* ---- passes over the pairs ---- */

struct sides {
    const int32_t *source, *target;
    int S, T;
};

typedef enum status (*pair_visitor)(struct lexicon *x, const struct sides *pair, struct error *err);

static enum status count_pair(struct lexicon *x, const struct sides *pair, struct error *err)
{
    const float share = 1 / (float)pair->S;
    for (int t = 0; t < pair->T; t++) {
        for (int s = 0; s < pair->S; s++) {
            enum status status = count_cell(x, pair->source[s], pair->target[t], share, err);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

/* What was forgotten has no probability and stays without. */
static enum status expect_pair(struct lexicon *x, const struct sides *pair, struct error *err)
{
    (void)err;
    for (int t = 0; t < pair->T; t++) {
        float sum = 0;
        for (int s = 0; s < pair->S; s++) {
            x->row[s] = find_cell(x->cells, x->capacity, pair->source[s], pair->target[t]);
            sum += x->row[s]->probability;
        }
        for (int s = 0; s < pair->S && sum > 0; s++)
            if (x->row[s]->target != 0)
                x->row[s]->count += x->row[s]->probability / sum;
    }
    return STATUS_OK;
}

static bool are_pieces(const int32_t *ids, int len, int vocabulary)
{
    for (int i = 0; i < len; i++)
        if (ids[i] <= 0 || ids[i] >= vocabulary)
            return false;
    return true;
}

static enum status visit_block(struct lexicon *x, int block, pair_visitor visit, struct error *err)
{
    pairs_clear(&x->pairs);
    enum status status = shard_read(x->shard, block, &x->pairs, err);
    for (int i = 0; status == STATUS_OK && i < x->pairs.count; i++) {
        const struct pair *pair = &x->pairs.list[i];
        const struct sides sides = { pairs_source(&x->pairs, i), pairs_target(&x->pairs, i),
                                     pair->source_len, pair->target_len };
        if (!are_pieces(sides.source, sides.S, x->vocabulary) ||
            !are_pieces(sides.target, sides.T, x->vocabulary))
            return error_set(err, STATUS_BAD_FILE,
                             "the training pairs are of another vocabulary than the model's");
        if (sides.S <= LEXICON_SIDE_MAX && sides.T <= LEXICON_SIDE_MAX)
            status = visit(x, &sides, err);
    }
    return status;
}

/* Blocks at equal distances where there are too many. */
static enum status visit_all(struct lexicon *x, int round, pair_visitor visit, struct error *err)
{
    const int blocks = shard_block_count(x->shard);
    const int step = (blocks + LEXICON_BLOCKS_MAX - 1) / LEXICON_BLOCKS_MAX;
    const double rounds = x->options->rounds + 1;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < blocks; i += step) {
        if (x->options->on_progress)
            x->options->on_progress(x->options->context, (round + (double)i / blocks) / rounds);
        status = visit_block(x, i, visit, err);
    }
    return status;
}

/* Probabilities of the counts, which begin again. */
static void maximise(struct lexicon *x)
{
    memset(x->totals, 0, (size_t)x->vocabulary * sizeof *x->totals);
    for (size_t i = 0; i < x->capacity; i++)
        x->totals[x->cells[i].source] += x->cells[i].count;
    for (size_t i = 0; i < x->capacity; i++) {
        struct cell *cell = &x->cells[i];
        if (cell->target != 0 && cell->count > 0)
            cell->probability = (float)(cell->count / x->totals[cell->source]);
        else
            cell->probability = 0;
        cell->count = 0;
    }
}

/* ---- from the table to rows ---- */

static int by_row(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    if (x->probability != y->probability)
        return x->probability > y->probability ? -1 : 1;
    return (x->target > y->target) - (x->target < y->target);
}

/* The best of a source piece's cells (count), which are in order; without what is allowed anyway,
 * which is what is marked. */
static int list_row(const struct lexicon *x, const struct cell *cells, size_t count, int most,
                    const bool *always, int32_t *row)
{
    int len = 0;
    for (size_t i = 0; i < count && len < most; i++) {
        const int32_t target = (int32_t)cells[i].target;
        if (cells[i].probability > 0 && cells[i].probability >= x->options->least &&
            target > SHORTLIST_ALWAYS && !always[target] && cells[i].source != cells[i].target)
            row[len++] = target;
    }
    return len;
}

/* </s>, and what comes from no piece of the source in particular; those are marked. */
static int list_always(const struct lexicon *x, const struct cell *cells, size_t count,
                       bool *always, int32_t *row)
{
    row[0] = SHORTLIST_ALWAYS;
    const int len = 1 + list_row(x, cells, count, x->options->row - 1, always, row + 1);
    for (int i = 0; i < len; i++)
        always[row[i]] = true;
    return len;
}

static int64_t most_pieces(const struct lexicon *x)
{
    const int64_t rows = (int64_t)x->options->row * x->vocabulary;
    return x->options->together_count + (rows < (int64_t)x->used ? rows : (int64_t)x->used);
}

static void fill_rows(const struct lexicon *x, bool *always, struct shortlist *out)
{
    const struct lexicon_options *options = x->options;
    int32_t used = 0;
    size_t at = 0;
    for (int source = 0; source < x->vocabulary; source++) {
        const struct cell *cells = x->cells + at;
        size_t count = 0;
        while (at + count < x->used && cells[count].source == (uint32_t)source)
            count++;
        at += count;
        out->offsets[source] = used;
        int32_t *row = out->pieces + used;
        if (source == SHORTLIST_ALWAYS) {
            used += list_always(x, cells, count, always, row);
        } else if (source == SHORTLIST_TOGETHER) {
            for (int i = 0; i < options->together_count; i++)
                row[i] = options->together[i];
            used += options->together_count;
        } else {
            used += list_row(x, cells, count, options->row, always, row);
        }
    }
    out->offsets[x->vocabulary] = used;
}

/* The cells that are used to the front, a row behind the other. */
static void sort_cells(struct lexicon *x)
{
    size_t count = 0;
    for (size_t i = 0; i < x->capacity; i++)
        if (x->cells[i].target != 0)
            x->cells[count++] = x->cells[i];
    assert(count == x->used);
    qsort(x->cells, count, sizeof *x->cells, by_row);
}

static enum status make_shortlist(struct lexicon *x, struct shortlist **out, struct error *err)
{
    bool *always = memory_zeroed((size_t)x->vocabulary, sizeof *always);
    struct shortlist *made = shortlist_new(x->vocabulary, most_pieces(x) + 1);
    enum status status = STATUS_OK;
    if (always && made) {
        sort_cells(x);
        fill_rows(x, always, made);
        *out = made;
    } else {
        shortlist_free(made);
        status = no_memory(err);
    }
    memory_free(always);
    return status;
}

/* ---- public ---- */

struct lexicon_options lexicon_options_default(void)
{
    return (struct lexicon_options){
        .rounds = 2, .row = 200, .least = 0.001, .cells_max = LEXICON_CELLS_MAX
    };
}

static enum status learn(struct lexicon *x, struct shortlist **out, struct error *err)
{
    const size_t V = (size_t)x->vocabulary;
    x->capacity = FIRST_CELLS < x->options->cells_max ? FIRST_CELLS : (size_t)x->options->cells_max;
    x->cells = memory_zeroed(x->capacity, sizeof *x->cells);
    x->totals = memory_zeroed(V, sizeof *x->totals);
    if (!x->cells || !x->totals)
        return no_memory(err);
    enum status status = visit_all(x, 0, count_pair, err);
    for (int round = 1; status == STATUS_OK && round <= x->options->rounds; round++) {
        maximise(x);
        status = visit_all(x, round, expect_pair, err);
    }
    if (status != STATUS_OK)
        return status;
    maximise(x);
    return make_shortlist(x, out, err);
}

enum status lexicon_learn(struct shortlist **out, struct shard *shard, int vocabulary,
                          const struct lexicon_options *options, struct error *err)
{
    *out = NULL;
    struct lexicon *x = memory_zeroed(1, sizeof *x);
    if (!x)
        return no_memory(err);
    x->options = options;
    x->shard = shard;
    x->vocabulary = vocabulary;
    const enum status status = learn(x, out, err);
    pairs_release(&x->pairs);
    memory_free(x->cells);
    memory_free(x->totals);
    memory_free(x);
    return status;
}
