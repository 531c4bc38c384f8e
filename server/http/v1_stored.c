/* v1_stored.c - what the resources of stored translations have in common. */
#include "server/http/v1_stored.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/http/parameters.h"
#include "server/http/v1_fields.h"
#include "tokenizer/utf8.h"

#define DIGITS_MAX 9 // of a number in a query: fits an int

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "there is no memory for the answer");
}

/* ---- on the loop ---- */

static void answer_body(struct task *task)
{
    const struct v1_stored *stored = task->owner;
    exchange_body_with(&task->x, 200, stored->type, stored->headers, stored->body);
}

static enum status read_query(struct task *task, const struct v1_stored_way *way, struct error *err)
{
    json_t *query;
    enum status status = parameters_query(&query, task->x.message->query, err);
    if (status != STATUS_OK)
        return status;
    status = v1_fields_check(query, way->names, err);
    if (status == STATUS_OK)
        status = way->read(task, query, err);
    json_decref(query);
    return status;
}

static enum status prepare(struct task *task, const struct v1_stored_way *way, struct error *err)
{
    struct v1_stored *stored = task->owner;
    stored->type = "application/json";
    stored->headers = NO_STORE;
    task->work = way->work;
    task->done = way->done ? way->done : answer_body;
    return read_query(task, way, err);
}

void v1_stored_take(struct exchange *x, const struct v1_stored_way *way)
{
    struct error err;
    struct task *task;
    enum status status = task_new(&task, x, way->wish_bytes, &err);
    if (status == STATUS_OK)
        status = prepare(task, way, &err);
    if (status == STATUS_OK) {
        task_start(task);
        return;
    }
    task_free(task);
    exchange_fail(x, &err);
}

/* ---- parameters ---- */

enum status v1_stored_int(const json_t *query, const char *name, int min, int max, int *out,
                          struct error *err)
{
    const char *text = json_string_value(json_object_get(query, name));
    if (!text)
        return STATUS_OK;
    const size_t len = strlen(text);
    const bool is_number = len > 0 && len <= DIGITS_MAX && strspn(text, "0123456789") == len;
    const int number = is_number ? atoi(text) : -1;
    if (!is_number || number < min || number > max)
        return error_set(err, STATUS_BAD_INPUT, "%s must be an integer from %d to %d", name, min,
                         max);
    *out = number;
    return STATUS_OK;
}

enum status v1_stored_text(struct task *task, const json_t *query, const char *name,
                           const char **out, struct error *err)
{
    const json_t *value = json_object_get(query, name);
    const size_t len = json_string_length(value);
    if (len == 0)
        return STATUS_OK;
    if (utf8_length(json_string_value(value), len) > QUERY_CHARACTERS_MAX)
        return error_set(err, STATUS_BAD_INPUT, "%s has more than %d characters", name,
                         QUERY_CHARACTERS_MAX);
    *out = arena_copy(&task->arena, json_string_value(value), len);
    return *out ? STATUS_OK : no_memory(err);
}

enum status v1_stored_id(const struct task *task, long long *out, struct error *err)
{
    if (journal_id_read(task->x.values[0], out))
        return STATUS_OK;
    return error_set(err, STATUS_NOT_FOUND,
                     "that is no id of a translation: they look like a1-01HF7YAT00W3S");
}

/* ---- beside the loop ---- */

enum status v1_stored_tag(struct task *task, char tag[JOURNAL_TAG_BYTES], struct error *err)
{
    const struct journal *journal = task->x.service->journal;
    struct db *db;
    if (journal) {
        strcpy(tag, journal_replica(journal));
        return STATUS_OK;
    }
    enum status status = task_db(task, &db, err);
    return status == STATUS_OK ? journal_replica_of(db, tag, err) : status;
}

json_t *v1_stored_head(const struct stored_translation *t, const char *tag)
{
    char id[JOURNAL_ID_BYTES], created[CLOCK_TEXT_BYTES];
    journal_id_write(id, tag, t->id);
    clock_format(t->created_ms, created);
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s?,s:s,s:s,s:s?,s:s?,s:i,s:i,s:i,s:o}", "id", id, "created", created,
        "origin", t->suggestion_id ? "suggestion" : "model", "model", t->model, "via", t->via,
        "source", t->source_language, "target", t->target_language, "source_text", t->source_text,
        "target_text", t->target_text, "source_length", t->source_length, "target_length",
        t->target_length, "beam", t->beam, "took_ms", json_rounded((double)t->took_us / 1e3, 6));
}

enum status v1_stored_keep(struct task *task, const struct bytes *bytes, struct error *err)
{
    struct v1_stored *stored = task->owner;
    enum status status = bytes_check(bytes, "the answer: ask for less at once", err);
    if (status != STATUS_OK)
        return status;
    const char *copy = arena_copy(&task->arena, bytes->data ? bytes->data : "", bytes->len);
    stored->body = (struct slice){ copy, bytes->len };
    return copy ? STATUS_OK : no_memory(err);
}

enum status v1_stored_write(struct task *task, json_t *value, struct error *err)
{
    struct bytes bytes;
    if (!value)
        return no_memory(err);
    bytes_init(&bytes, REPLY_BYTES_MAX);
    (void)json_write(&bytes, value); // bytes remembers a failure
    json_decref(value);
    enum status status = v1_stored_keep(task, &bytes, err);
    bytes_release(&bytes);
    return status;
}
