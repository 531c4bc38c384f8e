/*
 * train.c - "verso train": a translation model from parallel text.
 *
 *     corpora -> vocabulary (given, learnt, or the checkpoint's) -> ids -> trainer
 *     after each validation: model file beside --out -> BLEU -> kept as --out if the loss is the best
 *
 * Ctrl-C and SIGTERM finish the update under way, save and leave with 130 and
 * 143; a second one kills at once.
 */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/threads.h"
#include "model/model.h"
#include "model/train/trainer.h"
#include "model/train/translation.h"
#include "server/cmd/commands.h"
#include "server/cmd/corpora.h"
#include "server/cmd/progress.h"
#include "server/cmd/train_data.h"
#include "server/cmd/validation_bleu.h"
#include "tokenizer/vocabulary.h"

#define RATE_MS 5000     // over how long a speed is taken
#define LOSS_WEIGHT 0.05 // of an update in the running mean of the loss
#define LANGUAGE_BYTES 16
#define LANGUAGE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
#define TEXT_BYTES_MAX (64u << 20) // of a vocabulary or a card
#define PATH_BYTES 4096

struct training {
    /* from the command line */
    const char *source, *target; // languages
    struct corpora train, valid;
    const char *out, *vocabulary_path, *card_path;
    enum dtype store;
    bool resume;
    int vocabulary_size, pieces_max, bleu_sentences;
    struct config config;
    struct batch_options batches;
    struct trainer_options trainer;

    /* what it works with */
    struct vocabulary *vocabulary;
    struct bytes vocabulary_text;
    struct train_data train_data, valid_data;
    struct validation_set set;
    struct translation_task *task;
    json_t *card; // the one of --card, or an empty object
    struct progress progress;
    double bleu;                      // of the last validation, NaN without
    double mean_loss;                 // running, of the updates
    double recent_rate;               // target pieces a second
    int64_t recent_ms, recent_pieces; // when recent_rate was taken
    char checkpoint[PATH_BYTES], candidate[PATH_BYTES];
};

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

/* A thread of its own takes the signals, and threads that compute have them blocked: oneDNN 2.6's
 * float32 product keeps data where the kernel puts a handler's frame, so a handler that runs in the
 * middle of one damages the heap. Called before any other thread starts. */
static enum status catch_signals(struct error *err)
{
    static sigset_t signals;
    pthread_t thread;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (pthread_create(&thread, NULL, wait_for_signal, &signals) != 0)
        return error_set(err, STATUS_NO_MEMORY, "no thread to wait for signals");
    pthread_detach(thread);
    return STATUS_OK;
}

/* ---- vocabulary and data ---- */

static enum status checkpoint_to_vocabulary(struct training *c, struct error *err)
{
    struct bytes text;
    bytes_init(&text, TEXT_BYTES_MAX);
    enum status status = checkpoint_vocabulary(c->trainer.checkpoint_path, &text, err);
    if (status == STATUS_OK)
        status = vocabulary_parse_tsv(&c->vocabulary, text.data, text.len, err);
    bytes_release(&text);
    return status;
}

static enum status get_vocabulary(struct training *c, struct error *err)
{
    enum status status;
    if (c->resume) {
        status = checkpoint_to_vocabulary(c, err);
    } else if (c->vocabulary_path) {
        status = vocabulary_load_tsv(&c->vocabulary, c->vocabulary_path, err);
    } else {
        const struct learn_options learn = { .size = c->vocabulary_size,
                                             .coverage = VOCABULARY_COVERAGE,
                                             .threads = c->trainer.threads,
                                             .text = { .form = FORM_NFKC } };
        status = corpora_learn_vocabulary(&c->train, learn, &c->vocabulary, err);
    }
    if (status != STATUS_OK)
        return status;
    bytes_init(&c->vocabulary_text, TEXT_BYTES_MAX);
    c->config.vocabulary = vocabulary_size(c->vocabulary);
    return vocabulary_write_tsv(c->vocabulary, &c->vocabulary_text, err);
}

