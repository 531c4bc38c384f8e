/* v1_wish.c - what a request of /v1/translate asks for, once it has been understood. */
#include "server/http/v1_wish.h"

#include <stdio.h>
#include <string.h>

#include "server/http/metrics.h"
#include "server/http/v1_fields.h"
#include "tokenizer/utf8.h"

/* ---- texts ---- */

const json_t *v1_wish_text(const struct v1_wish *wish, int i)
{
    return json_is_array(wish->text) ? json_array_get(wish->text, (size_t)i) : wish->text;
}

static enum status check_lengths(const struct service_limits *limits, const struct v1_wish *wish,
                                 struct error *err)
{
    size_t characters = 0;
    for (int i = 0; i < wish->text_count; i++) {
        const json_t *text = v1_wish_text(wish, i);
        if (!json_is_string(text))
            return error_set(err, STATUS_BAD_INPUT, "text must be a text or a list of texts");
        characters += utf8_length(json_string_value(text), json_string_length(text));
    }
    if (characters <= (size_t)limits->characters)
        return STATUS_OK;
    metric_limit(LIMIT_CHARACTERS);
    return error_set(err, STATUS_TOO_LARGE, "text has %zu characters, the limit is %d", characters,
                     limits->characters);
}

/* source_text and target_text, each one text. */
static enum status read_given(const struct service_limits *limits, const json_t *json,
                              struct v1_wish *wish, struct error *err)
{
    static const char *const names[] = { "source_text", "target_text" };
    size_t characters = 0;
    wish->text_count = 1;
    wish->text = json_object_get(json, names[0]);
    wish->given = json_object_get(json, names[1]);
    for (int i = 0; i < 2; i++) {
        const json_t *text = json_object_get(json, names[i]);
        if (!json_is_string(text))
            return error_set(err, STATUS_BAD_INPUT, "%s is %s: a text", names[i],
                             text ? "of another kind" : "missing");
        characters += utf8_length(json_string_value(text), json_string_length(text));
    }
    if (characters <= (size_t)limits->characters)
        return STATUS_OK;
    metric_limit(LIMIT_CHARACTERS);
    return error_set(err, STATUS_TOO_LARGE,
                     "source_text and target_text have %zu characters, the limit is %d", characters,
                     limits->characters);
}

enum status v1_wish_read_texts(struct v1_wish *wish, const struct service_limits *limits,
                               const json_t *json, struct error *err)
{
    wish->text = json_object_get(json, "text");
    if (!wish->text)
        return error_set(err, STATUS_BAD_INPUT, "text is missing: a text or a list of texts");
    const size_t count = json_is_array(wish->text) ? json_array_size(wish->text) : 1;
    if (count == 0)
        return error_set(err, STATUS_BAD_INPUT, "text must have at least one text in its list");
    if (count > (size_t)limits->batch_items) {
        metric_limit(LIMIT_BATCH_ITEMS);
        return error_set(err, STATUS_TOO_LARGE, "text has %zu texts, the limit is %d", count,
                         limits->batch_items);
    }
    wish->text_count = (int)count;
    return check_lengths(limits, wish, err);
}

/* ---- languages and model ---- */

static enum status read_language(const json_t *json, const char *name, const struct pairs *pairs,
                                 char code[LANGUAGE_CODE_BYTES], struct error *err)
{
    const char *text = NULL;
    enum status status = v1_fields_text(json, name, &text, err);
    if (status != STATUS_OK)
        return status;
    if (!text && !*code)
        return error_set(err, STATUS_BAD_INPUT, "%s is missing: a language code", name);
    if (!text)
        return STATUS_OK;
    if (!pairs_know(pairs, text))
        return error_set(err, STATUS_BAD_INPUT, "%s is \"%.*s\", which no model here translates",
                         name, v1_fields_echo(text), text);
    snprintf(code, LANGUAGE_CODE_BYTES, "%s", text);
    return STATUS_OK;
}

/* "en-fr", for those who name no languages. */
static void take_pair(struct v1_wish *wish, struct slice pair)
{
    const char *dash = pair.at ? memchr(pair.at, '-', pair.len) : NULL;
    if (!dash)
        return;
    snprintf(wish->source, sizeof wish->source, "%.*s", (int)(dash - pair.at), pair.at);
    snprintf(wish->target, sizeof wish->target, "%.*s", (int)(pair.at + pair.len - dash - 1),
             dash + 1);
}

