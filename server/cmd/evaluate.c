/*
 * evaluate.c - "verso evaluate": BLEU, chrF and TER of translations, made before or here, and how
 * attention did.
 *
 *     test set -> sources -> model -> hypotheses -+
 *            \--> references ---------------------+-> scores
 *     file of hypotheses -------------------------+
 *     the translations' alignments -> attention
 */
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/cmd/commands.h"
#include "server/cmd/evaluate_lengths.h"
#include "server/cmd/evaluation_set.h"
#include "server/cmd/progress.h"
#include "server/cmd/search_settings.h"
#include "server/cmd/translate_block.h"
#include "server/engine/word_links.h"

#define REPORT_BYTES_MAX (1 << 16)
#define SCORE_DIGITS 8 // significant, in JSON
#define NAME_BYTES 64  // of a model, in a legend

struct evaluation {
    struct evaluation_set set;
    struct text_list hypotheses;
    struct text_list against; // what another model says
    struct quality_scores scores;
    long references; // of all sentences
    double seconds;  // spent translating; 0: nothing was translated here

    const struct engine *engine;        // that translates
    struct attention_counts *attention; // (sentences) or NULL: not asked for
    struct attention_counts all;        // their sum
    struct length_bins bins;
    bool lengths; // asked for
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
    if (hypothesis && (options_flag(o, "attention") || options_given(o, "against")))
        return error_set(err, STATUS_BAD_USAGE,
                         "--attention and --against need --model FILE, which translates");
    if (reference && (options_flag(o, "lengths") || options_given(o, "plot")))
        return error_set(err, STATUS_BAD_USAGE, "--lengths needs --test FILE: it has the sources");
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

/* One sentence of an answer into the counts of its line. */
static enum status look_at_sentence(const struct evaluation *e, const char *text,
                                    const struct engine_sentence *sentence, struct arena *arena,
                                    struct attention_counts *counts, struct error *err)
{
    struct word_alignment words;
    enum status status =
        word_alignment(engine_vocabulary(e->engine), sentence, 0, arena, &words, err);
    if (status != STATUS_OK)
        return status;
    const struct attention_view view = { text,
                                         sentence->texts[0].text,
                                         { words.source, words.target, words.S, words.T },
                                         words.weights };
    attention_add(counts, &view);
    return STATUS_OK;
}

static enum status look(void *context, long number, const char *text,
                        const struct engine_answer *answer, struct arena *arena, struct error *err)
{
    const struct evaluation *e = context;
    struct attention_counts *counts = &e->attention[number - 1];
    enum status status = STATUS_OK;
    *counts = (struct attention_counts){ 0 };
    for (int i = 0; status == STATUS_OK && i < answer->sentence_count; i++)
        status = look_at_sentence(e, text, &answer->sentences[i], arena, counts, err);
    return status;
}

static struct translate_setup make_setup(const struct options *o)
{
    return (struct translate_setup){ .search = search_settings(o),
                                     .form = ANSWER_PLAIN,
                                     .threads = options_threads(o, THREADS_MAX) };
}

static enum status take_answers(const struct block *block, struct text_list *list,
                                struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < block->count; i++) {
        const struct block_line *line = &block->lines[i];
        if (line->err.status != STATUS_OK)
            return error_set(err, line->err.status, "line %ld: %s", line->number, line->err.text);
        size_t len = line->out.len;
        if (len > 0 && line->out.data[len - 1] == '\n')
            len--;
        status = text_list_add(list, len ? line->out.data : "", len, err);
    }
    return status;
}

static enum status translate_set(const struct evaluation *e, struct translate_block *block,
                                 struct text_list *list, struct error *err)
{
    struct progress progress = progress_start(stderr, "translating");
    struct block *lines = &block->lines;
    const struct text_list *sources = &e->set.sources;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < sources->count;) {
        progress_show(&progress, (double)i / sources->count, "%d of %d sentences", i,
                      sources->count);
        for (; status == STATUS_OK && i < sources->count && !block_is_full(lines); i++)
            status =
                block_add(lines, i + 1, sources->items[i], strlen(sources->items[i]), NULL, 0, err);
        if (status != STATUS_OK)
            break;
        translate_block_run(block);
        status = take_answers(lines, list, err);
        block_reset(lines);
    }
    progress_end(&progress);
    return status;
}

/* All of the set by the engine, which is taken over. */
static enum status translate_by(struct evaluation *e, struct engine *engine,
                                const struct translate_setup *setup, struct text_list *list,
                                struct error *err)
{
    struct translate_block *block = NULL;
    enum status status = translate_block_new(&block, engine, setup, err);
    e->engine = engine;
    if (status == STATUS_OK)
        status = translate_set(e, block, list, err);
    translate_block_free(block);
    engine_free(engine);
    return status;
}

