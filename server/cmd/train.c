/*
 * train.c - "verso train": a translation model from parallel text.
 *
 *     corpora -> vocabulary (given, learnt, or the checkpoint's) -> ids on disk -> training.h
 *     after each validation: model file beside --out -> BLEU of what would be served
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/train/translation.h"
#include "server/cmd/alignment_pictures.h"
#include "server/cmd/commands.h"
#include "server/cmd/corpora.h"
#include "server/cmd/model_options.h"
#include "server/cmd/shortlist.h"
#include "server/cmd/train_data.h"
#include "server/cmd/training.h"
#include "server/cmd/validation_bleu.h"
#include "server/engine/initial_embeddings.h"
#include "tokenizer/vocabulary.h"

#define LANGUAGE_BYTES 16
#define LANGUAGE_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

struct translation_training {
    struct training training;

    /* from the command line */
    const char *source, *target; // languages
    struct corpora train, valid;
    const char *vocabulary_path;
    const char *pictures_path; // folder of alignments drawn at each validation; or NULL
    const char *vectors_path;  // words that the embedding starts from; or NULL
    const char *links_path;    // of the training pairs; or NULL
    double guidance;           // what they weigh
    int vocabulary_size, pieces_max, bleu_sentences;
    struct config config;
    struct batch_options batches;

    /* what it works with */
    struct vocabulary *vocabulary;
    struct shard *shard; // the training pairs, in a file of their own
    struct valid_data valid_data;
    struct validation_set set;
    struct alignment_pictures pictures;
    struct translation_task *task;
    char shard_path[TRAINING_PATH_BYTES];
    char candidate[TRAINING_PATH_BYTES]; // model file whose BLEU is measured
};

/* ---- vocabulary and data ---- */

static enum status get_vocabulary(struct translation_training *c, struct error *err)
{
    const struct learn_options learn = { .size = c->vocabulary_size };
    enum status status = training_vocabulary(&c->training, c->vocabulary_path, &c->train, learn,
                                             &c->vocabulary, err);
    if (status == STATUS_OK)
        c->config.vocabulary = vocabulary_size(c->vocabulary);
    return status;
}

static void say_data(const struct translation_training *c, const char *what, int64_t pairs,
                     int64_t target_pieces, int64_t too_long, int64_t bad_lines)
{
    if (!training_speaks(&c->training))
        return;
    fprintf(stderr, "%s: %lld pairs, %lld target pieces", what, (long long)pairs,
            (long long)target_pieces);
    if (too_long > 0)
        fprintf(stderr, "; %lld pairs longer than %d pieces left out", (long long)too_long,
                c->pieces_max);
    if (bad_lines > 0)
        fprintf(stderr, "; %lld bad lines left out", (long long)bad_lines);
    fputc('\n', stderr);
}

/* The first rank makes the file; the others find it there, or make their own where they see no
 * folder of the first. */
static enum status open_shard(struct translation_training *c,
                              const struct train_data_options *options, struct error *err)
{
    struct peers *peers = &c->training.peers;
    double turn = 0;
    enum status status = STATUS_OK;
    if (peers->rank == 0)
        status = train_data_open(&c->shard, c->shard_path, &c->train, options, err);
    if (status == STATUS_OK)
        status = peers->sum_exact(peers, &turn, 1, err);
    if (status == STATUS_OK && peers->rank > 0)
        status = train_data_open(&c->shard, c->shard_path, &c->train, options, err);
    return status;
}

static enum status read_data(struct translation_training *c, struct error *err)
{
    const struct train_data_options options = { .vocabulary = c->vocabulary,
                                                .vocabulary_text = c->training.vocabulary.data,
                                                .pieces_max = c->pieces_max,
                                                .links = c->links_path };
    enum status status = open_shard(c, &options, err);
    if (status != STATUS_OK)
        return status;
    const struct shard_facts *train = shard_facts(c->shard);
    say_data(c, "training", train->pairs, train->target_pieces, train->too_long, train->bad_lines);
    const struct valid_data *valid = &c->valid_data;
    status = valid_data_read(&c->valid_data, &c->valid, c->bleu_sentences, &options, err);
    if (status != STATUS_OK)
        return status;
    say_data(c, "validation", valid->pairs.count, pairs_target_pieces(&valid->pairs),
             valid->too_long, valid->bad_lines);
    return valid_data_set(valid, &c->set, err);
}

/* ---- the card and the measure ---- */

static enum status make_card(struct translation_training *c, struct error *err)
{
    char name[2 * LANGUAGE_BYTES];
    snprintf(name, sizeof name, "%s-%s", c->source, c->target);
    c->training.card = json_pack("{s:s, s:s, s:s, s:{s:o, s:I}}", "name", name, "source", c->source,
                                 "target", c->target, "training", "files", corpora_names(&c->train),
                                 "pairs", (json_int_t)shard_facts(c->shard)->pairs);
    return c->training.card ? STATUS_OK
                            : error_set(err, STATUS_NO_MEMORY, "no memory for the model's card");
}