static void say_data(const char *what, const struct train_data *data, int pieces_max)
{
    fprintf(stderr, "%s: %d pairs, %lld target pieces", what, data->pairs.count,
            (long long)pairs_target_pieces(&data->pairs));
    if (data->too_long > 0)
        fprintf(stderr, "; %ld pairs longer than %d pieces left out", data->too_long, pieces_max);
    if (data->bad_lines > 0)
        fprintf(stderr, "; %ld bad lines left out", data->bad_lines);
    fputc('\n', stderr);
}

static enum status read_data(struct training *c, struct error *err)
{
    struct train_data_options options = { .pieces_max = c->pieces_max, .what = "training" };
    enum status status = train_data_read(&c->train_data, &c->train, c->vocabulary, &options, err);
    if (status != STATUS_OK)
        return status;
    say_data("training", &c->train_data, c->pieces_max);
    options.what = "validation";
    options.references_wanted = c->bleu_sentences;
    status = train_data_read(&c->valid_data, &c->valid, c->vocabulary, &options, err);
    if (status != STATUS_OK)
        return status;
    say_data("validation", &c->valid_data, c->pieces_max);
    return train_data_validation_set(&c->valid_data, &c->set, err);
}

/* ---- the model file ---- */

/* Names without folders: where they lay is nobody's business. */
static json_t *file_names(const struct corpora *corpora)
{
    json_t *names = json_array();
    for (int i = 0; i < corpora->count; i++) {
        const char *slash = strrchr(corpora->paths[i], '/');
        json_array_append_new(names, json_string(slash ? slash + 1 : corpora->paths[i]));
    }
    return names;
}

static json_t *training_facts(const struct training *c, const struct training_validation *v)
{
    const struct training_state *s = v->state;
    json_t *facts =
        json_pack("{s:o, s:i, s:I, s:I, s:I, s:o, s:o}", "files", file_names(&c->train), "pairs",
                  c->train_data.pairs.count, "updates", (json_int_t)s->updates, "pieces",
                  (json_int_t)s->pieces, "seed", (json_int_t)c->trainer.seed, "seconds",
                  json_rounded(s->seconds, 6), "validation_loss", json_rounded(v->loss, 6));
    if (facts && !isnan(c->bleu))
        json_object_set_new(facts, "validation_bleu", json_rounded(c->bleu, 4));
    return facts;
}

/* {"name", "source", "target", "training": {...}} with what --card says put over it. */
static enum status write_card(const struct training *c, const struct training_validation *v,
                              struct bytes *text, struct error *err)
{
    char name[2 * LANGUAGE_BYTES];
    snprintf(name, sizeof name, "%s-%s", c->source, c->target);
    json_t *card = json_pack("{s:s, s:s, s:s, s:o}", "name", name, "source", c->source, "target",
                             c->target, "training", training_facts(c, v));
    bool ok = card && json_object_update(card, c->card) == 0 && json_write(text, card);
    json_decref(card);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for the model's card");
}

static enum status save_model(const struct training *c, const struct training_validation *v,
                              const char *path, struct error *err)
{
    struct bytes card;
    bytes_init(&card, TEXT_BYTES_MAX);
    enum status status = write_card(c, v, &card, err);
    if (status == STATUS_OK) {
        const struct model_texts texts = { c->vocabulary_text.data, card.data };
        status = model_save(path, c->task->task.config, c->task->task.params, v->values, c->store,
                            &texts, err);
    }
    bytes_release(&card);
    return status == STATUS_OK ? status : error_while(err, "saving the model");
}

/* BLEU of the weights as they would be stored. */
static enum status measure_bleu(struct training *c, const struct training_validation *v,
                                struct error *err)
{
    c->bleu = NAN;
    if (c->set.count == 0)
        return STATUS_OK;
    enum status status = save_model(c, v, c->candidate, err);
    if (status == STATUS_OK)
        status = validation_bleu(c->candidate, c->vocabulary, &c->set, c->trainer.threads, &c->bleu,
                                 err);
    unlink(c->candidate);
    return status;
}

/* ---- what the user sees ---- */

