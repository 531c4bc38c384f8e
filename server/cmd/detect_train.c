/*
 * detect_train.c - "verso detect train": a language detector from sentences of each language.
 *
 *     files -> alphabet (the checkpoint's when it goes on) -> labelled sequences -> training.h
 */
#include <stdio.h>

#include "base/files.h"
#include "model/train/classification.h"
#include "server/cmd/commands.h"
#include "server/cmd/detect_data.h"
#include "server/cmd/training.h"

struct detector_training {
    struct training training;
    struct detect_labels labels;
    struct detect_files train, valid;
    struct detect_data_options data;
    struct config config;
    struct batch_options batches;

    struct vocabulary *vocabulary;
    struct bytes labels_text;
    struct detect_data train_data, valid_data;
    struct classification_task *task;
};

/* ---- alphabet and data ---- */

static enum status get_vocabulary(struct detector_training *c, struct error *err)
{
    enum status status =
        c->training.resume
            ? training_resumed_vocabulary(&c->training, &c->vocabulary, err)
            : detect_files_alphabet(&c->train, &c->labels, c->data.sentences, &c->vocabulary, err);
    if (status != STATUS_OK)
        return status;
    c->config.vocabulary = vocabulary_size(c->vocabulary);
    return vocabulary_write_tsv(c->vocabulary, &c->training.vocabulary, err);
}

static void say_data(const struct detector_training *c, const struct detect_data *data)
{
    if (!training_speaks(&c->training))
        return;
    fprintf(stderr, "%s:", c->data.what);
    for (int i = 0; i < c->labels.count; i++)
        fprintf(stderr, " %s %lld", c->labels.names[i], (long long)data->counts[i]);
    fputs(" sequences", stderr);
    if (data->bad_lines > 0)
        fprintf(stderr, "; %ld bad lines left out", data->bad_lines);
    fputc('\n', stderr);
}

static enum status read_data(struct detector_training *c, struct error *err)
{
    c->data.what = "training";
    enum status status = detect_data_read(&c->train_data, &c->train, c->vocabulary, &c->data, err);
    if (status != STATUS_OK)
        return status;
    say_data(c, &c->train_data);
    c->data.what = "validation";
    status = detect_data_read(&c->valid_data, &c->valid, c->vocabulary, &c->data, err);
    if (status == STATUS_OK)
        say_data(c, &c->valid_data);
    return status;
}

/* ---- labels and card ---- */

static enum status write_labels(struct detector_training *c, struct error *err)
{
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; ok && i < c->labels.count; i++)
        ok = json_array_append_new(list, json_string(c->labels.names[i])) == 0;
    bytes_init(&c->labels_text, TRAINING_TEXT_BYTES_MAX);
    ok = ok && json_write(&c->labels_text, list);
    json_decref(list);
    c->training.labels = c->labels_text.data;
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for the labels");
}

static json_t *files_of(const struct detector_training *c)
{
    json_t *files = json_array();
    for (int i = 0; i < c->train.count; i++) {
        const struct detect_file *file = &c->train.list[i];
        json_array_append_new(files, json_sprintf("%s=%s:%d", c->labels.names[file->label],
                                                  path_name(file->path), file->column));
    }
    return files;
}

static json_t *counts_of(const struct detector_training *c)
{
    json_t *counts = json_object();
    for (int i = 0; i < c->labels.count; i++)
        json_object_set_new(counts, c->labels.names[i], json_integer(c->train_data.counts[i]));
    return counts;
}

static enum status make_card(struct detector_training *c, struct error *err)
{
    c->training.card = json_pack("{s:s, s:{s:o, s:o}}", "name", "detect", "training", "files",
                                 files_of(c), "sequences", counts_of(c));
    return c->training.card ? STATUS_OK
                            : error_set(err, STATUS_NO_MEMORY, "no memory for the model's card");
}

/* ---- the command line ---- */

static enum status read_labels(struct detector_training *c, const struct options *o,
                               struct error *err)
{
    enum status status = detect_files_from_options(&c->train, o, "train", &c->labels, true, err);
    if (status == STATUS_OK)
        status = detect_files_from_options(&c->valid, o, "valid", &c->labels, false, err);
    if (status != STATUS_OK)
        return status;
    const int unknown = detect_label_find(&c->labels, DETECTOR_UNKNOWN);
    if (c->labels.count - (unknown >= 0) < 2)
        return error_set(err, STATUS_BAD_USAGE,
                         "there must be two languages at least to tell apart: --train en=FILE "
                         "--train fr=FILE");
    c->data.noise_label = unknown;
    c->data.noise = options_real(o, "noise");
    if (unknown < 0 && c->data.noise > 0) {
        if (c->labels.count == DETECT_LABELS_MAX)
            return error_set(err, STATUS_BAD_USAGE, "there are more than %d languages",
                             DETECT_LABELS_MAX - 1);
        c->data.noise_label = c->labels.count;
        snprintf(c->labels.names[c->labels.count++], DETECT_LABEL_BYTES, "%s", DETECTOR_UNKNOWN);
    }
    return STATUS_OK;
}

