/*
 * groups.c - the order of blocks, cut where the limits are reached.
 */
#include "model/train/groups.h"

#include <assert.h>

#include "base/memory.h"
#include "base/rng.h"

#define BLOCK_STREAMS ((uint64_t)1 << 61) // random streams of the blocks' order, one an epoch

struct group_limits groups_limits(void)
{
    return (struct group_limits){ .pairs = PAIRS_MAX, .ids = PAIRS_IDS_MAX };
}

enum status groups_init(struct groups *g, struct shard *shard, struct group_limits limits,
                        uint64_t seed, struct error *err)
{
    assert(limits.pairs >= SHARD_BLOCK_PAIRS && limits.ids >= SHARD_BLOCK_IDS);
    *g = (struct groups){ .shard = shard, .limits = limits, .seed = seed, .epoch = -1 };
    g->order = memory_alloc((size_t)shard_block_count(shard) + 1, sizeof *g->order);
    return g->order ? STATUS_OK
                    : error_set(err, STATUS_NO_MEMORY, "no memory to plan %d blocks of pairs",
                                shard_block_count(shard));
}

void groups_release(struct groups *g)
{
    memory_free(g->order);
    pairs_release(&g->pairs);
    *g = (struct groups){ 0 };
}

/* Where a group that begins with block order[first] ends. */
static int end_of_group(const struct groups *g, int first)
{
    const int count = shard_block_count(g->shard);
    int64_t pairs = 0, ids = 0;
    int i = first;
    for (; i < count; i++) {
        const struct shard_block *block = shard_block(g->shard, g->order[i]);
        pairs += block->pairs;
        ids += block->ids;
        if (pairs > g->limits.pairs || ids > g->limits.ids)
            break;
    }
    return i;
}

static void order_blocks(struct groups *g, int64_t epoch)
{
    const int count = shard_block_count(g->shard);
    struct rng rng = rng_make(g->seed, BLOCK_STREAMS + (uint64_t)epoch);
    for (int i = 0; i < count; i++)
        g->order[i] = i;
    if (end_of_group(g, 0) == count)
        return;
    for (int i = count - 1; i > 0; i--) {
        const int j = (int)rng_below(&rng, (uint64_t)i + 1);
        const int32_t kept = g->order[i];
        g->order[i] = g->order[j];
        g->order[j] = kept;
    }
}

static enum status hold(struct groups *g, int first, struct error *err)
{
    enum status status = STATUS_OK;
    const int end = end_of_group(g, first);
    pairs_clear(&g->pairs);
    for (int i = first; i < end && status == STATUS_OK; i++)
        status = shard_read(g->shard, g->order[i], &g->pairs, err);
    g->first = first;
    g->end = end;
    return status;
}

enum status groups_begin(struct groups *g, int64_t epoch, struct error *err)
{
    const int count = shard_block_count(g->shard);
    const bool all_is_held = g->epoch >= 0 && g->first == 0 && g->end == count;
    g->epoch = -1;
    g->number = 0;
    g->pairs_before = 0;
    order_blocks(g, epoch);
    enum status status = all_is_held ? STATUS_OK : hold(g, 0, err);
    if (status == STATUS_OK)
        g->epoch = epoch;
    return status;
}

enum status groups_next(struct groups *g, struct error *err)
{
    const int64_t epoch = g->epoch;
    assert(epoch >= 0 && !groups_is_last(g));
    g->epoch = -1;
    g->number++;
    g->pairs_before += g->pairs.count;
    enum status status = hold(g, g->end, err);
    if (status == STATUS_OK)
        g->epoch = epoch;
    return status;
}

bool groups_is_last(const struct groups *g)
{
    return g->end == shard_block_count(g->shard);
}
