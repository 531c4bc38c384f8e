/*
 * groups.h - an epoch over a corpus on disk, so much of it in memory at a time.
 *
 *     struct groups g;
 *     status = groups_init(&g, shard, groups_limits(), seed, &err);
 *     for (status = groups_begin(&g, epoch, &err); status == STATUS_OK;
 *          status = groups_next(&g, &err)) {
 *         ...                                          // with g.pairs
 *         if (groups_is_last(&g))
 *             break;
 *     }
 *     groups_release(&g);
 *
 *     blocks of the shard, shuffled -> groups of them, as many as the limits allow
 *
 * A corpus within the limits is one group: in the order of the file, and read
 * once. The order is a function of (shard, limits, seed, epoch) alone.
 */
#ifndef MODEL_TRAIN_GROUPS_H
#define MODEL_TRAIN_GROUPS_H

#include <stdbool.h>
#include "model/train/shard.h"

struct group_limits {
    int pairs; // most that are held, and at least those of a block
    int ids;
};

/* PAIRS_MAX and PAIRS_IDS_MAX. */
struct group_limits groups_limits(void);

struct groups {
    struct shard *shard; // borrowed
    struct group_limits limits;
    uint64_t seed;
    int32_t *order;       // (blocks) of the epoch
    struct pairs pairs;   // of the group that is held
    int first, end;       // it is blocks order[first,end)
    int number;           // of it in the epoch, from 0
    int64_t epoch;        // -1: none is held
    int64_t pairs_before; // of the epoch, in groups before
};

MUST_CHECK enum status groups_init(struct groups *g, struct shard *shard,
                                   struct group_limits limits, uint64_t seed, struct error *err);
void groups_release(struct groups *g); // {0} is fine

/* The first group of an epoch is held, or the next one. After a failure none is. */
MUST_CHECK enum status groups_begin(struct groups *g, int64_t epoch, struct error *err);
MUST_CHECK enum status groups_next(struct groups *g, struct error *err);
bool groups_is_last(const struct groups *g);

#endif
