/*
 * translation.h - the task of translating: sentence pairs in batches, seq2seq's loss.
 *
 *     struct translation_task *task;
 *     const struct translation_data data = { shard, groups_limits(), &valid };
 *     status = translation_task_new(&task, &config, &data, batch_options, &err);
 *     status = trainer_new(&trainer, &options, &task->task, &err);
 *     ...
 *     translation_task_free(task);
 *
 * The batches of an epoch are those of its groups, one after the other. To find
 * a batch in the middle of an epoch the groups before it are read and planned
 * again, which takes seconds where training them took hours.
 */
#ifndef MODEL_TRAIN_TRANSLATION_H
#define MODEL_TRAIN_TRANSLATION_H

#include "model/seq2seq.h"
#include "model/train/batches.h"
#include "model/train/groups.h"
#include "model/train/task.h"

struct translation_data { // borrowed until translation_task_free; both sets must have a pair
    struct shard *train;
    struct group_limits limits;
    const struct pairs *valid;
};

struct translation_task {
    struct task task; // first, see task.h
    struct seq2seq shape;
    struct batch_options options;
    double
        guidance; // what links of the training pairs weigh (layers/guidance.h), 0 until it is set
    struct groups groups;
    struct batches train;   // of the group that is held
    int64_t batches_before; // of the epoch, in groups before; -1: nothing is planned
    int current;            // batch of the group
    struct batches valid;
};

MUST_CHECK enum status translation_task_new(struct translation_task **out,
                                            const struct config *config,
                                            const struct translation_data *data,
                                            struct batch_options options, struct error *err);
void translation_task_free(struct translation_task *translation); // NULL is fine

#endif
