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
#include "model/parts.h"
#include "model/train/gemm.h"
#include "model/train/settings.h"

#define SETTINGS_BYTES_MAX (1 << 20)        // of theirs
#define DROPOUT_STREAMS ((uint64_t)1 << 63) // random streams of dropout, apart from those of epochs

struct member {
    struct arena arena; // activations and the rows of a batch
    real *gradients;    // (params.total), zero between updates
    struct loss loss;
    struct gradient_trace trace;
    enum status status;
    struct error err;
};

struct trainer {
    struct trainer_options options;
    struct task *task;       // borrowed
    struct task_batch batch; // the current one
    int rank, ranks;
    struct kernels kernels;
    struct weights weights;
    struct arena blocks; // of values and gradients
    real *values;
    uint16_t *rounded;         // values in bfloat16, NULL if products are float32
    struct packed *packed;     // (params.count) matrices of every step
    struct packed *transposed; // the same, for the products back
    struct team *team;
    struct member *members; // of this rank
    struct optimizer optimizer;
    struct loss *valid_losses; // (task->valid_count)
    json_t *settings;
    struct training_state state;
    int64_t saved_at;   // updates when last saved, -1: never
    int64_t resumed_ms; // since when state.seconds has not been counted
    bool rank_is_gone;
};

/* ---- life cycle ---- */

/* Weights, gradients, what products want of the weights; pointers stay NULL in a measuring arena. */
static void lay_out(struct trainer *t, struct arena *arena)
{
    const struct params *params = t->task->params;
    const bool half = t->options.precision == PRECISION_BF16;
    const struct packing *packing = t->kernels.packings[half ? WEIGHT_BF16 : WEIGHT_F32];
    t->values = arena_array(arena, real, params->total);
    for (int i = 0; i < t->options.threads; i++)
        t->members[i].gradients = arena_array(arena, real, params->total);
    t->rounded = half ? arena_array(arena, uint16_t, params->total) : NULL;
    t->packed = arena_array(arena, struct packed, params->count);
    t->transposed = arena_array(arena, struct packed, params->count);
    for (int i = 0; i < params->count; i++) {
        const int rows = params->entries[i].tensor.rows, cols = params->entries[i].tensor.cols;
        const bool every_step = params->entries[i].every_step;
        void *panels = every_step ? arena_alloc(arena, packing->bytes(rows, cols)) : NULL;
        void *back = every_step ? arena_alloc(arena, packing->bytes(cols, rows)) : NULL;
        if (t->transposed) {
            t->packed[i] =
                (struct packed){ .type = half ? WEIGHT_BF16 : WEIGHT_F32, .panels = panels };
            t->transposed[i] =
                (struct packed){ .type = half ? WEIGHT_BF16 : WEIGHT_F32, .panels = back };
        }
    }
}

static enum status make_blocks(struct trainer *t, struct error *err)
{
    const size_t bytes = t->task->params->total * sizeof(real);
    struct arena size = arena_measure();
    lay_out(t, &size);
    if (!arena_init_huge(&t->blocks, size.used))
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for %zu weights and %d times their gradients: make the model "
                         "smaller or use fewer threads",
                         t->task->params->total, t->options.threads);
    lay_out(t, &t->blocks);
    memset(t->values, 0, bytes);
    for (int i = 0; i < t->options.threads; i++)
        memset(t->members[i].gradients, 0, bytes);
    if (t->rounded)
        gemm_share_rounded(t->values, t->rounded, t->task->params->total);
    if (!params_initialise(t->task->params, t->values, t->options.seed))
        return error_set(err, STATUS_NO_MEMORY, "no memory to initialise the weights");
    if (!t->options.on_first_values)
        return STATUS_OK;
    return t->options.on_first_values(t->options.context, t->values, err);
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

