/*
 * translation.c - what the trainer asks, answered by batches and seq2seq.
 */
#include "model/train/translation.h"

#include "base/memory.h"

#define GROUP_PLANS                                                                                \
    ((int64_t)1 << 32) // numbers of plans from a group to the next; more than epochs

static const struct translation_task *of(const struct task *task)
{
    return (const struct translation_task *)(const void *)task;
}

/* ---- which batch ---- */

static enum status plan_group(struct translation_task *t, int64_t epoch, struct error *err)
{
    batches_release(&t->train);
    enum status status = batches_init(&t->train, &t->groups.pairs, t->options, err);
    if (status == STATUS_OK)
        batches_shuffle(&t->train, epoch + t->groups.number * GROUP_PLANS);
    return status;
}

static enum status begin_epoch(struct translation_task *t, int64_t epoch, struct error *err)
{
    t->batches_before = -1;
    enum status status = groups_begin(&t->groups, epoch, err);
    if (status == STATUS_OK)
        status = plan_group(t, epoch, err);
    if (status == STATUS_OK)
        t->batches_before = 0;
    return status;
}

static enum status next_group(struct translation_task *t, int64_t epoch, struct error *err)
{
    const int64_t before = t->batches_before + t->train.count;
    if (groups_is_last(&t->groups))
        return error_set(err, STATUS_BAD_INPUT, "epoch %lld has no more than %lld batches",
                         (long long)epoch, (long long)before);
    t->batches_before = -1;
    enum status status = groups_next(&t->groups, err);
    if (status == STATUS_OK)
        status = plan_group(t, epoch, err);
    if (status == STATUS_OK)
        t->batches_before = before;
    return status;
}

static enum status find_batch(struct translation_task *t, int64_t epoch, int64_t batch,
                              struct error *err)
{
    enum status status = STATUS_OK;
    if (t->batches_before < 0 || t->groups.epoch != epoch || batch < t->batches_before)
        status = begin_epoch(t, epoch, err);
    while (status == STATUS_OK && batch >= t->batches_before + t->train.count)
        status = next_group(t, epoch, err);
    if (status == STATUS_OK)
        t->current = (int)(batch - t->batches_before);
    return status;
}

/* Of the pairs' share: groups are not all of the same size. */
static double epoch_before(const struct translation_task *t)
{
    const double all = (double)shard_facts(t->groups.shard)->pairs;
    const double group = (double)t->current / t->train.count;
    return (double)t->groups.pairs_before / all + group * ((double)t->groups.pairs.count / all);
}

static enum status position(struct task *task, int64_t epoch, int64_t batch, struct task_batch *out,
                            struct error *err)
{
    struct translation_task *t = (struct translation_task *)(void *)task;
    enum status status = find_batch(t, epoch, batch, err);
    if (status != STATUS_OK)
        return status;
    *out = (struct task_batch){
        .examples = t->train.rows[t->current].count,
        .pieces = batches_target_pieces(&t->train, t->current),
        .epoch_before = epoch_before(t),
        .ends_epoch = t->current + 1 == t->train.count && groups_is_last(&t->groups),
    };
    return STATUS_OK;
}

/* ---- loss ---- */

static size_t rows_bytes(const struct translation_task *t, const struct batches *batches, int i,
                         struct rows rows)
{
    const struct batch shape = batches_shape(batches, i, rows.first, rows.stride);
    return shape.B == 0 ? 0
                        : seq2seq_loss_bytes(&t->shape, shape.B, shape.S, shape.T) +
                              batches_fill_bytes(&shape);
}

static enum status rows_loss(const struct translation_task *t, const struct weights *weights,
                             const struct batches *batches, int i, struct rows rows,
                             const struct loss_options *options, struct arena *arena,
                             real *gradients, struct loss *out, struct error *err)
{
    struct batch batch = batches_shape(batches, i, rows.first, rows.stride);
    *out = (struct loss){ 0 };
    if (batch.B == 0)
        return STATUS_OK;
    if (!batches_fill(batches, i, rows.first, rows.stride, arena, &batch))
        return error_set(err, STATUS_NO_MEMORY, "the rows of a batch do not fit");
    return seq2seq_loss(&t->shape, weights, &batch, options, arena, gradients, out, err);
}

static size_t bytes(const struct task *task, struct rows rows)
{
    const struct translation_task *t = of(task);
    return rows_bytes(t, &t->train, t->current, rows);
}

static enum status loss(const struct task *task, const struct weights *weights, struct rows rows,
                        const struct loss_options *options, struct arena *arena, real *gradients,
                        struct loss *out, struct error *err)
{
    const struct translation_task *t = of(task);
    struct loss_options guided = *options;
    guided.guidance = (real)t->guidance;
    return rows_loss(t, weights, &t->train, t->current, rows, &guided, arena, gradients, out, err);
}

static const struct rows all_rows = { .first = 0, .stride = 1 };

static size_t valid_bytes(const struct task *task, int i)
{
    const struct translation_task *t = of(task);
    return rows_bytes(t, &t->valid, i, all_rows);
}

static enum status valid_loss(const struct task *task, const struct weights *weights, int i,
                              struct arena *arena, struct loss *out, struct error *err)
{
    const struct translation_task *t = of(task);
    const struct loss_options options = { .scale = 1 };
    return rows_loss(t, weights, &t->valid, i, all_rows, &options, arena, NULL, out, err);
}

/* ---- life cycle ---- */

static enum status describe(const struct task *task, json_t *settings, struct error *err)
{
    const struct translation_task *t = of(task);
    const struct batch_options *o = &t->options;
    char train[SHA256_HEX_BYTES], valid[SHA256_HEX_BYTES];
    shard_digest(t->groups.shard, train);
    enum status status = pairs_digest(t->valid.pairs, valid, err);
    if (status != STATUS_OK)
        return status;
    int failed = json_object_set_new(settings, "batch-sentences", json_integer(o->sentences));
    if (t->guidance > 0)
        failed |= json_object_set_new(settings, "guided-alignment-weight", json_real(t->guidance));
    failed |= json_object_set_new(settings, "batch-pieces", json_integer(o->pieces));
    failed |= json_object_set_new(settings, "training data", json_string(train));
    failed |= json_object_set_new(settings, "validation data", json_string(valid));
    return failed ? error_set(err, STATUS_NO_MEMORY, "no memory for the training's settings")
                  : STATUS_OK;
}

static void free_task(struct task *task)
{
    translation_task_free((struct translation_task *)(void *)task);
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

enum status translation_task_new(struct translation_task **out, const struct config *config,
                                 const struct translation_data *data, struct batch_options options,
                                 struct error *err)
{
    *out = NULL;
    if (shard_facts(data->train)->pairs == 0 || data->valid->count == 0)
        return error_set(err, STATUS_BAD_INPUT, "the %s data has no sentence pair",
                         data->valid->count > 0 ? "training" : "validation");
    enum status status = config_check(config, err);
    if (status != STATUS_OK)
        return status;
    struct translation_task *t = memory_zeroed(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a translation task");
    seq2seq_init(&t->shape, config);
    t->options = options;
    t->batches_before = -1;
    status = groups_init(&t->groups, data->train, data->limits, options.seed, err);
    if (status == STATUS_OK)
        status = batches_init(&t->valid, data->valid, options, err);
    if (status != STATUS_OK) {
        translation_task_free(t);
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

void translation_task_free(struct translation_task *t)
{
    if (!t)
        return;
    groups_release(&t->groups);
    batches_release(&t->train);
    batches_release(&t->valid);
    memory_free(t);
}
