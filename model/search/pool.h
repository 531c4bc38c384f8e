/*
 * pool.h - one block of memory, lent out in ranges of any size.
 *
 *     if (!pool_init(&pool, bytes)) ...
 *     char *range = pool_take(&pool, bytes);        // NULL: not now
 *     pool_give(&pool, range);
 *
 * First fit among at most POOL_RANGES_MAX ranges, so a few dozen comparisons
 * for something that happens once a sentence. A bound that does not grow: what
 * does not fit waits. One thread.
 */
#ifndef MODEL_SEARCH_POOL_H
#define MODEL_SEARCH_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"

#define POOL_RANGES_MAX 1024

struct pool {
    struct arena block;
    struct pool_range {
        size_t from, to;
    } ranges[POOL_RANGES_MAX]; // taken, in order
    int count;
};

bool pool_init(struct pool *pool, size_t bytes); // false: no memory
void pool_release(struct pool *pool);            // {0} is fine

char *pool_take(struct pool *pool, size_t bytes); // aligned as an arena's; NULL: no room
void pool_give(struct pool *pool, const char *range);

#endif
