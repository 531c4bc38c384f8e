/*
 * training.c - one loop around trainer_run for every command that trains.
 */
#include "server/cmd/training.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/memory.h"
#include "model/model.h"

#define RATE_MS 5000     // over how long a speed is taken
#define LOSS_WEIGHT 0.05 // of an update in the running mean of the loss

static const char *const precision_names[] = { "f32", "bf16", NULL };          // as enum precision
static const char *const dtype_names[] = { "f32", "f16", "bf16", "i8", NULL }; // as enum dtype

/* ---- signals ---- */

static atomic_int stop_signal;

/* The first stops the training after the update under way; the next one ends the program. */
static void *wait_for_signal(void *context)
{
    const sigset_t *signals = context;
    int number;
    if (sigwait(signals, &number) == 0)
        atomic_store(&stop_signal, number);
    pthread_sigmask(SIG_UNBLOCK, signals, NULL);
    pause();
    return NULL;
}

static sigset_t stop_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/* A thread of its own takes the signals, and threads that compute have them blocked: oneDNN 2.6's
 * float32 product keeps data where the kernel puts a handler's frame, so a handler that runs in the
 * middle of one damages the heap. Called before any thread that computes starts. */
static enum status catch_signals(struct error *err)
{
    static sigset_t signals;
    pthread_t thread;
    signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (pthread_create(&thread, NULL, wait_for_signal, &signals) != 0)
        return error_set(err, STATUS_NO_MEMORY, "no thread to wait for signals");
    pthread_detach(thread);
    return STATUS_OK;
}

