/*
 * trainer.c - one team, one block of weights, one loop.
 */
#include "model/train/trainer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "model/train/batches.h"
#include "model/train/gemm.h"

#define ALIGNMENT_SLACK 64                  // an arena aligns each array
#define DROPOUT_STREAMS ((uint64_t)1 << 63) // random streams of dropout, apart from those of epochs

struct member {
    struct arena arena; // activations and the rows of a batch
    real *gradients;    // (params.total), zero between updates
    struct loss loss;
    enum status status;
    struct error err;
};

struct trainer {
    struct trainer_options options;
    struct seq2seq shape;
    struct kernels kernels;
    struct weights weights;
    struct arena blocks; // of values and gradients
    real *values;
    uint16_t *rounded; // values in bfloat16, NULL if products are float32
    struct team *team;
    struct member *members;
    struct optimizer optimizer;
    struct batches train, valid;
    struct loss *valid_losses; // (valid.count)
    json_t *settings;
    struct training_state state;
    int64_t planned_epoch; // that `train` holds the plan of; -1: none yet
    int64_t saved_at;      // updates when last saved, -1: never
    int64_t resumed_ms;    // since when state.seconds has not been counted
};

/* ---- life cycle ---- */

static json_t *settings_new(const struct trainer_options *o, const char *train, const char *valid)
{
    json_t *root = json_object();
    int failed = root == NULL;
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        { "dropout", o->dropout },
        { "smoothing", o->smoothing },
        { "rate", o->schedule.rate },
        { "decay", o->schedule.decay },
        { "clip", o->optimizer.clip },
        { "beta1", o->optimizer.beta1 },
        { "beta2", o->optimizer.beta2 },
        { "epsilon", o->optimizer.epsilon },
        { "cooldown", o->schedule.cooldown },
    };
    const struct {
        const char *name;
        int64_t value;
    } integers[] = {
        { "vocabulary size", o->config.vocabulary },
        { "embedding", o->config.embedding },
        { "hidden", o->config.hidden },
        { "attention", o->config.attention },
        { "warmup", o->schedule.warmup },
        { "batch-sentences", o->batch_sentences },
        { "batch-pieces", o->batch_pieces },
        { "validate-every", o->validate_every },
        { "precision", o->precision },
        { "seed", (int64_t)o->seed },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        failed |= json_object_set_new(root, numbers[i].name, json_real(numbers[i].value));
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++)
        failed |= json_object_set_new(root, integers[i].name, json_integer(integers[i].value));
    failed |= json_object_set_new(root, "training data", json_string(train));
    failed |= json_object_set_new(root, "validation data", json_string(valid));
    if (!failed)
        return root;
    json_decref(root);
    return NULL;
}

static enum status make_settings(struct trainer *t, struct error *err)
{
    char train[SHA256_HEX_BYTES], valid[SHA256_HEX_BYTES];
    enum status status = pairs_digest(t->train.pairs, train, err);
    if (status == STATUS_OK)
        status = pairs_digest(t->valid.pairs, valid, err);
    if (status != STATUS_OK)
        return status;
    t->settings = settings_new(&t->options, train, valid);
    return t->settings ? STATUS_OK
                       : error_set(err, STATUS_NO_MEMORY, "no memory for the training's settings");
}

static enum status make_blocks(struct trainer *t, struct error *err)
{
    const size_t total = t->shape.params.total, members = (size_t)t->options.threads;
    const size_t rounded = t->options.precision == PRECISION_BF16 ? total : 0;
    if (!arena_init(&t->blocks, (members + 1) * (total * sizeof(real) + ALIGNMENT_SLACK) +
                                    rounded * sizeof(uint16_t) + ALIGNMENT_SLACK))
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for %zu weights and %zu times their gradients: make the model "
                         "smaller or use fewer threads",
                         total, members);
    t->values = arena_array(&t->blocks, real, total);
    memset(t->values, 0, total * sizeof(real));
    for (size_t i = 0; i < members; i++) {
        t->members[i].gradients = arena_array(&t->blocks, real, total);
        memset(t->members[i].gradients, 0, total * sizeof(real));
    }
    if (rounded > 0) {
        t->rounded = arena_array(&t->blocks, uint16_t, rounded);
        gemm_share_rounded(t->values, t->rounded, total);
    }
    if (!params_initialise(&t->shape.params, t->values, t->options.seed))
        return error_set(err, STATUS_NO_MEMORY, "no memory to initialise the weights");
    return STATUS_OK;
}