/* BLEU and alignments of the weights as they would be stored. */
static enum status measure(void *context, const struct training_validation *v, double *bleu,
                           struct error *err)
{
    struct translation_training *c = context;
    enum status status = training_save_model(&c->training, v, c->candidate, err);
    if (status == STATUS_OK && c->set.count > 0)
        status = validation_bleu(c->candidate, c->vocabulary, &c->set, c->training.trainer.threads,
                                 bleu, err);
    if (status == STATUS_OK && c->pictures_path)
        alignment_pictures_draw(&c->pictures, c->candidate, v->state->updates);
    unlink(c->candidate);
    return status;
}

/* ---- the command line ---- */

/* "en", "pt-BR": letters, digits and hyphens. */
static enum status check_language(const char *option, const char *code, struct error *err)
{
    const size_t len = strlen(code);
    if (len >= 2 && len < LANGUAGE_BYTES && strspn(code, LANGUAGE_CHARACTERS) == len)
        return STATUS_OK;
    return error_set(err, STATUS_BAD_USAGE, "--%s %s: it must be a language code such as en or fr",
                     option, code);
}

static void read_numbers(struct translation_training *c, const struct options *o)
{
    c->vocabulary_size = options_int(o, "vocab-size");
    c->pieces_max = options_int(o, "max-pieces");
    c->bleu_sentences = options_int(o, "bleu-sentences");
    c->batches = (struct batch_options){ options_int(o, "batch-sentences"),
                                         options_int(o, "batch-pieces"), c->training.trainer.seed };
    c->training.trainer.smoothing = options_real(o, "smoothing");
    c->guidance = options_real(o, "guided-alignment-weight");
}

static enum status read_corpora_options(struct translation_training *c, const struct options *o,
                                        struct error *err)
{
    enum status status = corpora_from_options(&c->train, o, "train", true, err);
    if (status == STATUS_OK)
        status = corpora_from_options(&c->valid, o, "valid", false, err);
    c->train.options.swap = c->valid.options.swap = options_flag(o, "swap");
    return status;
}

static enum status read_options(struct translation_training *c, const struct options *o,
                                struct error *err)
{
    enum status status = options_need(o, err, "source", "target", "out", NULL);
    if (status != STATUS_OK)
        return status;
    c->source = options_text(o, "source");
    c->target = options_text(o, "target");
    c->vocabulary_path = options_text(o, "vocab");
    c->vectors_path = options_text(o, "embeddings");
    c->pictures_path = options_text(o, "pictures");
    c->links_path = options_text(o, "guided-alignment");
    status = check_language("source", c->source, err);
    if (status == STATUS_OK)
        status = check_language("target", c->target, err);
    if (status == STATUS_OK)
        status = read_corpora_options(c, o, err);
    if (status == STATUS_OK)
        status = model_config_from_options(&c->config, o, err);
    if (status == STATUS_OK)
        status = training_begin(&c->training, o, err);
    if (status != STATUS_OK)
        return status;
    c->train.quiet = c->valid.quiet = !training_speaks(&c->training);
    read_numbers(c, o);
    training_trace(&c->training, o);
    if (snprintf(c->candidate, sizeof c->candidate, "%s.candidate", c->training.out) >=
            (int)sizeof c->candidate ||
        snprintf(c->shard_path, sizeof c->shard_path, "%s.pairs", c->training.out) >=
            (int)sizeof c->shard_path)
        return error_set(err, STATUS_BAD_USAGE, "--out: the path is too long");
    return STATUS_OK;
}

/* ---- the command ---- */

/* Rows of the embedding, see server/engine/initial_embeddings.h. */
static enum status start_from_vectors(void *context, real *values, struct error *err)
{
    const struct translation_training *c = context;
    const struct tensor rows = c->task->shape.embedding;
    int found = 0;
    const enum status status = initial_embeddings(c->vectors_path, c->vocabulary,
                                                  values + rows.offset, rows.cols, &found, err);
    if (status == STATUS_OK && training_speaks(&c->training))
        fprintf(stderr, "embedding: %d of %d pieces start from %s\n", found, c->config.vocabulary,
                c->vectors_path);
    return status;
}

static enum status prepare_pictures(struct translation_training *c, struct error *err)
{
    if (!c->pictures_path || !training_speaks(&c->training))
        return STATUS_OK;
    return alignment_pictures_init(&c->pictures, c->pictures_path, c->vocabulary,
                                   &c->valid_data.pairs, c->source, c->target, err);
}

static enum status make_task(struct translation_training *c, struct error *err)
{
    const struct translation_data data = { c->shard, groups_limits(), &c->valid_data.pairs };
    if (c->set.count > 0 || c->pictures_path)
        c->training.measure = measure;
    if (c->vectors_path)
        c->training.change_first_values = start_from_vectors;
    c->training.context = c;
    enum status status = translation_task_new(&c->task, &c->config, &data, c->batches, err);
    if (status == STATUS_OK && c->links_path)
        c->task->guidance = c->guidance;
    return status;
}