static enum status check_pair(const struct pairs *pairs, const struct v1_wish *wish,
                              const char *source, struct error *err)
{
    if (pairs_reach(pairs, source, wish->target))
        return STATUS_OK;
    return error_set(err, STATUS_NOT_FOUND, "there is no model from %s to %s", source,
                     wish->target);
}

static enum status check_model(const struct pairs *pairs, const struct v1_wish *wish,
                               const char *source, struct error *err)
{
    struct live_model *hops[HOPS_MAX];
    if (!wish->model)
        return STATUS_OK;
    const int count = pairs_find(pairs, source, wish->target, hops);
    const bool is_it = count == 1 && strcmp(live_model_name(hops[0]), wish->model) == 0;
    for (int i = 0; i < count; i++)
        live_model_release(hops[i]);
    if (is_it)
        return STATUS_OK;
    return error_set(err, STATUS_NOT_FOUND, "there is no model \"%.*s\" from %s to %s",
                     v1_fields_echo(wish->model), wish->model, source, wish->target);
}

enum status v1_wish_check_models(const struct v1_wish *wish, const struct pairs *pairs,
                                 const char *source, struct error *err)
{
    enum status status = check_pair(pairs, wish, source, err);
    return status == STATUS_OK ? check_model(pairs, wish, source, err) : status;
}

static enum status read_languages(const struct pairs *pairs, const json_t *json,
                                  struct v1_wish *wish, struct error *err)
{
    enum status status =
        wish->is_auto ? STATUS_OK : read_language(json, "source", pairs, wish->source, err);
    if (status == STATUS_OK)
        status = read_language(json, "target", pairs, wish->target, err);
    if (status == STATUS_OK)
        status = v1_fields_text(json, "model", &wish->model, err);
    if (status == STATUS_OK && !wish->is_auto)
        status = v1_wish_check_models(wish, pairs, wish->source, err);
    return status;
}

/* ---- how ---- */

static void count_over(const json_t *json, const char *field, int max, enum limit limit)
{
    if (json_integer_value(json_object_get(json, field)) > max)
        metric_limit(limit);
}

static enum status read_search(const struct service_limits *limits, const json_t *json,
                               struct v1_wish *wish, struct error *err)
{
    count_over(json, "beam", limits->beam, LIMIT_BEAM);
    count_over(json, "n_best", limits->alternatives + 1, LIMIT_ALTERNATIVES);
    count_over(json, "deadline_ms", limits->deadline_ms, LIMIT_DEADLINE);
    enum status status = v1_fields_int(json, "beam", 1, limits->beam, &wish->beam, err);
    if (status == STATUS_OK)
        status = v1_fields_int(json, "n_best", 1, limits->alternatives + 1, &wish->n_best, err);
    if (status == STATUS_OK)
        status =
            v1_fields_int(json, "deadline_ms", 1, limits->deadline_ms, &wish->deadline_ms, err);
    return status;
}

static enum status read_storing(const json_t *json, struct v1_wish *wish, struct error *err)
{
    enum status status = v1_fields_bool(json, "store", &wish->store, err);
    if (status == STATUS_OK)
        status = v1_fields_bool(json, "durable", &wish->durable, err);
    if (status == STATUS_OK && wish->durable && !wish->store)
        status = error_set(err, STATUS_BAD_INPUT,
                           "durable is true and store is false: what is not stored cannot last");
    return status;
}

static enum status read_form(const json_t *json, struct v1_wish *wish, struct error *err)
{
    static const char *const levels[] = { "word", "piece", NULL };
    static const char *const formats[] = { "text", "html", NULL }; // as enum document_format
    int level = 0, format = FORMAT_TEXT;
    enum status status = v1_fields_bool(json, "alignment", &wish->alignment, err);
    if (status == STATUS_OK)
        status = v1_fields_word(json, "level", levels, &level, err);
    if (status == STATUS_OK)
        status = v1_fields_word(json, "format", formats, &format, err);
    wish->pieces = level == 1;
    wish->format = (enum document_format)format;
    return status;
}

/* ---- the glossary ---- */

static enum status check_term(const char *term, const json_t *translation, struct error *err)
{
    const char *text = json_string_value(translation);
    if (!text)
        return error_set(err, STATUS_BAD_INPUT,
                         "glossary must have texts as translations; \"%.*s\" has another",
                         v1_fields_echo(term), term);
    if (utf8_length(term, strlen(term)) > V1_TERM_CHARACTERS ||
        utf8_length(text, strlen(text)) > V1_TERM_CHARACTERS)
        return error_set(err, STATUS_BAD_INPUT,
                         "glossary has \"%.*s\", which, or whose translation, is over the limit of "
                         "%d characters",
                         v1_fields_echo(term), term, V1_TERM_CHARACTERS);
    return STATUS_OK;
}

