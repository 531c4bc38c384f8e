/*
 * batches.c - shuffling, sorting and cutting, all from one seed.
 */
#include "model/train/batches.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

#define EPOCH_STREAMS ((uint64_t)1 << 62) // random streams of epochs, apart from those of dropout

enum status batches_init(struct batches *b, const struct pairs *pairs, struct batch_options options,
                         struct error *err)
{
    assert(options.sentences > 0 && options.pieces > 0);
    size_t count = (size_t)(pairs->count > 0 ? pairs->count : 1);
    *b = (struct batches){ .pairs = pairs, .options = options };
    b->order = memory_alloc(count, sizeof *b->order);
    b->keys = memory_alloc(count, sizeof *b->keys);
    b->rows = memory_alloc(count, sizeof *b->rows);
    if (b->order && b->keys && b->rows)
        return STATUS_OK;
    batches_release(b);
    return error_set(err, STATUS_NO_MEMORY, "no memory to plan batches of %d pairs", pairs->count);
}

void batches_release(struct batches *b)
{
    memory_free(b->order);
    memory_free(b->keys);
    memory_free(b->rows);
    *b = (struct batches){ 0 };
}

static void shuffle_order(struct batches *b, struct rng *rng)
{
    for (int i = b->pairs->count - 1; i > 0; i--) {
        int j = (int)rng_below(rng, (uint64_t)i + 1);
        int32_t kept = b->order[i];
        b->order[i] = b->order[j];
        b->order[j] = kept;
    }
}

