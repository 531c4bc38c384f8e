/*
 * v1_suggestions.c - GET /v1/suggestions, and POST /v1/suggestions/{id}/accept or /reject.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/http/background.h"
#include "server/http/parameters.h"
#include "server/http/routes.h"
#include "server/http/v1_fields.h"
#include "server/store/suggestions.h"

#define LIST_DEFAULT 50
#define LIST_MAX 500
#define ID_MAX 9007199254740991 // that every reader of JSON takes as it is

struct asking { // of a task
    long long id, before;
    enum suggestion_state state; // to list, or to become
    int limit;
    struct suggestion *found;
    int count;
};

/* A whole number from 1 to max, in decimal digits. */
static bool read_number(const char *text, long long max, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out >= 1 &&
           *out <= max;
}

static enum status start(const struct exchange *x, const struct asking *asked,
                         enum status (*work)(struct task *task, struct error *err),
                         void (*done)(struct task *task), struct error *err)
{
    struct task *task;
    enum status status = task_new(&task, x, sizeof *asked, err);
    if (status != STATUS_OK)
        return status;
    *(struct asking *)task->owner = *asked;
    task->work = work;
    task->done = done;
    task_start(task);
    return STATUS_OK;
}

/* ---- the list ---- */

static enum status list(struct task *task, struct error *err)
{
    struct asking *a = task->owner;
    struct db *db;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = suggestions_list(db, a->state, a->before, a->limit, &task->arena, &a->found,
                                  &a->count, err);
    return status;
}

static json_t *suggestion_to_json(const struct suggestion *s)
{
    json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:I}", "id", (json_int_t)s->id,
                             "state", suggestion_state_name(s->state), "source", s->source_language,
                             "target", s->target_language, "text", s->source_text, "suggestion",
                             s->suggested_text, "created_ms", (json_int_t)s->created_ms);
    if (json && s->decided_ms != 0)
        json_object_set_new(json, "decided_ms", json_integer(s->decided_ms));
    return json;
}

static void answer_list(struct task *task)
{
    const struct asking *a = task->owner;
    json_t *list = json_array();
    for (int i = 0; i < a->count; i++)
        json_array_append_new(list, suggestion_to_json(&a->found[i]));
    exchange_json(&task->x, 200, json_pack("{s:o}", "suggestions", list));
}

/* Absent is NULL. */
static const char *parameter(const json_t *p, const char *name)
{
    return json_string_value(json_object_get(p, name));
}

static enum status read_query(const json_t *p, struct asking *a, struct error *err)
{
    const char *state = parameter(p, "state"), *before = parameter(p, "before"),
               *limit = parameter(p, "limit");
    long long number = LIST_DEFAULT;
    if (state && !suggestion_state_read(state, &a->state))
        return error_set(err, STATUS_BAD_INPUT, "state must be pending, accepted or rejected");
    if (before && !read_number(before, ID_MAX, &a->before))
        return error_set(err, STATUS_BAD_INPUT, "before must be the id of a suggestion");
    if (limit && !read_number(limit, LIST_MAX, &number))
        return error_set(err, STATUS_BAD_INPUT, "limit must be a number from 1 to %d", LIST_MAX);
    a->limit = (int)number;
    return STATUS_OK;
}

void get_suggestions(struct exchange *x)
{
    static const char *const names[] = { "state", "before", "limit", NULL };
    struct asking asked = { .state = SUGGESTION_PENDING };
    struct error err;
    json_t *p;
    enum status status = parameters_query(&p, x->message->query, &err);
    if (status == STATUS_OK)
        status = v1_fields_check(p, names, &err);
    if (status == STATUS_OK)
        status = read_query(p, &asked, &err);
    if (status == STATUS_OK)
        status = start(x, &asked, list, answer_list, &err);
    if (status != STATUS_OK)
        exchange_fail(x, &err);
    json_decref(p);
}

/* ---- deciding ---- */

static enum status decide(struct task *task, struct error *err)
{
    const struct asking *a = task->owner;
    struct db *db;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = suggestions_decide(db, a->id, a->state, err);
    return status;
}

static void answer_decided(struct task *task)
{
    const struct asking *a = task->owner;
    background_repeat_now(task->background); // what is given to all follows at once
    exchange_json(
        &task->x, 200,
        json_pack("{s:I, s:s}", "id", (json_int_t)a->id, "state", suggestion_state_name(a->state)));
}

static void post_decision(struct exchange *x, enum suggestion_state state)
{
    struct asking asked = { .state = state };
    struct error err;
    enum status status = STATUS_OK;
    if (!read_number(x->values[0], ID_MAX, &asked.id))
        status = error_set(&err, STATUS_NOT_FOUND, "there is no such suggestion: ids are numbers");
    if (status == STATUS_OK)
        status = start(x, &asked, decide, answer_decided, &err);
    if (status != STATUS_OK)
        exchange_fail(x, &err);
}

void post_accept(struct exchange *x)
{
    post_decision(x, SUGGESTION_ACCEPTED);
}

void post_reject(struct exchange *x)
{
    post_decision(x, SUGGESTION_REJECTED);
}
