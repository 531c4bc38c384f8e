/*
 * classification.c - what the trainer asks, answered by batches and the classifier.
 */
#include "model/train/classification.h"

#include "base/memory.h"

static const struct classification_task *of(const struct task *task)
{
    return (const struct classification_task *)(const void *)task;
}

enum status classification_add(struct pairs *set, const int32_t *ids, int len, int label,
                               struct error *err)
{
    const int32_t target = label;
    return pairs_add(set, ids, len, &target, 1, err);
}

static enum status position(struct task *task, int64_t epoch, int64_t batch, struct task_batch *out,
                            struct error *err)
{
    struct classification_task *t = (struct classification_task *)(void *)task;
    (void)err;
    if (t->planned_epoch != epoch) {
        batches_shuffle(&t->train, epoch);
        t->planned_epoch = epoch;
    }
    t->current = (int)batch;
    *out = (struct task_batch){
        .examples = t->train.rows[t->current].count,
        .pieces = t->train.rows[t->current].count, // one label a sequence
        .epoch_before = (double)t->current / t->train.count,
        .ends_epoch = t->current + 1 == t->train.count,
    };
    return STATUS_OK;
}

/* ---- loss ---- */

#define ALIGNMENT_SLACK 64 // an arena aligns each array

static size_t rows_bytes(const struct classification_task *t, const struct batches *batches, int i,
                         struct rows rows)
{
    const struct batch shape = batches_shape(batches, i, rows.first, rows.stride);
    return shape.B == 0
               ? 0
               : classifier_loss_bytes(&t->shape, shape.B, shape.S) + batches_fill_bytes(&shape) +
                     (size_t)shape.B * sizeof(int32_t) + ALIGNMENT_SLACK;
}

/* The label of a row is the first id of its target. */
static enum status fill(const struct batches *batches, int i, struct rows rows, struct arena *arena,
                        struct labelled_batch *out, struct error *err)
{
    struct batch batch;
    int32_t *labels = NULL;
    if (batches_fill(batches, i, rows.first, rows.stride, arena, &batch))
        labels = arena_array(arena, int32_t, batch.B);
    if (!labels)
        return error_set(err, STATUS_NO_MEMORY, "the rows of a batch do not fit");
    for (int b = 0; b < batch.B; b++)
        labels[b] = batch.target[(size_t)b * (size_t)batch.T];
    *out = (struct labelled_batch){ batch.source, batch.source_len, labels, batch.B, batch.S };
    return STATUS_OK;
}

static enum status rows_loss(const struct classification_task *t, const struct weights *weights,
                             const struct batches *batches, int i, struct rows rows,
                             const struct loss_options *options, struct arena *arena,
                             real *gradients, struct loss *out, struct error *err)
{
    struct labelled_batch batch;
    *out = (struct loss){ 0 };
    if (batches_shape(batches, i, rows.first, rows.stride).B == 0)
        return STATUS_OK;
    enum status status = fill(batches, i, rows, arena, &batch, err);
    if (status != STATUS_OK)
        return status;
    return classifier_loss(&t->shape, weights, &batch, options, arena, gradients, out, err);
}

static size_t bytes(const struct task *task, struct rows rows)
{
    const struct classification_task *t = of(task);
    return rows_bytes(t, &t->train, t->current, rows);
}

static enum status loss(const struct task *task, const struct weights *weights, struct rows rows,
                        const struct loss_options *options, struct arena *arena, real *gradients,
                        struct loss *out, struct error *err)
{
    const struct classification_task *t = of(task);
    return rows_loss(t, weights, &t->train, t->current, rows, options, arena, gradients, out, err);
}

static const struct rows all_rows = { .first = 0, .stride = 1 };

static size_t valid_bytes(const struct task *task, int i)
{
    const struct classification_task *t = of(task);
    return rows_bytes(t, &t->valid, i, all_rows);
}

static enum status valid_loss(const struct task *task, const struct weights *weights, int i,
                              struct arena *arena, struct loss *out, struct error *err)
{
    const struct classification_task *t = of(task);
    const struct loss_options options = { .scale = 1 };
    return rows_loss(t, weights, &t->valid, i, all_rows, &options, arena, NULL, out, err);
}

/* ---- life cycle ---- */

static enum status describe(const struct task *task, json_t *settings, struct error *err)
{
    const struct classification_task *t = of(task);
    const struct batch_options *o = &t->train.options;
    char train[SHA256_HEX_BYTES], valid[SHA256_HEX_BYTES];
    enum status status = pairs_digest(t->train.pairs, train, err);
    if (status == STATUS_OK)
        status = pairs_digest(t->valid.pairs, valid, err);
    if (status != STATUS_OK)
        return status;
    int failed = json_object_set_new(settings, "batch-sequences", json_integer(o->sentences));
    failed |= json_object_set_new(settings, "batch-ids", json_integer(o->pieces));
    failed |= json_object_set_new(settings, "training data", json_string(train));
    failed |= json_object_set_new(settings, "validation data", json_string(valid));
    return failed ? error_set(err, STATUS_NO_MEMORY, "no memory for the training's settings")
                  : STATUS_OK;
}

static void free_task(struct task *task)
{
    classification_task_free((struct classification_task *)(void *)task);
}

static const struct task_kind kind = {
    .position = position,
    .bytes = bytes,
    .loss = loss,
    .valid_bytes = valid_bytes,
    .valid_loss = valid_loss,
    .describe = describe,
    .free = free_task,
};

static enum status check_labels(const struct pairs *set, const char *what, int classes,
                                struct error *err)
{
    if (set->count == 0)
        return error_set(err, STATUS_BAD_INPUT, "the %s data has no sequence", what);
    for (int i = 0; i < set->count; i++)
        if (*pairs_target(set, i) < 0 || *pairs_target(set, i) >= classes)
            return error_set(err, STATUS_BAD_INPUT,
                             "the %s data has the label %d; there are %d classes", what,
                             (int)*pairs_target(set, i), classes);
    return STATUS_OK;
}

enum status classification_task_new(struct classification_task **out, const struct config *config,
                                    const struct pairs *train, const struct pairs *valid,
                                    struct batch_options options, struct error *err)
{
    *out = NULL;
    enum status status = config_check(config, err);
    if (status == STATUS_OK)
        status = check_labels(train, "training", config->classes, err);
    if (status == STATUS_OK)
        status = check_labels(valid, "validation", config->classes, err);
    if (status != STATUS_OK)
        return status;
    struct classification_task *t = memory_zeroed(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a classification task");
    classifier_init(&t->shape, config);
    t->planned_epoch = -1;
    status = batches_init(&t->train, train, options, err);
    if (status == STATUS_OK)
        status = batches_init(&t->valid, valid, options, err);
    if (status != STATUS_OK) {
        classification_task_free(t);
        return status;
    }
    batches_by_length(&t->valid);
    t->task = (struct task){ .kind = &kind,
                             .config = &t->shape.config,
                             .params = &t->shape.params,
                             .valid_count = t->valid.count };
    *out = t;
    return STATUS_OK;
}

void classification_task_free(struct classification_task *t)
{
    if (!t)
        return;
    batches_release(&t->train);
    batches_release(&t->valid);
    memory_free(t);
}
