/*
 * evaluate.c - "verso evaluate": BLEU, chrF and TER of translations, made before or here.
 *
 *     test set -> sources -> model -> hypotheses -+
 *            \--> references ---------------------+-> scores
 *     file of hypotheses -------------------------+
 */
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/threads.h"
#include "server/cmd/commands.h"
#include "server/cmd/evaluation_set.h"
#include "server/cmd/progress.h"
#include "server/cmd/search_settings.h"
#include "server/cmd/translate_block.h"

#define THREADS_MAX 256
#define REPORT_BYTES_MAX (1 << 16)
#define SCORE_DIGITS 8 // significant, in JSON

struct evaluation {
    struct evaluation_set set;
    struct text_list hypotheses;
    struct quality_scores scores;
    long references; // of all sentences
    double seconds;  // spent translating; 0: nothing was translated here
};

/* ---- what is measured against what ---- */

static enum status check_usage(const struct options *o, struct error *err)
{
    bool hypothesis = options_given(o, "hypothesis"), model = options_given(o, "model");
    bool test = options_given(o, "test"), reference = options_given(o, "reference");
    if (hypothesis == model)
        return error_set(err, STATUS_BAD_USAGE,
                         "give either --hypothesis FILE, translations to measure, or --model FILE "
                         "to translate with");
    if (test == reference)
        return error_set(err, STATUS_BAD_USAGE,
                         "give either --test FILE, pairs of source and reference, or --reference "
                         "FILE, references alone");
    if (model && reference)
        return error_set(err, STATUS_BAD_USAGE, "--model needs --test FILE: it has the sources");
    if (hypothesis && options_given(o, "output"))
        return error_set(err, STATUS_BAD_USAGE, "--output is for what --model translates");
    return STATUS_OK;
}

static enum status read_set(struct evaluation *e, const struct options *o, struct error *err)
{
    const char *test = options_text(o, "test"), *all = options_text(o, "references-all");
    int column = options_int(o, "source-column");
    enum status status;
    if (test)
        status = evaluation_set_read(&e->set, test, SET_PAIRS, column, err);
    else
        status = evaluation_set_read(&e->set, options_text(o, "reference"), SET_PAIRS_OR_TEXTS,
                                     column, err);
    if (status != STATUS_OK || !all)
        return status;
    if (e->set.sources.count == 0)
        return error_set(
            err, STATUS_BAD_USAGE,
            "--references-all needs the sources to look them up: give pairs as --test");
    return evaluation_set_add_references(&e->set, all, column, err);
}

static enum status read_hypotheses(struct evaluation *e, const char *path, struct error *err)
{
    enum status status = text_list_read(&e->hypotheses, path, err);
    if (status == STATUS_OK && e->hypotheses.count != e->set.references.count)
        status = error_set(err, STATUS_BAD_INPUT,
                           "%s has %d lines but there are %d references: each line must be the "
                           "translation of one sentence",
                           path, e->hypotheses.count, e->set.references.count);
    return status;
}

/* ---- translating ---- */

static struct block_setup make_setup(const struct options *o)
{
    struct block_setup setup = { .search = search_settings(o), .form = ANSWER_PLAIN };
    int available = threads_available();
    setup.threads = available < THREADS_MAX ? available : THREADS_MAX;
    if (options_given(o, "threads"))
        setup.threads = options_int(o, "threads");
    return setup;
}

static enum status take_answers(struct evaluation *e, struct block *block, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < block_count(block); i++) {
        const struct block_line *line = block_line(block, i);
        if (line->err.status != STATUS_OK)
            return error_set(err, line->err.status, "line %ld: %s", line->number, line->err.text);
        size_t len = line->out.len;
        if (len > 0 && line->out.data[len - 1] == '\n')
            len--;
        status = text_list_add(&e->hypotheses, len ? line->out.data : "", len, err);
    }
    return status;
}

static enum status translate_set(struct evaluation *e, struct block *block, struct error *err)
{
    struct progress progress = progress_start(stderr, "translating");
    const struct text_list *sources = &e->set.sources;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < sources->count;) {
        progress_show(&progress, (double)i / sources->count, "%d of %d sentences", i,
                      sources->count);
        for (; status == STATUS_OK && i < sources->count && !block_is_full(block); i++)
            status = block_add(block, i + 1, sources->items[i], strlen(sources->items[i]), err);
        if (status != STATUS_OK)
            break;
        block_translate(block);
        status = take_answers(e, block, err);
        block_reset(block);
    }
    progress_end(&progress);
    return status;
}

