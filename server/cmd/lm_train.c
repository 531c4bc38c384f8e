/*
 * lm_train.c - "verso lm train": a language model from text.
 *
 *     text files -> vocabulary (given, learnt, or the checkpoint's) -> a stream of ids on disk
 *     -> training.h
 *
 * At --level characters the vocabulary is an alphabet, and the model predicts
 * the next character; at --level pieces it is byte-fallback BPE, and the next
 * word is the next pieces up to where another word begins.
 */
#include <stdio.h>

#include "model/train/language.h"
#include "server/cmd/commands.h"
#include "server/cmd/corpora.h"
#include "server/cmd/training.h"
#include "tokenizer/vocabulary.h"

enum level { LEVEL_CHARACTERS, LEVEL_PIECES };
static const char *const level_names[] = { "characters", "pieces", NULL }; // as enum level

struct language_training {
    struct training training;

    /* from the command line */
    struct corpora train, valid;
    const char *vocabulary_path;
    enum level level;
    int vocabulary_size;
    struct config config;
    struct language_options streams;

    /* what it works with */
    struct vocabulary *vocabulary;
    struct piece_stream *train_text, *valid_text;
    long train_lines;
    struct language_task *task;
};

/* ---- vocabulary and data ---- */

static enum status get_vocabulary(struct language_training *c, struct error *err)
{
    const struct learn_options learn = { .size = c->vocabulary_size,
                                         .characters = c->level == LEVEL_CHARACTERS };
    enum status status = training_vocabulary(&c->training, c->vocabulary_path, &c->train, learn,
                                             &c->vocabulary, err);
    if (status == STATUS_OK)
        c->config.vocabulary = vocabulary_size(c->vocabulary);
    return status;
}

/* Each line and its </s>; a line that normalising leaves nothing of is passed over. */
static enum status add_lines(struct piece_stream *stream, struct corpus *corpus,
                             const struct vocabulary *vocabulary, struct progress *progress,
                             long *lines, struct error *err)
{
    const int32_t end = ID_EOS;
    struct corpus_pair line;
    struct corpus_ids ids;
    enum status status;
    while ((status = corpus_next(corpus, &line, err)) == STATUS_OK && line.source) {
        status = corpus_encode(corpus, vocabulary, &line, &ids, err);
        if (status == STATUS_OK && ids.source_len == 0)
            continue;
        if (status == STATUS_OK)
            status = piece_stream_add(stream, ids.source, ids.source_len, err);
        if (status == STATUS_OK)
            status = piece_stream_add(stream, &end, 1, err);
        if (status != STATUS_OK)
            return status;
        ++*lines;
        progress_show(progress, corpus_progress(corpus), "%ld lines", *lines);
    }
    return status;
}

static void say_data(const struct language_training *c, const char *what, long lines,
                     const struct piece_stream *stream, long bad_lines)
{
    if (!training_speaks(&c->training))
        return;
    fprintf(stderr, "%s: %ld lines, %lld pieces", what, lines,
            (long long)piece_stream_count(stream));
    if (bad_lines > 0)
        fprintf(stderr, "; %ld bad lines left out", bad_lines);
    fputc('\n', stderr);
}

static enum status read_text(const struct language_training *c, const struct corpora *corpora,
                             const char *what, struct piece_stream **stream, long *lines,
                             struct error *err)
{
    struct corpus *corpus = NULL;
    *lines = 0;
    enum status status = piece_stream_open(stream, c->training.out, err);
    if (status == STATUS_OK)
        status = corpus_open(&corpus, corpora->paths, corpora->count, &corpora->options, err);
    if (status != STATUS_OK)
        return status;
    struct progress progress = progress_start(corpora->quiet ? NULL : stderr, what);
    status = add_lines(*stream, corpus, c->vocabulary, &progress, lines, err);
    progress_end(&progress);
    if (status == STATUS_OK && *lines == 0)
        status = error_set(err, STATUS_BAD_INPUT, "the %s text has no line to use (%ld bad ones)",
                           what, corpus_bad_lines(corpus));
    if (status == STATUS_OK)
        status = piece_stream_finish(*stream, err);
    if (status == STATUS_OK)
        say_data(c, what, *lines, *stream, corpus_bad_lines(corpus));
    corpus_close(corpus);
    return status;
}

static enum status make_card(struct language_training *c, struct error *err)
{
    c->training.card = json_pack("{s:s, s:{s:o, s:I}}", "name", "lm", "training", "files",
                                 corpora_names(&c->train), "lines", (json_int_t)c->train_lines);
    return c->training.card ? STATUS_OK
                            : error_set(err, STATUS_NO_MEMORY, "no memory for the model's card");
}

/* ---- the command line ---- */

static enum status read_model_options(struct language_training *c, const struct options *o,
                                      struct error *err)
{
    int cell, level;
    enum status status = option_choice(o, "cell", config_choices("cell"), &cell, err);
    if (status == STATUS_OK)
        status = option_choice(o, "level", level_names, &level, err);
    if (status != STATUS_OK)
        return status;
    c->level = (enum level)level;
    c->vocabulary_path = options_text(o, "vocab");
    c->vocabulary_size = options_int(o, "vocab-size");
    c->streams = (struct language_options){ options_int(o, "streams"), options_int(o, "bptt") };
    c->config = config_default(KIND_LM);
    c->config.cell = (enum cell_kind)cell;
    c->config.embedding = options_int(o, "embedding");
    c->config.hidden = options_int(o, "hidden");
    c->config.decoder_layers = options_int(o, "layers");
    return STATUS_OK;
}