/* Target pieces a second, taken over the last seconds. */
static void take_rate(struct training *c, const struct training_state *state)
{
    const int64_t now = clock_now_ms(), passed = now - c->recent_ms;
    if (c->recent_ms == 0 || state->pieces < c->recent_pieces) {
        c->recent_ms = now;
        c->recent_pieces = state->pieces;
    } else if (passed >= RATE_MS) {
        c->recent_rate = 1000.0 * (double)(state->pieces - c->recent_pieces) / (double)passed;
        c->recent_ms = now;
        c->recent_pieces = state->pieces;
    }
}

static void on_update(void *context, const struct training_progress *p)
{
    struct training *c = context;
    const struct training_state *s = p->state;
    const double done = p->epochs / (double)c->trainer.epochs;
    take_rate(c, s);
    c->mean_loss += (p->loss - c->mean_loss) * (c->mean_loss > 0 ? LOSS_WEIGHT : 1);
    if (p->skipped)
        fprintf(stderr, "update %lld left out: its numbers are not finite\n",
                (long long)s->updates);
    progress_show(&c->progress, done, "epoch %lld, update %lld, loss %.3f, %.0f pieces/s",
                  (long long)s->epoch + 1, (long long)s->updates, c->mean_loss, c->recent_rate);
}

static void say_validation(const struct training *c, const struct training_validation *v)
{
    char bleu[32] = "";
    if (!isnan(c->bleu))
        snprintf(bleu, sizeof bleu, ", BLEU %.2f", c->bleu);
    fprintf(stderr, "update %lld: validation loss %.4f%s%s\n", (long long)v->state->updates,
            v->loss, bleu, v->improved ? ", the best so far: saved" : "");
}

static enum status on_validated(void *context, const struct training_validation *v,
                                struct error *err)
{
    struct training *c = context;
    enum status status = measure_bleu(c, v, err);
    if (status == STATUS_OK && v->improved)
        status = save_model(c, v, c->out, err);
    if (status != STATUS_OK)
        return status;
    progress_clear(&c->progress);
    say_validation(c, v);
    c->recent_ms = 0;
    return STATUS_OK;
}

/* ---- the command line ---- */

static const char *const precision_names[] = { "f32", "bf16", NULL };          // as enum precision
static const char *const dtype_names[] = { "f32", "f16", "bf16", "i8", NULL }; // as enum dtype

/* "en", "pt-BR": letters, digits and hyphens. */
static enum status check_language(const char *option, const char *code, struct error *err)
{
    const size_t len = strlen(code);
    if (len >= 2 && len < LANGUAGE_BYTES && strspn(code, LANGUAGE_CHARACTERS) == len)
        return STATUS_OK;
    return error_set(err, STATUS_BAD_USAGE, "--%s %s: it must be a language code such as en or fr",
                     option, code);
}

static void read_numbers(struct training *c, const struct options *o)
{
    struct trainer_options *t = &c->trainer;
    c->vocabulary_size = options_int(o, "vocab-size");
    c->pieces_max = options_int(o, "max-pieces");
    c->bleu_sentences = options_int(o, "bleu-sentences");
    c->config = config_default(KIND_TRANSLATE);
    c->config.embedding = options_int(o, "embedding");
    c->config.hidden = options_int(o, "hidden");
    c->config.attention = options_int(o, "attention");
    t->dropout = options_real(o, "dropout");
    t->smoothing = options_real(o, "smoothing");
    t->schedule = (struct schedule_options){ options_real(o, "rate"), options_int(o, "warmup"),
                                             options_real(o, "decay"), options_int(o, "patience"),
                                             options_real(o, "cooldown") };
    t->optimizer = optimizer_options_default();
    t->optimizer.clip = options_real(o, "clip");
    t->epochs = options_int64(o, "epochs");
    t->validate_every = options_int64(o, "validate-every");
    t->checkpoint_every = options_int64(o, "checkpoint-every");
    t->threads = options_given(o, "threads") ? options_int(o, "threads") : threads_available();
    if (t->threads > TRAINER_THREADS_MAX)
        t->threads = TRAINER_THREADS_MAX;
    t->seed = (uint64_t)options_int64(o, "seed");
    c->batches = (struct batch_options){ options_int(o, "batch-sentences"),
                                         options_int(o, "batch-pieces"), t->seed };
}

