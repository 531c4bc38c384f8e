/*
 * pairs.h - the sentence pairs of a corpus as ids, in one compact block.
 *
 *     struct pairs pairs = { 0 };
 *     status = pairs_add(&pairs, source, source_len, target, target_len, &err);
 *     const int32_t *ids = pairs_source(&pairs, i);       // pairs.list[i].source_len of them
 *     pairs_release(&pairs);
 *
 * Each sentence is stored with its </s>. Reading may be shared between threads.
 */
#ifndef MODEL_TRAIN_PAIRS_H
#define MODEL_TRAIN_PAIRS_H

#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "base/status.h"

#define PAIRS_MAX (1 << 28)
#define PAIR_LENGTH_MAX 4096 // pieces of one side, </s> included

struct pair {
    size_t at;      // of the source in ids; the target follows it
    int source_len; // </s> included, so at least 1
    int target_len;
};

struct pairs { // {0} is empty
    int32_t *ids;
    size_t id_count, id_capacity;
    struct pair *list;
    int count, capacity;
};

void pairs_release(struct pairs *pairs);

/* Ids come without </s>. STATUS_TOO_LARGE: a side over PAIR_LENGTH_MAX, or PAIRS_MAX reached. */
MUST_CHECK enum status pairs_add(struct pairs *pairs, const int32_t *source, int source_len,
                                 const int32_t *target, int target_len, struct error *err);

static inline const int32_t *pairs_source(const struct pairs *pairs, int i)
{
    return pairs->ids + pairs->list[i].at;
}

static inline const int32_t *pairs_target(const struct pairs *pairs, int i)
{
    return pairs->ids + pairs->list[i].at + pairs->list[i].source_len;
}

int64_t pairs_target_pieces(const struct pairs *pairs);

/* SHA-256 over all ids and lengths, to tell whether two runs see the same data. */
MUST_CHECK enum status pairs_digest(const struct pairs *pairs, char hex[SHA256_HEX_BYTES],
                                    struct error *err);

#endif
