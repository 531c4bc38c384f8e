/*
 * vocab.c - "verso vocab": a joint vocabulary from parallel text.
 */
#include "server/cmd/commands.h"
#include "server/cmd/corpora.h"
#include "tokenizer/vocabulary.h"

static enum status learn(void *state, const struct options *o, struct error *err)
{
    static const char *const forms[] = { "nfc", "nfkc", NULL }; // in the order of enum text_form
    int form;
    struct corpora *corpora = state;
    struct vocabulary *vocabulary;
    enum status status = options_need(o, err, "out", NULL);
    if (status == STATUS_OK)
        status = corpora_from_options(corpora, o, "train", true, err);
    if (status == STATUS_OK)
        status = option_choice(o, "form", forms, &form, err);
    if (status != STATUS_OK)
        return status;
    const struct learn_options options = {
        .size = options_int(o, "size"),
        .coverage = VOCABULARY_COVERAGE,
        .threads = options_threads(o, THREADS_MAX),
        .text = { .form = (enum text_form)form, .casefold = options_flag(o, "casefold") },
    };
    status = corpora_learn_vocabulary(corpora, options, &vocabulary, err);
    if (status != STATUS_OK)
        return status;
    status = vocabulary_save_tsv(vocabulary, options_text(o, "out"), err);
    if (status == STATUS_OK)
        fprintf(stderr, "%s: %d pieces\n", options_text(o, "out"), vocabulary_size(vocabulary));
    vocabulary_free(vocabulary);
    return status;
}

static int run(const struct options *o)
{
    return options_run(o, sizeof(struct corpora), learn, NULL);
}

static const struct option_spec specs[] = {
    { "train", OPTION_LIST, .value = "FILE",
      .help = "pairs to learn from: lines of source, tab, target, or two parallel files as A,B; "
              "plain or gzipped" },
    { "size", OPTION_INT, .value = "N", .fallback = "8000", .min = 261,
      .max = VOCABULARY_PIECES_MAX, .help = "pieces in all" },
    { "out", OPTION_TEXT, .letter = 'o', .value = "FILE", .help = "vocabulary file to write" },
    { "form", OPTION_TEXT, .value = "FORM", .fallback = "nfkc",
      .help = "Unicode normalisation of all text: nfkc or nfc" },
    { "casefold", OPTION_FLAG, .help = "make no difference between capital and small letters" },
    ON_BAD_LINE_OPTION,
    { "threads", OPTION_INT, .environment = true, .value = "N", .min = 1, .max = THREADS_MAX,
      .help = "threads; by default one a core" },
    { 0 },
};

const struct command command_vocab = {
    .name = "vocab",
    .summary = "learn a vocabulary from parallel text",
    .usage = "--train FILE --out FILE [OPTION...] [FILE...]",
    .description = "Files after the options are more pairs to learn from.",
    .examples = "  verso vocab --train train.tsv.gz --size 8000 --out en-fr.vocab.tsv\n",
    .options = specs,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
