/*
 * detect.c - "verso detect": the language of texts, a line of answer for each.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/gzip.h"
#include "base/json.h"
#include "server/cmd/commands.h"
#include "server/detect/detector.h"

#define ANSWER_BYTES_MAX 65536
#define DIGITS 4 // of a confidence

struct detecting {
    struct detector *detector;
    struct arena arena;
    bool json;
    long bad_lines;
};

/* ---- answers ---- */

/* {"language":"fr","confidence":0.98,"languages":[{"language":"fr","confidence":0.98},...]} */
static json_t *answer_as_json(const struct detection *found)
{
    json_t *all = json_array();
    for (int i = 0; i < found->count; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:o}", "language", found->languages[i].language, "confidence",
                           json_rounded((double)found->languages[i].confidence, DIGITS)));
    return json_pack("{s:s, s:o, s:o}", "language", found->language, "confidence",
                     json_rounded((double)found->confidence, DIGITS), "languages", all);
}

static enum status print_json(const struct detection *found, struct error *err)
{
    struct bytes text;
    json_t *answer = answer_as_json(found);
    bytes_init(&text, ANSWER_BYTES_MAX);
    const bool ok = answer && json_write(&text, answer);
    if (ok)
        puts(text.data);
    bytes_release(&text);
    json_decref(answer);
    return ok ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for an answer");
}

static enum status answer(struct detecting *d, const struct detection *found, struct error *err)
{
    if (d->json)
        return print_json(found, err);
    printf("%s\t%.*f\n", found->language, DIGITS, (double)found->confidence);
    return STATUS_OK;
}

/* ---- texts ---- */

/* One that is bad is said, and has an empty line in its place. */
static void refuse(struct detecting *d, const char *where, long number, const char *why)
{
    fprintf(stderr, "verso detect: %s %ld: %s\n", where, number, why);
    d->bad_lines++;
    puts("");
}

static enum status detect_text(struct detecting *d, const char *where, long number,
                               const char *text, size_t len, struct error *err)
{
    struct detection found;
    struct error why;
    enum status status = detector_detect(d->detector, text, len, &d->arena, &found, &why);
    if (status == STATUS_OK)
        return answer(d, &found, err);
    if (status != STATUS_BAD_INPUT)
        return error_set(err, status, "%s", why.text);
    refuse(d, where, number, why.text);
    return STATUS_OK;
}

/* Whoever writes lines one by one gets answers one by one. */
static enum status flush_before_waiting(struct line_reader *in, struct error *err)
{
    return line_reader_ready(in) ? STATUS_OK : output_flush(STATUS_OK, err);
}

static enum status detect_lines(struct detecting *d, const char *path, struct error *err)
{
    struct line_reader *in;
    struct line line;
    enum status status = line_reader_open(&in, path, err);
    while (status == STATUS_OK) {
        status = flush_before_waiting(in, err);
        if (status != STATUS_OK)
            break;
        status = line_reader_next(in, &line, err);
        if (status == STATUS_TOO_LARGE) {
            refuse(d, "line", line.number, "longer than 1 MiB");
            status = STATUS_OK;
            continue;
        }
        if (status != STATUS_OK || !line.text)
            break;
        status = detect_text(d, "line", line.number, line.text, line.len, err);
    }
    line_reader_close(in);
    return status;
}

static enum status detect_all(struct detecting *d, const struct options *o, struct error *err)
{
    const char *path = options_text(o, "input");
    const int count = options_operand_count(o);
    enum status status = STATUS_OK;
    if (path && count > 0)
        return error_set(err, STATUS_BAD_USAGE, "give texts or --input, not both");
    if (count == 0)
        return detect_lines(d, path ? path : "-", err);
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = detect_text(d, "text", i + 1, options_operand(o, i), strlen(options_operand(o, i)),
                             err);
    return status;
}

/* ---- the command ---- */

static int run(const struct options *o)
{
    struct error err;
    struct detecting d = { .json = options_flag(o, "json") };
    enum status status = options_need(o, &err, "model", NULL);
    if (status == STATUS_OK)
        status = detector_load(&d.detector, options_text(o, "model"), &err);
    if (status == STATUS_OK && !arena_init(&d.arena, detector_arena_bytes(d.detector)))
        status = error_set(&err, STATUS_NO_MEMORY, "no memory to detect languages");
    if (status == STATUS_OK)
        status = detect_all(&d, o, &err);
    status = output_flush(status, &err);
    arena_release(&d.arena);
    detector_free(d.detector);
    if (status == STATUS_OK && d.bad_lines > 0)
        return EXIT_BAD_INPUT;
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "model", OPTION_TEXT, .letter = 'm', .value = "FILE", .help = "detector to ask" },
    { "input", OPTION_TEXT, .letter = 'i', .value = "FILE",
      .help = "file of texts, one a line, plain or gzipped; standard input if there are no texts" },
    { "json", OPTION_FLAG, .help = "one JSON object a text, with the confidence of each language" },
    { 0 },
};

const struct command command_detect = {
    .name = "detect",
    .summary = "tell the language of texts",
    .usage = "--model FILE [--json] [TEXT...]",
    .description =
        "Writes a line for each text: its language, a tab, and how sure that is, from 0 to 1. "
        "What\n"
        "has no letters, or is in none of the languages that the model knows, is \"und\" (it is "
        "not\n"
        "determined) with 0. Of a text the first 4,096 bytes count. A text that is not UTF-8 is\n"
        "said on standard error, has an empty line in its place, and makes the exit code 3.\n",
    .examples = "  verso detect -m deploy/models/detect.safetensors 'Wie spät ist es?'\n"
                "  verso detect -m deploy/models/detect.safetensors --json < letter.txt\n",
    .options = specs,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
