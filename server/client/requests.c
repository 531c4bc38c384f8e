/* requests.c - what a call asks for, as JSON. */
#include "server/client/requests.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "server/client/error.h"

/* An object that is being filled; the first failure counts and the rest is passed over. */
struct writer {
    json_t *object;
    enum verso_status status;
    struct verso_error *err;
};

static void spoil(struct writer *w, enum verso_status status, const char *name, const char *what)
{
    if (w->status != VERSO_OK)
        return;
    w->status = status == VERSO_NO_MEMORY ? verso_error_set(w->err, status, VERSO_NO_MEMORY_TEXT)
                                          : verso_error_set(w->err, status, "%s %s", name, what);
}

/* jansson says NULL both to what is not UTF-8 and when there is no memory. */
static json_t *text_json(struct writer *w, const char *name, const char *text)
{
    if (!text) {
        spoil(w, VERSO_BAD_ARGUMENT, name, "is NULL: give a text");
        return NULL;
    }
    errno = 0;
    json_t *value = json_string(text);
    if (!value && errno == ENOMEM)
        spoil(w, VERSO_NO_MEMORY, name, "");
    else if (!value)
        spoil(w, VERSO_BAD_ARGUMENT, name, "has bytes that are not UTF-8");
    return value;
}

static void set(struct writer *w, const char *name, json_t *value)
{
    if (json_object_set_new(w->object, name, value) != 0)
        spoil(w, VERSO_NO_MEMORY, name, "");
}

static void set_text(struct writer *w, const char *name, const char *text)
{
    set(w, name, text_json(w, name, text));
}

static void set_text_if_any(struct writer *w, const char *name, const char *text)
{
    if (text)
        set_text(w, name, text);
}

static void set_number_if_any(struct writer *w, const char *name, int number)
{
    if (number != 0)
        set(w, name, json_integer(number));
}

static void set_level(struct writer *w, enum verso_level level)
{
    if (level == VERSO_LEVEL_PIECE)
        set_text(w, "level", "piece");
}

static void set_texts(struct writer *w, const char *const *texts, size_t count)
{
    json_t *list = json_array();
    if (!texts || count == 0)
        spoil(w, VERSO_BAD_ARGUMENT, "texts", "has none: give at least one");
    for (size_t i = 0; w->status == VERSO_OK && i < count; i++)
        if (json_array_append_new(list, text_json(w, "a text", texts[i])) != 0)
            spoil(w, VERSO_NO_MEMORY, "text", "");
    set(w, "text", list);
}

static void set_glossary(struct writer *w, const struct verso_term *terms, size_t count)
{
    json_t *object = json_object();
    struct writer inner = { .object = object, .status = w->status, .err = w->err };
    if (!terms)
        spoil(&inner, VERSO_BAD_ARGUMENT, "glossary", "is NULL: give its terms");
    for (size_t i = 0; inner.status == VERSO_OK && i < count; i++) {
        json_t *term = text_json(&inner, "a term of the glossary", terms[i].term);
        if (term)
            set(&inner, terms[i].term,
                text_json(&inner, "a translation of the glossary", terms[i].translation));
        json_decref(term);
    }
    w->status = inner.status;
    set(w, "glossary", object);
}

/* ---- writing ---- */

/* jansson does not look whether a key could be appended: the writer remembers it. */
static int append_part(const char *part, size_t len, void *context)
{
    struct writer *w = ((void **)context)[0];
    const enum verso_status status = verso_bytes_append(((void **)context)[1], part, len);
    if (status == VERSO_TOO_LARGE && w->status == VERSO_OK)
        w->status = verso_error_set(w->err, status,
                                    "the request has more than %u bytes: send the texts in parts",
                                    VERSO_REQUEST_BYTES_MAX);
    else if (status != VERSO_OK)
        spoil(w, status, "", "");
    return status == VERSO_OK ? 0 : -1;
}

static void writer_init(struct writer *w, struct verso_error *err)
{
    *w = (struct writer){ .object = json_object(), .err = err };
}

/* Takes the object. */
static enum verso_status finish(struct writer *w, struct verso_bytes *out)
{
    void *context[] = { w, out };
    if (w->status == VERSO_OK &&
        json_dump_callback(w->object, append_part, context, JSON_COMPACT) != 0)
        spoil(w, VERSO_NO_MEMORY, "", "");
    json_decref(w->object);
    return w->status;
}

enum verso_status verso_write_translate(struct verso_bytes *out,
                                        const struct verso_request *request,
                                        struct verso_error *err)
{
    struct writer w;
    writer_init(&w, err);
    set_texts(&w, request->texts, request->text_count);
    set_text(&w, "source", request->source);
    set_text(&w, "target", request->target);
    set_text_if_any(&w, "model", request->model);
    set_level(&w, request->level);
    if (request->format == VERSO_FORMAT_HTML)
        set_text(&w, "format", "html");
    set_number_if_any(&w, "beam", request->beam);
    set_number_if_any(&w, "n_best", request->n_best);
    set_number_if_any(&w, "deadline_ms", request->deadline_ms);
    if (request->alignment)
        set(&w, "alignment", json_true());
    if (request->not_stored)
        set(&w, "store", json_false());
    if (request->durable)
        set(&w, "durable", json_true());
    if (request->glossary_count > 0)
        set_glossary(&w, request->glossary, request->glossary_count);
    return finish(&w, out);
}

enum verso_status verso_write_align(struct verso_bytes *out, const struct verso_pair *pair,
                                    struct verso_error *err)
{
    struct writer w;
    writer_init(&w, err);
    set_text(&w, "source_text", pair->source_text);
    set_text(&w, "target_text", pair->target_text);
    set_text(&w, "source", pair->source);
    set_text(&w, "target", pair->target);
    set_text_if_any(&w, "model", pair->model);
    set_level(&w, pair->level);
    set_number_if_any(&w, "deadline_ms", pair->deadline_ms);
    return finish(&w, out);
}

enum verso_status verso_write_detect(struct verso_bytes *out, const char *const *texts,
                                     size_t text_count, struct verso_error *err)
{
    struct writer w;
    writer_init(&w, err);
    set_texts(&w, texts, text_count);
    return finish(&w, out);
}