static enum status read_options(struct language_training *c, const struct options *o,
                                struct error *err)
{
    enum status status = options_need(o, err, "out", NULL);
    if (status == STATUS_OK)
        status = corpora_from_options(&c->train, o, "train", true, err);
    if (status == STATUS_OK)
        status = corpora_from_options(&c->valid, o, "valid", false, err);
    if (status == STATUS_OK)
        status = read_model_options(c, o, err);
    if (status == STATUS_OK)
        status = training_begin(&c->training, o, err);
    if (status != STATUS_OK)
        return status;
    c->train.options.texts = c->valid.options.texts = true;
    c->train.options.column = c->valid.options.column = options_int(o, "column");
    c->train.quiet = c->valid.quiet = !training_speaks(&c->training);
    training_trace(&c->training, o);
    return STATUS_OK;
}

/* ---- the command ---- */

static enum status train(void *command, const struct options *o, struct error *err)
{
    struct language_training *c = command;
    long valid_lines;
    enum status status = read_options(c, o, err);
    if (status == STATUS_OK)
        status = get_vocabulary(c, err);
    if (status == STATUS_OK)
        status = read_text(c, &c->train, "training", &c->train_text, &c->train_lines, err);
    if (status == STATUS_OK)
        status = read_text(c, &c->valid, "validation", &c->valid_text, &valid_lines, err);
    if (status == STATUS_OK)
        status = make_card(c, err);
    if (status == STATUS_OK)
        status =
            language_task_new(&c->task, &c->config, c->train_text, c->valid_text, c->streams, err);
    return status == STATUS_OK ? training_run(&c->training, &c->task->task, err) : status;
}

static void release(void *command)
{
    struct language_training *c = command;
    language_task_free(c->task);
    piece_stream_close(c->train_text);
    piece_stream_close(c->valid_text);
    vocabulary_free(c->vocabulary);
}

static int run(const struct options *o)
{
    return training_command(o, sizeof(struct language_training), train, release);
}

static const struct option_spec specs[] = {
    { "train", OPTION_LIST, .value = "FILE", .help = "training text; so are the operands" },
    { "valid", OPTION_LIST, .value = "FILE", .help = "validation text, in the same form" },
    { "column", OPTION_INT, .value = "N", .fallback = "0", .min = 0, .max = 1000,
      .help = "of tab-separated lines take this column; 0: the whole line" },
    ON_BAD_LINE_OPTION,
    { "level", OPTION_TEXT, .value = "LEVEL", .fallback = "pieces",
      .help = "what is predicted: characters, or pieces of words" },
    { "vocab", OPTION_TEXT, .value = "FILE",
      .help = "vocabulary, whatever the level; without it one is learnt from the training text" },
    { "vocab-size", OPTION_INT, .value = "N", .fallback = "8000", .min = 261,
      .max = CONFIG_VOCABULARY_MAX,
      .help = "pieces of a vocabulary that is learnt; of an alphabet, at most" },
    { "cell", OPTION_TEXT, .value = "CELL", .fallback = "lstm",
      .help = "rnn, rnn-logistic, lstm, peephole, gru or gru-unbiased" },
    { "layers", OPTION_INT, .value = "N", .fallback = "1", .min = 1, .max = CONFIG_LAYERS_MAX,
      .help = "recurrent layers, with residuals from the third" },
    { "embedding", OPTION_INT, .value = "N", .fallback = "256", .min = 1, .max = CONFIG_WIDTH_MAX,
      .help = "width of a piece's vector" },
    { "hidden", OPTION_INT, .value = "N", .fallback = "512", .min = 1, .max = CONFIG_WIDTH_MAX,
      .help = "width of the recurrent state" },
    { "bptt", OPTION_INT, .value = "T", .fallback = "64", .min = 1, .max = HORIZON_MAX,
      .help = "pieces that gradients go back through time, and of a stream in an update" },
    { "streams", OPTION_INT, .value = "N", .fallback = "64", .min = 1, .max = STREAMS_MAX,
      .help = "parts of the text that are read side by side" },
    TRACE_OPTIONS,
    TRAINING_OPTIONS,
    { 0 },
};

const struct command command_lm_train = {
    .name = "lm train",
    .summary = "train a language model from text",
    .usage = "--valid FILE --out FILE [OPTION...] CORPUS...",
    .description =
        "A corpus is lines of text, or one column of tab-separated lines; plain or gzipped. It is "
        "read as one long text, in --streams parts side by side and --bptt pieces at a time "
        "(truncated backpropagation through time): the state runs on from one update to the next, "
        "gradients do not. Ctrl-C or SIGTERM ends the training after the update under way, saves "
        "it and leaves with 130 or 143; the same command with --resume goes on.",
    .examples = "  verso lm train novels.txt.gz --valid held-out.txt -o lm.safetensors\n"
                "  verso lm train en-fr.tsv.gz --column 1 --valid valid.tsv --level characters \\\n"
                "      --layers 2 --bptt 128 -o characters.safetensors\n",
    .options = specs,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
