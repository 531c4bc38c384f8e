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

void pairs_clear(struct pairs *pairs)
{
    pairs->count = 0;
    pairs->id_count = 0;
}

enum status pair_check(int source_len, int target_len, struct error *err)
{
    const int longer = source_len > target_len ? source_len : target_len;
    return longer < PAIR_LENGTH_MAX
               ? STATUS_OK
               : error_set(err, STATUS_TOO_LARGE, "a sentence of %d pieces is over the limit of %d",
                           longer, PAIR_LENGTH_MAX - 1);
}

static bool grow_list(struct pairs *pairs, int wanted)
{
    if (wanted <= pairs->capacity)
        return true;
    int capacity = pairs->capacity ? 2 * pairs->capacity : 1024;
    if (capacity < wanted)
        capacity = wanted;
    struct pair *list = memory_resize(pairs->list, (size_t)capacity, sizeof *list);
    if (!list)
        return false;
    pairs->list = list;
    pairs->capacity = capacity;
    return true;
}

static bool grow_ids(struct pairs *pairs, size_t wanted)
{
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

enum status pairs_reserve(struct pairs *pairs, int more_pairs, size_t more_ids, struct error *err)
{
    if (more_pairs > PAIRS_MAX - pairs->count || more_ids > PAIRS_IDS_MAX - pairs->id_count)
        return error_set(err, STATUS_TOO_LARGE,
                         "more than %d pairs or %d pieces of them are too many to hold: take a "
                         "part of them",
                         PAIRS_MAX, PAIRS_IDS_MAX);
    if (grow_list(pairs, pairs->count + more_pairs) && grow_ids(pairs, pairs->id_count + more_ids))
        return STATUS_OK;
    return error_set(err, STATUS_NO_MEMORY, "no memory for more than %d pairs: take a part of them",
                     pairs->count);
}

void pairs_place(struct pairs *pairs, int source_len, int target_len)
{
    pairs->list[pairs->count++] = (struct pair){ pairs->id_count, source_len, target_len };
    pairs->id_count += (size_t)source_len + (size_t)target_len;
}

void pairs_place_links(struct pairs *pairs, int count)
{
    pairs->id_count += (size_t)count;
}

int pairs_link_count(const struct pairs *pairs, int i)
{
    const struct pair *pair = &pairs->list[i];
    const size_t end = i + 1 < pairs->count ? pair[1].at : pairs->id_count;
    return (int)(end - pair->at) - pair->source_len - pair->target_len;
}

static int32_t *put_sentence(int32_t *at, const int32_t *ids, int len)
{
    if (len > 0)
        memcpy(at, ids, (size_t)len * sizeof *ids);
    at[len] = END_OF_SENTENCE;
    return at + len + 1;
}

enum status pairs_add(struct pairs *pairs, const int32_t *source, int source_len,
                      const int32_t *target, int target_len, struct error *err)
{
    enum status status = pair_check(source_len, target_len, err);
    if (status == STATUS_OK)
        status = pairs_reserve(pairs, 1, (size_t)source_len + (size_t)target_len + 2, err);
    if (status != STATUS_OK)
        return status;
    put_sentence(put_sentence(pairs->ids + pairs->id_count, source, source_len), target,
                 target_len);
    pairs_place(pairs, source_len + 1, target_len + 1);
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
