/* v1_call.c - a request of /v1 that becomes translations, on its way. */
#include "server/http/v1_call.h"

#include <string.h>

#include "server/http/background.h"
#include "server/http/detect.h"
#include "server/http/v1_fields.h"

static enum status too_large(struct error *err)
{
    return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
}

/* Parts that needed no model have not been to a worker. */
static void answer(struct call *call)
{
    const struct v1_way *way = ((struct v1_call *)call->context)->way;
    for (struct call *part = call; part && call->status == STATUS_OK; part = part->next)
        if (!((struct v1_call *)part->context)->written)
            call->status = way->on_answers(part->request, &call->err);
    way->answer(call);
}

/* ---- a part ---- */

/* The texts in the language of text `first`, and where they belong. */
static enum status set_texts(struct call *part, const struct v1_wish *wish,
                             const struct v1_detected *detected, int first, struct error *err)
{
    struct request *r = part->request;
    struct v1_call *v1 = part->context;
    v1->places = arena_array(&r->arena, int, r->text_count);
    if (detected)
        v1->detected = arena_array(&r->arena, struct v1_detected, r->text_count);
    if (!v1->places || (detected && !v1->detected))
        return too_large(err);
    enum status status = STATUS_OK;
    for (int i = first, at = 0; i < wish->text_count && status == STATUS_OK; i++) {
        const json_t *text = v1_wish_text(wish, i);
        if (detected && strcmp(detected[i].language, detected[first].language) != 0)
            continue;
        if (detected)
            v1->detected[at] = detected[i];
        v1->places[at] = i;
        status = call_set_text(part, at++, json_string_value(text), json_string_length(text), err);
    }
    return status;
}

static enum status set_given(struct call *call, const struct v1_wish *wish, struct error *err)
{
    struct arena *arena = &call->request->arena;
    struct engine_text *given = arena_array(arena, struct engine_text, 1);
    if (!wish->given)
        return STATUS_OK;
    const size_t len = json_string_length(wish->given);
    const char *copy = arena_copy(arena, json_string_value(wish->given), len);
    if (!given || !copy)
        return too_large(err);
    *given = (struct engine_text){ .text = copy, .len = len };
    call->request->given = given;
    return STATUS_OK;
}

static enum status set_models(struct call *part, const struct v1_wish *wish, const char *source,
                              bool is_known, struct error *err)
{
    struct request *r = part->request;
    const struct pairs *pairs = &part->x.service->pairs;
    enum status status = STATUS_OK;
    if (wish->is_auto && is_known)
        status = v1_wish_check_models(wish, pairs, source, err);
    if (status == STATUS_OK && strcmp(source, wish->target) != 0)
        r->hop_count = pairs_find(pairs, source, wish->target, r->hops); // 0: it stays as it is
    if (status == STATUS_OK && r->hop_count > 0 && r->format == FORMAT_TEXT && !r->glossary &&
        !r->given)
        status = call_use_suggestions(part, source, wish->target, err);
    return status;
}

/* What the texts of a part share. NULL: the request's arena is full. */
static struct v1_call *set_wish(struct call *part, const struct v1_wish *wish,
                                const struct v1_way *way)
{
    struct request *r = part->request;
    struct v1_call *v1 = arena_alloc(&r->arena, way->context_bytes);
    if (!v1)
        return NULL;
    memset(v1, 0, way->context_bytes);
    v1->way = way;
    v1->options =
        (struct answer_json_options){ .alignment = wish->alignment, .pieces = wish->pieces };
    v1->all_texts = wish->text_count;
    r->n_best = wish->n_best;
    r->beam = wish->beam;
    r->time_ms = wish->deadline_ms;
    r->store = wish->store;
    r->durable = wish->durable;
    r->format = wish->format;
    r->on_answers = way->on_answers;
    return v1;
}

static enum status fill_part(struct call *part, const struct v1_wish *wish,
                             const struct v1_detected *detected, int first,
                             const struct v1_way *way, struct error *err)
{
    struct request *r = part->request;
    struct glossary *glossary = NULL;
    part->answer = answer;
    part->context = set_wish(part, wish, way);
    if (!part->context)
        return too_large(err);
    enum status status = set_texts(part, wish, detected, first, err);
    if (status == STATUS_OK)
        status = set_given(part, wish, err);
    if (status == STATUS_OK)
        status = v1_wish_glossary(wish, &r->arena, &glossary, err);
    r->glossary = glossary;
    if (status == STATUS_OK)
        status = set_models(part, wish, detected ? detected[first].language : wish->source,
                            detected && detected[first].confidence > 0, err);
    return status == STATUS_OK && way->prepare ? way->prepare(part, err) : status;
}

