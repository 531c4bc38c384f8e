/*
 * pairs.c - growing the block and telling what is in it.
 */
#include "model/train/pairs.h"

#include <string.h>

#include "base/memory.h"

#define END_OF_SENTENCE 3

void pairs_release(struct pairs *pairs)
{
    memory_free(pairs->ids);
    memory_free(pairs->list);
    *pairs = (struct pairs){ 0 };
}

static bool grow_list(struct pairs *pairs)
{
    if (pairs->count < pairs->capacity)
        return true;
    int capacity = pairs->capacity ? 2 * pairs->capacity : 1024;
    struct pair *list = memory_resize(pairs->list, (size_t)capacity, sizeof *list);
    if (!list)
        return false;
    pairs->list = list;
    pairs->capacity = capacity;
    return true;
}

static bool grow_ids(struct pairs *pairs, size_t more)
{
    size_t wanted = pairs->id_count + more;
    if (wanted <= pairs->id_capacity)
        return true;
    size_t capacity = pairs->id_capacity ? pairs->id_capacity + pairs->id_capacity / 2 : 65536;
    if (capacity < wanted)
        capacity = wanted;
    int32_t *ids = memory_resize(pairs->ids, capacity, sizeof *ids);
    if (!ids)
        return false;
    pairs->ids = ids;
    pairs->id_capacity = capacity;
    return true;
}

static void append_sentence(struct pairs *pairs, const int32_t *ids, int len)
{
    if (len > 0)
        memcpy(pairs->ids + pairs->id_count, ids, (size_t)len * sizeof *ids);
    pairs->ids[pairs->id_count + (size_t)len] = END_OF_SENTENCE;
    pairs->id_count += (size_t)len + 1;
}

enum status pairs_add(struct pairs *pairs, const int32_t *source, int source_len,
                      const int32_t *target, int target_len, struct error *err)
{
    if (source_len >= PAIR_LENGTH_MAX || target_len >= PAIR_LENGTH_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a sentence of %d pieces is over the limit of %d",
                         source_len > target_len ? source_len : target_len, PAIR_LENGTH_MAX - 1);
    if (pairs->count == PAIRS_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "the corpus has more than %d pairs: train on a part of it", PAIRS_MAX);
    if (!grow_list(pairs) || !grow_ids(pairs, (size_t)source_len + (size_t)target_len + 2))
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for the corpus after %d pairs: train on a part of it",
                         pairs->count);
    pairs->list[pairs->count++] = (struct pair){ pairs->id_count, source_len + 1, target_len + 1 };
    append_sentence(pairs, source, source_len);
    append_sentence(pairs, target, target_len);
    return STATUS_OK;
}

int64_t pairs_target_pieces(const struct pairs *pairs)
{
    int64_t pieces = 0;
    for (int i = 0; i < pairs->count; i++)
        pieces += pairs->list[i].target_len;
    return pieces;
}

enum status pairs_digest(const struct pairs *pairs, char hex[SHA256_HEX_BYTES], struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    struct sha256 *hash = sha256_new();
    if (!hash)
        return error_set(err, STATUS_NO_MEMORY, "no memory to take the digest of the corpus");
    if (pairs->count > 0) {
        sha256_add(hash, pairs->list, (size_t)pairs->count * sizeof *pairs->list);
        sha256_add(hash, pairs->ids, pairs->id_count * sizeof *pairs->ids);
    }
    sha256_finish(hash, digest);
    sha256_free(hash);
    sha256_to_hex(digest, hex);
    return STATUS_OK;
}
