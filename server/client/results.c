/* results.c - replies become results, and nothing in them is believed. */
#include "server/client/results.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "server/client/error.h"
#include "server/client/memory.h"

/* A result that is being read. The first failure counts; what is read after it is empty. */
struct reader {
    struct verso_pool pool;
    enum verso_status status;
    struct verso_error *err;
    const char *const *texts; // that were sent
    size_t text_count, text_at;
    size_t source_len, target_len; // of the texts that spans are of
};

enum verso_status verso_parse(json_t **out, const char *bytes, size_t len, struct verso_error *err)
{
    json_error_t why;
    errno = 0;
    *out = json_loadb(bytes ? bytes : "", len, JSON_REJECT_DUPLICATES, &why);
    if (*out)
        return VERSO_OK;
    if (errno == ENOMEM || json_error_code(&why) == json_error_out_of_memory)
        return verso_error_set(err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
    return verso_error_set(err, VERSO_BAD_REPLY,
                           "what answers is no verso server: its reply is not JSON (%s)", why.text);
}

static void spoil(struct reader *r, const char *name, const char *what)
{
    if (r->status == VERSO_OK)
        r->status = verso_error_set(r->err, VERSO_BAD_REPLY,
                                    "what answers is no verso server, or one of another version: "
                                    "in its reply \"%s\" is %s",
                                    name, what);
}

static void no_memory(struct reader *r)
{
    if (r->status == VERSO_OK)
        r->status = verso_error_set(r->err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
}

/* The result itself; NULL: no memory. */
static void *begin(struct reader *r, size_t result_bytes, struct verso_error *err)
{
    *r = (struct reader){ .err = err, .source_len = SIZE_MAX, .target_len = SIZE_MAX };
    void *result = verso_pool_new(&r->pool, result_bytes);
    if (!result)
        no_memory(r);
    return result;
}

/* The result, or NULL where it was spoiled. */
static void *finish(const struct reader *r, void *result)
{
    if (r->status == VERSO_OK)
        return result;
    verso_free(result);
    return NULL;
}

/* ---- values ---- */

static const char *copy_text(struct reader *r, const json_t *value)
{
    const char *copy =
        verso_pool_copy(&r->pool, json_string_value(value), json_string_length(value));
    if (!copy)
        no_memory(r);
    return copy;
}

static const char *read_text(struct reader *r, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_string(value))
        return copy_text(r, value);
    spoil(r, name, "no text");
    return NULL;
}

/* NULL where it is absent or null. */
static const char *read_text_if_any(struct reader *r, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return !value || json_is_null(value) ? NULL : read_text(r, object, name);
}

static double number_of(struct reader *r, const json_t *value, const char *name)
{
    const double number = json_number_value(value);
    if (json_is_number(value) && fabs(number) <= (double)FLT_MAX)
        return number;
    spoil(r, name, "no number");
    return 0;
}

static double read_number(struct reader *r, const json_t *object, const char *name)
{
    return number_of(r, json_object_get(object, name), name);
}

static size_t count_of(struct reader *r, const json_t *value, const char *name)
{
    const json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= 0)
        return (size_t)number;
    spoil(r, name, "no count");
    return 0;
}

static size_t read_count(struct reader *r, const json_t *object, const char *name)
{
    return count_of(r, json_object_get(object, name), name);
}

/* Of a text of `len` bytes. */
static struct verso_span read_span(struct reader *r, const json_t *object, const char *name,
                                   size_t len)
{
    const json_t *value = json_object_get(object, name);
    struct verso_span span = { 0, 0 };
    if (json_array_size(value) != 2) {
        spoil(r, name, "no pair of positions");
        return span;
    }
    span.from = count_of(r, json_array_get(value, 0), name);
    span.to = count_of(r, json_array_get(value, 1), name);
    if (span.from > span.to || span.to > len)
        spoil(r, name, "outside of its text");
    return span;
}

