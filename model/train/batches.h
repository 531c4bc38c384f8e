/*
 * batches.h - a plan for the pairs that are held: each once, in batches of similar lengths.
 *
 *     struct batches batches;
 *     status = batches_init(&batches, &pairs, options, &err);
 *     batches_shuffle(&batches, epoch);
 *     for (int i = 0; i < batches.count; i++)
 *         ok = batches_fill(&batches, i, member, members, &arena, &batch);
 *     batches_release(&batches);
 *
 * The plan is a function of (pairs, options, epoch) alone, so a training
 * that goes on from a checkpoint finds its batch without what came before.
 *
 *     all pairs, shuffled -> windows of BATCH_WINDOW batches -> each sorted by length
 *     -> cut into batches -> batches shuffled
 *
 * The pairs must outlive it. Once planned, reading may be shared between threads.
 */
#ifndef MODEL_TRAIN_BATCHES_H
#define MODEL_TRAIN_BATCHES_H

#include <stdbool.h>
#include "base/arena.h"
#include "model/seq2seq.h"
#include "model/train/pairs.h"

#define BATCH_WINDOW 400 // batches' worth of pairs that are sorted by length together

struct batch_options {
    int sentences; // most in a batch
    int pieces;    // most in a batch, source and target with padding; a pair alone may
                   // have more
    uint64_t seed;
};

struct batch_rows {
    int32_t from, count; // in order
};

struct batches {
    const struct pairs *pairs;
    struct batch_options options;
    int32_t *order;          // (pairs) pair numbers, batch after batch
    uint64_t *keys;          // (pairs) scratch for sorting
    struct batch_rows *rows; // (count)
    int count;
};

MUST_CHECK enum status batches_init(struct batches *b, const struct pairs *pairs,
                                    struct batch_options options, struct error *err);
void batches_release(struct batches *b); // {0} is fine

/* The plan for training. Where the pairs held are a group (groups.h) of an epoch, `epoch` is a
 * number that the two make together. */
void batches_shuffle(struct batches *b, int64_t epoch);
void batches_by_length(struct batches *b); // the plan for validation: no chance

/* What batch i's share is: rows first, first + stride, ... of it, which is how a batch is dealt
 * to the members of a team. Pointers are NULL; B is 0 if there is no such row. */
struct batch batches_shape(const struct batches *b, int i, int first, int stride);
size_t batches_fill_bytes(const struct batch *shape);
/* The same with ids, the longest target first, in the arena; false: it is full. */
MUST_CHECK bool batches_fill(const struct batches *b, int i, int first, int stride,
                             struct arena *arena, struct batch *out);

int64_t batches_target_pieces(const struct batches *b, int i); // of the whole batch

#endif
