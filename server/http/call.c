/* call.c - an exchange that waits for the workers. */
#include "server/http/call.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/metrics.h"
#include "server/http/suggested.h"

struct call *call_new(const struct exchange *x, int text_count)
{
    struct jobs *jobs = x->service->jobs;
    struct request *request = jobs_request_new(jobs);
    if (!request)
        return NULL;
    struct call *call = arena_alloc(&request->arena, sizeof *call);
    request->texts = arena_array(&request->arena, struct engine_text, text_count);
    if (!call || !request->texts) {
        jobs_request_free(jobs, request);
        return NULL;
    }
    *call = (struct call){ .x = *x, .request = request, .first = call };
    request->text_count = text_count;
    request->n_best = 1;
    request->key_id = x->caller.key_id;
    request->owner = call;
    return call;
}

struct call *call_add(struct call *first, int text_count)
{
    struct call *part = call_new(&first->x, text_count);
    if (!part)
        return NULL;
    struct call *last = first;
    while (last->next)
        last = last->next;
    last->next = part;
    part->first = first;
    return part;
}

void call_free(struct call *call)
{
    while (call) {
        struct call *next = call->next;
        jobs_request_free(call->x.service->jobs, call->request);
        call = next;
    }
}

enum status call_set_text(struct call *call, int i, const char *text, size_t len, struct error *err)
{
    char *copy = arena_copy(&call->request->arena, text, len);
    if (!copy)
        return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
    call->request->texts[i] = (struct engine_text){ .text = copy, .len = len };
    return STATUS_OK;
}

enum status call_use_suggestions(struct call *call, const char *source, const char *target,
                                 struct error *err)
{
    struct request *r = call->request;
    const struct suggested *suggested = call->x.service->suggested;
    struct suggested_text found;
    for (int i = 0; i < r->text_count; i++) {
        if (!suggested_find(suggested, source, target, r->texts[i].text, r->texts[i].len, &found))
            continue;
        if (!r->suggested) {
            r->suggested = arena_array(&r->arena, struct suggested_text, r->text_count);
            if (r->suggested)
                memset(r->suggested, 0, sizeof *r->suggested * (size_t)r->text_count);
        }
        const char *copy = arena_copy(&r->arena, found.text, strlen(found.text));
        if (!r->suggested || !copy)
            return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
        r->suggested[i] = (struct suggested_text){ found.id, copy };
    }
    return STATUS_OK;
}

/* For a person who looks for a fault in the texts themselves; a long one is left out. */
static void log_text(const struct call *call, const char *what, const char *text)
{
    if (call->x.service->limits.log_text)
        log_event(LOG_INFO, "text", "id", LOG_TEXT(call->x.id), what, LOG_TEXT(text), NULL);
}

static void remember_failure(struct call *first, enum status status, const struct error *err)
{
    if (status == STATUS_OK || first->status != STATUS_OK)
        return;
    first->status = status;
    first->err = *err;
}

static void on_done(struct request *request)
{
    struct call *call = request->owner, *first = call->first;
    for (int i = 0; request->status == STATUS_OK && i < request->text_count; i++)
        log_text(call, "target", request->answers[i].text);
    remember_failure(first, request->status, &request->err);
    if (--first->pending > 0)
        return;
    if (first->x.ticket.client)
        first->answer(first);
    call_free(first);
}

static void cancel(struct call *first)
{
    for (struct call *part = first; part; part = part->next)
        if (part->request->on_done) // it was submitted
            jobs_cancel(first->x.service->jobs, part->request);
}

static void on_gone(struct exchange *x)
{
    cancel((struct call *)((char *)x - offsetof(struct call, x)));
}

static enum status submit(struct call *part)
{
    struct request *r = part->request;
    if (r->hop_count == 0) {
        r->status = request_echo(r, &r->err);
        return r->status;
    }
    for (int i = 0; i < r->text_count; i++)
        log_text(part, "source", r->texts[i].text);
    r->on_done = on_done;
    enum status status = jobs_submit(part->x.service->jobs, r, &r->err);
    if (status == STATUS_OK)
        part->first->pending++;
    else
        r->on_done = NULL;
    return status;
}

enum status call_submit(struct call *first, struct error *err)
{
    metric_observe(STAGE_PARSE, clock_now_ns() - first->x.started_ns);
    for (struct call *part = first; part && first->status == STATUS_OK; part = part->next)
        remember_failure(first, submit(part), &part->request->err);
    if (first->status != STATUS_OK && first->pending == 0) {
        *err = first->err;
        return first->status;
    }
    if (first->pending == 0) {
        first->answer(first);
        call_free(first);
        return STATUS_OK;
    }
    exchange_wait(&first->x, on_gone);
    if (first->status != STATUS_OK)
        cancel(first); // one part cannot be had: the others are not wanted
    return STATUS_OK;
}
