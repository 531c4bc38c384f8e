/*
 * shortlist.c - "verso shortlist": which target pieces go with each source piece, put into a model.
 *
 *     corpora -> ids on disk, with the model's vocabulary -> lexicon -> model file again
 */
#include "server/cmd/shortlist.h"

#include <string.h>
#include <unistd.h>

#include "model/model.h"
#include "server/cmd/commands.h"
#include "server/cmd/progress.h"
#include "server/cmd/train_data.h"

#define PATH_BYTES 4096
#define BYTE_COUNT 256

/* ---- from pairs to a model with a shortlist ---- */

static void show_progress(void *progress, double share)
{
    progress_show(progress, share, "%.0f %%", 100 * share);
}

static enum status learn(struct shard *shard, const struct vocabulary *vocabulary,
                         struct lexicon_options options, FILE *say, struct shortlist **out,
                         struct error *err)
{
    int32_t bytes[BYTE_COUNT];
    struct progress progress = progress_start(say, "shortlist");
    for (int i = 0; i < BYTE_COUNT; i++)
        bytes[i] = vocabulary_byte(vocabulary, (uint8_t)i);
    options.together = bytes;
    options.together_count = BYTE_COUNT;
    options.on_progress = show_progress;
    options.context = &progress;
    const enum status status =
        lexicon_learn(out, shard, vocabulary_size(vocabulary), &options, err);
    progress_end(&progress);
    return status;
}

static void say_shortlist(FILE *say, const struct shortlist *shortlist, const char *out)
{
    const int32_t *offsets = shortlist->offsets;
    const int always = offsets[SHORTLIST_ALWAYS + 1] - offsets[SHORTLIST_ALWAYS];
    const int others = offsets[shortlist->vocabulary] - always;
    fprintf(say, "%s: a shortlist of %.1f target pieces a source piece, and %d always\n", out,
            (double)others / shortlist->vocabulary, always);
}

enum status shortlist_put(struct shard *shard, const struct vocabulary *vocabulary,
                          struct lexicon_options options, const char *model, const char *out,
                          FILE *say, struct error *err)
{
    struct shortlist *shortlist;
    enum status status = learn(shard, vocabulary, options, say, &shortlist, err);
    if (status != STATUS_OK)
        return status;
    status = model_rewrite(model, out, NULL, shortlist, err);
    if (status == STATUS_OK && say)
        say_shortlist(say, shortlist, out);
    shortlist_free(shortlist);
    return status;
}

/* ---- the command ---- */

struct learning {
    const char *model, *out;
    struct corpora train;
    struct bytes vocabulary_text;
    struct vocabulary *vocabulary;
    struct shard *shard;
    char shard_path[PATH_BYTES];
};

static enum status read_vocabulary(struct learning *l, struct error *err)
{
    struct model *model;
    enum status status = model_load_values(&model, l->model, err);
    if (status != STATUS_OK)
        return status;
    const char *text = model_texts(model).vocabulary;
    bytes_append(&l->vocabulary_text, text, strlen(text));
    status = bytes_check(&l->vocabulary_text, "the vocabulary", err);
    if (status == STATUS_OK)
        status = vocabulary_parse_tsv(&l->vocabulary, text, strlen(text), err);
    if (status == STATUS_OK && vocabulary_size(l->vocabulary) != model_config(model)->vocabulary)
        status = error_set(err, STATUS_BAD_FILE, "%s: its vocabulary is not the model's", l->model);
    model_free(model);
    return status;
}

static enum status read_options(struct learning *l, const struct options *o, struct error *err)
{
    l->model = options_operand(o, 0);
    l->out = options_given(o, "out") ? options_text(o, "out") : l->model;
    enum status status = corpora_from_options(&l->train, o, "train", false, err);
    l->train.options.swap = options_flag(o, "swap");
    if (status == STATUS_OK && snprintf(l->shard_path, sizeof l->shard_path, "%s.pairs", l->out) >=
                                   (int)sizeof l->shard_path)
        status = error_set(err, STATUS_BAD_USAGE, "--out: the path is too long");
    return status;
}

static enum status put(void *state, const struct options *o, struct error *err)
{
    struct learning *l = state;
    struct lexicon_options options = lexicon_options_default();
    bytes_init(&l->vocabulary_text, HEADER_BYTES_MAX);
    enum status status = read_options(l, o, err);
    if (status == STATUS_OK)
        status = read_vocabulary(l, err);
    if (status != STATUS_OK)
        return status;
    const struct train_data_options data = { .vocabulary = l->vocabulary,
                                             .vocabulary_text = l->vocabulary_text.data,
                                             .pieces_max = options_int(o, "max-pieces") };
    options.row = options_int(o, "row");
    options.least = options_real(o, "least");
    status = train_data_open(&l->shard, l->shard_path, &l->train, &data, err);
    if (status == STATUS_OK)
        status = shortlist_put(l->shard, l->vocabulary, options, l->model, l->out, stderr, err);
    unlink(l->shard_path);
    return status;
}

static void release(void *state)
{
    struct learning *l = state;
    shard_close(l->shard);
    vocabulary_free(l->vocabulary);
    bytes_release(&l->vocabulary_text);
}

static int run(const struct options *o)
{
    return options_run(o, sizeof(struct learning), put, release);
}

static const struct option_spec specs[] = {
    { "train", OPTION_LIST, .value = "FILE",
      .help = "pairs the model was trained on, or ones like them: lines of source, tab, target, "
              "or two parallel files as A,B; plain or gzipped" },
    { "swap", OPTION_FLAG, .help = "the second column (or file) is the source" },
    ON_BAD_LINE_OPTION,
    { "max-pieces", OPTION_INT, .value = "N", .fallback = "100", .min = 1, .max = LEXICON_SIDE_MAX,
      .help = "longer sentences are left out" },
    { "least", OPTION_REAL, .value = "P", .fallback = "0.001", .min = 0, .max = 1,
      .help = "a source piece keeps the target pieces that come of it at least so often" },
    { "row", OPTION_INT, .value = "N", .fallback = "200", .min = 1, .max = SHORTLIST_ROW_MAX,
      .help = "target pieces kept for a source piece, at most" },
    { "out", OPTION_TEXT, .letter = 'o', .value = "FILE",
      .help = "model file to write; by default MODEL itself" },
    { 0 },
};

const struct command command_shortlist = {
    .name = "shortlist",
    .summary = "learn which target pieces go with which source pieces, for faster translation",
    .usage = "--train FILE [OPTION...] MODEL",
    .description = "The shortlist is put into the model file, in place of one that is there; the "
                   "weights stay as they are. \"verso train\" puts one into what it trains.",
    .examples = "  verso shortlist --train train.tsv.gz en-fr.safetensors\n"
                "  verso translate --model en-fr.safetensors --shortlist 60 letter.txt\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
