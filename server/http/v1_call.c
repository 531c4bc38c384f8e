/* v1_call.c - a request of /v1 that becomes translations, on its way. */
#include "server/http/v1_call.h"

#include <string.h>

#include "server/http/v1_fields.h"

/* A text is its own translation into its own language. */
static void answer_unchanged(struct call *call, const struct v1_way *way)
{
    struct request *r = call->request;
    r->status = request_echo(r, &r->err);
    if (r->status == STATUS_OK)
        r->status = way->on_answers(r, &r->err);
    way->answer(call);
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

static enum status set_given(struct call *call, const struct v1_wish *wish, struct error *err)
{
    struct arena *arena = &call->request->arena;
    struct engine_text *given = arena_array(arena, struct engine_text, 1);
    if (!wish->given)
        return STATUS_OK;
    const size_t len = json_string_length(wish->given);
    const char *copy = arena_copy(arena, json_string_value(wish->given), len);
    if (!given || !copy)
        return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
    *given = (struct engine_text){ .text = copy, .len = len };
    call->request->given = given;
    return STATUS_OK;
}

static enum status set_request(struct call *call, const struct v1_wish *wish,
                               const struct v1_way *way, struct error *err)
{
    struct request *r = call->request;
    struct v1_call *v1 = call->context;
    memset(v1, 0, way->context_bytes);
    v1->options =
        (struct answer_json_options){ .alignment = wish->alignment, .pieces = wish->pieces };
    call->answer = way->answer;
    r->n_best = wish->n_best;
    r->beam = wish->beam;
    r->time_ms = wish->deadline_ms;
    r->store = wish->store;
    r->durable = wish->durable;
    r->on_answers = way->on_answers;
    if (strcmp(wish->source, wish->target) != 0)
        r->hop_count = pairs_find(&call->x.service->pairs, wish->source, wish->target, r->hops);
    struct glossary *glossary = NULL;
    r->format = wish->format;
    enum status status = set_texts(call, wish, err);
    if (status == STATUS_OK)
        status = set_given(call, wish, err);
    if (status == STATUS_OK)
        status = v1_wish_glossary(wish, &r->arena, &glossary, err);
    r->glossary = glossary;
    return status == STATUS_OK && way->prepare ? way->prepare(call, err) : status;
}

static enum status start(const struct exchange *x, const struct v1_wish *wish,
                         const struct v1_way *way, struct error *err)
{
    struct call *call = call_new(x, wish->text_count);
    if (call)
        call->context = arena_alloc(&call->request->arena, way->context_bytes);
    if (!call || !call->context) {
        call_free(call);
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    }
    enum status status = set_request(call, wish, way, err);
    if (status == STATUS_OK && call->request->hop_count == 0) {
        answer_unchanged(call, way);
        return STATUS_OK;
    }
    const struct request *r = call->request;
    if (status == STATUS_OK && r->format == FORMAT_TEXT && !r->glossary && !r->given)
        status = call_use_suggestions(call, wish->source, wish->target, err);
    if (status == STATUS_OK)
        status = call_submit(call, err);
    if (status != STATUS_OK)
        call_free(call);
    return status;
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
        status = start(x, &wish, way, err);
    json_decref(json);
    return status;
}
