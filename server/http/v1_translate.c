/*
 * v1_translate.c - POST /v1/translate, and a line that is such a request.
 *
 * The answer is put into words on the worker's thread: long ones, with their
 * alignments, would hold up the loop.
 */
#include <string.h>

#include "server/http/call.h"
#include "server/http/lines.h"
#include "server/http/routes.h"
#include "server/http/v1_answer.h"
#include "server/http/v1_fields.h"
#include "server/http/v1_wish.h"

struct v1_call { // beside a call, in its request's arena
    struct answer_json_options options;
    struct slice body;
};

static enum status write_body(struct request *r, struct error *err)
{
    const struct call *call = r->owner;
    struct v1_call *v1 = call->context;
    return v1_answer_body(&v1->body, r, &v1->options, err);
}

static void answer(struct call *call)
{
    const struct v1_call *v1 = call->context;
    const bool is_line = call->x.route->answer == lines_request;
    if (call->request->status == STATUS_OK && is_line)
        exchange_line(&call->x, 200, v1->body.at, v1->body.len);
    else if (call->request->status == STATUS_OK)
        exchange_body(&call->x, 200, "application/json", v1->body);
    else if (is_line)
        exchange_line_fail(&call->x, &call->request->err);
    else
        exchange_fail(&call->x, &call->request->err);
}

/* A text is its own translation into its own language. */
static void answer_unchanged(struct call *call)
{
    struct request *r = call->request;
    r->status = request_echo(r, &r->err);
    if (r->status == STATUS_OK)
        r->status = write_body(r, &r->err);
    answer(call);
    call_free(call);
}

static enum status set_texts(struct call *call, const struct v1_wish *wish, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < wish->text_count && status == STATUS_OK; i++) {
        const json_t *text = v1_wish_text(wish, i);
        status = call_set_text(call, i, json_string_value(text), json_string_length(text), err);
    }
    return status;
}

static enum status start(const struct exchange *x, const struct v1_wish *wish, struct error *err)
{
    struct call *call = call_new(x, wish->text_count);
    struct v1_call *v1 = call ? arena_array(&call->request->arena, struct v1_call, 1) : NULL;
    if (!v1) {
        call_free(call);
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    }
    *v1 = (struct v1_call){ .options = { .alignment = wish->alignment, .pieces = wish->pieces } };
    call->context = v1;
    call->answer = answer;
    call->request->n_best = wish->n_best;
    call->request->beam = wish->beam;
    call->request->time_ms = wish->deadline_ms;
    call->request->on_answers = write_body;

    enum status status = set_texts(call, wish, err);
    if (status == STATUS_OK && strcmp(wish->source, wish->target) == 0) {
        answer_unchanged(call);
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        call->request->hop_count =
            pairs_find(&x->service->pairs, wish->source, wish->target, call->request->hops);
        status = call_submit(call, err);
    }
    if (status != STATUS_OK)
        call_free(call);
    return status;
}

static enum status take(const struct exchange *x, struct slice body, struct slice pair,
                        struct error *err)
{
    struct v1_wish wish;
    json_t *json;
    enum status status = v1_fields_read(&json, body, err);
    if (status == STATUS_OK)
        status = v1_wish_read(&wish, x->service, json, pair, err);
    if (status == STATUS_OK)
        status = start(x, &wish, err);
    json_decref(json);
    return status;
}

void post_v1_translate(struct exchange *x)
{
    struct error err;
    if (exchange_takes_json(x) && take(x, x->message->body, (struct slice){ 0 }, &err) != STATUS_OK)
        exchange_fail(x, &err);
}

void lines_request(struct exchange *x)
{
    struct error err;
    if (take(x, x->message->body, x->message->pair, &err) != STATUS_OK)
        exchange_line_fail(x, &err);
}