/* Threads that MPI starts take no signals either. */
static enum status join_peers(struct training *t, struct error *err)
{
    sigset_t signals = stop_signals(), before;
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    enum status status = peers_join(&t->peers, &stop_signal, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->trainer.peers = &t->peers;
    return status;
}

/* ---- the command line ---- */

static void read_numbers(struct trainer_options *t, const struct options *o)
{
    t->dropout = options_real(o, "dropout");
    t->schedule = (struct schedule_options){ options_real(o, "rate"), options_int(o, "warmup"),
                                             options_real(o, "decay"), options_int(o, "patience"),
                                             options_real(o, "cooldown") };
    t->optimizer = optimizer_options_default();
    t->optimizer.clip = options_real(o, "clip");
    t->epochs = options_int64(o, "epochs");
    t->validate_every = options_int64(o, "validate-every");
    t->checkpoint_every = options_int64(o, "checkpoint-every");
    t->threads = options_threads(o, TRAINER_THREADS_MAX);
    t->seed = (uint64_t)options_int64(o, "seed");
}

static enum status read_card(struct training *t, const char *path, struct error *err)
{
    struct bytes text;
    bytes_init(&text, TRAINING_TEXT_BYTES_MAX);
    enum status status = bytes_read_file(&text, path, err);
    if (status == STATUS_OK) {
        status = json_parse(&t->given_card, text.data, text.len, err);
        if (status != STATUS_OK)
            error_while(err, "%s", path);
    }
    if (status == STATUS_OK && !json_is_object(t->given_card))
        status = error_set(err, STATUS_BAD_INPUT, "%s: a card must be a JSON object", path);
    bytes_release(&text);
    return status;
}

enum status training_check_writable(const char *path, struct error *err)
{
    struct file_writer *w;
    enum status status = file_writer_open(&w, path, err);
    if (status == STATUS_OK)
        file_writer_close(w);
    return status;
}

/* "OUT.checkpoint" unless it has another name. */
static enum status name_checkpoint(struct training *t, const char *given, struct error *err)
{
    if (snprintf(t->checkpoint, sizeof t->checkpoint, "%s%s", given ? given : t->out,
                 given ? "" : ".checkpoint") >= (int)sizeof t->checkpoint)
        return error_set(err, STATUS_BAD_USAGE, "--out: the path is too long");
    t->trainer.checkpoint_path = t->checkpoint;
    if (!t->resume && access(t->checkpoint, F_OK) == 0)
        return error_set(err, STATUS_BAD_USAGE,
                         "%s is there from an earlier training: add --resume to go on with it, or "
                         "remove it to start afresh",
                         t->checkpoint);
    if (!training_speaks(t))
        return STATUS_OK;
    enum status status = training_check_writable(t->out, err);
    return status == STATUS_OK ? training_check_writable(t->checkpoint, err) : status;
}

static enum status read_options(struct training *t, const struct options *o, struct error *err)
{
    int store, precision;
    enum status status = options_need(o, err, "out", NULL);
    if (status == STATUS_OK)
        status = option_choice(o, "store", dtype_names, &store, err);
    if (status == STATUS_OK)
        status = option_choice(o, "precision", precision_names, &precision, err);
    if (status != STATUS_OK)
        return status;
    t->store = (enum dtype)store;
    t->trainer.precision = (enum precision)precision;
    t->out = options_text(o, "out");
    t->log_path = options_text(o, "log");
    t->resume = options_flag(o, "resume");
    read_numbers(&t->trainer, o);
    const char *card = options_text(o, "card");
    return card ? read_card(t, card, err) : STATUS_OK;
}

enum status training_begin(struct training *t, const struct options *o, struct error *err)
{
    *t = (struct training){ .peers = peers_alone(), .bleu = NAN };
    bytes_init(&t->vocabulary, TRAINING_TEXT_BYTES_MAX);
    enum status status = read_options(t, o, err);
    if (status == STATUS_OK)
        status = join_peers(t, err);
    return status == STATUS_OK ? name_checkpoint(t, options_text(o, "checkpoint"), err) : status;
}

void training_trace(struct training *t, const struct options *o)
{
    t->trace_path = options_text(o, "trace-gradients");
    t->trainer.trace_every = t->trace_path ? options_int64(o, "trace-every") : 0;
}

enum status training_resumed_vocabulary(const struct training *t, struct vocabulary **out,
                                        struct error *err)
{
    struct bytes text;
    *out = NULL;
    bytes_init(&text, TRAINING_TEXT_BYTES_MAX);
    enum status status = checkpoint_vocabulary(t->checkpoint, &text, err);
    if (status == STATUS_OK)
        status = vocabulary_parse_tsv(out, text.data, text.len, err);
    bytes_release(&text);
    return status;
}

enum status training_vocabulary(struct training *t, const char *path, struct corpora *corpora,
                                struct learn_options learn, struct vocabulary **out,
                                struct error *err)
{
    enum status status;
    learn.coverage = VOCABULARY_COVERAGE;
    learn.threads = t->trainer.threads;
    learn.text.form = FORM_NFKC;
    if (t->resume)
        status = training_resumed_vocabulary(t, out, err);
    else if (path)
        status = vocabulary_load_tsv(out, path, err);
    else
        status = corpora_learn_vocabulary(corpora, learn, out, err);
    return status == STATUS_OK ? vocabulary_write_tsv(*out, &t->vocabulary, err) : status;
}

/* ---- the model file ---- */

/* What the command says of the data, and then how it was trained. */
static json_t *training_facts(const struct training *t, const struct training_validation *v)
{
    const struct training_state *s = v->state;
    json_t *facts =
        json_pack("{s:I, s:I, s:I, s:o, s:o}", "updates", (json_int_t)s->updates, "pieces",
                  (json_int_t)s->pieces, "seed", (json_int_t)t->trainer.seed, "seconds",
                  json_rounded(s->seconds, 6), "validation_loss", json_rounded(v->loss, 6));
    json_t *all = json_deep_copy(json_object_get(t->card, "training"));
    if (!all)
        all = json_object();
    if (facts && !isnan(t->bleu))
        json_object_set_new(facts, "validation_bleu", json_rounded(t->bleu, 4));
    if (!facts || json_object_update(all, facts) != 0) {
        json_decref(all);
        all = NULL;
    }
    json_decref(facts);
    return all;
}

static enum status write_card(const struct training *t, const struct training_validation *v,
                              struct bytes *text, struct error *err)
{
    json_t *card = t->card ? json_copy(t->card) : json_object();
    bool ok = card && json_object_set_new(card, "training", training_facts(t, v)) == 0;
    if (ok && t->given_card)
        ok = json_object_update(card, t->given_card) == 0;
    ok = ok && json_write(text, card);
    json_decref(card);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for the model's card");
}

enum status training_save_model(const struct training *t, const struct training_validation *v,
                                const char *path, struct error *err)
{
    struct bytes card;
    bytes_init(&card, TRAINING_TEXT_BYTES_MAX);
    enum status status = write_card(t, v, &card, err);
    if (status == STATUS_OK) {
        const struct model_texts texts = { .vocabulary = t->vocabulary.data,
                                           .card = card.data,
                                           .labels = t->labels };
        status =
            model_save(path, t->task->config, t->task->params, v->values, t->store, &texts, err);
    }
    bytes_release(&card);
    return status == STATUS_OK ? status : error_while(err, "saving the model");
}

/* ---- what the user sees ---- */

/* A disk that is full of log lines is no reason to lose a training. */
static void give_up_log(struct training *t, struct run_log **log, const struct error *why)
{
    progress_clear(&t->progress);
    fprintf(stderr, "%s; the training goes on without it\n", why->text);
    run_log_close(*log);
    *log = NULL;
}

static void log_update(struct training *t, const struct training_progress *p)
{
    struct error err;
    const int64_t now = clock_now_ns();
    const double speed = 1e9 * (double)p->pieces / (double)(now - t->update_ns + 1);
    t->update_ns = now;
    if (t->log && run_log_update(t->log, p, speed, &err) != STATUS_OK)
        give_up_log(t, &t->log, &err);
}

/* Pieces a second, taken over the last seconds. */
static void take_rate(struct training *t, const struct training_state *state)
{
    const int64_t now = clock_now_ms(), passed = now - t->recent_ms;
    if (t->recent_ms == 0 || state->pieces < t->recent_pieces) {
        t->recent_ms = now;
        t->recent_pieces = state->pieces;
    } else if (passed >= RATE_MS) {
        t->recent_rate = 1000.0 * (double)(state->pieces - t->recent_pieces) / (double)passed;
        t->recent_ms = now;
        t->recent_pieces = state->pieces;
    }
}

static void on_update(void *context, const struct training_progress *p)
{
    struct training *t = context;
    const struct training_state *s = p->state;
    take_rate(t, s);
    log_update(t, p);
    t->mean_loss += (p->loss - t->mean_loss) * (t->mean_loss > 0 ? LOSS_WEIGHT : 1);
    if (p->skipped) {
        progress_clear(&t->progress);
        fprintf(stderr, "update %lld left out: its numbers are not finite\n",
                (long long)s->updates);
    }
    progress_show(&t->progress, p->epochs / (double)t->trainer.epochs,
                  "epoch %lld, update %lld, loss %.3f, %.0f pieces/s", (long long)s->epoch + 1,
                  (long long)s->updates, t->mean_loss, t->recent_rate);
}

static void say_validation(struct training *t, const struct training_validation *v)
{
    char bleu[32] = "";
    if (!isnan(t->bleu))
        snprintf(bleu, sizeof bleu, ", BLEU %.2f", t->bleu);
    progress_clear(&t->progress);
    fprintf(stderr, "update %lld: validation loss %.4f%s%s\n", (long long)v->state->updates,
            v->loss, bleu, v->improved ? ", the best so far: saved" : "");
}

static enum status on_validated(void *context, const struct training_validation *v,
                                struct error *err)
{
    struct training *t = context;
    struct error log_err;
    enum status status = STATUS_OK;
    t->bleu = NAN;
    if (t->measure)
        status = t->measure(t->context, v, &t->bleu, err);
    if (status == STATUS_OK && v->improved)
        status = training_save_model(t, v, t->out, err);
    if (status != STATUS_OK)
        return status;
    say_validation(t, v);
    if (t->log && run_log_validation(t->log, v, t->bleu, &log_err) != STATUS_OK)
        give_up_log(t, &t->log, &log_err);
    t->recent_ms = 0;
    t->update_ns = clock_now_ns();
    return STATUS_OK;
}

static void on_traced(void *context, int64_t update, const struct gradient_trace *trace)
{
    struct training *t = context;
    struct error err;
    if (t->trace && run_log_trace(t->trace, update, trace, &err) != STATUS_OK)
        give_up_log(t, &t->trace, &err);
}

static void say_start(const struct training *t, const struct trainer *trainer)
{
    const struct training_state *s = trainer_state(trainer);
    fprintf(stderr, "model: %zu weights, %d pieces; %d threads\n",
            params_weight_count(t->task->params), t->task->config->vocabulary,
            trainer_members(trainer));
    if (t->resume)
        fprintf(stderr, "going on after update %lld of %s\n", (long long)s->updates, t->checkpoint);
    if (s->threads != trainer_members(trainer))
        fprintf(stderr,
                "it had %d threads before: the numbers will not be the same to the last bit\n",
                s->threads);
}

static void say_end(const struct training *t, const struct trainer *trainer, enum status status)
{
    const struct training_state *s = trainer_state(trainer);
    if (status == STATUS_OK)
        fprintf(stderr,
                "done after %lld updates and %.0f s: the model of the best validation loss, %.4f, "
                "is %s\n",
                (long long)s->updates, s->seconds, s->schedule.best_loss, t->out);
    if (status == STATUS_CANCELLED)
        fprintf(stderr,
                "stopped after update %lld; to go on, give the same command with --resume (it "
                "reads %s)\n",
                (long long)s->updates, t->checkpoint);
}

/* ---- the loop ---- */

static enum status on_first_values(void *context, real *values, struct error *err)
{
    const struct training *t = context;
    if (t->resume || !t->change_first_values)
        return STATUS_OK;
    return t->change_first_values(t->context, values, err);
}

static enum status train(struct training *t, struct trainer *trainer, struct error *err)
{
    enum status status = t->resume ? trainer_resume(trainer, err) : STATUS_OK;
    if (status == STATUS_OK && t->log_path && training_speaks(t))
        status = run_log_open(&t->log, t->log_path, trainer_state(trainer), err);
    if (status == STATUS_OK && t->trace_path && training_speaks(t))
        status = run_log_open(&t->trace, t->trace_path, trainer_state(trainer), err);
    if (status != STATUS_OK)
        return status;
    if (training_speaks(t))
        say_start(t, trainer);
    t->progress = progress_start(stderr, "training");
    t->update_ns = clock_now_ns();
    status = trainer_run(trainer, err);
    progress_end(&t->progress);
    if (training_speaks(t))
        say_end(t, trainer, status);
    return status;
}

enum status training_run(struct training *t, struct task *task, struct error *err)
{
    struct trainer *trainer = NULL;
    t->task = task;
    t->trainer.vocabulary = t->vocabulary.data;
    t->trainer.stop = &stop_signal;
    t->trainer.on_first_values = on_first_values;
    t->trainer.on_update = on_update;
    t->trainer.on_validated = on_validated;
    t->trainer.on_traced = on_traced;
    t->trainer.context = t;
    enum status status = catch_signals(err);
    if (status == STATUS_OK)
        status = trainer_new(&trainer, &t->trainer, task, err);
    if (status == STATUS_OK)
        status = train(t, trainer, err);
    trainer_free(trainer);
    return status;
}

static int end(struct training *t, const struct options *o, enum status status,
               const struct error *err)
{
    run_log_close(t->log);
    run_log_close(t->trace);
    bytes_release(&t->vocabulary);
    json_decref(t->card);
    json_decref(t->given_card);
    peers_leave(&t->peers, status == STATUS_OK);
    const int signal = atomic_load(&stop_signal); // none where a rank was lost
    return status == STATUS_CANCELLED && signal ? 128 + signal : options_finish(o, status, err);
}

int training_command(const struct options *o, size_t bytes,
                     enum status (*run)(void *command, const struct options *o, struct error *err),
                     void (*release)(void *command))
{
    struct error err;
    void *command = memory_zeroed(1, bytes);
    if (!command)
        return options_finish(o, error_set(&err, STATUS_NO_MEMORY, "no memory to begin with"),
                              &err);
    const enum status status = run(command, o, &err);
    release(command);
    const int code = end(command, o, status, &err);
    memory_free(command);
    return code;
}