/* A list, each element of it by `read`. */
static const void *read_list(struct reader *r, const json_t *object, const char *name,
                             size_t element_bytes,
                             void (*read)(struct reader *r, const json_t *json, void *out),
                             size_t *count)
{
    const json_t *list = json_object_get(object, name);
    *count = 0;
    if (!json_is_array(list)) {
        spoil(r, name, "no list");
        return NULL;
    }
    const size_t size = json_array_size(list);
    char *elements = verso_pool_alloc(&r->pool, size, element_bytes);
    if (!elements) {
        no_memory(r);
        return NULL;
    }
    for (size_t i = 0; i < size && r->status == VERSO_OK; i++)
        read(r, json_array_get(list, i), elements + i * element_bytes);
    *count = size;
    return elements;
}

/* ---- tokens ---- */

static void read_link(struct reader *r, const json_t *json, void *out)
{
    *(size_t *)out = count_of(r, json, "links");
}

static void read_token(struct reader *r, const json_t *json, void *out)
{
    struct verso_token *token = out;
    token->text = read_text(r, json, "text");
    token->span = read_span(r, json, "span", r->target_len);
    token->log_prob = (float)read_number(r, json, "log_prob");
    token->confidence = (float)read_number(r, json, "confidence");
    token->links = read_list(r, json, "links", sizeof *token->links, read_link, &token->link_count);
}

static void read_source_token(struct reader *r, const json_t *json, void *out)
{
    struct verso_source_token *token = out;
    token->text = read_text(r, json, "text");
    token->span = read_span(r, json, "span", r->source_len);
    token->coverage = (float)read_number(r, json, "coverage");
}

static void check_links(struct reader *r, const struct verso_sentence *sentence)
{
    for (size_t t = 0; t < sentence->token_count && r->status == VERSO_OK; t++)
        for (size_t i = 0; i < sentence->tokens[t].link_count; i++)
            if (sentence->tokens[t].links[i] >= sentence->source_token_count)
                spoil(r, "links", "outside of the source tokens");
}

/* ---- matrices ---- */

static void read_row(struct reader *r, const json_t *row, size_t columns, float *out)
{
    if (!json_is_array(row) || json_array_size(row) != columns) {
        spoil(r, "alignment", "no matrix with a column a source token and one more");
        return;
    }
    for (size_t i = 0; i < columns; i++)
        out[i] = (float)number_of(r, json_array_get(row, i), "alignment");
}

/* Empty where it is absent. */
static struct verso_alignment read_alignment(struct reader *r, const json_t *object, size_t columns)
{
    struct verso_alignment alignment = { 0 };
    const json_t *list = json_object_get(object, "alignment");
    if (!list || r->status != VERSO_OK)
        return alignment;
    if (!json_is_array(list)) {
        spoil(r, "alignment", "no list");
        return alignment;
    }
    const size_t rows = json_array_size(list);
    float *weights = verso_pool_alloc(&r->pool, rows, columns * sizeof *weights);
    if (!weights) {
        no_memory(r);
        return alignment;
    }
    for (size_t i = 0; i < rows && r->status == VERSO_OK; i++)
        read_row(r, json_array_get(list, i), columns, weights + i * columns);
    return (struct verso_alignment){ .rows = rows, .columns = columns, .weights = weights };
}

/* ---- translations ---- */

static void read_n_best(struct reader *r, const json_t *object, struct verso_sentence *sentence)
{
    const json_t *list = json_object_get(object, "n_best");
    const size_t size = json_array_size(list);
    if (!list || r->status != VERSO_OK)
        return;
    if (!json_is_array(list)) {
        spoil(r, "n_best", "no list");
        return;
    }
    struct verso_hypothesis *others = verso_pool_alloc(&r->pool, size, sizeof *others);
    if (!others) {
        no_memory(r);
        return;
    }
    for (size_t i = 0; i < size && r->status == VERSO_OK; i++) {
        const json_t *other = json_array_get(list, i);
        others[i].text = read_text(r, other, "text");
        others[i].score = read_number(r, other, "score");
        others[i].alignment = read_alignment(r, other, sentence->source_token_count + 1);
    }
    sentence->n_best = others;
    sentence->n_best_count = size;
}

