/* call.c - an exchange that waits for the workers. */
#include "server/http/call.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/metrics.h"

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
    *call = (struct call){ .x = *x, .request = request };
    request->text_count = text_count;
    request->n_best = 1;
    request->key_id = x->caller.key_id;
    request->owner = call;
    return call;
}

void call_free(struct call *call)
{
    if (call)
        jobs_request_free(call->x.service->jobs, call->request);
}

enum status call_set_text(struct call *call, int i, const char *text, size_t len, struct error *err)
{
    char *copy = arena_copy(&call->request->arena, text, len);
    if (!copy)
        return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
    call->request->texts[i] = (struct engine_text){ .text = copy, .len = len };
    return STATUS_OK;
}

/* For a person who looks for a fault in the texts themselves; a long one is left out. */
static void log_text(const struct call *call, const char *what, const char *text)
{
    if (call->x.service->limits.log_text)
        log_event(LOG_INFO, "text", "id", LOG_TEXT(call->x.id), what, LOG_TEXT(text), NULL);
}

static void on_done(struct request *request)
{
    struct call *call = request->owner;
    for (int i = 0; request->status == STATUS_OK && i < request->text_count; i++)
        log_text(call, "target", request->answers[i].text);
    if (call->x.ticket.client)
        call->answer(call);
    call_free(call);
}

static void on_gone(struct exchange *x)
{
    struct call *call = (struct call *)((char *)x - offsetof(struct call, x));
    jobs_cancel(x->service->jobs, call->request);
}

enum status call_submit(struct call *call, struct error *err)
{
    call->request->on_done = on_done;
    metric_observe(STAGE_PARSE, clock_now_ns() - call->x.started_ns);
    for (int i = 0; i < call->request->text_count; i++)
        log_text(call, "source", call->request->texts[i].text);
    enum status status = jobs_submit(call->x.service->jobs, call->request, err);
    if (status == STATUS_OK)
        exchange_wait(&call->x, on_gone);
    return status;
}