static enum status read_config(struct detector_training *c, const struct options *o,
                               struct error *err)
{
    int cell, encoder;
    enum status status = option_choice(o, "cell", config_choices("cell"), &cell, err);
    if (status == STATUS_OK)
        status = option_choice(o, "encoder", config_choices("encoder"), &encoder, err);
    if (status != STATUS_OK)
        return status;
    c->config = config_default(KIND_CLASSIFY);
    c->config.cell = (enum cell_kind)cell;
    c->config.encoder = (enum encoder_kind)encoder;
    c->config.embedding = options_int(o, "embedding");
    c->config.hidden = options_int(o, "hidden");
    c->config.encoder_layers = options_int(o, "encoder-layers");
    c->config.classes = c->labels.count;
    return STATUS_OK;
}

static enum status read_options(struct detector_training *c, const struct options *o,
                                struct error *err)
{
    enum status status = options_need(o, err, "out", NULL);
    if (status == STATUS_OK)
        status = read_labels(c, o, err);
    if (status == STATUS_OK)
        status = read_config(c, o, err);
    if (status == STATUS_OK)
        status = training_begin(&c->training, o, err);
    if (status != STATUS_OK)
        return status;
    c->data.sentences = options_int64(o, "sentences");
    c->data.fragments = options_real(o, "fragments");
    c->data.seed = c->training.trainer.seed;
    c->batches = (struct batch_options){ options_int(o, "batch-sequences"),
                                         options_int(o, "batch-letters"), c->data.seed };
    c->training.trainer.smoothing = options_real(o, "smoothing");
    return STATUS_OK;
}

/* ---- the command ---- */

static enum status train(void *command, const struct options *o, struct error *err)
{
    struct detector_training *c = command;
    enum status status = read_options(c, o, err);
    if (status == STATUS_OK)
        status = get_vocabulary(c, err);
    if (status == STATUS_OK)
        status = read_data(c, err);
    if (status == STATUS_OK)
        status = write_labels(c, err);
    if (status == STATUS_OK)
        status = make_card(c, err);
    if (status == STATUS_OK)
        status = classification_task_new(&c->task, &c->config, &c->train_data.set,
                                         &c->valid_data.set, c->batches, err);
    if (status == STATUS_OK)
        status = training_run(&c->training, &c->task->task, err);
    return status;
}

static void release(void *command)
{
    struct detector_training *c = command;
    classification_task_free(c->task);
    detect_data_release(&c->train_data);
    detect_data_release(&c->valid_data);
    vocabulary_free(c->vocabulary);
    bytes_release(&c->labels_text);
}

static int run(const struct options *o)
{
    return training_command(o, sizeof(struct detector_training), train, release);
}

static const struct option_spec specs[] = {
    { "train", OPTION_LIST, .value = "LANG=FILE",
      .help = "sentences of a language, one a line, plain or gzipped; FILE:2 takes the second of "
              "columns parted by tabs; und=FILE has sentences of none of the languages" },
    { "valid", OPTION_LIST, .value = "LANG=FILE",
      .help = "validation sentences, in the same form" },
    { "sentences", OPTION_INT, .value = "N", .fallback = "150000", .min = 1, .max = 1e9,
      .help = "lines read of a language, at most: an equal share of each of its files" },
    { "fragments", OPTION_REAL, .value = "X", .fallback = "0.3", .min = 0, .max = 10,
      .help = "runs of one to four words to learn besides, for each sentence" },
    { "noise", OPTION_REAL, .value = "X", .fallback = "0.1", .min = 0, .max = 10,
      .help = "texts of no language to make up and learn besides, for each sentence" },
    { "cell", OPTION_TEXT, .value = "CELL", .fallback = "lstm",
      .help = "of all recurrent layers: rnn, rnn-logistic, lstm, peephole, gru or gru-unbiased" },
    { "encoder", OPTION_TEXT, .value = "WAY", .fallback = "bidirectional",
      .help = "how the first layer reads: bidirectional, unidirectional or reversed" },
    { "encoder-layers", OPTION_INT, .value = "N", .fallback = "1", .min = 1,
      .max = CONFIG_LAYERS_MAX, .help = "recurrent layers" },
    { "embedding", OPTION_INT, .value = "N", .fallback = "32", .min = 1, .max = CONFIG_WIDTH_MAX,
      .help = "width of a letter's vector" },
    { "hidden", OPTION_INT, .value = "N", .fallback = "64", .min = 1, .max = CONFIG_WIDTH_MAX,
      .help = "width of the recurrent state" },
    { "smoothing", OPTION_REAL, .value = "P", .fallback = "0", .min = 0, .max = 0.9,
      .help = "label smoothing" },
    { "batch-sequences", OPTION_INT, .value = "N", .fallback = "256", .min = 1, .max = 65536,
      .help = "sequences of one update, at most" },
    { "batch-letters", OPTION_INT, .value = "N", .fallback = "16384", .min = 2, .max = 1e7,
      .help = "letters of one update, padding included, at most" },
    TRAINING_OPTIONS,
    { 0 },
};

const struct command command_detect_train = {
    .name = "detect train",
    .summary = "train a language detector",
    .usage = "--train LANG=FILE... --valid LANG=FILE... --out FILE [OPTION...]",
    .description = "Ctrl-C or SIGTERM ends the training after the update under way, saves it and "
                   "leaves with 130 or 143; the same command with --resume goes on.",
    .examples = "  verso detect train --train en=news.tsv.gz:1 --train fr=news.tsv.gz:2 "
                "--valid en=a.txt --valid fr=b.txt -o detect.safetensors\n"
                "  verso detect -m detect.safetensors 'Bonjour tout le monde'\n",
    .options = specs,
    .run = run,
};