static void shuffle_rows(struct batches *b, struct rng *rng)
{
    for (int i = b->count - 1; i > 0; i--) {
        int j = (int)rng_below(rng, (uint64_t)i + 1);
        struct batch_rows kept = b->rows[i];
        b->rows[i] = b->rows[j];
        b->rows[j] = kept;
    }
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* By source length, then target length, to and fro - rising among sources of even length, falling
 * among those of odd - so that neighbours are near in both; then place, so that equal lengths stay
 * shuffled. A key holds the three: 16, 16 and 32 bits. */
static void sort_window(struct batches *b, int from, int count)
{
    int32_t *order = b->order + from;
    for (int i = 0; i < count; i++) {
        const struct pair *pair = &b->pairs->list[order[i]];
        const int target = pair->source_len % 2 ? UINT16_MAX - pair->target_len : pair->target_len;
        b->keys[i] = (uint64_t)pair->source_len << 48 | (uint64_t)target << 32 | (uint32_t)i;
    }
    qsort(b->keys, (size_t)count, sizeof *b->keys, compare_keys);
    for (int i = 0; i < count; i++)
        b->keys[i] = (uint64_t)order[(uint32_t)b->keys[i]];
    for (int i = 0; i < count; i++)
        order[i] = (int32_t)b->keys[i];
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Cut order[from, to) into batches. */
static void cut_window(struct batches *b, int from, int to)
{
    while (from < to) {
        int count = 0, S = 0, T = 0;
        while (from + count < to && count < b->options.sentences) {
            const struct pair *pair = &b->pairs->list[b->order[from + count]];
            S = larger(S, pair->source_len);
            T = larger(T, pair->target_len);
            if (count > 0 && (int64_t)(count + 1) * (S + T) > b->options.pieces)
                break;
            count++;
        }
        b->rows[b->count++] = (struct batch_rows){ from, count };
        from += count;
    }
}

static void number_pairs(struct batches *b)
{
    for (int i = 0; i < b->pairs->count; i++)
        b->order[i] = i;
    b->count = 0;
}

void batches_shuffle(struct batches *b, int64_t epoch)
{
    struct rng rng = rng_make(b->options.seed, EPOCH_STREAMS + (uint64_t)epoch);
    const int64_t window = (int64_t)BATCH_WINDOW * b->options.sentences;
    const int pairs = b->pairs->count;

    number_pairs(b);
    shuffle_order(b, &rng);
    for (int64_t from = 0; from < pairs; from += window) {
        int to = (int)(from + window < pairs ? from + window : pairs);
        sort_window(b, (int)from, to - (int)from);
        cut_window(b, (int)from, to);
    }
    shuffle_rows(b, &rng);
}

void batches_by_length(struct batches *b)
{
    number_pairs(b);
    sort_window(b, 0, b->pairs->count);
    cut_window(b, 0, b->pairs->count);
}

struct batch batches_shape(const struct batches *b, int i, int first, int stride)
{
    struct batch shape = { 0 };
    const struct batch_rows *rows = &b->rows[i];
    for (int r = first; r < rows->count; r += stride) {
        const struct pair *pair = &b->pairs->list[b->order[rows->from + r]];
        shape.S = larger(shape.S, pair->source_len);
        shape.T = larger(shape.T, pair->target_len);
        shape.link_count += pairs_link_count(b->pairs, b->order[rows->from + r]);
        shape.B++;
    }
    return shape;
}

#define ALIGNMENT_SLACK 64 // an arena aligns each array

size_t batches_fill_bytes(const struct batch *shape)
{
    size_t cells = (size_t)shape->B * (size_t)(1 + shape->S + shape->T);
    return cells * sizeof(int32_t) + 2 * (size_t)shape->B * sizeof(int) +
           (size_t)shape->link_count * sizeof(struct piece_link) + 6 * ALIGNMENT_SLACK;
}

static void fill_row(int32_t *row, int width, const int32_t *ids, int len)
{
    memcpy(row, ids, (size_t)len * sizeof *ids);
    memset(row + len, 0, (size_t)(width - len) * sizeof *ids);
}

/* Pair k's, which is row `row` of the batch; returns where the next ones go. */
static struct piece_link *fill_links(const struct pairs *pairs, int k, int row,
                                     struct piece_link *links)
{
    const int32_t *codes = pairs_target(pairs, k) + pairs->list[k].target_len;
    const int count = pairs_link_count(pairs, k);
    for (int i = 0; i < count; i++)
        *links++ = (struct piece_link){ row, codes[i] >> 16, codes[i] & 0xFFFF };
    return links;
}

/* The pairs of batch i from `first` on, the longest target first: then the rows of a step are the
 * first ones. */
static void order_rows(const struct batches *b, int i, int first, int stride, int B, int32_t *rows)
{
    const struct pair *list = b->pairs->list;
    for (int n = 0; n < B; n++) {
        const int32_t pair = b->order[b->rows[i].from + first + n * stride];
        int at = n;
        for (; at > 0 && list[rows[at - 1]].target_len < list[pair].target_len; at--)
            rows[at] = rows[at - 1];
        rows[at] = pair;
    }
}

bool batches_fill(const struct batches *b, int i, int first, int stride, struct arena *arena,
                  struct batch *out)
{
    struct batch batch = batches_shape(b, i, first, stride);
    int32_t *rows = arena_array(arena, int32_t, batch.B);
    int32_t *source = arena_array(arena, int32_t, (size_t)batch.B * (size_t)batch.S);
    int32_t *target = arena_array(arena, int32_t, (size_t)batch.B * (size_t)batch.T);
    int *source_len = arena_array(arena, int, batch.B);
    int *target_len = arena_array(arena, int, batch.B);
    struct piece_link *links = arena_array(arena, struct piece_link, batch.link_count);
    if (!rows || !source || !target || !source_len || !target_len || !links)
        return false;
    batch.links = links;
    order_rows(b, i, first, stride, batch.B, rows);
    for (int n = 0; n < batch.B; n++) {
        const int k = rows[n];
        const struct pair *pair = &b->pairs->list[k];
        source_len[n] = pair->source_len;
        target_len[n] = pair->target_len;
        fill_row(source + (size_t)n * (size_t)batch.S, batch.S, pairs_source(b->pairs, k),
                 pair->source_len);
        fill_row(target + (size_t)n * (size_t)batch.T, batch.T, pairs_target(b->pairs, k),
                 pair->target_len);
        links = fill_links(b->pairs, k, n, links);
    }
    batch.source = source;
    batch.target = target;
    batch.source_len = source_len;
    batch.target_len = target_len;
    *out = batch;
    return true;
}

int64_t batches_target_pieces(const struct batches *b, int i)
{
    int64_t pieces = 0;
    for (int r = 0; r < b->rows[i].count; r++)
        pieces += b->pairs->list[b->order[b->rows[i].from + r]].target_len;
    return pieces;
}
