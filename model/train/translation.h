/*
 * translation.h - the task of translating: sentence pairs in batches, seq2seq's loss.
 *
 *     struct translation_task *translation;
 *     status = translation_task_new(&translation, &config, &train, &valid, batch_options, &err);
 *     status = trainer_new(&trainer, &options, &translation->task, &err);
 *     ...
 *     translation_task_free(translation);
 *
 * Open, because on_validated needs the shape to save a model.
 */
#ifndef MODEL_TRAIN_TRANSLATION_H
#define MODEL_TRAIN_TRANSLATION_H

#include "model/seq2seq.h"
#include "model/train/batches.h"
#include "model/train/task.h"

struct translation_task {
    struct task task; // first, see task.h
    struct seq2seq shape;
    struct batches train, valid;
    int64_t planned_epoch; // that `train` holds the plan of; -1: none yet
    int current;           // batch of it
};

/* The pairs are borrowed until translation_task_free; both sets must have one. */
MUST_CHECK enum status translation_task_new(struct translation_task **out,
                                            const struct config *config, const struct pairs *train,
                                            const struct pairs *valid, struct batch_options options,
                                            struct error *err);
void translation_task_free(struct translation_task *translation); // NULL is fine

#endif