static void read_sentence(struct reader *r, const json_t *json, void *out)
{
    struct verso_sentence *sentence = out;
    sentence->source = read_span(r, json, "source", r->source_len);
    sentence->target = read_span(r, json, "target", r->target_len);
    sentence->score = read_number(r, json, "score");
    sentence->tokens =
        read_list(r, json, "tokens", sizeof *sentence->tokens, read_token, &sentence->token_count);
    sentence->source_tokens = read_list(r, json, "source_tokens", sizeof *sentence->source_tokens,
                                        read_source_token, &sentence->source_token_count);
    check_links(r, sentence);
    sentence->alignment = read_alignment(r, json, sentence->source_token_count + 1);
    if (sentence->alignment.weights && sentence->alignment.rows != sentence->token_count)
        spoil(r, "alignment", "no matrix with a row a token");
    read_n_best(r, json, sentence);
}

static void read_warning(struct reader *r, const json_t *json, void *out)
{
    struct verso_warning *warning = out;
    warning->kind = read_text(r, json, "kind");
    if (json_object_get(json, "source"))
        warning->source = read_span(r, json, "source", r->source_len);
    if (json_object_get(json, "target"))
        warning->target = read_span(r, json, "target", r->target_len);
}

/* What a translation and the answer of a stored one have in common. */
static void read_answer(struct reader *r, const json_t *json, struct verso_translation *out)
{
    out->text = read_text(r, json, "text");
    r->target_len = out->text ? strlen(out->text) : 0;
    if (out->source_text)
        r->source_len = strlen(out->source_text);
    if (json_object_get(json, "score"))
        out->score = read_number(r, json, "score");
    out->sentences = read_list(r, json, "sentences", sizeof *out->sentences, read_sentence,
                               &out->sentence_count);
    out->warnings =
        read_list(r, json, "warnings", sizeof *out->warnings, read_warning, &out->warning_count);
}

static void read_translation(struct reader *r, const json_t *json, void *out)
{
    struct verso_translation *translation = out;
    const json_t *detected = json_object_get(json, "detected");
    if (r->text_at == r->text_count) {
        spoil(r, "translations", "longer than the list of texts");
        return;
    }
    r->source_len = strlen(r->texts[r->text_at++]);
    translation->id = read_text_if_any(r, json, "id");
    translation->origin = read_text(r, json, "origin");
    translation->source_text = read_text_if_any(r, json, "via_text");
    translation->model = read_text_if_any(r, json, "model");
    translation->via = read_text_if_any(r, json, "via");
    if (detected) {
        translation->detected_language = read_text(r, detected, "language");
        translation->detected_confidence = read_number(r, detected, "confidence");
    }
    read_answer(r, json, translation);
}

enum verso_status verso_read_translations(struct verso_translations **out, const json_t *json,
                                          const char *const *texts, size_t text_count,
                                          struct verso_error *err)
{
    struct reader r;
    struct verso_translations *all = begin(&r, sizeof *all, err);
    r.texts = texts;
    r.text_count = text_count;
    if (all) {
        all->model = read_text_if_any(&r, json, "model");
        all->via = read_text_if_any(&r, json, "via");
        all->translations = read_list(&r, json, "translations", sizeof *all->translations,
                                      read_translation, &all->translation_count);
        if (all->translation_count != text_count)
            spoil(&r, "translations", "of another length than the texts");
    }
    *out = finish(&r, all);
    return r.status;
}

