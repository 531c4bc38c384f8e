/*
 * align.c - "verso align": what models make of translations that are given.
 *
 *     pairs of a file -> align_block: all threads, many in flight -> standard output, in order
 *     two files of links ---------------------------------------/
 *     pairs with links that people made -> align_gold
 *
 * A line for each line: word links, or a table below the translation; on request
 * the log-probability in front. A line that is no pair, or too long, is said on
 * standard error, has an empty one in its place, and makes the exit code 3.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/gzip.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/cmd/align_gold.h"
#include "server/cmd/align_links.h"
#include "server/cmd/commands.h"
#include "server/cmd/link_files.h"
#include "server/cmd/precision.h"
#include "server/cmd/translate_format.h"

#define SCORE_DIGITS 6 // significant, in JSON

struct member { // what one thread has
    struct align_links links;
    struct links joined, of_text;
};

struct aligning {
    struct engine *engines[2];
    int model_count;
    bool matrix, json, scores;
    struct link_rule rule;
    enum symmetrisation method;
    int threads;
    struct member *members; // (threads)
    struct align_block *block;

    long bad_before[BLOCK_LINES];      // bad lines right in front of each pair of the block
    long lines, bad_lines, bad_behind; // so far; right behind the last pair
};

static void release(struct aligning *a)
{
    align_block_free(a->block);
    for (int i = 0; a->members && i < a->threads; i++) {
        align_links_release(&a->members[i].links);
        links_release(&a->members[i].joined);
        links_release(&a->members[i].of_text);
    }
    memory_free(a->members);
    engine_free(a->engines[0]);
    engine_free(a->engines[1]);
}

/* ---- what is printed for a pair ---- */

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory for the links of a pair");
}

/* What is printed for it is on a line of its own. */
static enum status append_object(struct bytes *out, json_t *object, struct error *err)
{
    const bool ok = object && json_write(out, object) && bytes_append_char(out, '\n');
    json_decref(object);
    return ok ? STATUS_OK : no_memory(err);
}

