/*
 * lm.c - "verso lm score" and "verso lm sample": what a language model makes of texts, and texts
 * it makes.
 *
 *     file or standard input -> block of lines -> side by side through the model -> standard output
 *
 * What has been read is scored and written before waiting for more. A line that
 * cannot be scored is said on standard error, has NaN in its place, and makes
 * the exit code 3.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/gzip.h"
#include "base/json.h"
#include "base/memory.h"
#include "server/cmd/commands.h"
#include "server/engine/language_model.h"
#include "tokenizer/utf8.h"

#define SAMPLES_MAX 1000000
#define SAMPLE_BYTES_MAX ((size_t)64 << 20)
#define JSON_BYTES_MAX 4096
#define WRITTEN_DIGITS 8

/* ---- lines and their scores ---- */

struct scored_line {
    struct bytes text;
    struct error err; // why it cannot be scored; STATUS_OK: it can
    struct language_score score;
    long number; // in its file
};

struct scoring {
    struct language_model *lm;
    struct language_scorer *scorer;
    bool continued, json;
    struct scored_line lines[LANGUAGE_TEXTS_MAX];
    int count;
    struct language_score total;
    long good_lines, bad_lines;
};

static double perplexity(double log_prob, int64_t count)
{
    return count > 0 ? exp(-log_prob / (double)count) : NAN;
}

static enum status print_json(const char *name, long value, const struct language_score *score,
                              struct error *err)
{
    struct bytes text;
    bytes_init(&text, JSON_BYTES_MAX);
    json_t *line = json_pack(
        "{s:I, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", name, (json_int_t)value, "log_prob",
        json_rounded(score->log_prob, WRITTEN_DIGITS), "pieces", (json_int_t)score->pieces, "words",
        (json_int_t)score->words, "characters", (json_int_t)score->characters, "piece_perplexity",
        json_rounded(perplexity(score->log_prob, score->pieces), WRITTEN_DIGITS), "word_perplexity",
        json_rounded(perplexity(score->log_prob, score->words), WRITTEN_DIGITS),
        "character_perplexity",
        json_rounded(perplexity(score->log_prob, score->characters), WRITTEN_DIGITS));
    const bool ok = line && json_write(&text, line) && printf("%s\n", text.data) >= 0;
    json_decref(line);
    bytes_release(&text);
    return ok ? STATUS_OK : error_set(err, STATUS_IO, "writing the scores: %s", strerror(errno));
}

static enum status print_score(const struct scoring *s, const char *name, long value,
                               const struct language_score *score, struct error *err)
{
    if (s->json)
        return print_json(name, value, score, err);
    const int written = printf("%.*g\t%.*g\t%.*g\t%.*g\n", WRITTEN_DIGITS, score->log_prob,
                               WRITTEN_DIGITS, perplexity(score->log_prob, score->pieces),
                               WRITTEN_DIGITS, perplexity(score->log_prob, score->words),
                               WRITTEN_DIGITS, perplexity(score->log_prob, score->characters));
    return written > 0 ? STATUS_OK
                       : error_set(err, STATUS_IO, "writing the scores: %s", strerror(errno));
}

static void add_to_total(struct scoring *s, const struct language_score *score)
{
    s->good_lines++;
    s->total.log_prob += score->log_prob;
    s->total.pieces += score->pieces;
    s->total.words += score->words;
    s->total.characters += score->characters;
}

static enum status score_lines(struct scoring *s, struct error *err)
{
    struct language_text texts[LANGUAGE_TEXTS_MAX];
    struct language_score scores[LANGUAGE_TEXTS_MAX];
    int count = 0;
    for (int i = 0; i < s->count; i++)
        if (s->lines[i].err.status == STATUS_OK)
            texts[count++] =
                (struct language_text){ s->lines[i].text.data ? s->lines[i].text.data : "",
                                        s->lines[i].text.len };
    enum status status = language_scorer_run(s->scorer, texts, count, s->continued, scores, err);
    count = 0;
    for (int i = 0; i < s->count && status == STATUS_OK; i++)
        if (s->lines[i].err.status == STATUS_OK)
            s->lines[i].score = scores[count++];
    return status;
}