enum verso_status verso_read_stored(struct verso_stored **out, const json_t *json,
                                    struct verso_error *err)
{
    struct reader r;
    struct verso_stored *stored = begin(&r, sizeof *stored, err);
    struct verso_translation *answer = stored ? verso_pool_alloc(&r.pool, 1, sizeof *answer) : NULL;
    if (!answer) {
        no_memory(&r);
        *out = finish(&r, stored);
        return r.status;
    }
    stored->id = answer->id = read_text(&r, json, "id");
    stored->created = read_text(&r, json, "created");
    stored->origin = answer->origin = read_text(&r, json, "origin");
    stored->model = answer->model = read_text(&r, json, "model");
    stored->via = answer->via = read_text_if_any(&r, json, "via");
    stored->source = read_text(&r, json, "source");
    stored->target = read_text(&r, json, "target");
    stored->source_text = read_text_if_any(&r, json, "source_text");
    stored->target_text = read_text_if_any(&r, json, "target_text");
    stored->source_length = read_count(&r, json, "source_length");
    stored->target_length = read_count(&r, json, "target_length");
    stored->beam = read_count(&r, json, "beam");
    stored->took_ms = read_number(&r, json, "took_ms");
    const json_t *given = json_object_get(json, "answer");
    if (given && !json_is_null(given)) {
        answer->source_text = read_text(&r, given, "source_text");
        read_answer(&r, given, answer);
        stored->answer = answer;
    }
    *out = finish(&r, stored);
    return r.status;
}

/* ---- a stream ---- */

static void read_streamed_row(struct reader *r, const json_t *json,
                              struct verso_streamed_token *token)
{
    const json_t *row = json_object_get(json, "alignment");
    const size_t count = json_array_size(row);
    float *weights = row ? verso_pool_alloc(&r->pool, count, sizeof *weights) : NULL;
    if (row && !weights)
        no_memory(r);
    if (!weights)
        return;
    read_row(r, row, count, weights);
    token->alignment = weights;
    token->alignment_count = count;
}

enum verso_status verso_read_streamed_token(struct verso_streamed_token **out, const json_t *json,
                                            size_t text_count, struct verso_error *err)
{
    struct reader r;
    struct verso_streamed_token *streamed = begin(&r, sizeof *streamed, err);
    const json_t *given = json_object_get(json, "token");
    struct verso_token *token = streamed ? verso_pool_alloc(&r.pool, 1, sizeof *token) : NULL;
    if (!token) {
        no_memory(&r);
        *out = finish(&r, streamed);
        return r.status;
    }
    streamed->index = read_count(&r, json, "index");
    if (streamed->index >= text_count)
        spoil(&r, "index", "of no text");
    streamed->text = read_text(&r, json, "text");
    if (given) {
        streamed->sentence = read_count(&r, json, "sentence");
        read_token(&r, given, token);
        streamed->token = token;
    }
    read_streamed_row(&r, json, streamed);
    *out = finish(&r, streamed);
    return r.status;
}

/* ---- languages ---- */

static void read_candidate(struct reader *r, const json_t *json, void *out)
{
    struct verso_candidate *candidate = out;
    candidate->language = read_text(r, json, "language");
    candidate->confidence = read_number(r, json, "confidence");
}

static void read_detection(struct reader *r, const json_t *json, void *out)
{
    struct verso_detection *detection = out;
    detection->language = read_text_if_any(r, json, "language");
    detection->confidence = read_number(r, json, "confidence");
    detection->candidates = read_list(r, json, "candidates", sizeof *detection->candidates,
                                      read_candidate, &detection->candidate_count);
}

enum verso_status verso_read_detections(struct verso_detections **out, const json_t *json,
                                        size_t text_count, struct verso_error *err)
{
    struct reader r;
    struct verso_detections *all = begin(&r, sizeof *all, err);
    if (all) {
        all->detections = read_list(&r, json, "detections", sizeof *all->detections, read_detection,
                                    &all->detection_count);
        if (all->detection_count != text_count)
            spoil(&r, "detections", "of another length than the texts");
    }
    *out = finish(&r, all);
    return r.status;
}

static void read_code(struct reader *r, const json_t *json, void *out)
{
    if (json_is_string(json))
        *(const char **)out = copy_text(r, json);
    else
        spoil(r, "targets", "no list of codes");
}

