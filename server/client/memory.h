/*
 * memory.h - what the library allocates: bytes that grow up to a maximum, and the block of a result.
 *
 *     struct verso_pool pool;
 *     struct verso_models *models = verso_pool_new(&pool, sizeof *models);
 *     ... verso_pool_alloc(&pool, ...) for what it points to ...
 *     verso_free(models);
 *
 * A pool is a chain of chunks; the result lies at the start of the first, so
 * its address is all that is needed to give everything back.
 */
#ifndef SERVER_CLIENT_MEMORY_H
#define SERVER_CLIENT_MEMORY_H

#include "server/client/verso_client.h"

struct verso_bytes {
    char *data; // NULL while empty; a '\0' is behind it
    size_t len, capacity, max;
};

void verso_bytes_init(struct verso_bytes *b, size_t max);
void verso_bytes_release(struct verso_bytes *b);
/* VERSO_NO_MEMORY or VERSO_TOO_LARGE; then b is unchanged. */
enum verso_status verso_bytes_append(struct verso_bytes *b, const char *data, size_t len);

struct verso_pool {
    struct verso_chunk *last;
};

void *verso_pool_new(struct verso_pool *pool, size_t result_bytes); // zeroed; NULL: no memory
void *verso_pool_alloc(struct verso_pool *pool, size_t count, size_t element_bytes); // the same
char *verso_pool_copy(struct verso_pool *pool, const char *bytes, size_t len); // a '\0' behind it

#endif