static enum status make_parts(struct trainer *t, struct error *err)
{
    enum status status = make_team(t, err);
    if (status == STATUS_OK)
        status = make_blocks(t, err);
    if (status == STATUS_OK)
        status = optimizer_init(&t->optimizer, t->options.optimizer, t->team, &t->kernels,
                                t->task->params->total, err);
    if (status == STATUS_OK)
        status = training_settings(&t->settings, &t->options, t->task, err);
    if (status != STATUS_OK)
        return status;
    t->weights = (struct weights){ .params = t->task->params,
                                   .kernels = &t->kernels,
                                   .values = t->values,
                                   .packed = t->packed,
                                   .transposed = t->transposed };
    t->valid_losses = memory_zeroed((size_t)t->task->valid_count, sizeof *t->valid_losses);
    return t->valid_losses ? STATUS_OK
                           : error_set(err, STATUS_NO_MEMORY, "no memory to plan validation");
}

enum status trainer_new(struct trainer **out, const struct trainer_options *options,
                        struct task *task, struct error *err)
{
    *out = NULL;
    enum status status = precision_check(options->precision, err);
    if (status != STATUS_OK)
        return status;
    if (!kernels_best())
        return error_set(err, STATUS_BAD_USAGE,
                         "VERSO_ISA names no instruction set that this processor has");
    struct trainer *t = memory_zeroed(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a trainer");
    t->options = *options;
    t->task = task;
    t->rank = options->peers ? options->peers->rank : 0;
    t->ranks = options->peers ? options->peers->count : 1;
    t->kernels = training_kernels(kernels_best(), options->precision);
    t->state = (struct training_state){ .validated_at = -1,
                                        .threads = trainer_members(t),
                                        .schedule = schedule_start() };
    t->saved_at = -1;
    status = make_parts(t, err);
    if (status != STATUS_OK) {
        trainer_free(t);
        return status;
    }
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
    memory_free(t->valid_losses);
    json_decref(t->settings);
    arena_release(&t->blocks);
    memory_free(t);
}

const struct training_state *trainer_state(const struct trainer *t)
{
    return &t->state;
}

const real *trainer_values(const struct trainer *t)
{
    return t->values;
}

int trainer_members(const struct trainer *t)
{
    return t->ranks * t->options.threads;
}

/* ---- the other ranks ---- */

static enum status sum_exact(struct trainer *t, double *values, size_t n, struct error *err)
{
    if (t->ranks == 1)
        return STATUS_OK;
    enum status status = t->options.peers->sum_exact(t->options.peers, values, n, err);
    t->rank_is_gone = status != STATUS_OK;
    return status;
}

static enum status sum_block(struct trainer *t, real *block, size_t n, struct error *err)
{
    if (t->ranks == 1 || n == 0)
        return STATUS_OK;
    enum status status = t->options.peers->sum(t->options.peers, block, n, err);
    t->rank_is_gone = status != STATUS_OK;
    return status;
}

static bool stop_is_wanted(const struct trainer *t)
{
    return t->options.stop && atomic_load(t->options.stop);
}

/* Whether any rank was asked to stop, the same answer in all. */
static enum status agree_to_stop(struct trainer *t, bool *stopped, struct error *err)
{
    double wishes = stop_is_wanted(t);
    enum status status = sum_exact(t, &wishes, 1, err);
    *stopped = wishes > 0;
    return status;
}

static enum status check_same(struct trainer *t, const struct bytes *settings, struct error *err)
{
    const struct {
        const char *what;
        const void *bytes;
        size_t len;
    } rows[] = {
        { "--threads", &t->options.threads, sizeof t->options.threads },
        { "--epochs", &t->options.epochs, sizeof t->options.epochs },
        { "--trace-every", &t->options.trace_every, sizeof t->options.trace_every },
        { "--patience", &t->options.schedule.patience, sizeof t->options.schedule.patience },
        { "its options or data", settings->data, settings->len },
        { "the update of its checkpoint", &t->state.updates, sizeof t->state.updates },
        { "its weights", t->values, t->task->params->total * sizeof(real) },
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && status == STATUS_OK; i++)
        status = peers_check_same(t->options.peers, rows[i].what, rows[i].bytes, rows[i].len, err);
    t->rank_is_gone = status == STATUS_CANCELLED;
    return status;
}

/* Each rank has options and files of its own; what decides the numbers must be the same in all. */
static enum status check_ranks(struct trainer *t, struct error *err)
{
    if (t->ranks == 1)
        return STATUS_OK;
    struct bytes settings;
    bytes_init(&settings, SETTINGS_BYTES_MAX);
    enum status status = json_write(&settings, t->settings)
                             ? check_same(t, &settings, err)
                             : error_set(err, STATUS_NO_MEMORY, "no memory to compare the ranks");
    bytes_release(&settings);
    return status;
}

/* ---- checkpoints ---- */

static struct checkpoint_blocks checkpoint_blocks(const struct trainer *t)
{
    return (struct checkpoint_blocks){ t->task->params, t->values,        t->optimizer.m,
                                       t->optimizer.v,  t->task->carried, t->task->carried_count };
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
    t->saved_at = t->state.updates;
    if (t->rank > 0)
        return STATUS_OK;
    enum status status = checkpoint_save(t->options.checkpoint_path, &blocks, &t->state,
                                         t->settings, t->options.vocabulary, err);
    return status == STATUS_OK ? status : error_while(err, "saving the training");
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

/* At least so many bytes in the member's arena, which is empty then. */
static enum status make_room(struct member *me, size_t needed)
{
    arena_reset(&me->arena);
    if (needed <= me->arena.size)
        return STATUS_OK;
    arena_release(&me->arena);
    if (arena_init_huge(&me->arena, needed + needed / 4))
        return STATUS_OK;
    return error_set(&me->err, STATUS_NO_MEMORY,
                     "no memory for a batch (%zu MiB a thread): use smaller batches or shorter "
                     "sentences",
                     needed >> 20);
}

/* A member's share: rounded by elements, packed by matrices. */
static void prepare_share(void *context, int member)
{
    const struct trainer *t = context;
    const struct params *params = t->task->params;
    const size_t total = params->total, members = (size_t)t->options.threads;
    if (t->rounded)
        gemm_round_shared(total * (size_t)member / members, total * ((size_t)member + 1) / members);
    int matrix = 0;
    for (int i = 0; i < params->count; i++) {
        const struct tensor tensor = params->entries[i].tensor;
        const struct packing *packing = t->kernels.packings[t->packed[i].type];
        if (!t->packed[i].panels)
            continue;
        if (matrix % t->options.threads == member)
            packing->pack(tensor.rows, tensor.cols, t->values + tensor.offset,
                          (void *)(uintptr_t)t->packed[i].panels);
        if (++matrix % t->options.threads == member)
            packing->pack_transposed(tensor.cols, tensor.rows, t->values + tensor.offset,
                                     (void *)(uintptr_t)t->transposed[i].panels);
    }
}

/* Before products with weights that may have changed. */
static void prepare_weights(struct trainer *t)
{
    team_run(t->team, prepare_share, t);
}

/* Of the member's rows; all members of all ranks are dealt rows in the order of their numbers. */
static int number_of(const struct trainer *t, int member)
{
    return t->rank * t->options.threads + member;
}

/* `number` threads: the trainer's own. */
static void start_watch(const struct trainer *t, int number, int part)
{
    if (!t->options.stopwatches)
        return;
    stopwatch_start(&t->options.stopwatches[number]);
    stopwatch_enter(part);
}

static void compute_loss(struct trainer *t, int member, const struct loss_options *options)
{
    struct member *me = &t->members[member];
    const struct rows rows = { .first = number_of(t, member), .stride = trainer_members(t) };
    me->status = make_room(me, t->task->kind->bytes(t->task, rows));
    if (me->status == STATUS_OK)
        me->status = t->task->kind->loss(t->task, &t->weights, rows, options, &me->arena,
                                         me->gradients, &me->loss, &me->err);
}

static void compute_gradients(void *context, int member)
{
    struct trainer *t = context;
    start_watch(t, member, PART_INPUT);
    const uint64_t members = (uint64_t)trainer_members(t), number = (uint64_t)number_of(t, member);
    const uint64_t stream = DROPOUT_STREAMS + (uint64_t)t->state.updates * members + number;
    const struct loss_options options = { .dropout = (real)t->options.dropout,
                                          .smoothing = (real)t->options.smoothing,
                                          .scale = (real)(1 / (double)t->batch.pieces),
                                          .rng = rng_make(t->options.seed, stream) };
    compute_loss(t, member, &options);
    stopwatch_stop();
}

static void compute_trace(void *context, int member)
{
    struct trainer *t = context;
    struct member *me = &t->members[member];
    const struct loss_options options = { .scale = 1, .trace = &me->trace };
    me->trace = (struct gradient_trace){ 0 };
    compute_loss(t, member, &options);
}

static void compute_validation(void *context, int member)
{
    struct trainer *t = context;
    const struct task *task = t->task;
    struct member *me = &t->members[member];
    me->status = STATUS_OK;
    for (int i = member; i < task->valid_count && me->status == STATUS_OK && !stop_is_wanted(t);
         i += t->options.threads) {
        me->status = make_room(me, task->kind->valid_bytes(task, i));
        if (me->status == STATUS_OK)
            me->status = task->kind->valid_loss(task, &t->weights, i, &me->arena,
                                                &t->valid_losses[i], &me->err);
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

static double epochs_before_batch(const struct trainer *t)
{
    return (double)t->state.epoch + t->batch.epoch_before;
}

static double rate_now(const struct trainer *t)
{
    return schedule_rate(&t->state.schedule, &t->options.schedule, t->state.updates + 1,
                         (double)t->options.epochs - epochs_before_batch(t));
}

/* The losses of all members of all ranks. */
static enum status sum_losses(struct trainer *t, struct loss *sum, struct error *err)
{
    double sums[3] = { 0 };
    for (int i = 0; i < t->options.threads; i++) {
        sums[0] += t->members[i].loss.nats;
        sums[1] += t->members[i].loss.smoothed;
        sums[2] += (double)t->members[i].loss.pieces;
    }
    enum status status = sum_exact(t, sums, 3, err);
    *sum = (struct loss){ sums[0], sums[1], (int64_t)sums[2] };
    return status;
}

/* Of the members of all ranks, into the first member's block here. */
static enum status sum_gradients(struct trainer *t, real *const *gradients, double *norm,
                                 struct error *err)
{
    *norm = optimizer_sum(&t->optimizer, gradients, t->options.threads);
    if (t->ranks == 1)
        return STATUS_OK;
    enum status status = sum_block(t, gradients[0], t->task->params->total, err);
    if (status == STATUS_OK)
        *norm = optimizer_sum(&t->optimizer, gradients, 1);
    return status;
}

/* What the batch leaves behind is where the next one begins. */
static enum status carry_on(struct trainer *t, struct error *err)
{
    struct task *task = t->task;
    enum status status = sum_block(t, task->carried_next, task->carried_count, err);
    if (status != STATUS_OK)
        return status;
    real *kept = task->carried;
    task->carried = task->carried_next;
    task->carried_next = kept;
    return STATUS_OK;
}

/* With the sum of all gradients, or leave the update out if its numbers are not finite: the norm
 * is not, then. Nothing changes before the last sum over the ranks. */
static enum status take_step(struct trainer *t, const struct loss *loss, double rate, double *norm,
                             struct error *err)
{
    real *gradients[TRAINER_THREADS_MAX];
    enum status status = STATUS_OK;
    for (int i = 0; i < t->options.threads; i++)
        gradients[i] = t->members[i].gradients;
    *norm = NAN;
    if (isfinite(loss->smoothed))
        status = sum_gradients(t, gradients, norm, err);
    if (status == STATUS_OK && isfinite(*norm))
        status = carry_on(t, err);
    if (status != STATUS_OK)
        return status;
    if (isfinite(*norm))
        optimizer_step(&t->optimizer, t->values, gradients[0], *norm, rate);
    else
        optimizer_discard(&t->optimizer, gradients, t->options.threads);
    return STATUS_OK;
}

/* The update is done: the state says so, and its values are told. */
static void finish_update(struct trainer *t, const struct loss *loss, double norm, double rate)
{
    struct training_state *s = &t->state;
    const bool skipped = !isfinite(norm);
    const double epochs = t->batch.ends_epoch ? (double)s->epoch + 1 : epochs_before_batch(t);
    s->updates++;
    s->examples += t->batch.examples;
    s->pieces += loss->pieces;
    s->skipped += skipped;
    s->skipped_in_row = skipped ? s->skipped_in_row + 1 : 0;
    s->next_batch = t->batch.ends_epoch ? 0 : s->next_batch + 1;
    s->epoch += t->batch.ends_epoch;
    if (!t->options.on_update || t->rank > 0)
        return;
    count_time(t);
    const struct training_progress progress = {
        .state = s,
        .epochs = epochs,
        .loss = loss->nats / (double)loss->pieces,
        .norm = norm,
        .rate = rate,
        .pieces = loss->pieces,
        .skipped = skipped,
    };
    t->options.on_update(t->options.context, &progress);
}

/* Over the rows of all members of all ranks; the update that follows finds everything as if this
 * had not been. */
static enum status trace_gradients(struct trainer *t, struct error *err)
{
    double sums[2 * TRACE_STEPS] = { 0 };
    real *gradients[TRAINER_THREADS_MAX];
    struct gradient_trace all;
    team_run(t->team, compute_trace, t);
    enum status status = check_members(t, err);
    for (int i = 0; i < t->options.threads; i++) {
        const struct gradient_trace *trace = &t->members[i].trace;
        gradients[i] = t->members[i].gradients;
        for (int k = 0; k < TRACE_STEPS; k++) {
            sums[k] += trace->squares[k];
            sums[TRACE_STEPS + k] += (double)trace->counts[k];
        }
    }
    if (status == STATUS_OK)
        status = sum_exact(t, sums, 2 * TRACE_STEPS, err);
    if (status != STATUS_OK)
        return status;
    optimizer_discard(&t->optimizer, gradients, t->options.threads);
    for (int k = 0; k < TRACE_STEPS; k++) {
        all.squares[k] = sums[k];
        all.counts[k] = (int64_t)sums[TRACE_STEPS + k];
    }
    if (t->options.on_traced && t->rank == 0)
        t->options.on_traced(t->options.context, t->state.updates + 1, &all);
    return STATUS_OK;
}

static bool trace_is_due(const struct trainer *t)
{
    return t->options.trace_every > 0 && t->state.updates % t->options.trace_every == 0;
}

static enum status update(struct trainer *t, struct error *err)
{
    struct loss loss;
    double norm = NAN;
    start_watch(t, t->options.threads, PART_INPUT);
    enum status status =
        t->task->kind->position(t->task, t->state.epoch, t->state.next_batch, &t->batch, err);
    stopwatch_enter(PART_OPTIMIZER);
    if (status == STATUS_OK)
        prepare_weights(t);
    stopwatch_stop();
    if (status != STATUS_OK)
        return status;
    const double rate = rate_now(t);
    if (trace_is_due(t))
        status = trace_gradients(t, err);
    if (status != STATUS_OK)
        return status;
    if (t->task->carried_count > 0)
        memset(t->task->carried_next, 0, t->task->carried_count * sizeof(real));
    team_run(t->team, compute_gradients, t);
    status = check_members(t, err);
    start_watch(t, t->options.threads, PART_OPTIMIZER);
    if (status == STATUS_OK)
        status = sum_losses(t, &loss, err);
    if (status == STATUS_OK)
        status = take_step(t, &loss, rate, &norm, err);
    stopwatch_stop();
    if (status != STATUS_OK)
        return status;
    finish_update(t, &loss, norm, rate);
    if (t->state.skipped_in_row < SKIPPED_IN_ROW_MAX)
        return STATUS_OK;
    return error_set(err, STATUS_DIVERGED,
                     "the numbers of %d updates in a row up to update %lld were not finite: "
                     "start again with a smaller --rate",
                     SKIPPED_IN_ROW_MAX, (long long)t->state.updates);
}

/* By rank 0 for all: nats, pieces, and whether it was stopped half-way. */
static enum status compute_validation_loss(struct trainer *t, double sums[3], struct error *err)
{
    if (t->rank == 0) {
        prepare_weights(t);
        team_run(t->team, compute_validation, t);
        enum status status = check_members(t, err);
        if (status != STATUS_OK)
            return status;
        for (int i = 0; i < t->task->valid_count; i++) {
            sums[0] += t->valid_losses[i].nats;
            sums[1] += (double)t->valid_losses[i].pieces;
        }
        sums[2] = stop_is_wanted(t);
    }
    return sum_exact(t, sums, 3, err);
}

/* Stopped half-way it is as if it had not begun: the next run validates first. */
static enum status validate(struct trainer *t, struct error *err)
{
    double sums[3] = { 0 };
    enum status status = compute_validation_loss(t, sums, err);
    if (status != STATUS_OK || sums[2] > 0)
        return status;
    const double loss = sums[0] / sums[1];
    count_time(t);
    t->state.validated_at = t->state.updates;
    const bool improved = schedule_validated(&t->state.schedule, &t->options.schedule, loss);
    const struct training_validation validation = { &t->state, loss, improved, t->values };
    if (t->options.on_validated && t->rank == 0)
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

static enum status leave_stopped(struct trainer *t, struct error *err)
{
    enum status status = t->saved_at != t->state.updates ? save(t, err) : STATUS_OK;
    return status == STATUS_OK ? error_set(err, STATUS_CANCELLED, "training was stopped") : status;
}

/* The update, or validation, under way has changed nothing: what was before it is saved. A rank
 * that is asked to stop may not wait for the others to agree. */
static enum status leave_without_rank(struct trainer *t, const struct error *why, struct error *err)
{
    if (stop_is_wanted(t))
        return leave_stopped(t, err);
    if (t->rank > 0)
        return error_set(err, STATUS_IO, "%s", why->text);
    enum status status = t->saved_at != t->state.updates ? save(t, err) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    return error_set(err, STATUS_IO,
                     "%s; the training is saved after update %lld in %s: start all ranks again "
                     "with --resume",
                     why->text, (long long)t->state.updates, t->options.checkpoint_path);
}

/* One of what comes next, decided from the state alone, so that a training stopped anywhere goes
 * on with what it would have done next. */
static enum status do_next(struct trainer *t, bool *over, struct error *err)
{
    bool stopped;
    enum status status = agree_to_stop(t, &stopped, err);
    if (status != STATUS_OK)
        return status;
    if (stopped)
        return leave_stopped(t, err);
    if (validation_is_due(t)) {
        if (t->ranks > 1 && t->saved_at != t->state.updates)
            return save(t, err); // another rank may die, and mpirun end this one, before it is over
        status = validate(t, err);
        return status == STATUS_OK && t->state.validated_at == t->state.updates ? save(t, err)
                                                                                : status;
    }
    *over = is_over(t);
    if (*over)
        return STATUS_OK;
    return checkpoint_is_due(t) ? save(t, err) : update(t, err);
}

enum status trainer_run(struct trainer *t, struct error *err)
{
    struct error why;
    bool over = false;
    t->resumed_ms = clock_now_ms();
    t->state.threads = trainer_members(t);
    enum status status = check_ranks(t, &why);
    while (status == STATUS_OK && !over)
        status = do_next(t, &over, &why);
    if (t->rank_is_gone)
        return leave_without_rank(t, &why, err);
    if (status != STATUS_OK)
        return error_set(err, status, "%s", why.text);
    if (isfinite(t->state.schedule.best_loss))
        return STATUS_OK;
    return error_set(err, STATUS_DIVERGED,
                     "no validation had a loss that is finite: start again with a smaller --rate");
}
