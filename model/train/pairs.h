/*
 * pairs.h - sentence pairs as ids in memory, in one compact block: those of validation, and the
 * part of a training corpus that is held at a time (shard.h has the whole of it).
 *
 *     struct pairs pairs = { 0 };
 *     status = pairs_add(&pairs, source, source_len, target, target_len, &err);
 *     const int32_t *ids = pairs_source(&pairs, i);       // pairs.list[i].source_len of them
 *     pairs_release(&pairs);
 *
 * Each sentence is stored with its </s>, and behind the two may be links
 * between their pieces (model/layers/guidance.h), a number each: the source
 * piece times 65536 and the target piece, in the order of the target. Reading
 * may be shared between threads.
 */
#ifndef MODEL_TRAIN_PAIRS_H
#define MODEL_TRAIN_PAIRS_H

#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "base/status.h"

#define PAIRS_MAX (1 << 20)     // held
#define PAIRS_IDS_MAX (1 << 25) // held: 128 MiB
#define PAIR_LENGTH_MAX 4096    // pieces of one side, </s> included
#define PAIR_LINKS_MAX 16384    // between the pieces of one pair

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
void pairs_clear(struct pairs *pairs); // empty, capacity kept

/* STATUS_TOO_LARGE: a side, </s> not counted, would be over PAIR_LENGTH_MAX with it. */
MUST_CHECK enum status pair_check(int source_len, int target_len, struct error *err);

/* Ids come without </s>. STATUS_TOO_LARGE: a side over PAIR_LENGTH_MAX, or more than PAIRS_MAX or
 * PAIRS_IDS_MAX. */
MUST_CHECK enum status pairs_add(struct pairs *pairs, const int32_t *source, int source_len,
                                 const int32_t *target, int target_len, struct error *err);

/* Room for so many more of both, STATUS_TOO_LARGE over the limits; then ids may be put behind
 * id_count, and pairs_place says that the next of them, </s> included, are a pair. */
MUST_CHECK enum status pairs_reserve(struct pairs *pairs, int more_pairs, size_t more_ids,
                                     struct error *err);
void pairs_place(struct pairs *pairs, int source_len, int target_len);
void pairs_place_links(struct pairs *pairs, int count); // the next ids are the last pair's links

static inline const int32_t *pairs_source(const struct pairs *pairs, int i)
{
    return pairs->ids + pairs->list[i].at;
}

static inline const int32_t *pairs_target(const struct pairs *pairs, int i)
{
    return pairs->ids + pairs->list[i].at + pairs->list[i].source_len;
}

/* They begin behind the target. */
int pairs_link_count(const struct pairs *pairs, int i);

static inline int32_t pair_link(int source, int target)
{
    return (int32_t)((uint32_t)source << 16 | (uint32_t)target);
}

int64_t pairs_target_pieces(const struct pairs *pairs);

/* SHA-256 over all ids and lengths, to tell whether two runs see the same data. */
MUST_CHECK enum status pairs_digest(const struct pairs *pairs, char hex[SHA256_HEX_BYTES],
                                    struct error *err);

#endif