static void start_member(void *context, int member)
{
    (void)context;
    (void)member;
    gemm_use_one_thread();
}

static enum status make_team(struct trainer *t, struct error *err)
{
    t->members = memory_zeroed((size_t)t->options.threads, sizeof *t->members);
    t->team = team_new(t->options.threads);
    if (!t->members || !t->team)
        return error_set(err, STATUS_NO_MEMORY, "cannot start %d threads", t->options.threads);
    team_run(t->team, start_member, NULL);
    return STATUS_OK;
}

static enum status make_plans(struct trainer *t, const struct pairs *train,
                              const struct pairs *valid, struct error *err)
{
    const struct batch_options options = { t->options.batch_sentences, t->options.batch_pieces,
                                           t->options.seed };
    enum status status = batches_init(&t->train, train, options, err);
    if (status == STATUS_OK)
        status = batches_init(&t->valid, valid, options, err);
    if (status != STATUS_OK)
        return status;
    batches_by_length(&t->valid);
    t->valid_losses = memory_zeroed((size_t)t->valid.count, sizeof *t->valid_losses);
    return t->valid_losses ? STATUS_OK
                           : error_set(err, STATUS_NO_MEMORY, "no memory to plan validation");
}

enum status trainer_new(struct trainer **out, const struct trainer_options *options,
                        const struct pairs *train, const struct pairs *valid, struct error *err)
{
    *out = NULL;
    if (train->count == 0 || valid->count == 0)
        return error_set(err, STATUS_BAD_INPUT, "the %s data has no sentence pair",
                         train->count == 0 ? "training" : "validation");
    enum status status = config_check(&options->config, err);
    if (status == STATUS_OK)
        status = precision_check(options->precision, err);
    if (status != STATUS_OK)
        return status;
    if (!kernels_best())
        return error_set(err, STATUS_BAD_USAGE,
                         "VERSO_ISA names no instruction set that this processor has");
    struct trainer *t = memory_zeroed(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a trainer");
    t->options = *options;
    t->kernels = training_kernels(kernels_best(), t->options.precision);
    t->state = (struct training_state){ .validated_at = -1,
                                        .threads = options->threads,
                                        .schedule = schedule_start() };
    t->planned_epoch = t->saved_at = -1;
    seq2seq_init(&t->shape, &options->config);
    t->weights = (struct weights){ .params = &t->shape.params, .kernels = &t->kernels };

    status = make_team(t, err);
    if (status == STATUS_OK)
        status = make_blocks(t, err);
    if (status == STATUS_OK)
        status = optimizer_init(&t->optimizer, options->optimizer, t->team, &t->kernels,
                                t->shape.params.total, err);
    if (status == STATUS_OK)
        status = make_plans(t, train, valid, err);
    if (status == STATUS_OK)
        status = make_settings(t, err);
    if (status != STATUS_OK) {
        trainer_free(t);
        return status;
    }
    t->weights.values = t->values;
    *out = t;
    return STATUS_OK;
}

void trainer_free(struct trainer *t)
{
    if (!t)
        return;
    team_free(t->team);
    if (t->rounded)
        gemm_share_rounded(NULL, NULL, 0);
    for (int i = 0; t->members && i < t->options.threads; i++)
        arena_release(&t->members[i].arena);
    memory_free(t->members);
    optimizer_release(&t->optimizer);
    batches_release(&t->train);
    batches_release(&t->valid);
    memory_free(t->valid_losses);
    json_decref(t->settings);
    arena_release(&t->blocks);
    memory_free(t);
}

const struct training_state *trainer_state(const struct trainer *t)
{
    return &t->state;
}

const struct seq2seq *trainer_shape(const struct trainer *t)
{
    return &t->shape;
}

const real *trainer_values(const struct trainer *t)
{
    return t->values;
}

/* ---- checkpoints ---- */

static struct checkpoint_blocks checkpoint_blocks(const struct trainer *t)
{
    return (struct checkpoint_blocks){ &t->shape.params, t->values, t->optimizer.m,
                                       t->optimizer.v };
}

static void count_time(struct trainer *t)
{
    const int64_t now = clock_now_ms();
    t->state.seconds += (double)(now - t->resumed_ms) / 1000;
    t->resumed_ms = now;
}

static enum status save(struct trainer *t, struct error *err)
{
    const struct checkpoint_blocks blocks = checkpoint_blocks(t);
    count_time(t);
    t->state.steps = t->optimizer.steps;
    enum status status = checkpoint_save(t->options.checkpoint_path, &blocks, &t->state,
                                         t->settings, t->options.vocabulary, err);
    if (status != STATUS_OK)
        return error_while(err, "saving the training");
    t->saved_at = t->state.updates;
    return STATUS_OK;
}

enum status trainer_resume(struct trainer *t, struct error *err)
{
    const struct checkpoint_blocks blocks = checkpoint_blocks(t);
    enum status status =
        checkpoint_load(t->options.checkpoint_path, &blocks, &t->state, t->settings, err);
    if (status != STATUS_OK)
        return status;
    t->optimizer.steps = t->state.steps;
    t->saved_at = t->state.updates;
    return STATUS_OK;
}

/* ---- loss and gradients ---- */

static bool is_stopped(const struct trainer *t)
{
    return t->options.stop && atomic_load(t->options.stop);
}

struct loss_job {
    struct trainer *trainer;
    int batch;  // of the epoch
    real scale; // 1 / target pieces of the batch
};

/* Room for a batch of this shape in the member's arena. */
static enum status make_room(struct trainer *t, struct member *me, const struct batch *shape)
{
    size_t needed =
        seq2seq_loss_bytes(&t->shape, shape->B, shape->S, shape->T) + batches_fill_bytes(shape);
    arena_reset(&me->arena);
    if (needed <= me->arena.size)
        return STATUS_OK;
    arena_release(&me->arena);
    if (arena_init(&me->arena, needed + needed / 4))
        return STATUS_OK;
    return error_set(&me->err, STATUS_NO_MEMORY,
                     "no memory for a batch of %d x (%d + %d) pieces (%zu MiB a thread): use "
                     "smaller batches or shorter sentences",
                     shape->B, shape->S, shape->T, needed >> 20);
}

/* Loss of rows first, first + stride, ... of batch i; its gradients are added if wanted. */
static enum status rows_loss(struct trainer *t, struct member *me, const struct batches *batches,
                             int i, int first, int stride, const struct loss_options *options,
                             real *gradients)
{
    struct batch batch = batches_shape(batches, i, first, stride);
    me->loss = (struct loss){ 0 };
    if (batch.B == 0)
        return STATUS_OK;
    enum status status = make_room(t, me, &batch);
    if (status != STATUS_OK)
        return status;
    if (!batches_fill(batches, i, first, stride, &me->arena, &batch))
        return error_set(&me->err, STATUS_NO_MEMORY, "the rows of a batch do not fit");
    return seq2seq_loss(&t->shape, &t->weights, &batch, options, &me->arena, gradients, &me->loss,
                        &me->err);
}

static void round_share(void *context, int member)
{
    const struct trainer *t = context;
    const size_t total = t->shape.params.total, members = (size_t)t->options.threads;
    gemm_round_shared(total * (size_t)member / members, total * ((size_t)member + 1) / members);
}

/* Before products with weights that may have changed. */
static void round_weights(struct trainer *t)
{
    if (t->rounded)
        team_run(t->team, round_share, t);
}

static void compute_gradients(void *context, int member)
{
    const struct loss_job *job = context;
    struct trainer *t = job->trainer;
    struct member *me = &t->members[member];
    const int members = t->options.threads;
    const uint64_t stream =
        DROPOUT_STREAMS + (uint64_t)t->state.updates * (uint64_t)members + (uint64_t)member;
    const struct loss_options options = { .dropout = (real)t->options.dropout,
                                          .smoothing = (real)t->options.smoothing,
                                          .scale = job->scale,
                                          .rng = rng_make(t->options.seed, stream) };
    me->status = rows_loss(t, me, &t->train, job->batch, member, members, &options, me->gradients);
}

static void compute_validation(void *context, int member)
{
    const struct loss_job *job = context;
    struct trainer *t = job->trainer;
    struct member *me = &t->members[member];
    const struct loss_options options = { .scale = 1 };
    me->status = STATUS_OK;
    for (int i = member; i < t->valid.count && me->status == STATUS_OK && !is_stopped(t);
         i += t->options.threads) {
        me->status = rows_loss(t, me, &t->valid, i, 0, 1, &options, NULL);
        t->valid_losses[i] = me->loss;
    }
}

static enum status check_members(const struct trainer *t, struct error *err)
{
    for (int i = 0; i < t->options.threads; i++)
        if (t->members[i].status != STATUS_OK)
            return error_set(err, t->members[i].status, "%s", t->members[i].err.text);
    return gemm_check(err);
}

/* ---- the loop ---- */

static void report_update(struct trainer *t, const struct loss *loss, double norm, double rate,
                          bool skipped)
{
    if (!t->options.on_update)
        return;
    count_time(t);
    const struct training_progress progress = {
        .state = &t->state,
        .batches_in_epoch = t->train.count,
        .loss = loss->nats / (double)loss->pieces,
        .norm = norm,
        .rate = rate,
        .pieces = (int)loss->pieces,
        .skipped = skipped,
    };
    t->options.on_update(t->options.context, &progress);
}

/* Counted at the update whose batch has just been taken, which is still to come. */
static double epochs_left(const struct trainer *t)
{
    const double done = (double)t->state.epoch + (double)(t->state.next_batch - 1) / t->train.count;
    return (double)t->options.epochs - done;
}

/* Add the members' losses, step, or leave the update out if its numbers are not finite. */
static void take_step(struct trainer *t)
{
    const int members = t->options.threads;
    const double rate = schedule_rate(&t->state.schedule, &t->options.schedule,
                                      t->state.updates + 1, epochs_left(t));
    struct loss sum = { 0 };
    real *gradients[TRAINER_THREADS_MAX];
    for (int i = 0; i < members; i++) {
        sum.nats += t->members[i].loss.nats;
        sum.smoothed += t->members[i].loss.smoothed;
        sum.pieces += t->members[i].loss.pieces;
        gradients[i] = t->members[i].gradients;
    }
    double norm = NAN;
    if (isfinite(sum.smoothed))
        norm = optimizer_step(&t->optimizer, t->values, gradients, members, rate);
    else
        optimizer_discard(&t->optimizer, gradients, members);
    const bool skipped = !isfinite(norm);
    t->state.skipped += skipped;
    t->state.skipped_in_row = skipped ? t->state.skipped_in_row + 1 : 0;
    t->state.updates++;
    t->state.pieces += sum.pieces;
    report_update(t, &sum, norm, rate, skipped);
}

static enum status update(struct trainer *t, struct error *err)
{
    if (t->planned_epoch != t->state.epoch) {
        batches_shuffle(&t->train, t->state.epoch);
        t->planned_epoch = t->state.epoch;
    }
    const int batch = (int)t->state.next_batch;
    struct loss_job job = { .trainer = t, .batch = batch };
    job.scale = (real)(1 / (double)batches_target_pieces(&t->train, batch));
    round_weights(t);
    team_run(t->team, compute_gradients, &job);
    enum status status = check_members(t, err);
    if (status != STATUS_OK)
        return status;
    t->state.pairs += t->train.rows[batch].count;
    t->state.next_batch++;
    if (t->state.next_batch == t->train.count) {
        t->state.epoch++;
        t->state.next_batch = 0;
    }
    take_step(t);
    if (t->state.skipped_in_row < SKIPPED_IN_ROW_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_DIVERGED,
                     "the numbers of %d updates in a row up to update %lld were not finite: "
                     "start again with a smaller --rate",
                     SKIPPED_IN_ROW_MAX, (long long)t->state.updates);
}

/* Stopped half-way it is as if it had not begun: the next run validates first. */
static enum status validate(struct trainer *t, struct error *err)
{
    struct loss_job job = { .trainer = t };
    round_weights(t);
    team_run(t->team, compute_validation, &job);
    enum status status = check_members(t, err);
    if (status != STATUS_OK || is_stopped(t))
        return status;
    double nats = 0;
    int64_t pieces = 0;
    for (int i = 0; i < t->valid.count; i++) {
        nats += t->valid_losses[i].nats;
        pieces += t->valid_losses[i].pieces;
    }
    const double loss = nats / (double)pieces;
    count_time(t);
    t->state.validated_at = t->state.updates;
    const bool improved = schedule_validated(&t->state.schedule, &t->options.schedule, loss);
    const struct training_validation validation = { &t->state, loss, improved, &t->shape,
                                                    t->values };
    if (t->options.on_validated)
        status = t->options.on_validated(t->options.context, &validation, err);
    return status;
}

static bool validation_is_due(const struct trainer *t)
{
    const struct training_state *s = &t->state;
    if (s->updates == 0 || s->validated_at == s->updates)
        return false;
    if (t->options.validate_every > 0 && s->updates % t->options.validate_every == 0)
        return true;
    return s->next_batch == 0 && (t->options.validate_every == 0 || s->epoch >= t->options.epochs);
}

static bool checkpoint_is_due(const struct trainer *t)
{
    const int64_t every = t->options.checkpoint_every;
    return every > 0 && t->state.updates % every == 0 && t->saved_at != t->state.updates &&
           t->state.updates > 0;
}

static bool is_over(const struct trainer *t)
{
    return t->state.epoch >= t->options.epochs ||
           schedule_is_over(&t->state.schedule, &t->options.schedule);
}

/* What is due is decided from the state alone and before each update, so that a training stopped
 * anywhere goes on with what it would have done next. */
enum status trainer_run(struct trainer *t, struct error *err)
{
    enum status status = STATUS_OK;
    t->resumed_ms = clock_now_ms();
    t->state.threads = t->options.threads;
    while (status == STATUS_OK) {
        if (is_stopped(t)) {
            if (t->saved_at != t->state.updates)
                status = save(t, err);
            return status != STATUS_OK ? status
                                       : error_set(err, STATUS_CANCELLED, "training was stopped");
        }
        if (validation_is_due(t)) {
            status = validate(t, err);
            if (status == STATUS_OK && t->state.validated_at == t->state.updates)
                status = save(t, err);
        } else if (is_over(t)) {
            break;
        } else if (checkpoint_is_due(t)) {
            status = save(t, err);
        } else {
            status = update(t, err);
        }
    }
    if (status == STATUS_OK && !isfinite(t->state.schedule.best_loss))
        status = error_set(err, STATUS_DIVERGED,
                           "no validation had a loss that is finite: start again with a smaller "
                           "--rate");
    return status;
}
