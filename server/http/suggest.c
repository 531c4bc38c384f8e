/*
 * suggest.c - POST /suggest, as LibreTranslate has it: "s" would be a better translation of "q".
 *
 * It waits, with those of others, until somebody has accepted it.
 */
#include <string.h>

#include "server/http/background.h"
#include "server/http/parameters.h"
#include "server/http/routes.h"
#include "server/http/wish.h"
#include "server/store/suggestions.h"

struct suggesting { // of a task
    struct suggestion suggestion;
    char client[SUGGESTION_CLIENT_BYTES];
};

static enum status add(struct task *task, struct error *err)
{
    const struct suggesting *s = task->owner;
    struct db *db;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = suggestions_add(db, &s->suggestion, s->client, err);
    return status;
}

static void answer(struct task *task)
{
    exchange_json(&task->x, 200, json_pack("{s:b}", "success", 1));
}

/* The field as a text in the arena; in `p` it is not empty. */
static enum status copy_text(struct arena *arena, const json_t *p, const char *name,
                             const char **out, struct error *err)
{
    const json_t *value = json_object_get(p, name);
    if (!json_is_string(value))
        return error_set(err, STATUS_BAD_INPUT, "Invalid request: %s must be a text", name);
    if (json_string_length(value) > SUGGESTION_BYTES_MAX)
        return error_set(err, STATUS_BAD_INPUT,
                         "Invalid request: %s has more than %d bytes; suggest sentence by sentence",
                         name, SUGGESTION_BYTES_MAX);
    *out = arena_copy(arena, json_string_value(value), json_string_length(value));
    return *out ? STATUS_OK
                : error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
}

static enum status copy_language(struct arena *arena, const json_t *p, const char *name,
                                 const struct pairs *pairs, const char **out, struct error *err)
{
    char code[LANGUAGE_CODE_BYTES];
    enum status status = wish_language(p, name, pairs, code, err);
    if (status != STATUS_OK)
        return status;
    *out = arena_copy(arena, code, strlen(code));
    return *out ? STATUS_OK
                : error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
}

static enum status read_fields(struct task *task, const json_t *p, struct suggesting *out,
                               struct error *err)
{
    const struct pairs *pairs = &task->x.service->pairs;
    struct suggestion *s = &out->suggestion;
    s->key_id = task->x.caller.key_id;
    enum status status = copy_text(&task->arena, p, "q", &s->source_text, err);
    if (status == STATUS_OK)
        status = copy_text(&task->arena, p, "s", &s->suggested_text, err);
    if (status == STATUS_OK)
        status = copy_language(&task->arena, p, "source", pairs, &s->source_language, err);
    if (status == STATUS_OK)
        status = copy_language(&task->arena, p, "target", pairs, &s->target_language, err);
    if (status == STATUS_OK)
        status = wish_check_pair(pairs, s->source_language, s->target_language, err);
    if (status == STATUS_OK)
        status = suggestion_client(s->key_id, task->x.caller.address, out->client, err);
    return status;
}

static enum status start(const struct exchange *x, const json_t *p, struct error *err)
{
    struct task *task;
    enum status status = task_new(&task, x, sizeof(struct suggesting), err);
    if (status != STATUS_OK)
        return status;
    status = read_fields(task, p, task->owner, err);
    if (status != STATUS_OK) {
        task_free(task);
        return status;
    }
    task->work = add;
    task->done = answer;
    task_start(task);
    return STATUS_OK;
}

void post_suggest(struct exchange *x)
{
    static const char *const names[] = { "q", "s", "source", "target", NULL };
    struct error err;
    json_t *p;
    enum status status = parameters_read(&p, x->message, names, &err);
    if (status == STATUS_OK)
        status = wish_check_present(p, names, &err);
    if (status == STATUS_OK)
        status = start(x, p, &err);
    if (status != STATUS_OK)
        exchange_fail(x, &err);
    json_decref(p);
}
