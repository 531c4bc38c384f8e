/*
 * arena.h - memory that is given back all at once.
 *
 *     struct arena arena;
 *     if (!arena_init(&arena, 1 << 20)) ...
 *     struct arena_mark mark = arena_mark(&arena);
 *     float *row = arena_array(&arena, float, n);
 *     arena_rewind(&arena, mark);
 *     arena_release(&arena);
 *
 * An arena belongs to whatever sets its lifetime: a request, a batch, a worker
 * thread. Functions that return arrays take the arena the result must outlive
 * them in; functions that need scratch take a mark and rewind to it. The size
 * is a hard cap; pages that were never touched cost no memory. One thread at a
 * time. Under AddressSanitizer, unused and rewound memory is poisoned.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

struct arena {
    char *base; // NULL: a measuring arena, see arena_measure()
    size_t used;
    size_t size;
    size_t peak; // most ever used, reported in /metrics
};

struct arena_mark {
    size_t used;
};

/* An arena over memory that somebody else owns: not to be released. */
struct arena arena_over(void *memory, size_t bytes);

MUST_CHECK bool arena_init(struct arena *arena, size_t bytes); // false: no memory
/* For one that will be filled: asks for huge pages, which spares look-ups of addresses. */
MUST_CHECK bool arena_init_huge(struct arena *arena, size_t bytes);
void arena_release(struct arena *arena); // {0} is fine
void arena_reset(struct arena *arena);   // empty, capacity kept

/* An arena without memory: every allocation returns NULL but is counted in
 * `used`, so that one layout function both measures and places. What was
 * measured apart adds up: an arena of the sum has room for all. */
struct arena arena_measure(void);

/* NULL when full; the arena is unchanged then. Aligned for SIMD (64 bytes);
 * not zeroed. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* As arena_alloc for `count` elements; a product over SIZE_MAX is "full". */
void *arena_alloc_array(struct arena *arena, size_t count, size_t element_bytes);
#define arena_array(arena, type, count)                                                            \
    ((type *)arena_alloc_array((arena), (size_t)(count), sizeof(type)))

/* A NUL-terminated copy of len bytes; NULL when full. */
char *arena_copy(struct arena *arena, const char *bytes, size_t len);

struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

#endif