/* ---- all of them ---- */

static int count_alike(const struct v1_wish *wish, const struct v1_detected *detected, int first)
{
    int count = 0;
    for (int i = 0; i < wish->text_count; i++)
        if (!detected || strcmp(detected[i].language, detected[first].language) == 0)
            count++;
    return count;
}

static bool is_first_of_its_language(const struct v1_detected *detected, int i)
{
    for (int k = 0; k < i; k++)
        if (!detected || strcmp(detected[k].language, detected[i].language) == 0)
            return false;
    return true;
}

static enum status start(const struct exchange *x, const struct v1_wish *wish,
                         const struct v1_detected *detected, const struct v1_way *way,
                         struct error *err)
{
    struct call *first = NULL;
    enum status status = STATUS_OK;
    for (int i = 0; i < wish->text_count && status == STATUS_OK; i++) {
        if (!is_first_of_its_language(detected, i))
            continue;
        const int count = count_alike(wish, detected, i);
        struct call *part = first ? call_add(first, count) : call_new(x, count);
        if (!part)
            status = error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
        else if (first && way->one_part)
            status = error_set(err, STATUS_BAD_INPUT,
                               "text has several languages: send those of each by themselves");
        else
            status = fill_part(part, wish, detected, i, way, err);
        if (!first)
            first = part;
    }
    if (status == STATUS_OK)
        status = call_submit(first, err);
    if (status != STATUS_OK)
        call_free(first);
    return status;
}

/* ---- "auto" ---- */

struct detecting { // of a task
    struct v1_wish wish;
    json_t *json; // what it borrows from
    const struct v1_way *way;
    struct v1_detected *detected;
};

static enum status detect(struct task *task, struct error *err)
{
    struct detecting *d = task->owner;
    enum status status = STATUS_OK;
    for (int i = 0; i < d->wish.text_count && status == STATUS_OK; i++) {
        const json_t *text = v1_wish_text(&d->wish, i);
        if (task_is_cancelled(task))
            return error_set(err, STATUS_CANCELLED, "the request was cancelled");
        status = detect_language(task->x.service->detector, json_string_value(text),
                                 json_string_length(text), &task->arena, d->detected[i].language,
                                 &d->detected[i].confidence, err);
    }
    return status;
}

static void go_on(struct task *task)
{
    const struct detecting *d = task->owner;
    struct error err;
    exchange_resume(&task->x);
    if (start(&task->x, &d->wish, d->detected, d->way, &err) != STATUS_OK)
        exchange_fail(&task->x, &err);
}

static void release(struct task *task)
{
    json_decref(((struct detecting *)task->owner)->json);
}

static enum status detect_first(const struct exchange *x, const struct v1_wish *wish, json_t *json,
                                const struct v1_way *way, struct error *err)
{
    struct task *task;
    enum status status = task_new(&task, x, sizeof(struct detecting), err);
    if (status != STATUS_OK)
        return status;
    struct v1_detected *detected = arena_array(&task->arena, struct v1_detected, wish->text_count);
    if (!detected) {
        task_free(task);
        return too_large(err);
    }
    *(struct detecting *)task->owner =
        (struct detecting){ *wish, json_incref(json), way, detected };
    task->work = detect;
    task->done = go_on;
    task->release = release;
    task_start(task);
    return STATUS_OK;
}

enum status v1_call_take(const struct exchange *x, struct slice pair, const struct v1_way *way,
                         struct error *err)
{
    struct v1_wish wish;
    json_t *json;
    enum status status = v1_fields_read(&json, x->message->body, err);
    if (status == STATUS_OK)
        status = way->read(&wish, x->service, json, pair, err);
    if (status == STATUS_OK)
        status =
            wish.is_auto ? detect_first(x, &wish, json, way, err) : start(x, &wish, NULL, way, err);
    json_decref(json);
    return status;
}