static enum status write_lines(struct scoring *s, const char *name, struct error *err)
{
    const struct language_score none = { .log_prob = NAN };
    enum status status = STATUS_OK;
    for (int i = 0; i < s->count && status == STATUS_OK; i++) {
        const struct scored_line *line = &s->lines[i];
        if (line->err.status == STATUS_OK) {
            add_to_total(s, &line->score);
            status = print_score(s, "line", line->number, &line->score, err);
            continue;
        }
        fprintf(stderr, "verso lm score: %s: line %ld: %s\n", name, line->number, line->err.text);
        s->bad_lines++;
        status = print_score(s, "line", line->number, &none, err);
    }
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(err, STATUS_IO, "writing the scores: %s", strerror(errno));
    s->count = 0;
    return status;
}

/* A line that is no text, or too long a one, is kept with the reason. */
static enum status add_line(struct scoring *s, const struct line *line, enum status read,
                            struct error *err)
{
    struct scored_line *to = &s->lines[s->count++];
    bytes_reset(&to->text);
    to->number = line->number;
    to->err.status = STATUS_OK;
    if (read == STATUS_TOO_LARGE || line->len > LANGUAGE_TEXT_BYTES_MAX)
        error_set(&to->err, STATUS_TOO_LARGE, "longer than the limit of %d bytes",
                  LANGUAGE_TEXT_BYTES_MAX);
    else if (utf8_check(line->text, line->len, &to->err) == STATUS_OK)
        bytes_append(&to->text, line->text, line->len);
    return bytes_check(&to->text, "a line", err);
}