static enum status translate(struct evaluation *e, const struct options *o, struct error *err)
{
    struct engine *engine = NULL;
    struct block *block = NULL;
    struct block_setup setup = make_setup(o);
    enum status status = search_engine(&engine, o, err);
    if (status == STATUS_OK)
        status = block_new(&block, engine, &setup, err);
    if (status == STATUS_OK) {
        int64_t start = clock_now_ns();
        status = translate_set(e, block, err);
        e->seconds = (double)(clock_now_ns() - start) / 1e9;
        if (status != STATUS_OK)
            error_while(err, "%s", options_text(o, "test"));
    }
    block_free(block);
    engine_free(engine);
    return status;
}

static enum status write_hypotheses(const struct evaluation *e, const char *path, struct error *err)
{
    struct file_writer *out;
    enum status status = file_writer_open(&out, path, err);
    for (int i = 0; status == STATUS_OK && i < e->hypotheses.count; i++) {
        const char *text = e->hypotheses.items[i];
        status = file_writer_add(out, text, strlen(text), err);
        if (status == STATUS_OK)
            status = file_writer_add(out, "\n", 1, err);
    }
    if (status == STATUS_OK)
        status = file_writer_commit(out, err);
    file_writer_close(out);
    return status;
}

/* ---- scores ---- */

static enum status score(struct evaluation *e, struct error *err)
{
    struct quality *quality;
    enum status status = quality_new(&quality, QUALITY_ALL, err);
    for (int i = 0; status == STATUS_OK && i < e->hypotheses.count; i++) {
        const char *references[QUALITY_REFERENCES_MAX];
        int count = evaluation_set_references(&e->set, i, references);
        status = quality_add(quality, e->hypotheses.items[i], references, count, err);
        e->references += count;
        if (status != STATUS_OK)
            error_while(err, "sentence %d", i + 1);
    }
    if (status == STATUS_OK)
        quality_scores(quality, &e->scores);
    quality_free(quality);
    return status;
}

static bool put_number(json_t *json, const char *key, double value)
{
    return json_object_set_new(json, key, json_rounded(value, SCORE_DIGITS)) == 0;
}

static bool put_count(json_t *json, const char *key, long value)
{
    return json_object_set_new(json, key, json_integer(value)) == 0;
}

static bool put_precisions(json_t *json, const double *precisions)
{
    json_t *array = json_array();
    for (int n = 0; n < QUALITY_BLEU_ORDERS; n++)
        if (json_array_append_new(array, json_rounded(precisions[n], SCORE_DIGITS)) != 0) {
            json_decref(array);
            return false;
        }
    return json_object_set_new(json, "precisions", array) == 0;
}

static bool put_scores(json_t *json, const struct evaluation *e)
{
    const struct quality_scores *s = &e->scores;
    return put_count(json, "sentences", s->sentences) &&
           put_count(json, "references", e->references) && put_number(json, "bleu", s->bleu) &&
           put_precisions(json, s->precisions) && put_number(json, "brevity", s->brevity) &&
           put_count(json, "hypothesis_words", s->hypothesis_words) &&
           put_count(json, "reference_words", s->reference_words) &&
           put_number(json, "bleu_lower", s->bleu_lower) && put_number(json, "chrf", s->chrf) &&
           put_number(json, "chrfpp", s->chrfpp) && put_number(json, "ter", s->ter) &&
           json_object_set_new(json, "signature", json_string(QUALITY_SIGNATURE)) == 0 &&
           (e->seconds == 0 || put_number(json, "seconds", e->seconds));
}

static enum status report_json(const struct evaluation *e, struct bytes *out, struct error *err)
{
    json_t *json = json_object();
    bool ok = put_scores(json, e) && json_write(out, json) && bytes_append_char(out, '\n');
    json_decref(json);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for the scores");
}

