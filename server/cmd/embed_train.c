/*
 * embed_train.c - "verso embed train": text files -> ids -> word2vec -> file of word vectors.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/memory.h"
#include "model/train/word2vec.h"
#include "server/cmd/commands.h"
#include "server/cmd/embed_corpus.h"
#include "server/cmd/progress.h"
#include "server/cmd/training.h"
#include "server/engine/word_vectors.h"

struct embedding {
    struct corpora files;
    struct embed_corpus corpus;
    struct embed_corpus_options reading;
    struct word2vec_options training;
    const char *out;
    float *vectors; // (words, size)
    struct progress progress;
    int64_t start_ns;
};

static enum status read_options(struct embedding *e, const struct options *o, struct error *err)
{
    static const char *const kinds[] = { "skipgram", "cbow", NULL }; // as enum context_use
    int kind;
    enum status status = options_need(o, err, "out", NULL);
    if (status == STATUS_OK)
        status = option_choice(o, "kind", kinds, &kind, err);
    if (status == STATUS_OK)
        status = corpora_from_options(&e->files, o, "corpus", true, err);
    if (status != STATUS_OK)
        return status;
    const double usual_rate = kind == CONTEXT_MEAN ? 0.075 : 0.025;
    e->files.options.texts = true;
    e->files.options.column = options_int(o, "column");
    e->out = options_text(o, "out");
    e->training = (struct word2vec_options){
        .use = (enum context_use)kind,
        .size = options_int(o, "size"),
        .window = options_int(o, "window"),
        .negative = options_int(o, "negative"),
        .epochs = options_int64(o, "epochs"),
        .sample = options_real(o, "sample"),
        .rate = options_given(o, "rate") ? options_real(o, "rate") : usual_rate,
        .seed = (uint64_t)options_int64(o, "seed"),
    };
    e->reading = (struct embed_corpus_options){
        .casefold = options_flag(o, "casefold"),
        .least_count = options_int(o, "min-count"),
        .beside = e->out,
    };
    return training_check_writable(e->out, err);
}

static void say_corpus(const struct embed_corpus *c, int least_count)
{
    fprintf(stderr, "corpus: %lld words in %ld lines, %zu different ones", (long long)c->word_count,
            c->lines, c->different);
    if (least_count > 1)
        fprintf(stderr, "; %d of them occur %d times or more", c->text.words, least_count);
    if (c->bad_lines > 0)
        fprintf(stderr, "; bad lines left out: %ld", c->bad_lines);
    fputc('\n', stderr);
}

static enum status read_corpus(struct embedding *e, struct error *err)
{
    const enum status status = embed_corpus_read(&e->corpus, &e->files, &e->reading, err);
    if (status == STATUS_OK)
        say_corpus(&e->corpus, e->reading.least_count);
    return status;
}

static double words_a_second(const struct embedding *e, double done)
{
    const double seconds = 1e-9 * (double)(clock_now_ns() - e->start_ns);
    const double words = (double)e->corpus.word_count * (double)e->training.epochs * done;
    return seconds > 0 ? words / seconds : 0;
}

static void on_progress(void *context, const struct word2vec_progress *p)
{
    struct embedding *e = context;
    const double epoch = p->done * (double)e->training.epochs;
    progress_show(&e->progress, p->done, "epoch %d, loss %.3f, %.0f words/s",
                  p->done < 1 ? 1 + (int)epoch : (int)epoch, p->loss, words_a_second(e, p->done));
}

static enum status train(struct embedding *e, struct error *err)
{
    e->vectors =
        memory_alloc((size_t)e->corpus.text.words * (size_t)e->training.size, sizeof *e->vectors);
    if (!e->vectors)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %d vectors of %d numbers",
                         e->corpus.text.words, e->training.size);
    e->training.on_progress = on_progress;
    e->training.context = e;
    e->progress = progress_start(stderr, "training");
    e->start_ns = clock_now_ns();
    const enum status status = word2vec_train(e->vectors, &e->corpus.text, &e->training, err);
    progress_end(&e->progress);
    return status;
}

static enum status save(const struct embedding *e, struct error *err)
{
    const double seconds = 1e-9 * (double)(clock_now_ns() - e->start_ns);
    const double rate = words_a_second(e, 1);
    const enum status status = word_vectors_save(e->out, e->corpus.words, e->vectors,
                                                 e->corpus.text.words, e->training.size, err);
    if (status == STATUS_OK)
        fprintf(stderr, "%s: %d words of %d numbers, trained in %.1f s, %.0f words/s\n", e->out,
                e->corpus.text.words, e->training.size, seconds, rate);
    return status;
}

static int run(const struct options *o)
{
    struct error err;
    struct embedding e = { 0 };
    enum status status = read_options(&e, o, &err);
    if (status == STATUS_OK)
        status = read_corpus(&e, &err);
    if (status == STATUS_OK)
        status = train(&e, &err);
    if (status == STATUS_OK)
        status = save(&e, &err);
    embed_corpus_release(&e.corpus);
    memory_free(e.vectors);
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "corpus", OPTION_LIST, .value = "FILE",
      .help = "text to learn from: lines, plain or gzipped" },
    { "out", OPTION_TEXT, .letter = 'o', .value = "FILE", .help = "file of vectors to write" },
    { "kind", OPTION_TEXT, .value = "KIND", .fallback = "skipgram",
      .help = "skipgram: each word around predicts the word; cbow: their mean does" },
    { "size", OPTION_INT, .value = "N", .fallback = "100", .min = 1, .max = WORD2VEC_SIZE_MAX,
      .help = "numbers of a vector" },
    { "window", OPTION_INT, .value = "N", .fallback = "5", .min = 1, .max = WORD2VEC_WINDOW_MAX,
      .help = "words looked at on each side, at most; how many is drawn each time" },
    { "negative", OPTION_INT, .value = "N", .fallback = "5", .min = 1, .max = WORD2VEC_NEGATIVE_MAX,
      .help = "words drawn that do not stand there" },
    { "min-count", OPTION_INT, .value = "N", .fallback = "5", .min = 1, .max = 1e9,
      .help = "rarer words are left out" },
    { "sample", OPTION_REAL, .value = "T", .fallback = "0.001", .min = 0, .max = 1,
      .help = "words of a greater share of the text are dropped now and then; 0: none is" },
    { "epochs", OPTION_INT, .value = "N", .fallback = "5", .min = 1, .max = 1e6,
      .help = "times through the text" },
    { "rate", OPTION_REAL, .value = "R", .min = 1e-9, .max = 10,
      .help = "learning rate at the start; by default 0.025, for cbow 0.075" },
    { "seed", OPTION_INT, .value = "N", .fallback = "1", .min = 0, .max = 9e15,
      .help = "the same seed gives the same vectors" },
    { "column", OPTION_INT, .value = "N", .fallback = "0", .min = 0, .max = 1000,
      .help = "of tab-separated lines take this column; 0: the whole line" },
    { "casefold", OPTION_FLAG, .help = "make no difference between capital and small letters" },
    ON_BAD_LINE_OPTION,
    { 0 },
};

const struct command command_embed_train = {
    .name = "embed train",
    .summary = "train vectors of words (word2vec)",
    .usage = "--corpus FILE --out FILE [OPTION...] [FILE...]",
    .description =
        "Files after the options are more text to learn from. Words "
        "are cut as the vocabulary's pieces are: runs of letters, of digits, of anything else. The "
        "vectors are written in word2vec's text format.",
    .examples = "  verso embed train --corpus letters.txt.gz -o vectors.txt --casefold\n"
                "  verso embed train --corpus en-fr.tsv.gz --column 1 --kind cbow -o vectors.txt\n",
    .options = specs,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