static json_t *words_json(const struct engine_text *text, const struct span *words, int count)
{
    json_t *list = json_array();
    for (int i = 0; list && i < count; i++)
        if (json_array_append_new(
                list, json_stringn(text->text + words[i].from, words[i].to - words[i].from)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *links_json(const struct links *links)
{
    json_t *list = json_array();
    for (int i = 0; list && i < links->count; i++)
        if (json_array_append_new(
                list, json_pack("[i,i]", links->items[i].source, links->items[i].target)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *scores_json(const struct align_answers *found)
{
    json_t *list = json_array();
    for (int k = 0; list && k < found->model_count; k++)
        if (json_array_append_new(
                list, json_rounded((double)found->models[k].answer->score, SCORE_DIGITS)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* {"line":7,"links":[[0,0],[1,2]],"source":["a","house"],"target":[...],"scores":[-1.25]} */
static enum status append_json(struct bytes *out, const struct align_answers *found,
                               const struct word_spans *words, const struct links *links,
                               struct error *err)
{
    const struct engine_pair *pair = &found->pair;
    json_t *object = json_pack(
        "{s:I,s:o,s:o,s:o,s:o}", "line", (json_int_t)found->number, "links", links_json(links),
        "source", words_json(&pair->source, words->source, words->S), "target",
        words_json(&pair->target, words->target, words->T), "scores", scores_json(found));
    return append_object(out, object, err);
}

static enum status append_links(struct aligning *a, const struct align_answers *found,
                                struct bytes *out, struct error *err)
{
    struct member *m = &a->members[found->member];
    const struct links *links = &m->links.of[0];
    struct word_spans words;
    enum status status = align_links_find(&m->links, found, &a->rule, err);
    if (status == STATUS_OK)
        status = align_text_words(&found->pair, found->arena, &words, err);
    if (status != STATUS_OK)
        return status;
    if (found->model_count == 2) {
        if (!links_symmetrise(a->method, &m->links.of[0], &m->links.of[1], &m->joined))
            return no_memory(err);
        links = &m->joined;
    }
    if (!links_map(links, &m->links.words, &words, &m->of_text))
        return no_memory(err);
    if (a->json)
        return append_json(out, found, &words, &m->of_text, err);
    return links_write(&m->of_text, out) && bytes_append_char(out, '\n') ? STATUS_OK
                                                                         : no_memory(err);
}

/* The table of the one model. */
static enum status append_matrix(struct aligning *a, const struct align_answers *found,
                                 struct bytes *out, struct error *err)
{
    const struct align_answer *model = &found->models[0];
    const struct engine_text *read = model->swapped ? &found->pair.target : &found->pair.source;
    return translate_format(out, a->json ? ANSWER_JSON_MATRIX : ANSWER_MATRIX, found->number,
                            engine_vocabulary(model->engine), read->text, read->len, model->answer,
                            found->arena, err);
}

static enum status explain(void *context, const struct align_answers *found, struct bytes *out,
                           struct error *err)
{
    struct aligning *a = context;
    for (int k = 0; a->scores && !a->json && k < found->model_count; k++)
        bytes_printf(out, "%.4f\t", (double)found->models[k].answer->score);
    return a->matrix ? append_matrix(a, found, out, err) : append_links(a, found, out, err);
}

/* ---- a block ---- */

static enum status write_out(const struct bytes *out, struct error *err)
{
    if (out->len == 0 || fwrite(out->data, 1, out->len, stdout) == out->len)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "writing the links: %s", strerror(errno));
}

/* In place of a line that is no pair, so that lines still pair up. */
static enum status write_failed(const struct aligning *a, long number, const struct error *why,
                                struct error *err)
{
    struct bytes out;
    bytes_init(&out, LINE_BYTES_MAX);
    translate_format_failed(&out, a->json ? ANSWER_JSON : ANSWER_PLAIN, number, why);
    enum status status = bytes_check(&out, "a line", err);
    if (status == STATUS_OK)
        status = write_out(&out, err);
    bytes_release(&out);
    return status;
}

/* Of `count` lines, the last of them right in front of line `before`. */
static enum status write_bad_lines(const struct aligning *a, long before, long count,
                                   struct error *err)
{
    static const struct error why = { STATUS_BAD_INPUT, "the line is no pair of texts" };
    enum status status = STATUS_OK;
    for (; status == STATUS_OK && count > 0; count--)
        status = write_failed(a, before - count, &why, err);
    return status;
}

static enum status write_pair(struct aligning *a, int i, const char *name, struct error *err)
{
    const struct block_line *line = &a->block->lines.lines[i];
    enum status status = write_bad_lines(a, line->number, a->bad_before[i], err);
    if (status != STATUS_OK || line->err.status == STATUS_OK)
        return status == STATUS_OK ? write_out(&line->out, err) : status;
    fprintf(stderr, "verso align: %s:%ld: %s\n", name, line->number, line->err.text);
    a->bad_lines++;
    return write_failed(a, line->number, &line->err, err);
}

static enum status align_block(struct aligning *a, const char *name, struct error *err)
{
    enum status status = STATUS_OK;
    align_block_run(a->block);
    for (int i = 0; status == STATUS_OK && i < a->block->lines.count; i++)
        status = write_pair(a, i, name, err);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(err, STATUS_IO, "writing the links: %s", strerror(errno));
    block_reset(&a->block->lines);
    return status;
}

static enum status add_pair(struct aligning *a, const struct corpus_pair *pair, struct error *err)
{
    a->bad_before[a->block->lines.count] = a->bad_behind;
    a->bad_behind = 0;
    return block_add(&a->block->lines, ++a->lines, pair->source, pair->source_len, pair->target,
                     pair->target_len, err);
}

/* ---- pairs ---- */

static void say_bad_line(void *context, const char *what)
{
    struct aligning *a = context;
    fprintf(stderr, "verso align: %s\n", what);
    a->lines++;
    a->bad_lines++;
    a->bad_behind++;
}

static enum status align_file(struct aligning *a, const char *path, struct error *err)
{
    const struct corpus_options options = { .skip_bad_lines = true,
                                            .on_bad_line = say_bad_line,
                                            .context = a };
    struct corpus *corpus;
    struct corpus_pair pair;
    struct error why;
    enum status read = STATUS_OK, status = corpus_open(&corpus, &path, 1, &options, err);
    while (status == STATUS_OK) {
        read = corpus_next(corpus, &pair, &why);
        const bool ended = read != STATUS_OK || !pair.source;
        if (!ended)
            status = add_pair(a, &pair, err);
        if (status == STATUS_OK && (ended || block_is_full(&a->block->lines)))
            status = align_block(a, path, err);
        if (ended)
            break;
    }
    corpus_close(corpus);
    if (status == STATUS_OK)
        status = write_bad_lines(a, a->lines + 1, a->bad_behind, err);
    if (status == STATUS_OK && read != STATUS_OK)
        status = error_set(err, read, "%s", why.text);
    return status;
}

/* A pair on the command line: what is wrong with it is the command's failure. */
static enum status align_words(struct aligning *a, const char *source, const char *target,
                               struct error *err)
{
    const struct corpus_pair pair = { source, strlen(source), target, strlen(target) };
    enum status status = add_pair(a, &pair, err);
    if (status != STATUS_OK)
        return status;
    align_block_run(a->block);
    const struct block_line *line = &a->block->lines.lines[0];
    if (line->err.status == STATUS_OK)
        return write_out(&line->out, err);
    return error_set(err, line->err.status, "%s", line->err.text);
}

static enum status align_by_models(struct aligning *a, const struct options *o, struct error *err)
{
    const int count = options_operand_count(o);
    const struct align_setup setup = { .engines = { a->engines[0], a->engines[1] },
                                       .swapped = options_flag(o, "swap"),
                                       .threads = a->threads,
                                       .explain = explain,
                                       .context = a };
    a->members = memory_zeroed((size_t)a->threads, sizeof *a->members);
    if (!a->members)
        return no_memory(err);
    enum status status = align_block_new(&a->block, &setup, err);
    if (status != STATUS_OK)
        return status;
    if (count == 2)
        return align_words(a, options_operand(o, 0), options_operand(o, 1), err);
    return align_file(a, count == 1 ? options_operand(o, 0) : "-", err);
}

/* ---- files of links ---- */

static enum status write_joined(const struct aligning *a, long number, const struct links *links,
                                struct bytes *out, struct error *err)
{
    enum status status = STATUS_OK;
    bytes_reset(out);
    if (a->json)
        status = append_object(
            out, json_pack("{s:I,s:o}", "line", (json_int_t)number, "links", links_json(links)),
            err);
    else if (!links_write(links, out) || !bytes_append_char(out, '\n'))
        status = no_memory(err);
    return status == STATUS_OK ? write_out(out, err) : status;
}

static enum status join_lines(struct aligning *a, struct link_files *files, struct error *err)
{
    struct links joined = { 0 };
    struct bytes out;
    bool ended;
    bytes_init(&out, LINE_BYTES_MAX * 4);
    enum status status;
    while ((status = link_files_next(files, &ended, err)) == STATUS_OK && !ended) {
        if (!links_symmetrise(a->method, &files->links[0], &files->links[1], &joined))
            status = no_memory(err);
        else
            status = write_joined(a, files->line, &joined, &out, err);
        if (status != STATUS_OK)
            break;
    }
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(err, STATUS_IO, "writing the links: %s", strerror(errno));
    links_release(&joined);
    bytes_release(&out);
    return status;
}

static enum status join_files(struct aligning *a, const struct options *o, struct error *err)
{
    struct link_files files;
    enum status status =
        link_files_open(&files, options_text(o, "links"), options_text(o, "reverse-links"), err);
    if (status == STATUS_OK)
        status = join_lines(a, &files, err);
    link_files_close(&files);
    return status;
}

/* ---- the command ---- */

static enum status check_usage(const struct options *o, struct error *err)
{
    const bool links = options_given(o, "links"), reverse_links = options_given(o, "reverse-links");
    const bool gold = options_given(o, "gold"), reverse = options_given(o, "reverse");
    if (!links && !options_given(o, "model"))
        return error_set(err, STATUS_BAD_USAGE,
                         "give --model FILE to find links with, or --links FILE that has some");
    if ((reverse && links) || (reverse_links && !links))
        return error_set(err, STATUS_BAD_USAGE,
                         "--reverse goes with --model, --reverse-links with --links");
    if (links && !reverse_links && !gold)
        return error_set(err, STATUS_BAD_USAGE,
                         "--links needs --reverse-links FILE to be joined with, or --gold FILE to "
                         "be measured against");
    if (options_operand_count(o) > 0 && (links || gold))
        return error_set(err, STATUS_BAD_USAGE, "with --links or --gold there are no other pairs");
    if (options_given(o, "symmetrise") && !reverse && !reverse_links)
        return error_set(err, STATUS_BAD_USAGE,
                         "--symmetrise needs two directions: give --reverse FILE, a model of the "
                         "other one, too");
    return STATUS_OK;
}

static enum status choose(struct aligning *a, const struct options *o, struct error *err)
{
    static const char *const forms[] = { "pharaoh", "matrix", NULL };
    static const char *const words[] = { "read", "said", NULL };
    int form, method, each;
    enum status status = option_choice(o, "alignment", forms, &form, err);
    if (status == STATUS_OK)
        status = option_choice(o, "symmetrise", symmetrisation_names, &method, err);
    if (status == STATUS_OK)
        status = option_choice(o, "each", words, &each, err);
    if (status != STATUS_OK)
        return status;
    if (form == 1 && options_given(o, "reverse"))
        return error_set(err, STATUS_BAD_USAGE,
                         "--alignment matrix shows one model: leave --reverse out");
    a->matrix = form == 1;
    a->method = (enum symmetrisation)method;
    a->json = options_flag(o, "json");
    a->scores = options_flag(o, "scores");
    a->rule = (struct link_rule){ options_real(o, "threshold"), each == 1 };
    a->threads = options_threads(o, THREADS_MAX);
    return STATUS_OK;
}

static enum status load(struct aligning *a, const struct options *o, struct error *err)
{
    const char *model = options_text(o, "model"), *reverse = options_text(o, "reverse");
    enum weight_type type;
    enum status status = precision_from_options(&type, o, err);
    if (status == STATUS_OK)
        status = engine_load(&a->engines[0], model, type, err);
    if (status == STATUS_OK && reverse)
        status = engine_load(&a->engines[1], reverse, type, err);
    return status;
}

static enum status measure(struct aligning *a, const struct options *o, struct error *err)
{
    const struct gold_setup setup = { .path = options_text(o, "gold"),
                                      .engines = { a->engines[0], a->engines[1] },
                                      .swapped = options_flag(o, "swap"),
                                      .links = { options_text(o, "links"),
                                                 options_text(o, "reverse-links") },
                                      .rule = a->rule,
                                      .threads = a->threads };
    struct bytes out;
    bytes_init(&out, LINE_BYTES_MAX);
    enum status status = align_gold(&setup, a->json, &out, err);
    if (status == STATUS_OK)
        status = write_out(&out, err);
    bytes_release(&out);
    return status;
}

static enum status align(struct aligning *a, const struct options *o, struct error *err)
{
    const bool links = options_given(o, "links");
    enum status status = check_usage(o, err);
    if (status == STATUS_OK)
        status = choose(a, o, err);
    if (status == STATUS_OK && !links)
        status = load(a, o, err);
    if (status != STATUS_OK)
        return status;
    if (options_given(o, "gold"))
        return measure(a, o, err);
    return links ? join_files(a, o, err) : align_by_models(a, o, err);
}

static int run(const struct options *o)
{
    struct error err;
    struct aligning *a = memory_zeroed(1, sizeof *a);
    if (!a)
        return options_finish(o, error_set(&err, STATUS_NO_MEMORY, "no memory to align"), &err);
    const enum status status = align(a, o, &err);
    const long bad_lines = a->bad_lines;
    release(a);
    memory_free(a);
    if (status == STATUS_OK && bad_lines > 0)
        return EXIT_BAD_INPUT;
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "model", OPTION_TEXT, .letter = 'm', .environment = true, .value = "FILE",
      .help = "model file to ask" },
    { "swap", OPTION_FLAG,
      .help = "the model reads the second column and says the first; links still name a word of "
              "the first column first" },
    { "reverse", OPTION_TEXT, .value = "FILE",
      .help = "model of the other direction, whose links are joined with those of the first" },
    { "symmetrise", OPTION_TEXT, .value = "HOW", .fallback = "grow-diag-final-and",
      .help = "how two directions are joined: intersection, union or grow-diag-final-and" },
    { "each", OPTION_TEXT, .value = "WORD", .fallback = "read",
      .help = "which words get a link each: those that the model reads, to the word that looked at "
              "them most, or those that it says (said), to the word that they looked at most" },
    { "threshold", OPTION_REAL, .value = "X", .fallback = "0", .min = 0, .max = 1,
      .help =
          "instead, all links that got at least so much of a said word's attention; 0: not so" },
    { "links", OPTION_TEXT, .value = "FILE",
      .help = "links found before, a line a pair, instead of a model" },
    { "reverse-links", OPTION_TEXT, .value = "FILE",
      .help = "those of the other direction, also source-target, to be joined with them" },
    { "gold", OPTION_TEXT, .value = "FILE",
      .help = "measure the links against these: precision, recall and alignment error rate" },
    { "alignment", OPTION_TEXT, .value = "FORM", .fallback = "pharaoh",
      .help = "pharaoh (\"0-0 1-2\", source-target) or matrix (the translation and a table below "
              "it)" },
    { "scores", OPTION_FLAG,
      .help = "the log-probability that each model gives in front, and a tab" },
    { "json", OPTION_FLAG, .help = "a line of JSON a pair, or of all figures of --gold" },
    PRECISION_OPTION,
    { "threads", OPTION_INT, .letter = 't', .environment = true, .value = "N", .min = 1,
      .max = THREADS_MAX, .help = "threads; by default one a core" },
    { 0 },
};

const struct command command_align = {
    .name = "align",
    .summary = "show which words of given translations belong together",
    .usage = "(--model FILE | --links FILE) [OPTION...] [FILE | SOURCE TARGET]",
    .description =
        "Follows each given translation with the model and writes a line for each line\n"
        "of a file of pairs (source, tab, translation; plain or gzipped; or two parallel\n"
        "files as \"a.en,a.fr\"), or of standard input: which word of the translation\n"
        "looks most at each source word, words counted from 0. A line that is no pair is said\n"
        "on standard error, has an empty one in its place, and makes the exit code 3.\n"
        "With --gold, a file of pairs that people have linked, it measures instead.\n",
    .examples = "  verso align --model en-fr.safetensors 'a house' 'une maison'\n"
                "  verso align -m en-fr.safetensors --scores pairs.tsv.gz > links\n"
                "  verso align -m en-fr.safetensors --reverse fr-en.safetensors \\\n"
                "      --symmetrise intersection pairs.tsv > links\n"
                "  verso align -m en-fr.safetensors --gold test.jsonl\n",
    .options = specs,
    .operands_max = 2,
    .run = run,
};
