/*
 * arena.c - a pointer that moves forward through one block, and back all at once.
 *
 * Blocks of MAPPED_BYTES_MIN and more are mapped pages: untouched ones cost
 * nothing, and giving them back really does. Smaller ones come from the heap,
 * aligned by hand, with the heap's own pointer kept in front:
 *
 *     heap block |....|heap pointer| base (64-byte aligned) ... size |
 */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/memory.h"

#define ALIGNMENT 64
#define MAPPED_BYTES_MIN ((size_t)1 << 20)

#if defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#endif
#ifdef POISONING
#include <sanitizer/asan_interface.h>
#define POISON(at, bytes) ASAN_POISON_MEMORY_REGION(at, bytes)
#define UNPOISON(at, bytes) ASAN_UNPOISON_MEMORY_REGION(at, bytes)
#else
#define POISON(at, bytes) ((void)(at), (void)(bytes))
#define UNPOISON(at, bytes) ((void)(at), (void)(bytes))
#endif

static char *heap_block_new(size_t bytes)
{
    char *heap = memory_alloc(bytes + ALIGNMENT + sizeof heap, 1);
    if (!heap)
        return NULL;
    size_t past = ((uintptr_t)heap + sizeof heap) % ALIGNMENT;
    char *base = heap + sizeof heap + (past ? ALIGNMENT - past : 0);
    memcpy(base - sizeof heap, &heap, sizeof heap);
    return base;
}

static void heap_block_free(char *base)
{
    char *heap;
    memcpy(&heap, base - sizeof heap, sizeof heap);
    memory_free(heap);
}

bool arena_init(struct arena *arena, size_t bytes)
{
    *arena = (struct arena){ 0 };
    if (bytes > PTRDIFF_MAX)
        return false;
    char *base = bytes < MAPPED_BYTES_MIN ? heap_block_new(bytes) : memory_map_pages(bytes);
    if (!base)
        return false;
    POISON(base, bytes);
    *arena = (struct arena){ .base = base, .size = bytes };
    return true;
}

bool arena_init_huge(struct arena *arena, size_t bytes)
{
    if (!arena_init(arena, bytes))
        return false;
    if (bytes >= MAPPED_BYTES_MIN)
        memory_prefer_huge_pages(arena->base, bytes);
    return true;
}

struct arena arena_over(void *memory, size_t bytes)
{
    return (struct arena){ .base = memory, .size = bytes };
}

void arena_release(struct arena *arena)
{
    if (arena->base) {
        UNPOISON(arena->base, arena->size);
        if (arena->size < MAPPED_BYTES_MIN)
            heap_block_free(arena->base);
        else
            memory_unmap_pages(arena->base, arena->size);
    }
    *arena = (struct arena){ 0 };
}

void arena_reset(struct arena *arena)
{
    arena_rewind(arena, (struct arena_mark){ 0 });
}

struct arena arena_measure(void)
{
    return (struct arena){ .size = SIZE_MAX };
}

/* A sum over SIZE_MAX leaves a measuring arena at SIZE_MAX, which no arena_init can satisfy. */
static void *arena_overflow(struct arena *arena)
{
    if (!arena->base && arena->size == SIZE_MAX)
        arena->used = arena->peak = SIZE_MAX;
    return NULL;
}

static bool round_up(size_t bytes, size_t *rounded)
{
    if (__builtin_add_overflow(bytes, ALIGNMENT - 1, rounded))
        return false;
    *rounded -= *rounded % ALIGNMENT;
    return true;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t start, end, next;
    if (bytes == 0)
        bytes = 1; // distinct pointers, and NULL only when full
    if (!round_up(arena->used, &start) || __builtin_add_overflow(start, bytes, &end) ||
        !round_up(end, &next))
        return arena_overflow(arena);
    if (end > arena->size)
        return NULL;
    arena->used = next < arena->size ? next : arena->size; // so that sizes measured apart add up
    if (arena->peak < arena->used)
        arena->peak = arena->used;
    if (!arena->base)
        return NULL;
    UNPOISON(arena->base + start, bytes);
    return arena->base + start;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t element_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, element_bytes, &bytes))
        return arena_overflow(arena);
    return arena_alloc(arena, bytes);
}

char *arena_copy(struct arena *arena, const char *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return arena_overflow(arena);
    char *copy = arena_alloc(arena, len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){ .used = arena->used };
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    assert(mark.used <= arena->used);
    if (arena->base)
        POISON(arena->base + mark.used, arena->used - mark.used);
    arena->used = mark.used;
}
