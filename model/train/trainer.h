/*
 * trainer.h - the training loop: updates, validations, checkpoints.
 *
 *     struct trainer *trainer;
 *     status = trainer_new(&trainer, &options, task, &err);
 *     status = trainer_resume(trainer, &err);            // or not: it starts afresh
 *     status = trainer_run(trainer, &err);               // STATUS_CANCELLED: stopped, saved
 *     trainer_free(trainer);
 *
 * One update: the batch is dealt to the members of a team; each computes loss
 * and gradients of its rows with memory of its own; the optimiser adds them in
 * the order of the members and steps. The same options, task, seed and number
 * of threads give the same bits, with or without stops in between.
 *
 * With peers (peers.h) the members are those of all ranks, in the order of the
 * ranks. All ranks take every decision alike; rank 0 validates, saves and
 * reports, and the callbacks are called there alone.
 *
 * It knows neither text nor models: what a validation is good for besides its
 * loss (BLEU, keeping the best model) is the caller's, in on_validated.
 */
#ifndef MODEL_TRAIN_TRAINER_H
#define MODEL_TRAIN_TRAINER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/stopwatch.h"
#include "model/train/checkpoint.h"
#include "model/train/gemm.h"
#include "model/train/optimizer.h"
#include "model/train/peers.h"
#include "model/train/schedule.h"
#include "model/train/task.h"

#define TRAINER_THREADS_MAX 256
#define SKIPPED_IN_ROW_MAX 20 // updates of numbers that are not finite

struct training_progress {
    const struct training_state *state;
    double epochs; // done, a fraction included
    double loss;   // of this update: nats a piece, without smoothing
    double norm;   // of its gradient, before clipping
    double rate;
    int64_t pieces; // that it predicted
    bool skipped;
};

struct training_validation {
    const struct training_state *state;
    double loss;   // nats a piece
    bool improved; // the best so far
    const real *values;
};

struct trainer_options {
    struct schedule_options schedule;
    struct optimizer_options optimizer;
    double dropout, smoothing;
    int64_t epochs;           // at least 1
    int64_t validate_every;   // updates; 0: at the end of each epoch
    int64_t checkpoint_every; // updates; 0: at each validation only
    int64_t trace_every;      // updates; 0: gradients are not traced
    const char *checkpoint_path;
    const char *vocabulary;   // kept in the checkpoint; may be NULL
    enum precision precision; // of the matrix products
    int threads;              // 1..TRAINER_THREADS_MAX
    uint64_t seed;
    struct peers *peers;    // NULL: alone
    const atomic_int *stop; // NULL, or looked at between updates: not 0 means save and return

    /* NULL, or (threads + 1): each member's over its share of the losses, and last the trainer's own
     * over input and optimiser, where all members work together. Parts are model/parts.h's. */
    struct stopwatch *stopwatches;

    /* Called by the thread of trainer_run; NULL is fine. */
    void (*on_update)(void *context, const struct training_progress *progress);
    /* In trainer_new, on every rank: the first weights (see task.params), which it may change. */
    enum status (*on_first_values)(void *context, real *values, struct error *err);
    /* Gradients by distance (loss.h) of the rows of an update, without dropout, before it is taken;
     * of updates 1, 1 + trace_every ... Training's own numbers do not change. */
    void (*on_traced)(void *context, int64_t update, const struct gradient_trace *trace);
    enum status (*on_validated)(void *context, const struct training_validation *validation,
                                struct error *err);
    void *context;
};

struct trainer;

/* The task, its peers and the texts are borrowed until trainer_free. */
MUST_CHECK enum status trainer_new(struct trainer **out, const struct trainer_options *options,
                                   struct task *task, struct error *err);
void trainer_free(struct trainer *trainer); // NULL is fine

/* Go on from options.checkpoint_path, which every rank reads. After a failure the trainer is only
 * good for trainer_free. Until trainer_run, trainer_state(trainer)->threads says how many threads
 * there were before, of all ranks: with another number the training goes on, but not to the same
 * bits. */
MUST_CHECK enum status trainer_resume(struct trainer *trainer, struct error *err);

/* Until the epochs are done or patience is over: STATUS_OK. STATUS_CANCELLED: stopped, and the
 * checkpoint is written. STATUS_DIVERGED: too many updates in a row had numbers that are not
 * finite; the checkpoint is from before. STATUS_IO: a disk failed, or a rank is gone, and then
 * the checkpoint is of the last update that all of them took. */
MUST_CHECK enum status trainer_run(struct trainer *trainer, struct error *err);

const struct training_state *trainer_state(const struct trainer *trainer);
const real *trainer_values(const struct trainer *trainer);
int trainer_members(const struct trainer *trainer); // threads of all ranks

#endif
