/*
 * v1_translations.c - GET /v1/translations, GET and DELETE /v1/translations/{id}: what is stored.
 *
 *     {"translations":[{"id":"a1-01J...","created":"2026-...","origin":"model","model":"en-fr",
 *                       "via":null,"source":"en","target":"fr","source_text":"A cat.",
 *                       "target_text":"Un chat.",...},...],
 *      "next":"a1-01J...","storing":true}
 *
 * "next" is what `before` takes for the next page, null on the last. One
 * translation has an "answer" as well, as POST /v1/translate has it, with the
 * text that its source spans are of. Texts are null where the service keeps
 * none; then so is the answer.
 */
#include <string.h>

#include "server/engine/answer_json.h"
#include "server/http/routes.h"
#include "server/http/v1_fields.h"
#include "server/http/v1_stored.h"

#define LIST_LIMIT 20
#define LIST_LIMIT_MAX 100
#define LIST_BYTES_MAX ((size_t)4 << 20) // of texts; then the page ends early

/* ---- the list ---- */

struct list_wish {
    struct v1_stored common;
    struct journal_query query;
};

static enum status read_before(const json_t *query, long long *out, struct error *err)
{
    const char *text = json_string_value(json_object_get(query, "before"));
    if (!text || journal_id_read(text, out))
        return STATUS_OK;
    return error_set(err, STATUS_BAD_INPUT,
                     "before is the id of a translation: \"next\" of a page");
}

static enum status read_list(struct task *task, const json_t *query, struct error *err)
{
    struct journal_query *q = &((struct list_wish *)task->owner)->query;
    q->limit = LIST_LIMIT;
    enum status status = v1_stored_int(query, "limit", 1, LIST_LIMIT_MAX, &q->limit, err);
    if (status == STATUS_OK)
        status = read_before(query, &q->before, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "q", &q->text, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "source", &q->source, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "target", &q->target, err);
    if (status == STATUS_OK)
        status = v1_stored_text(task, query, "model", &q->model, err);
    return status;
}

static size_t text_bytes(const struct stored_translation *t)
{
    return (t->source_text ? strlen(t->source_text) : 0) +
           (t->target_text ? strlen(t->target_text) : 0);
}

/* Of one more than the limit, so that it is known whether there is another page. */
static json_t *list_to_json(const struct task *task, const struct stored_translation *found,
                            int count, const char *tag)
{
    const struct list_wish *wish = task->owner;
    const int limit = wish->query.limit - 1;
    char next[JOURNAL_ID_BYTES];
    json_t *list = json_array();
    bool ok = list;
    int n = 0;
    for (size_t bytes = 0; ok && n < count && n < limit && (n == 0 || bytes < LIST_BYTES_MAX);
         n++) {
        bytes += text_bytes(&found[n]);
        ok = json_array_append_new(list, v1_stored_head(&found[n], tag)) == 0;
    }
    if (ok && n < count)
        journal_id_write(next, tag, found[n - 1].id);
    json_t *page =
        ok ? json_pack("{s:O,s:s?,s:b}", "translations", list, "next", n < count ? next : NULL,
                       "storing", task->x.service->journal != NULL)
           : NULL;
    json_decref(list);
    return page;
}

static enum status write_list(struct task *task, struct error *err)
{
    struct list_wish *wish = task->owner;
    struct stored_translation *found;
    char tag[JOURNAL_TAG_BYTES];
    struct db *db;
    int count;
    wish->query.limit++;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = v1_stored_tag(task, tag, err);
    if (status == STATUS_OK)
        status =
            journal_list(db, &wish->query, task->x.caller.rows, &task->arena, &found, &count, err);
    if (status == STATUS_OK)
        status = v1_stored_write(task, list_to_json(task, found, count, tag), err);
    return status;
}

void get_v1_translations(struct exchange *x)
{
    static const char *const names[] = {
        "q", "source", "target", "model", "before", "limit", NULL
    };
    static const struct v1_stored_way way = { .names = names,
                                              .wish_bytes = sizeof(struct list_wish),
                                              .read = read_list,
                                              .work = write_list };
    v1_stored_take(x, &way);
}

/* ---- one ---- */

struct one_wish {
    struct v1_stored common;
    long long id;
    struct answer_json_options options;
};

static enum status read_one(struct task *task, const json_t *query, struct error *err)
{
    static const char *const levels[] = { "word", "piece", NULL };
    static const char *const answers[] = { "false", "true", NULL };
    struct one_wish *wish = task->owner;
    int is_piece = 0, has_alignment = 1;
    enum status status = v1_stored_id(task, &wish->id, err);
    if (status == STATUS_OK)
        status = v1_fields_word(query, "level", levels, &is_piece, err);
    if (status == STATUS_OK)
        status = v1_fields_word(query, "alignment", answers, &has_alignment, err);
    wish->options = (struct answer_json_options){ .alignment = has_alignment, .pieces = is_piece };
    return status;
}

/* *out stays NULL where no text was kept. */
static enum status answer_of(json_t **out, struct task *task, const struct stored_translation *t,
                             struct error *err)
{
    const struct one_wish *wish = task->owner;
    json_t *answer;
    *out = NULL;
    if (!t->text)
        return STATUS_OK;
    enum status status = answer_to_json(&answer, t->vocabulary, t->text, &t->answer, &wish->options,
                                        &task->arena, err);
    if (status != STATUS_OK)
        return status;
    if (json_object_set_new(answer, "source_text", json_stringn(t->text, t->text_len)) != 0) {
        json_decref(answer);
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the answer");
    }
    *out = answer;
    return STATUS_OK;
}

static enum status write_one(struct task *task, struct error *err)
{
    const struct one_wish *wish = task->owner;
    struct stored_translation t;
    char tag[JOURNAL_TAG_BYTES];
    json_t *answer;
    struct db *db;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = v1_stored_tag(task, tag, err);
    if (status == STATUS_OK)
        status = journal_read(db, task->x.service->journal, wish->id, task->x.caller.rows,
                              &task->arena, &t, err);
    if (status == STATUS_OK)
        status = answer_of(&answer, task, &t, err);
    if (status != STATUS_OK)
        return status;
    json_t *whole = v1_stored_head(&t, tag);
    if (json_object_set_new(whole, "answer", answer ? answer : json_null()) != 0) {
        json_decref(whole);
        whole = NULL;
    }
    return v1_stored_write(task, whole, err);
}

void get_v1_translation(struct exchange *x)
{
    static const char *const names[] = { "level", "alignment", NULL };
    static const struct v1_stored_way way = {
        .names = names, .wish_bytes = sizeof(struct one_wish), .read = read_one, .work = write_one
    };
    v1_stored_take(x, &way);
}

/* ---- gone ---- */

static enum status read_id(struct task *task, const json_t *query, struct error *err)
{
    (void)query;
    return v1_stored_id(task, &((struct one_wish *)task->owner)->id, err);
}

static enum status delete_one(struct task *task, struct error *err)
{
    const struct one_wish *wish = task->owner;
    struct db *db;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = journal_delete(db, task->x.service->journal, wish->id, task->x.caller.rows, err);
    return status;
}

static void answer_deleted(struct task *task)
{
    exchange_empty(&task->x, NO_STORE);
}

void delete_v1_translation(struct exchange *x)
{
    static const char *const names[] = { NULL };
    static const struct v1_stored_way way = { .names = names,
                                              .wish_bytes = sizeof(struct one_wish),
                                              .read = read_id,
                                              .work = delete_one,
                                              .done = answer_deleted };
    v1_stored_take(x, &way);
}
