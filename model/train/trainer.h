/*
 * trainer.h - the training loop: updates, validations, checkpoints.
 *
 *     struct trainer *trainer;
 *     status = trainer_new(&trainer, &options, &train, &valid, &err);
 *     status = trainer_resume(trainer, &err);            // or not: it starts afresh
 *     status = trainer_run(trainer, &err);               // STATUS_CANCELLED: stopped, saved
 *     trainer_free(trainer);
 *
 * One update: the batch is dealt to the members of a team; each computes loss
 * and gradients of its rows with memory of its own; the optimiser adds them in
 * the order of the members and steps. The same options, data, seed and number
 * of threads give the same bits, with or without stops in between.
 *
 * It knows ids, not text: what a validation is good for besides its loss
 * (BLEU, keeping the best model) is the caller's, in on_validated.
 */
#ifndef MODEL_TRAIN_TRAINER_H
#define MODEL_TRAIN_TRAINER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "model/config.h"
#include "model/seq2seq.h"
#include "model/train/checkpoint.h"
#include "model/train/gemm.h"
#include "model/train/optimizer.h"
#include "model/train/pairs.h"
#include "model/train/schedule.h"

#define TRAINER_THREADS_MAX 256
#define SKIPPED_IN_ROW_MAX 20 // updates of numbers that are not finite

struct training_progress {
    const struct training_state *state;
    int64_t batches_in_epoch;
    double loss; // of this update: nats a target piece, without smoothing
    double norm; // of its gradient, before clipping
    double rate;
    int pieces; // its target pieces
    bool skipped;
};

struct training_validation {
    const struct training_state *state;
    double loss;   // nats a target piece
    bool improved; // the best so far
    const struct seq2seq *shape;
    const real *values;
};

struct trainer_options {
    struct config config;
    struct schedule_options schedule;
    struct optimizer_options optimizer;
    int batch_sentences;
    int batch_pieces; // source and target with padding
    double dropout, smoothing;
    int64_t epochs;           // at least 1
    int64_t validate_every;   // updates; 0: at the end of each epoch
    int64_t checkpoint_every; // updates; 0: at each validation only
    const char *checkpoint_path;
    const char *vocabulary;   // kept in the checkpoint; may be NULL
    enum precision precision; // of the matrix products
    int threads;              // 1..TRAINER_THREADS_MAX
    uint64_t seed;
    const atomic_int *stop; // NULL, or looked at between updates: not 0 means save and return

    /* Called by the thread of trainer_run; NULL is fine. */
    void (*on_update)(void *context, const struct training_progress *progress);
    enum status (*on_validated)(void *context, const struct training_validation *validation,
                                struct error *err);
    void *context;
};

struct trainer;

/* Pairs and texts are borrowed until trainer_free. Both sets must have a pair. */
MUST_CHECK enum status trainer_new(struct trainer **out, const struct trainer_options *options,
                                   const struct pairs *train, const struct pairs *valid,
                                   struct error *err);
void trainer_free(struct trainer *trainer); // NULL is fine

/* Go on from options.checkpoint_path. After a failure the trainer is only good for trainer_free.
 * Until trainer_run, trainer_state(trainer)->threads says how many threads it had before: with
 * another number the training goes on, but not to the same bits. */
MUST_CHECK enum status trainer_resume(struct trainer *trainer, struct error *err);

/* Until the epochs are done or patience is over: STATUS_OK. STATUS_CANCELLED: stopped, and the
 * checkpoint is written. STATUS_DIVERGED: too many updates in a row had numbers that are not
 * finite; the checkpoint is from before. */
MUST_CHECK enum status trainer_run(struct trainer *trainer, struct error *err);

const struct training_state *trainer_state(const struct trainer *trainer);
const struct seq2seq *trainer_shape(const struct trainer *trainer);
const real *trainer_values(const struct trainer *trainer);

#endif
