/*
 * classification.h - the task of telling classes apart: labelled sequences in batches, the
 * classifier's loss.
 *
 *     struct pairs train = { 0 };
 *     status = classification_add(&train, ids, len, label, &err);
 *     ...
 *     struct classification_task *classification;
 *     status = classification_task_new(&classification, &config, &train, &valid, batch_options,
 *                                      &err);
 *     status = trainer_new(&trainer, &options, &classification->task, &err);
 *     ...
 *     classification_task_free(classification);
 *
 * A labelled sequence is a pair whose target is its label, so a set of them is
 * held, digested and planned as sentence pairs are. Like them, each sequence
 * ends in </s>.
 */
#ifndef MODEL_TRAIN_CLASSIFICATION_H
#define MODEL_TRAIN_CLASSIFICATION_H

#include "model/classifier.h"
#include "model/train/batches.h"
#include "model/train/task.h"

struct classification_task {
    struct task task; // first, see task.h
    struct classifier shape;
    struct batches train, valid;
    int64_t planned_epoch; // that `train` holds the plan of; -1: none yet
    int current;           // batch of it
};

/* Ids come without </s>; errors as pairs_add. */
MUST_CHECK enum status classification_add(struct pairs *set, const int32_t *ids, int len, int label,
                                          struct error *err);

/* The sets are borrowed until classification_task_free; both must have a sequence, and labels
 * below config->classes. */
MUST_CHECK enum status classification_task_new(struct classification_task **out,
                                               const struct config *config,
                                               const struct pairs *train, const struct pairs *valid,
                                               struct batch_options options, struct error *err);
void classification_task_free(struct classification_task *classification); // NULL is fine

#endif
