/*
 * task.h - what is being trained, seen from the trainer: batches and their loss.
 *
 * The trainer knows updates, threads, checkpoints and schedules; a task knows
 * a model and its data. A translation, a language model and a classifier are
 * three tasks, and one trainer trains them all.
 *
 *     position(e, b)         batch b of epoch e becomes the current one; what must be
 *                            read from disk for it is read. By the trainer's thread alone.
 *     loss(rows, ...)        loss and gradients of some of its rows; by any thread
 *
 * Rows are dealt: a member of the team takes rows first, first + stride, ...
 * Validation batches are small enough to be whole members' work.
 *
 * What a batch holds is a function of (task, epoch, batch) alone - and, for a
 * model whose state runs on from batch to batch, of `carried`, which the
 * checkpoint keeps. loss reads what its rows need there and writes what they
 * leave behind to `carried_next`, which is all zero before; once the update's
 * step is taken the trainer adds up the ranks' blocks and makes them the next
 * batch's `carried`. An update that is left out leaves `carried` as it was.
 */
#ifndef MODEL_TRAIN_TASK_H
#define MODEL_TRAIN_TASK_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "model/config.h"
#include "model/loss.h"
#include "model/params.h"

struct rows {
    int first, stride;
};

/* The current batch, all members' rows together. */
struct task_batch {
    int64_t examples;    // sentence pairs, lines, streams
    int64_t pieces;      // that the loss is divided by
    double epoch_before; // share of the epoch that is done before this batch, 0..1
    bool ends_epoch;     // none comes after it
};

struct task {
    const struct task_kind *kind;
    const struct config *config;
    const struct params *params;
    int valid_count;              // validation batches, at least 1
    real *carried, *carried_next; // (carried_count) state that runs on between batches
    size_t carried_count;         // 0: there is none
};

/* A task's own struct begins with its struct task. */
struct task_kind {
    MUST_CHECK enum status (*position)(struct task *task, int64_t epoch, int64_t batch,
                                       struct task_batch *out, struct error *err);

    /* Of the arena that loss is given, which is empty. */
    size_t (*bytes)(const struct task *task, struct rows rows);
    /* Loss of the rows of the current batch; gradients are added to. No rows: a loss of 0 pieces.
     * Members call it at the same time, each with arena and gradients of its own. */
    MUST_CHECK enum status (*loss)(const struct task *task, const struct weights *weights,
                                   struct rows rows, const struct loss_options *options,
                                   struct arena *arena, real *gradients, struct loss *out,
                                   struct error *err);

    size_t (*valid_bytes)(const struct task *task, int i);
    MUST_CHECK enum status (*valid_loss)(const struct task *task, const struct weights *weights,
                                         int i, struct arena *arena, struct loss *out,
                                         struct error *err);

    /* Adds whatever of the data decides the numbers: digests, batch sizes. A checkpoint of other
     * settings is refused. */
    MUST_CHECK enum status (*describe)(const struct task *task, json_t *settings,
                                       struct error *err);

    void (*free)(struct task *task);
};

#endif