static enum status report_text(const struct evaluation *e, struct bytes *out, struct error *err)
{
    const struct quality_scores *s = &e->scores;
    const double *p = s->precisions;
    bytes_printf(out, "BLEU        %6.2f   %.1f/%.1f/%.1f/%.1f, brevity %.3f, %ld words for %ld\n",
                 s->bleu, p[0], p[1], p[2], p[3], s->brevity, s->hypothesis_words,
                 s->reference_words);
    bytes_printf(out,
                 "BLEU lower  %6.2f\nchrF        %6.2f\nchrF++      %6.2f\nTER         %6.2f\n",
                 s->bleu_lower, s->chrf, s->chrfpp, s->ter);
    bytes_printf(out, "%ld sentences, %ld references, %s\n", s->sentences, e->references,
                 QUALITY_SIGNATURE);
    if (e->seconds > 0)
        bytes_printf(out, "translated in %.1f s, %.0f sentences a second\n", e->seconds,
                     (double)s->sentences / e->seconds);
    return bytes_check(out, "the scores", err);
}

static enum status report(const struct evaluation *e, bool json, struct error *err)
{
    struct bytes out;
    bytes_init(&out, REPORT_BYTES_MAX);
    enum status status = json ? report_json(e, &out, err) : report_text(e, &out, err);
    if (status == STATUS_OK &&
        (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
        status = error_set(err, STATUS_IO, "the scores cannot be written to standard output");
    bytes_release(&out);
    return status;
}

/* ---- the command ---- */

static enum status evaluate(struct evaluation *e, const struct options *o, struct error *err)
{
    const char *hypotheses = options_text(o, "hypothesis"), *output = options_text(o, "output");
    enum status status = check_usage(o, err);
    if (status == STATUS_OK)
        status = read_set(e, o, err);
    if (status == STATUS_OK)
        status = hypotheses ? read_hypotheses(e, hypotheses, err) : translate(e, o, err);
    if (status == STATUS_OK && output)
        status = write_hypotheses(e, output, err);
    if (status == STATUS_OK)
        status = score(e, err);
    return status == STATUS_OK ? report(e, options_flag(o, "json"), err) : status;
}

static int run(const struct options *o)
{
    struct error err;
    struct evaluation e = { 0 };
    enum status status = evaluate(&e, o, &err);
    evaluation_set_release(&e.set);
    text_list_release(&e.hypotheses);
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "hypothesis", OPTION_TEXT, .value = "FILE",
      .help = "translations to measure, a line a sentence" },
    { "model", OPTION_LIST, .letter = 'm', .value = "FILE",
      .help = "model to translate the test set with, instead; several translate together" },
    { "test", OPTION_TEXT, .value = "FILE", .help = "test set: lines of source, tab, reference" },
    { "reference", OPTION_TEXT, .value = "FILE",
      .help = "references alone, a line a sentence; a test set will do" },
    { "references-all", OPTION_TEXT, .value = "FILE",
      .help = "further references: lines of source, tab, reference, as many as there are for a "
              "source, in any order" },
    { "source-column", OPTION_INT, .value = "N", .fallback = "1", .min = 1, .max = 2,
      .help = "column of pairs that is the source" },
    SEARCH_OPTIONS,
    { "threads", OPTION_INT, .letter = 't', .environment = true, .value = "N", .min = 1,
      .max = THREADS_MAX, .help = "threads; by default one a core" },
    { "output", OPTION_TEXT, .letter = 'o', .value = "FILE",
      .help = "write what the model says, a line a sentence" },
    { "json", OPTION_FLAG, .help = "scores as one line of JSON" },
    { 0 },
};

const struct command command_evaluate = {
    .name = "evaluate",
    .summary = "measure translations against references",
    .usage = "(--hypothesis FILE | --model FILE) (--test FILE | --reference FILE) [OPTION...]",
    .description = "Prints BLEU (13a words, cased and lower-cased), chrF, chrF++ and TER, each as "
                   "sacreBLEU computes it by default. Files may be gzipped; - is standard input.",
    .examples = "  verso evaluate --model en-fr.safetensors --test test.tsv.gz\n"
                "  verso translate -m en-fr.safetensors < test.en |\n"
                "      verso evaluate --hypothesis - --reference test.fr\n",
    .options = specs,
    .run = run,
};
