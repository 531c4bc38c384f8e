/*
 * v1_translate.c - POST /v1/translate, a line that is such a request, and POST /v1/align.
 */
#include "server/http/lines.h"
#include "server/http/routes.h"
#include "server/http/v1_answer.h"
#include "server/http/v1_call.h"

static enum status write_body(struct request *r, struct error *err)
{
    const struct call *call = r->owner;
    struct v1_call *v1 = call->context;
    return v1_answer_body(&v1->body, r, &v1->options, err);
}

static void answer(struct call *call)
{
    const struct v1_call *v1 = call->context;
    if (call->request->status == STATUS_OK)
        exchange_body(&call->x, 200, "application/json", v1->body);
    else
        exchange_fail(&call->x, &call->request->err);
}

static void answer_line(struct call *call)
{
    const struct v1_call *v1 = call->context;
    if (call->request->status == STATUS_OK)
        exchange_line(&call->x, 200, v1->body.at, v1->body.len);
    else
        exchange_line_fail(&call->x, &call->request->err);
}

void post_v1_translate(struct exchange *x)
{
    static const struct v1_way way = { .read = v1_wish_read,
                                       .context_bytes = sizeof(struct v1_call),
                                       .on_answers = write_body,
                                       .answer = answer };
    struct error err;
    if (exchange_takes_json(x) && v1_call_take(x, (struct slice){ 0 }, &way, &err) != STATUS_OK)
        exchange_fail(x, &err);
}

void post_v1_align(struct exchange *x)
{
    static const struct v1_way way = { .read = v1_wish_read_given,
                                       .context_bytes = sizeof(struct v1_call),
                                       .on_answers = write_body,
                                       .answer = answer };
    struct error err;
    if (exchange_takes_json(x) && v1_call_take(x, (struct slice){ 0 }, &way, &err) != STATUS_OK)
        exchange_fail(x, &err);
}

void lines_request(struct exchange *x)
{
    static const struct v1_way way = { .read = v1_wish_read,
                                       .context_bytes = sizeof(struct v1_call),
                                       .on_answers = write_body,
                                       .answer = answer_line };
    struct error err;
    if (v1_call_take(x, x->message->pair, &way, &err) != STATUS_OK)
        exchange_line_fail(x, &err);
}
