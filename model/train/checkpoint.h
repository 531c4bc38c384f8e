/*
 * checkpoint.h - everything a training needs to go on as if it had never stopped.
 *
 *     status = checkpoint_save("en-fr.checkpoint", &blocks, &state, settings, vocabulary, &err);
 *     status = checkpoint_load("en-fr.checkpoint", &blocks, &state, settings, &err);
 *
 * One .safetensors file, replaced whole: a tensor of weights, one of each Adam
 * moment ("m.NAME", "v.NAME") and three texts: "state", "settings" (whatever
 * decides the numbers: sizes, rates, seed, digests of the data) and the
 * vocabulary, so that nobody has to learn it again. State that runs on between
 * batches is one more tensor, "carried".
 */
#ifndef MODEL_TRAIN_CHECKPOINT_H
#define MODEL_TRAIN_CHECKPOINT_H

#include <stdint.h>
#include "base/bytes.h"
#include "base/json.h"
#include "base/status.h"
#include "model/params.h"
#include "model/train/schedule.h"

struct training_state {
    int64_t epoch;      // from 0
    int64_t next_batch; // of the epoch
    int64_t updates;    // tried, skipped ones included
    int64_t steps;      // taken by the optimiser
    int64_t skipped;    // updates whose numbers were not finite
    int64_t skipped_in_row;
    int64_t validated_at; // updates when last validated, -1 before the first
    int64_t examples;     // seen so far
    int64_t pieces;       // predicted so far
    int threads;          // of all ranks
    double seconds;       // spent so far
    struct schedule schedule;
};

struct checkpoint_blocks {
    const struct params *params;
    real *values, *m, *v; // (params->total)
    real *carried;        // (carried_count) the task's
    size_t carried_count; // 0: there is none
};

/* `vocabulary` may be NULL. */
MUST_CHECK enum status checkpoint_save(const char *path, const struct checkpoint_blocks *blocks,
                                       const struct training_state *state, const json_t *settings,
                                       const char *vocabulary, struct error *err);

/* STATUS_BAD_INPUT names the first of `settings` that differs from the checkpoint's. On failure
 * the blocks may be partly overwritten. */
MUST_CHECK enum status checkpoint_load(const char *path, const struct checkpoint_blocks *blocks,
                                       struct training_state *state, const json_t *settings,
                                       struct error *err);

/* The vocabulary in a checkpoint; STATUS_BAD_FILE if it has none. */
MUST_CHECK enum status checkpoint_vocabulary(const char *path, struct bytes *out,
                                             struct error *err);

#endif