/* Whether a file can be written there, before hours of training. */
static enum status check_writable(const char *path, struct error *err)
{
    struct file_writer *w;
    enum status status = file_writer_open(&w, path, err);
    if (status == STATUS_OK)
        file_writer_close(w);
    return status;
}

/* "OUT.checkpoint" and "OUT.candidate" */
static enum status name_files(struct training *c, const char *checkpoint, struct error *err)
{
    if (snprintf(c->candidate, PATH_BYTES, "%s.candidate", c->out) >= PATH_BYTES ||
        snprintf(c->checkpoint, PATH_BYTES, "%s.checkpoint", c->out) >= PATH_BYTES)
        return error_set(err, STATUS_BAD_USAGE, "--out: the path is too long");
    c->trainer.checkpoint_path = checkpoint ? checkpoint : c->checkpoint;
    if (!c->resume && access(c->trainer.checkpoint_path, F_OK) == 0)
        return error_set(err, STATUS_BAD_USAGE,
                         "%s is there from an earlier training: add --resume to go on with it, or "
                         "remove it to start afresh",
                         c->trainer.checkpoint_path);
    enum status status = check_writable(c->out, err);
    return status == STATUS_OK ? check_writable(c->trainer.checkpoint_path, err) : status;
}

static enum status read_options(struct training *c, const struct options *o, struct error *err)
{
    int store, precision;
    enum status status = options_need(o, err, "source", "target", "out", NULL);
    if (status == STATUS_OK)
        status = corpora_from_options(&c->train, o, "train", true, err);
    if (status == STATUS_OK)
        status = corpora_from_options(&c->valid, o, "valid", false, err);
    if (status == STATUS_OK)
        status = option_choice(o, "store", dtype_names, &store, err);
    if (status == STATUS_OK)
        status = option_choice(o, "precision", precision_names, &precision, err);
    if (status != STATUS_OK)
        return status;
    c->store = (enum dtype)store;
    c->trainer.precision = (enum precision)precision;
    c->train.options.swap = c->valid.options.swap = options_flag(o, "swap");
    c->source = options_text(o, "source");
    c->target = options_text(o, "target");
    c->out = options_text(o, "out");
    c->vocabulary_path = options_text(o, "vocab");
    c->card_path = options_text(o, "card");
    c->resume = options_flag(o, "resume");
    read_numbers(c, o);
    status = check_language("source", c->source, err);
    if (status == STATUS_OK)
        status = check_language("target", c->target, err);
    return status == STATUS_OK ? name_files(c, options_text(o, "checkpoint"), err) : status;
}

static enum status read_card(struct training *c, struct error *err)
{
    struct bytes text;
    if (!c->card_path) {
        c->card = json_object();
        return c->card ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for a card");
    }
    bytes_init(&text, TEXT_BYTES_MAX);
    enum status status = bytes_read_file(&text, c->card_path, err);
    if (status == STATUS_OK) {
        status = json_parse(&c->card, text.data, text.len, err);
        if (status != STATUS_OK)
            error_while(err, "%s", c->card_path);
    }
    if (status == STATUS_OK && !json_is_object(c->card))
        status = error_set(err, STATUS_BAD_INPUT, "%s: a card must be a JSON object", c->card_path);
    bytes_release(&text);
    return status;
}

/* ---- the command ---- */

static void say_start(const struct training *c, const struct trainer *trainer)
{
    const struct training_state *s = trainer_state(trainer);
    fprintf(stderr, "model: %zu weights, %d pieces; %d threads\n",
            params_weight_count(c->task->task.params), c->config.vocabulary, c->trainer.threads);
    if (c->resume)
        fprintf(stderr, "going on after update %lld of %s\n", (long long)s->updates,
                c->trainer.checkpoint_path);
    if (s->threads != trainer_members(trainer))
        fprintf(stderr,
                "it had %d threads before: the numbers will not be the same to the last "
                "bit\n",
                s->threads);
}

