/*
 * grow.h - arrays of unknown length in an arena.
 *
 *     if (!GROW(arena, marks, mark_count, mark_capacity)) ...     // room for one more
 *
 * Private to server/documents. Twice the room, and the old half is left behind.
 */
#ifndef SERVER_DOCUMENTS_GROW_H
#define SERVER_DOCUMENTS_GROW_H

#include <string.h>
#include "base/arena.h"

#define GROW_AT_FIRST 16

static inline void *grow(struct arena *arena, void *array, int count, int *capacity, size_t size)
{
    const int wanted = *capacity ? 2 * *capacity : GROW_AT_FIRST;
    if (count < *capacity)
        return array;
    void *more = arena_alloc_array(arena, (size_t)wanted, size);
    if (!more)
        return NULL;
    if (count > 0)
        memcpy(more, array, (size_t)count * size);
    *capacity = wanted;
    return more;
}

static inline bool grow_in_place(struct arena *arena, void **array, int count, int *capacity,
                                 size_t size)
{
    void *more = grow(arena, *array, count, capacity, size);
    if (!more)
        return false;
    *array = more;
    return true;
}

#define GROW(arena, array, count, capacity)                                                        \
    grow_in_place((arena), (void **)&(array), (count), &(capacity), sizeof *(array))

#endif