/* Lines until the block is full, the file has ended, or the next one has to be waited for. */
static enum status read_block(struct scoring *s, struct line_reader *in, bool *ended,
                              struct error *err)
{
    while (s->count < LANGUAGE_TEXTS_MAX && (s->count == 0 || line_reader_ready(in))) {
        struct line line = { 0 };
        enum status status = line_reader_next(in, &line, err);
        *ended = status != STATUS_TOO_LARGE && (status != STATUS_OK || !line.text);
        if (*ended)
            return status;
        status = add_line(s, &line, status, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status score_file(struct scoring *s, const char *path, struct error *err)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct line_reader *in;
    bool ended = false;
    enum status status = line_reader_open(&in, path, err);
    while (status == STATUS_OK && !ended) {
        struct error why;
        const enum status read = read_block(s, in, &ended, &why);
        status = score_lines(s, err); // what was read before a failure, too
        if (status == STATUS_OK)
            status = write_lines(s, name, err);
        if (status == STATUS_OK && read != STATUS_OK)
            status = error_set(err, read, "%s", why.text);
    }
    line_reader_close(in);
    return status;
}

static enum status score_all(struct scoring *s, const struct options *o, struct error *err)
{
    enum status status = language_model_load(&s->lm, options_operand(o, 0), err);
    if (status == STATUS_OK)
        status = language_scorer_new(&s->scorer, s->lm, err);
    const int count = options_operand_count(o);
    if (status == STATUS_OK && count == 1)
        status = score_file(s, "-", err);
    for (int i = 1; status == STATUS_OK && i < count; i++)
        status = score_file(s, options_operand(o, i), err);
    if (status == STATUS_OK && !s->json)
        fputs("total\t", stdout);
    if (status == STATUS_OK)
        status = print_score(s, "total_lines", s->good_lines, &s->total, err);
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(err, STATUS_IO, "writing the scores: %s", strerror(errno));
    return status;
}

static int run_score(const struct options *o)
{
    struct error err;
    struct scoring *s = memory_zeroed(1, sizeof *s);
    if (!s)
        return options_finish(o, error_set(&err, STATUS_NO_MEMORY, "no memory to begin with"),
                              &err);
    s->continued = options_flag(o, "continued");
    s->json = options_flag(o, "json");
    for (int i = 0; i < LANGUAGE_TEXTS_MAX; i++)
        bytes_init(&s->lines[i].text, LANGUAGE_TEXT_BYTES_MAX);
    const enum status status = score_all(s, o, &err);
    const long bad_lines = s->bad_lines;
    for (int i = 0; i < LANGUAGE_TEXTS_MAX; i++)
        bytes_release(&s->lines[i].text);
    language_scorer_free(s->scorer);
    language_model_free(s->lm);
    memory_free(s);
    return status == STATUS_OK && bad_lines > 0 ? EXIT_BAD_INPUT : options_finish(o, status, &err);
}

/* ---- samples ---- */

static enum status write_sample(struct bytes *text, bool separated, struct error *err)
{
    if (separated)
        bytes_append_char(text, '\n');
    enum status status = bytes_check(text, "a sample", err);
    if (status == STATUS_OK &&
        (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0))
        status = error_set(err, STATUS_IO, "writing the samples: %s", strerror(errno));
    return status;
}

static enum status sample_all(const struct language_model *lm, const struct options *o,
                              struct error *err)
{
    const struct language_sampling sampling = {
        .prompt = options_text(o, "prompt"),
        .temperature = options_real(o, "temperature"),
        .length = options_int(o, "length"),
        .lines = options_int(o, "lines"),
        .words = options_int(o, "words"),
        .seed = (uint64_t)options_int64(o, "seed"),
    };
    struct bytes text;
    enum status status = STATUS_OK;
    const int count = options_int(o, "count");
    bytes_init(&text, SAMPLE_BYTES_MAX);
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        bytes_reset(&text);
        status = language_sample(lm, &sampling, (uint64_t)i, &text, err);
        if (status == STATUS_OK) // texts of several lines have an empty one between them
            status = write_sample(&text, sampling.lines > 1 && i + 1 < count, err);
    }
    bytes_release(&text);
    return status;
}

static int run_sample(const struct options *o)
{
    struct error err;
    struct language_model *lm;
    enum status status = language_model_load(&lm, options_operand(o, 0), &err);
    if (status == STATUS_OK)
        status = sample_all(lm, o, &err);
    language_model_free(lm);
    return options_finish(o, status, &err);
}

/* ---- the commands ---- */

static const struct option_spec score_specs[] = {
    { "continued", OPTION_FLAG,
      .help = "the lines are one text: each is read behind those before it" },
    { "json", OPTION_FLAG, .help = "a JSON object a line, with the counts too" },
    { 0 },
};

const struct command command_lm_score = {
    .name = "lm score",
    .summary = "say how likely lines of text are",
    .usage = "MODEL [OPTION...] [FILE...]",
    .description =
        "Each line becomes its natural log-probability and its perplexity per piece, per word and "
        "per character, separated by tabs; the last line is that of all together, behind "
        "\"total\". "
        "The end of a line counts as a piece, a word and a character. Without --continued a line's "
        "score is the same whatever stands around it.",
    .examples = "  verso lm score lm.safetensors candidates.txt\n"
                "  verso lm score lm.safetensors --continued held-out.txt.gz | tail -n 1\n",
    .options = score_specs,
    .operands_min = 1,
    .operands_max = OPERANDS_MAX,
    .run = run_score,
};

static const struct option_spec sample_specs[] = {
    { "prompt", OPTION_TEXT, .value = "TEXT", .fallback = "", .help = "what the text starts with" },
    { "temperature", OPTION_REAL, .value = "X", .fallback = "1", .min = 0, .max = 100,
      .help = "below 1 what is likely is drawn more often, above 1 less; 0: always the likeliest" },
    { "count", OPTION_INT, .value = "N", .fallback = "1", .min = 1, .max = SAMPLES_MAX,
      .help = "texts" },
    { "lines", OPTION_INT, .value = "N", .fallback = "1", .min = 1, .max = LANGUAGE_SAMPLE_MAX,
      .help = "lines of a text" },
    { "words", OPTION_INT, .value = "N", .fallback = "0", .min = 0, .max = LANGUAGE_SAMPLE_MAX,
      .help = "end after so many words behind the prompt; 0: with the line" },
    { "length", OPTION_INT, .value = "N", .fallback = "1000", .min = 1, .max = LANGUAGE_SAMPLE_MAX,
      .help = "pieces (or characters) of a text behind the prompt, at most" },
    { "seed", OPTION_INT, .value = "N", .fallback = "1", .min = 0, .max = 9e15,
      .help = "the same seed gives the same texts" },
    { 0 },
};

const struct command command_lm_sample = {
    .name = "lm sample",
    .summary = "write text as a language model expects it",
    .usage = "MODEL [OPTION...]",
    .description = "Text is drawn piece by piece (or character by character) up to the end of a "
                   "line. With --words 1 it is the prompt and the next word.",
    .examples = "  verso lm sample lm.safetensors --prompt 'Once upon a' --count 5\n"
                "  verso lm sample lm.safetensors --prompt 'How are' --words 1 --temperature 0\n",
    .options = sample_specs,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_sample,
};