static void say_end(const struct training *c, const struct trainer *trainer, enum status status)
{
    const struct training_state *s = trainer_state(trainer);
    if (status == STATUS_OK)
        fprintf(stderr,
                "done after %lld updates and %.0f s: the model of the best validation "
                "loss, %.4f, is %s\n",
                (long long)s->updates, s->seconds, s->schedule.best_loss, c->out);
    if (status == STATUS_CANCELLED)
        fprintf(stderr,
                "stopped after update %lld; to go on, give the same command with "
                "--resume (it reads %s)\n",
                (long long)s->updates, c->trainer.checkpoint_path);
}

static enum status run_trainer(struct training *c, struct error *err)
{
    struct trainer *trainer = NULL;
    c->trainer.vocabulary = c->vocabulary_text.data;
    c->trainer.stop = &stop_signal;
    c->trainer.on_update = on_update;
    c->trainer.on_validated = on_validated;
    c->trainer.context = c;
    enum status status = translation_task_new(&c->task, &c->config, &c->train_data.pairs,
                                              &c->valid_data.pairs, c->batches, err);
    if (status == STATUS_OK)
        status = trainer_new(&trainer, &c->trainer, &c->task->task, err);
    if (status == STATUS_OK && c->resume)
        status = trainer_resume(trainer, err);
    if (status == STATUS_OK) {
        say_start(c, trainer);
        c->progress = progress_start(stderr, "training");
        status = trainer_run(trainer, err);
        progress_end(&c->progress);
        say_end(c, trainer, status);
    }
    trainer_free(trainer);
    return status;
}

static enum status train(struct training *c, const struct options *o, struct error *err)
{
    enum status status = read_options(c, o, err);
    if (status == STATUS_OK)
        status = read_card(c, err);
    if (status == STATUS_OK)
        status = get_vocabulary(c, err);
    if (status == STATUS_OK)
        status = read_data(c, err);
    if (status == STATUS_OK)
        status = catch_signals(err);
    return status == STATUS_OK ? run_trainer(c, err) : status;
}

static void release(struct training *c)
{
    translation_task_free(c->task);
    memory_free(c->set.sources);
    train_data_release(&c->train_data);
    train_data_release(&c->valid_data);
    bytes_release(&c->vocabulary_text);
    vocabulary_free(c->vocabulary);
    json_decref(c->card);
}