static enum status translate(struct evaluation *e, const struct options *o, struct error *err)
{
    struct engine *engine = NULL;
    struct translate_setup setup = make_setup(o);
    if (options_flag(o, "attention")) {
        e->attention = memory_zeroed((size_t)e->set.sources.count + 1, sizeof *e->attention);
        if (!e->attention)
            return error_set(err, STATUS_NO_MEMORY, "no memory for the figures of attention");
        setup.look = look;
        setup.context = e;
    }
    enum status status = search_engine(&engine, o, err);
    if (status != STATUS_OK)
        return status;
    const int64_t start = clock_now_ns();
    status = translate_by(e, engine, &setup, &e->hypotheses, err);
    e->seconds = (double)(clock_now_ns() - start) / 1e9;
    return status == STATUS_OK ? status : error_while(err, "%s", options_text(o, "test"));
}

/* The same by another model. */
static enum status translate_against(struct evaluation *e, const struct options *o,
                                     struct error *err)
{
    struct engine *engine = NULL;
    const struct translate_setup setup = make_setup(o);
    enum weight_type type;
    enum status status = precision_from_options(&type, o, err);
    if (status == STATUS_OK)
        status = engine_load(&engine, options_text(o, "against"), type, err);
    return status == STATUS_OK ? translate_by(e, engine, &setup, &e->against, err) : status;
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

/* What attention did, and all by length. */
static enum status measure_more(struct evaluation *e, struct error *err)
{
    const struct text_list *lists[LENGTH_SYSTEMS] = { &e->hypotheses, &e->against };
    for (int i = 0; e->attention && i < e->set.sources.count; i++)
        attention_add_up(&e->all, &e->attention[i]);
    if (e->attention && e->all.target_words > 0 && e->all.mass == 0)
        return error_set(err, STATUS_BAD_INPUT,
                         "the model has no attention: leave --attention out");
    if (!e->lengths)
        return STATUS_OK;
    return length_bins_measure(&e->bins, &e->set, lists, e->against.count > 0 ? 2 : 1, e->attention,
                               err);
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
           (e->seconds == 0 || put_number(json, "seconds", e->seconds)) &&
           (!e->attention ||
            json_object_set_new(json, "attention", attention_json(&e->all)) == 0) &&
           (!e->lengths || json_object_set_new(json, "lengths", length_bins_json(&e->bins)) == 0);
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
    if (e->attention) {
        bytes_append_text(out, "attention: covered deviation penalty entropy  source   </s> "
                               "punctuation\n          ");
        attention_text(&e->all, out);
        bytes_append_char(out, '\n');
    }
    if (e->lengths)
        length_bins_text(&e->bins, out);
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

/* "runs/big.safetensors" is "big" in a legend. */
static void name_of(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash && slash[1] ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot && dot > name)
        *dot = '\0';
}

static enum status plot(const struct evaluation *e, const struct options *o, struct error *err)
{
    char first[NAME_BYTES], second[NAME_BYTES];
    const char *const names[LENGTH_SYSTEMS] = { first, second };
    int count;
    const char *const *models = options_list(o, "model", &count);
    name_of(count > 0 ? models[0] : options_text(o, "hypothesis"), first, sizeof first);
    name_of(e->against.count > 0 ? options_text(o, "against") : "", second, sizeof second);
    return length_bins_plot(&e->bins, names, options_text(o, "plot"), err);
}

static enum status evaluate(struct evaluation *e, const struct options *o, struct error *err)
{
    const char *hypotheses = options_text(o, "hypothesis"), *output = options_text(o, "output");
    enum status status = check_usage(o, err);
    e->lengths = options_flag(o, "lengths") || options_flag(o, "attention") ||
                 options_given(o, "against") || options_given(o, "plot");
    if (status == STATUS_OK)
        status = read_set(e, o, err);
    if (status == STATUS_OK)
        status = hypotheses ? read_hypotheses(e, hypotheses, err) : translate(e, o, err);
    if (status == STATUS_OK && options_given(o, "against"))
        status = translate_against(e, o, err);
    if (status == STATUS_OK && output)
        status = write_hypotheses(e, output, err);
    if (status == STATUS_OK)
        status = score(e, err);
    if (status == STATUS_OK)
        status = measure_more(e, err);
    if (status == STATUS_OK && options_given(o, "plot"))
        status = plot(e, o, err);
    return status == STATUS_OK ? report(e, options_flag(o, "json"), err) : status;
}

static int run(const struct options *o)
{
    struct error err;
    struct evaluation e = { 0 };
    enum status status = evaluate(&e, o, &err);
    evaluation_set_release(&e.set);
    text_list_release(&e.hypotheses);
    text_list_release(&e.against);
    memory_free(e.attention);
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
    { "attention", OPTION_FLAG,
      .help = "how well attention covers the source, how much it spreads, and how much of it rests "
              "on </s> and punctuation; by length, too" },
    { "lengths", OPTION_FLAG, .help = "BLEU by the length of the source" },
    { "against", OPTION_TEXT, .value = "FILE",
      .help = "another model, whose BLEU by length stands beside" },
    { "plot", OPTION_TEXT, .value = "FILE",
      .help = "draw what there is by length, as .svg or .png" },
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
                "      verso evaluate --hypothesis - --reference test.fr\n"
                "  verso evaluate -m en-fr.safetensors --against none.safetensors --test test.tsv "
                "\\\n"
                "      --plot lengths.svg\n",
    .options = specs,
    .run = run,
};
