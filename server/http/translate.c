/*
 * translate.c - POST /translate, as LibreTranslate has it.
 *
 * The order of the checks and their texts are part of the interface: clients
 * compare them.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/call.h"
#include "server/http/language_names.h"
#include "server/http/metrics.h"
#include "server/http/parameters.h"
#include "server/http/routes.h"
#include "tokenizer/utf8.h"

#define ECHO_BYTES_MAX 40 // of what a client wrote, in an error text

/* What a request asks for, once it has been understood. Borrowed from its JSON. */
struct wish {
    const json_t *q; // a text or a list of texts
    int text_count;
    char source[LANGUAGE_CODE_BYTES], target[LANGUAGE_CODE_BYTES];
    int alternatives;
    enum document_format format;
};

/* ---- reading ---- */

static bool is_missing(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

static enum status check_present(const json_t *p, struct error *err)
{
    static const char *const needed[] = { "q", "source", "target" };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (is_missing(json_object_get(p, needed[i])))
            return error_set(err, STATUS_BAD_INPUT, "Invalid request: missing %s parameter",
                             needed[i]);
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

static const json_t *text_at(const struct wish *wish, int i)
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
        const json_t *text = text_at(wish, i);
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

/* "XY is not supported", with at most ECHO_BYTES_MAX of what was asked, cut at a character. */
static enum status not_supported(const char *what, const char *suffix, struct error *err)
{
    size_t len = strlen(what);
    if (len > ECHO_BYTES_MAX) {
        len = ECHO_BYTES_MAX;
        while (len > 0 && ((unsigned char)what[len] & 0xc0) == 0x80)
            len--;
    }
    return error_set(err, STATUS_BAD_INPUT, "%.*s%s is not supported", (int)len, what, suffix);
}

static enum status read_language(const json_t *p, const char *name, const struct pairs *pairs,
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

static enum status check_pair(const struct pairs *pairs, const struct wish *wish, struct error *err)
{
    if (pairs_reach(pairs, wish->source, wish->target))
        return STATUS_OK;
    return error_set(
        err, STATUS_BAD_INPUT, "%s (%s) is not available as a target language from %s (%s)",
        language_name(wish->target), wish->target, language_name(wish->source), wish->source);
}

static enum status understand(const struct service *service, const json_t *p, struct wish *wish,
                              struct error *err)
{
    enum status status = check_present(p, err);
    if (status == STATUS_OK)
        status = read_texts(p, wish, err);
    if (status == STATUS_OK)
        status = read_alternatives(p, wish, err);
    if (status == STATUS_OK)
        status = check_limits(&service->limits, wish, err);
    if (status == STATUS_OK)
        status = read_language(p, "source", &service->pairs, wish->source, err);
    if (status == STATUS_OK)
        status = read_language(p, "target", &service->pairs, wish->target, err);
    if (status == STATUS_OK)
        status = read_format(p, wish, err);
    if (status == STATUS_OK)
        status = check_pair(&service->pairs, wish, err);
    return status;
}

/* ---- answering ---- */

static json_t *alternatives_of(const struct engine_answer *answer)
{
    json_t *list = json_array();
    for (int i = 0; i < answer->alternative_count; i++)
        json_array_append_new(list, json_string(answer->alternatives[i]));
    return list;
}

/* One of them, or all in a list. */
static json_t *each(const struct call *call,
                    json_t *(*value_of)(const struct engine_answer *answer))
{
    const struct request *r = call->request;
    if (!call->is_list)
        return value_of(&r->answers[0]);
    json_t *list = json_array();
    for (int i = 0; i < r->text_count; i++)
        json_array_append_new(list, value_of(&r->answers[i]));
    return list;
}

static json_t *text_of(const struct engine_answer *answer)
{
    return json_stringn(answer->text, answer->len);
}

static void write_answer(struct call *call)
{
    if (call->request->status != STATUS_OK) {
        exchange_fail(&call->x, &call->request->err);
        return;
    }
    json_t *reply = json_object();
    if (call->wants_alternatives)
        json_object_set_new(reply, "alternatives", each(call, alternatives_of));
    json_object_set_new(reply, "translatedText", each(call, text_of));
    exchange_json(&call->x, 200, reply);
}

/* A text is its own translation into its own language. */
static enum status answer_unchanged(struct call *call)
{
    struct request *r = call->request;
    r->answers = arena_array(&r->arena, struct engine_answer, r->text_count);
    if (!r->answers)
        return error_set(&r->err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
    for (int i = 0; i < r->text_count; i++)
        r->answers[i] = (struct engine_answer){ .text = r->texts[i].text, .len = r->texts[i].len };
    return STATUS_OK;
}

static enum status start(const struct exchange *x, const struct wish *wish, struct error *err)
{
    struct call *call = call_new(x, wish->text_count);
    if (!call)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    call->answer = write_answer;
    call->is_list = json_is_array(wish->q);
    call->wants_alternatives = wish->alternatives > 0;
    call->request->format = wish->format;
    call->request->n_best = wish->format == FORMAT_HTML ? 1 : 1 + wish->alternatives; // [] for HTML

    enum status status = STATUS_OK;
    for (int i = 0; i < wish->text_count && status == STATUS_OK; i++) {
        const json_t *text = text_at(wish, i);
        status = call_set_text(call, i, json_string_value(text), json_string_length(text), err);
    }
    if (status == STATUS_OK && strcmp(wish->source, wish->target) == 0) {
        call->request->status = answer_unchanged(call);
        write_answer(call);
        call_free(call);
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        call->request->hop_count =
            pairs_find(&x->service->pairs, wish->source, wish->target, call->request->hops);
        status = call_submit(call, err);
    }
    if (status != STATUS_OK)
        call_free(call);
    return status;
}

void post_translate(struct exchange *x)
{
    static const char *const names[] = { "q", "source", "target", "format", "alternatives", NULL };
    struct error err;
    struct wish wish;
    json_t *p;
    enum status status = parameters_read(&p, x->message, names, &err);
    if (status == STATUS_OK)
        status = understand(x->service, p, &wish, &err);
    if (status == STATUS_OK)
        status = start(x, &wish, &err);
    if (status != STATUS_OK)
        exchange_fail(x, &err);
    json_decref(p);
}
