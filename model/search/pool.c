/*
 * pool.c - ranges of one block, first fit.
 */
#include "model/search/pool.h"

#include <assert.h>
#include <string.h>

#define ALIGNMENT 64

bool pool_init(struct pool *pool, size_t bytes)
{
    pool->count = 0;
    if (!arena_init(&pool->block, bytes))
        return false;
    return arena_alloc(&pool->block, bytes) != NULL;
}

void pool_release(struct pool *pool)
{
    arena_release(&pool->block);
}

char *pool_take(struct pool *pool, size_t bytes)
{
    const size_t wanted = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    size_t from = 0;
    int at = 0;
    if (pool->count == POOL_RANGES_MAX)
        return NULL;
    for (; at < pool->count && pool->ranges[at].from - from < wanted; at++)
        from = pool->ranges[at].to;
    if (pool->block.size - from < wanted)
        return NULL;
    memmove(pool->ranges + at + 1, pool->ranges + at,
            (size_t)(pool->count - at) * sizeof *pool->ranges);
    pool->ranges[at] = (struct pool_range){ from, from + wanted };
    pool->count++;
    return pool->block.base + from;
}

void pool_give(struct pool *pool, const char *range)
{
    const size_t from = (size_t)(range - pool->block.base);
    int at = 0;
    while (at < pool->count && pool->ranges[at].from != from)
        at++;
    assert(at < pool->count);
    pool->count--;
    memmove(pool->ranges + at, pool->ranges + at + 1,
            (size_t)(pool->count - at) * sizeof *pool->ranges);
}
