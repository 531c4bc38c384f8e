/* memory.c - what the library allocates. */
#include "server/client/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_CAPACITY_MIN 256
#define CHUNK_BYTES_MIN 4096
#define CHUNK_BYTES_GROWN 65536 // chunks double up to here

/* ---- bytes ---- */

void verso_bytes_init(struct verso_bytes *b, size_t max)
{
    *b = (struct verso_bytes){ .max = max };
}

void verso_bytes_release(struct verso_bytes *b)
{
    free(b->data);
    verso_bytes_init(b, b->max);
}

static enum verso_status make_room(struct verso_bytes *b, size_t len)
{
    if (len > b->max - b->len)
        return VERSO_TOO_LARGE;
    const size_t wanted = b->len + len + 1;
    if (wanted <= b->capacity)
        return VERSO_OK;
    size_t capacity = b->capacity ? 2 * b->capacity : BYTES_CAPACITY_MIN;
    if (capacity < wanted)
        capacity = wanted;
    char *data = realloc(b->data, capacity);
    if (!data)
        return VERSO_NO_MEMORY;
    b->data = data;
    b->capacity = capacity;
    return VERSO_OK;
}

enum verso_status verso_bytes_append(struct verso_bytes *b, const char *data, size_t len)
{
    const enum verso_status status = make_room(b, len);
    if (status != VERSO_OK)
        return status;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return VERSO_OK;
}

/* ---- the block of a result ---- */

struct verso_chunk {
    _Alignas(max_align_t) struct verso_chunk *next;
    size_t used, size; // of the bytes behind
};

static char *bytes_of(struct verso_chunk *chunk)
{
    return (char *)(chunk + 1);
}

static struct verso_chunk *chunk_new(size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    struct verso_chunk *chunk = malloc(sizeof *chunk + size);
    if (chunk)
        *chunk = (struct verso_chunk){ .size = size };
    return chunk;
}

static struct verso_chunk *add_chunk(struct verso_pool *pool, size_t bytes)
{
    size_t size = 2 * pool->last->size;
    if (size > CHUNK_BYTES_GROWN)
        size = CHUNK_BYTES_GROWN;
    struct verso_chunk *chunk = chunk_new(bytes > size ? bytes : size);
    if (!chunk)
        return NULL;
    pool->last->next = chunk;
    pool->last = chunk;
    return chunk;
}

static size_t aligned(size_t bytes)
{
    const size_t to = _Alignof(max_align_t);
    return (bytes + to - 1) / to * to;
}

static void *take(struct verso_pool *pool, size_t bytes)
{
    struct verso_chunk *chunk = pool->last;
    if (bytes > chunk->size - chunk->used)
        chunk = add_chunk(pool, bytes);
    if (!chunk)
        return NULL;
    void *taken = bytes_of(chunk) + chunk->used;
    chunk->used += bytes;
    return memset(taken, 0, bytes);
}

void *verso_pool_alloc(struct verso_pool *pool, size_t count, size_t element_bytes)
{
    if (count > SIZE_MAX / 4 / element_bytes)
        return NULL;
    return take(pool, aligned(count * element_bytes));
}

void *verso_pool_new(struct verso_pool *pool, size_t result_bytes)
{
    pool->last = chunk_new(CHUNK_BYTES_MIN);
    return pool->last ? verso_pool_alloc(pool, 1, result_bytes) : NULL;
}

char *verso_pool_copy(struct verso_pool *pool, const char *bytes, size_t len)
{
    char *copy = verso_pool_alloc(pool, len + 1, 1);
    if (copy && len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

void verso_free(const void *result)
{
    if (!result)
        return;
    struct verso_chunk *chunk = (struct verso_chunk *)(uintptr_t)result - 1;
    while (chunk) {
        struct verso_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}