static enum status read_glossary(const json_t *json, struct v1_wish *wish, struct error *err)
{
    const char *term;
    json_t *translation;
    enum status status = STATUS_OK;
    wish->glossary = json_object_get(json, "glossary");
    if (!wish->glossary)
        return STATUS_OK;
    if (!json_is_object(wish->glossary))
        return error_set(err, STATUS_BAD_INPUT,
                         "glossary must be an object of terms with their translations");
    if (json_object_size(wish->glossary) > V1_GLOSSARY_TERMS)
        return error_set(err, STATUS_BAD_INPUT, "glossary has %zu terms, the limit is %d",
                         json_object_size(wish->glossary), V1_GLOSSARY_TERMS);
    json_object_foreach ((json_t *)wish->glossary, term, translation) {
        if (status == STATUS_OK)
            status = check_term(term, translation, err);
    }
    return status;
}

enum status v1_wish_glossary(const struct v1_wish *wish, struct arena *arena, struct glossary **out,
                             struct error *err)
{
    const char *term;
    json_t *translation;
    *out = NULL;
    if (!wish->glossary || json_object_size(wish->glossary) == 0)
        return STATUS_OK;
    struct glossary *glossary;
    enum status status = glossary_new(&glossary, arena, err);
    json_object_foreach ((json_t *)wish->glossary, term, translation) {
        if (status == STATUS_OK)
            status = glossary_add(glossary, term, strlen(term), json_string_value(translation),
                                  json_string_length(translation), err);
    }
    if (status == STATUS_OK)
        status = glossary_ready(glossary, err);
    if (status == STATUS_OK)
        *out = glossary;
    return status;
}

enum status v1_wish_read(struct v1_wish *wish, const struct service *service, const json_t *json,
                         struct slice pair, struct error *err)
{
    static const char *const names[] = { "text",    "source",    "target",   "model",       "beam",
                                         "n_best",  "alignment", "level",    "deadline_ms", "store",
                                         "durable", "format",    "glossary", NULL };
    const char *source = json_string_value(json_object_get(json, "source"));
    *wish = (struct v1_wish){ .n_best = 1, .store = true };
    take_pair(wish, pair);
    wish->is_auto =
        source && strcmp(source, "auto") == 0 && live_detector_is_there(service->detector);
    enum status status = v1_fields_check(json, names, err);
    if (status == STATUS_OK)
        status = v1_wish_read_texts(wish, &service->limits, json, err);
    if (status == STATUS_OK)
        status = read_search(&service->limits, json, wish, err);
    if (status == STATUS_OK)
        status = read_form(json, wish, err);
    if (status == STATUS_OK)
        status = read_storing(json, wish, err);
    if (status == STATUS_OK)
        status = read_glossary(json, wish, err);
    if (status == STATUS_OK)
        status = read_languages(&service->pairs, json, wish, err);
    return status;
}

/* A translation is aligned by the model of its languages alone. */
static enum status check_direct(const struct pairs *pairs, const struct v1_wish *wish,
                                struct error *err)
{
    struct live_model *hops[HOPS_MAX];
    const bool is_same = strcmp(wish->source, wish->target) == 0;
    const int count = is_same ? 0 : pairs_find(pairs, wish->source, wish->target, hops);
    for (int i = 0; i < count; i++)
        live_model_release(hops[i]);
    if (count == 1)
        return STATUS_OK;
    return error_set(err, STATUS_NOT_FOUND, "there is no model from %s to %s", wish->source,
                     wish->target);
}

enum status v1_wish_read_given(struct v1_wish *wish, const struct service *service,
                               const json_t *json, struct slice pair, struct error *err)
{
    static const char *const names[] = { "source_text", "target_text", "source",      "target",
                                         "model",       "level",       "deadline_ms", NULL };
    *wish = (struct v1_wish){ .n_best = 1 };
    take_pair(wish, pair);
    enum status status = v1_fields_check(json, names, err);
    if (status == STATUS_OK)
        status = read_given(&service->limits, json, wish, err);
    if (status == STATUS_OK)
        status = read_search(&service->limits, json, wish, err);
    if (status == STATUS_OK)
        status = read_form(json, wish, err);
    if (status == STATUS_OK)
        status = read_languages(&service->pairs, json, wish, err);
    if (status == STATUS_OK)
        status = check_direct(&service->pairs, wish, err);
    wish->alignment = true;
    return status;
}