static int run(const struct options *o)
{
    struct error err;
    struct training *c = memory_zeroed(1, sizeof *c);
    enum status status =
        c ? train(c, o, &err) : error_set(&err, STATUS_NO_MEMORY, "no memory to begin with");
    if (c)
        release(c);
    memory_free(c);
    if (status == STATUS_CANCELLED)
        return 128 + atomic_load(&stop_signal);
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "source", OPTION_TEXT, .value = "CODE", .help = "language to translate from, such as en" },
    { "target", OPTION_TEXT, .value = "CODE", .help = "language to translate into, such as fr" },
    { "train", OPTION_LIST, .value = "FILE",
      .help = "training pairs: lines of source, tab, target, or two parallel files as A,B; "
              "plain or gzipped" },
    { "valid", OPTION_LIST, .value = "FILE", .help = "validation pairs, in the same forms" },
    { "swap", OPTION_FLAG, .help = "the second column (or file) is the source" },
    { "out", OPTION_TEXT, .letter = 'o', .value = "FILE",
      .help = "model file to write whenever validation gets better" },
    { "store", OPTION_TEXT, .value = "TYPE", .fallback = "bf16",
      .help = "how matrices are stored: f32, f16, bf16 or i8" },
    { "card", OPTION_TEXT, .value = "FILE",
      .help = "JSON object to put into the model's card: data, licences and the like" },
    { "vocab", OPTION_TEXT, .value = "FILE",
      .help = "vocabulary; without it one is learnt from the training pairs" },
    { "vocab-size", OPTION_INT, .value = "N", .fallback = "8000", .min = 261,
      .max = CONFIG_VOCABULARY_MAX, .help = "pieces of a vocabulary that is learnt" },
    { "embedding", OPTION_INT, .value = "N", .fallback = "256", .min = 1, .max = CONFIG_WIDTH_MAX,
      .help = "width of a piece's vector" },
    { "hidden", OPTION_INT, .value = "N", .fallback = "512", .min = 1, .max = CONFIG_WIDTH_MAX,
      .help = "width of the recurrent state" },
    { "attention", OPTION_INT, .value = "N", .fallback = "256", .min = 1, .max = CONFIG_WIDTH_MAX,
      .help = "width of the attention" },
    { "dropout", OPTION_REAL, .value = "P", .fallback = "0.2", .min = 0, .max = 0.9,
      .help = "share of values dropped" },
    { "smoothing", OPTION_REAL, .value = "P", .fallback = "0.1", .min = 0, .max = 0.9,
      .help = "label smoothing" },
    { "rate", OPTION_REAL, .value = "R", .fallback = "0.001", .min = 1e-9, .max = 1,
      .help = "learning rate of Adam" },
    { "warmup", OPTION_INT, .value = "N", .fallback = "500", .min = 0, .max = 1e9,
      .help = "updates until the rate is reached" },
    { "decay", OPTION_REAL, .value = "F", .fallback = "0.6", .min = 0.01, .max = 1,
      .help = "factor of the rate after a validation that is no better" },
    { "cooldown", OPTION_REAL, .value = "N", .fallback = "0", .min = 0, .max = 1e6,
      .help = "epochs at the end over which the rate falls to nothing; 0: none" },
    { "clip", OPTION_REAL, .value = "N", .fallback = "1", .min = 0, .max = 1e9,
      .help = "greatest norm of the gradient; 0: no limit" },
    { "epochs", OPTION_INT, .value = "N", .fallback = "30", .min = 1, .max = 1e6,
      .help = "times through the training pairs, at most" },
    { "patience", OPTION_INT, .value = "N", .fallback = "5", .min = 0, .max = 1e6,
      .help = "end after so many validations in a row that are no better; 0: never" },
    { "batch-sentences", OPTION_INT, .value = "N", .fallback = "128", .min = 1, .max = 65536,
      .help = "pairs of one update, at most" },
    { "batch-pieces", OPTION_INT, .value = "N", .fallback = "8192", .min = 2, .max = 1e7,
      .help = "pieces of one update, source and target with padding, at most" },
    { "max-pieces", OPTION_INT, .value = "N", .fallback = "100", .min = 1,
      .max = PAIR_LENGTH_MAX - 1, .help = "longer sentences are left out" },
    ON_BAD_LINE_OPTION,
    { "validate-every", OPTION_INT, .value = "N", .fallback = "0", .min = 0, .max = 1e15,
      .help = "updates between validations; 0: at the end of each epoch" },
    { "bleu-sentences", OPTION_INT, .value = "N", .fallback = "500", .min = 0, .max = 1e6,
      .help = "validation sentences that are translated for BLEU" },
    { "checkpoint", OPTION_TEXT, .value = "FILE",
      .help = "where the training is saved; OUT.checkpoint by default" },
    { "checkpoint-every", OPTION_INT, .value = "N", .fallback = "1000", .min = 0, .max = 1e15,
      .help = "updates between savings, besides each validation; 0: none" },
    { "precision", OPTION_TEXT, .value = "TYPE", .fallback = "f32",
      .help = "of the matrix products: f32, or bf16 where the processor has it (weights and sums "
              "stay f32)" },
    { "resume", OPTION_FLAG, .help = "go on from the checkpoint as if it had never stopped" },
    { "threads", OPTION_INT, .environment = true, .value = "N", .min = 1,
      .max = TRAINER_THREADS_MAX, .help = "threads; by default one a core" },
    { "seed", OPTION_INT, .value = "N", .fallback = "1", .min = 0, .max = 9e15,
      .help = "the same seed and threads give the same model" },
    { 0 },
};

const struct command command_train = {
    .name = "train",
    .summary = "train a translation model from parallel text",
    .usage = "--source CODE --target CODE --train FILE --valid FILE --out FILE [OPTION...] "
             "[FILE...]",
    .description = "Files after the options are more training pairs. Ctrl-C or SIGTERM ends the "
                   "training after the update under way, saves it and leaves with 130 or 143; the "
                   "same command with --resume goes on.",
    .examples = "  verso train --source en --target fr --train train.tsv.gz --valid valid.tsv.gz "
                "--out en-fr.safetensors\n",
    .options = specs,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