static void read_language(struct reader *r, const json_t *json, void *out)
{
    struct verso_language *language = out;
    language->code = read_text(r, json, "code");
    language->name = read_text(r, json, "name");
    language->targets = read_list(r, json, "targets", sizeof *language->targets, read_code,
                                  &language->target_count);
}

enum verso_status verso_read_languages(struct verso_languages **out, const json_t *json,
                                       struct verso_error *err)
{
    struct reader r;
    struct verso_languages *all = begin(&r, sizeof *all, err);
    json_t *named = json_pack("{s:O}", "languages", json); // the reply is the bare list
    if (!named)
        no_memory(&r);
    if (all && named)
        all->languages = read_list(&r, named, "languages", sizeof *all->languages, read_language,
                                   &all->language_count);
    json_decref(named);
    *out = finish(&r, all);
    return r.status;
}

/* ---- what the server has ---- */

static const char *read_card(struct reader *r, const json_t *json)
{
    const json_t *card = json_object_get(json, "card");
    if (!card || json_is_null(card))
        return NULL;
    if (!json_is_object(card)) {
        spoil(r, "card", "no object");
        return NULL;
    }
    const size_t len = json_dumpb(card, NULL, 0, JSON_COMPACT);
    char *text = len > 0 ? verso_pool_alloc(&r->pool, len + 1, 1) : NULL;
    if (!text || json_dumpb(card, text, len, JSON_COMPACT) != len)
        no_memory(r);
    return text;
}

static void read_model(struct reader *r, const json_t *json, void *out)
{
    struct verso_model *model = out;
    const json_t *sizes = json_object_get(json, "sizes");
    model->name = read_text(r, json, "name");
    model->source = read_text(r, json, "source");
    model->target = read_text(r, json, "target");
    model->state = read_text(r, json, "state");
    model->digest = read_text(r, json, "digest");
    model->card = read_card(r, json);
    model->vocabulary = read_count(r, sizes, "vocabulary");
    model->embedding = read_count(r, sizes, "embedding");
    model->hidden = read_count(r, sizes, "hidden");
    model->attention = read_count(r, sizes, "attention");
    model->encoder_layers = read_count(r, sizes, "encoder_layers");
    model->decoder_layers = read_count(r, sizes, "decoder_layers");
}

enum verso_status verso_read_models(struct verso_models **out, const json_t *json,
                                    struct verso_error *err)
{
    struct reader r;
    struct verso_models *all = begin(&r, sizeof *all, err);
    if (all)
        all->models =
            read_list(&r, json, "models", sizeof *all->models, read_model, &all->model_count);
    *out = finish(&r, all);
    return r.status;
}

enum verso_status verso_read_health(struct verso_health *out, const json_t *json,
                                    struct verso_error *err)
{
    struct reader r = { .err = err };
    const char *status = json_string_value(json_object_get(json, "status"));
    const json_t *storing = json_object_get(json, "storing");
    struct verso_health health = { .is_ready = status && strcmp(status, "ready") == 0,
                                   .is_storing = json_is_true(storing),
                                   .models = read_count(&r, json, "models") };
    if (!status)
        spoil(&r, "status", "no text");
    if (!json_is_boolean(storing))
        spoil(&r, "storing", "neither true nor false");
    if (r.status == VERSO_OK)
        *out = health;
    return r.status;
}

enum verso_status verso_copy_file(struct verso_file **out, const char *content_type,
                                  const char *bytes, size_t len, struct verso_error *err)
{
    struct reader r;
    struct verso_file *file = begin(&r, sizeof *file, err);
    if (file) {
        file->content_type = verso_pool_copy(&r.pool, content_type, strlen(content_type));
        file->bytes = verso_pool_copy(&r.pool, bytes, len);
        file->len = len;
        if (!file->content_type || !file->bytes)
            no_memory(&r);
    }
    *out = finish(&r, file);
    return r.status;
}