/* Into the model that was kept. */
static enum status put_shortlist(struct translation_training *c, struct error *err)
{
    const char *out = c->training.out;
    if (!training_speaks(&c->training))
        return STATUS_OK;
    return shortlist_put(c->shard, c->vocabulary, lexicon_options_default(), out, out, stderr, err);
}

static enum status train(void *command, const struct options *o, struct error *err)
{
    struct translation_training *c = command;
    enum status status = read_options(c, o, err);
    if (status == STATUS_OK)
        status = get_vocabulary(c, err);
    if (status == STATUS_OK)
        status = read_data(c, err);
    if (status == STATUS_OK)
        status = make_card(c, err);
    if (status == STATUS_OK)
        status = prepare_pictures(c, err);
    if (status == STATUS_OK)
        status = make_task(c, err);
    if (status == STATUS_OK)
        status = training_run(&c->training, &c->task->task, err);
    if (status == STATUS_OK)
        status = put_shortlist(c, err);
    if (status == STATUS_OK)
        unlink(c->shard_path); // kept after a stop, for the training that goes on
    return status;
}

static void release(void *command)
{
    struct translation_training *c = command;
    translation_task_free(c->task);
    alignment_pictures_release(&c->pictures);
    memory_free(c->set.sources);
    valid_data_release(&c->valid_data);
    shard_close(c->shard);
    vocabulary_free(c->vocabulary);
}

static int run(const struct options *o)
{
    return training_command(o, sizeof(struct translation_training), train, release);
}

static const struct option_spec specs[] = {
    { "source", OPTION_TEXT, .value = "CODE", .help = "language to translate from, such as en" },
    { "target", OPTION_TEXT, .value = "CODE", .help = "language to translate into, such as fr" },
    { "train", OPTION_LIST, .value = "FILE",
      .help = "training pairs: lines of source, tab, target, or two parallel files as A,B; "
              "plain or gzipped" },
    { "valid", OPTION_LIST, .value = "FILE", .help = "validation pairs, in the same forms" },
    { "swap", OPTION_FLAG, .help = "the second column (or file) is the source" },
    ON_BAD_LINE_OPTION,
    { "vocab", OPTION_TEXT, .value = "FILE",
      .help = "vocabulary; without it one is learnt from the training pairs" },
    { "embeddings", OPTION_TEXT, .value = "FILE",
      .help = "word vectors (verso embed train) that pieces which are whole words start from" },
    { "vocab-size", OPTION_INT, .value = "N", .fallback = "8000", .min = 261,
      .max = CONFIG_VOCABULARY_MAX, .help = "pieces of a vocabulary that is learnt" },
    { "max-pieces", OPTION_INT, .value = "N", .fallback = "100", .min = 1,
      .max = PAIR_LENGTH_MAX - 1, .help = "longer sentences are left out" },
    MODEL_OPTIONS,
    { "smoothing", OPTION_REAL, .value = "P", .fallback = "0.1", .min = 0, .max = 0.9,
      .help = "label smoothing" },
    { "guided-alignment", OPTION_TEXT, .value = "FILE",
      .help = "word links of the training pairs, a line for each of their lines as verso align "
              "writes them, that attention is to follow" },
    { "guided-alignment-weight", OPTION_REAL, .value = "X", .fallback = "0.2", .min = 0, .max = 100,
      .help = "what they weigh beside the loss of the pieces" },
    { "batch-sentences", OPTION_INT, .value = "N", .fallback = "128", .min = 1, .max = 65536,
      .help = "pairs of one update, at most" },
    { "batch-pieces", OPTION_INT, .value = "N", .fallback = "8192", .min = 2, .max = 1e7,
      .help = "pieces of one update, source and target with padding, at most" },
    { "bleu-sentences", OPTION_INT, .value = "N", .fallback = "500", .min = 0, .max = 1e6,
      .help = "validation sentences that are translated for BLEU" },
    { "pictures", OPTION_TEXT, .value = "DIR",
      .help = "draw the alignments of five validation pairs there at each validation, as SVG" },
    TRACE_OPTIONS,
    TRAINING_OPTIONS,
    { 0 },
};

const struct command command_train = {
    .name = "train",
    .summary = "train a translation model from parallel text",
    .usage = "--source CODE --target CODE --train FILE --valid FILE --out FILE [OPTION...] "
             "[FILE...]",
    .description = "Files after the options are more training pairs. Ctrl-C or SIGTERM ends the "
                   "training after the update under way, saves it and leaves with 130 or 143; the "
                   "same command with --resume goes on. Started by Open MPI's mpirun, several "
                   "processes train one model together.",
    .examples = "  verso train --source en --target fr --train train.tsv.gz --valid valid.tsv.gz "
                "--out en-fr.safetensors\n"
                "  mpirun --hostfile hosts --map-by ppr:1:node --bind-to none verso-train train "
                "--threads 8 --source en --target fr --train train.tsv.gz --valid valid.tsv.gz "
                "--out en-fr.safetensors\n",
    .options = specs,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
