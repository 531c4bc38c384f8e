/*
 * wish.c - what a request of POST /translate asks for.
 *
 * The order of the checks and their texts are part of the interface: clients
 * compare them.
 */
#include "server/http/wish.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/http/detect.h"
#include "server/http/language_names.h"
#include "server/http/metrics.h"
#include "server/http/v1_fields.h"
#include "tokenizer/utf8.h"

/* ---- reading ---- */

static bool is_missing(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

enum status wish_check_present(const json_t *p, const char *const *needed, struct error *err)
{
    for (; *needed; needed++)
        if (is_missing(json_object_get(p, *needed)))
            return error_set(err, STATUS_BAD_INPUT, "Invalid request: missing %s parameter",
                             *needed);
    return STATUS_OK;
}

static enum status read_texts(const json_t *p, struct wish *wish, struct error *err)
{
    wish->q = json_object_get(p, "q");
    wish->text_count = json_is_array(wish->q) ? (int)json_array_size(wish->q) : 1;
    bool is_sound = json_is_string(wish->q) || json_is_array(wish->q);
    for (size_t i = 0; i < json_array_size(wish->q); i++)
        is_sound = is_sound && json_is_string(json_array_get(wish->q, i));
    if (!is_sound)
        return error_set(err, STATUS_BAD_INPUT,
                         "Invalid request: q must be a text or a list of texts");
    return STATUS_OK;
}

const json_t *wish_text(const struct wish *wish, int i)
{
    return json_is_array(wish->q) ? json_array_get(wish->q, (size_t)i) : wish->q;
}

/* "2", 2 and 2.9 are 2; less than 0 is 0. */
static enum status read_alternatives(const json_t *p, struct wish *wish, struct error *err)
{
    const json_t *value = json_object_get(p, "alternatives");
    double number = 0;
    bool is_number = true;
    if (json_is_number(value)) {
        number = json_number_value(value);
    } else if (json_is_string(value)) {
        char *end;
        const char *text = json_string_value(value);
        number = (double)strtol(text, &end, 10);
        is_number = end != text && *end == '\0';
    } else if (value && !json_is_null(value)) {
        is_number = false;
    }
    if (!is_number)
        return error_set(err, STATUS_BAD_INPUT,
                         "Invalid request: alternatives parameter is not a number");
    wish->alternatives = number < 0 ? 0 : number > 1e6 ? 1000000 : (int)number;
    return STATUS_OK;
}

/* ---- limits ---- */

static enum status check_limits(const struct service_limits *limits, const struct wish *wish,
                                struct error *err)
{
    if (wish->alternatives > limits->alternatives) {
        metric_limit(LIMIT_ALTERNATIVES);
        return error_set(err, STATUS_BAD_INPUT,
                         "Invalid request: alternatives parameter must be <= %d",
                         limits->alternatives);
    }
    if (wish->text_count > limits->batch_items) {
        metric_limit(LIMIT_BATCH_ITEMS);
        return error_set(err, STATUS_BAD_INPUT,
                         "Invalid request: request (%d) exceeds text limit (%d)", wish->text_count,
                         limits->batch_items);
    }
    size_t characters = 0;
    for (int i = 0; i < wish->text_count; i++) {
        const json_t *text = wish_text(wish, i);
        characters += utf8_length(json_string_value(text), json_string_length(text));
    }
    if (characters <= (size_t)limits->characters)
        return STATUS_OK;
    metric_limit(LIMIT_CHARACTERS);
    return error_set(err, STATUS_BAD_INPUT,
                     "Invalid request: request (%zu) exceeds text limit (%d)", characters,
                     limits->characters);
}

/* ---- languages and format ---- */

/* "XY is not supported" */
static enum status not_supported(const char *what, const char *suffix, struct error *err)
{
    return error_set(err, STATUS_BAD_INPUT, "%.*s%s is not supported", v1_fields_echo(what), what,
                     suffix);
}

enum status wish_language(const json_t *p, const char *name, const struct pairs *pairs,
                          char code[LANGUAGE_CODE_BYTES], struct error *err)
{
    const char *text = json_string_value(json_object_get(p, name));
    if (!text)
        return error_set(err, STATUS_BAD_INPUT, "Invalid request: %s must be a language code",
                         name);
    size_t len = strlen(text);
    for (size_t i = 0; i <= len && len < LANGUAGE_CODE_BYTES; i++)
        code[i] = (char)tolower((unsigned char)text[i]);
    if (len >= LANGUAGE_CODE_BYTES || !pairs_know(pairs, code))
        return not_supported(text, "", err);
    return STATUS_OK;
}

static enum status read_format(const json_t *p, struct wish *wish, struct error *err)
{
    const json_t *format = json_object_get(p, "format");
    wish->format = FORMAT_TEXT;
    if (is_missing(format))
        return STATUS_OK;
    if (!json_is_string(format))
        return error_set(err, STATUS_BAD_INPUT, "Invalid request: format must be a text");
    if (strcmp(json_string_value(format), "html") == 0)
        wish->format = FORMAT_HTML;
    else if (strcmp(json_string_value(format), "text") != 0)
        return not_supported(json_string_value(format), " format", err);
    return STATUS_OK;
}

enum status wish_check_pair(const struct pairs *pairs, const char *source, const char *target,
                            struct error *err)
{
    if (pairs_reach(pairs, source, target))
        return STATUS_OK;
    return error_set(err, STATUS_BAD_INPUT,
                     "%s (%s) is not available as a target language from %s (%s)",
                     language_name(target), target, language_name(source), source);
}

static enum status read_source(const struct service *service, const json_t *p, struct wish *wish,
                               struct error *err)
{
    const char *text = json_string_value(json_object_get(p, "source"));
    wish->is_auto = text && strcasecmp(text, "auto") == 0;
    if (!wish->is_auto)
        return wish_language(p, "source", &service->pairs, wish->source, err);
    return live_detector_is_there(service->detector) ? STATUS_OK
                                                     : detect_missing("auto is not supported", err);
}

enum status wish_read_texts(struct wish *wish, const struct service *service, const json_t *p,
                            struct error *err)
{
    enum status status = read_texts(p, wish, err);
    return status == STATUS_OK ? check_limits(&service->limits, wish, err) : status;
}

enum status wish_read(struct wish *wish, const struct service *service, const json_t *p,
                      struct error *err)
{
    static const char *const needed[] = { "q", "source", "target", NULL };
    enum status status = wish_check_present(p, needed, err);
    if (status == STATUS_OK)
        status = read_texts(p, wish, err);
    if (status == STATUS_OK)
        status = read_alternatives(p, wish, err);
    if (status == STATUS_OK)
        status = check_limits(&service->limits, wish, err);
    if (status == STATUS_OK)
        status = read_source(service, p, wish, err);
    if (status == STATUS_OK)
        status = wish_language(p, "target", &service->pairs, wish->target, err);
    if (status == STATUS_OK)
        status = read_format(p, wish, err);
    if (status == STATUS_OK && !wish->is_auto)
        status = wish_check_pair(&service->pairs, wish->source, wish->target, err);
    return status;
}
