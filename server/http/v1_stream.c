/*
 * v1_stream.c - POST /v1/translate/stream: a translation while it is found.
 *
 *     sentence, token ...  what is certain of each text (answer_stream.h), with its "index"
 *     translation          each text's, as POST /v1/translate has it
 *     done                 {"model":"en-fr"}, with "via" where it went through another language
 *     error                a problem, in place of the last two
 *
 * The texts of all tokens of an index are the translation's. A sentence in which
 * something is held (documents/document.h), or with tags of its own, is told when
 * all of it is there; of the others each word that can no longer change.
 *
 * Events are written on the worker's thread and posted to the loop. The answer
 * begins with the first of them: what fails before has a status of its own.
 */
#include <stddef.h>

#include "server/engine/answer_stream.h"
#include "server/http/routes.h"
#include "server/http/v1_answer.h"
#include "server/http/v1_call.h"
#include "server/protocol/http_error.h"
#include "server/protocol/sse.h"

#define EVENT_TYPE "text/event-stream"

struct text_stream {
    struct answer_stream answer;
    struct document_place place;
    struct call *call;
    int index;
    struct bytes *end; // where the end of the stream is written; NULL: events are posted
};

struct v1_stream {
    struct v1_call v1;
    struct engine_listener listener;
    struct text_stream *texts; // (text_count)
};

/* ---- on the worker's thread ---- */

static bool write_event(struct bytes *out, const char *name, const json_t *data)
{
    struct bytes text;
    bytes_init(&text, REPLY_BYTES_MAX);
    const bool ok = data && json_write(&text, data) && sse_event(out, name, text.data, text.len);
    out->failed = out->failed || text.failed;
    out->out_of_memory = out->out_of_memory || text.out_of_memory || !data;
    bytes_release(&text);
    return ok;
}

static bool post_event(struct call *call, const char *name, const json_t *data)
{
    struct bytes out;
    bytes_init(&out, POSTED_BYTES_MAX);
    const bool ok = write_event(&out, name, data) && jobs_post(call->x.service->jobs, call->request,
                                                               (struct slice){ out.data, out.len });
    bytes_release(&out);
    return ok;
}

static bool on_event(void *context, const char *name, json_t *data)
{
    struct text_stream *text = context;
    return json_object_set_new(data, "index", json_integer(text->index)) == 0 &&
           (text->end ? write_event(text->end, name, data) : post_event(text->call, name, data));
}

static void on_sentence(struct engine_listener *listener, int text,
                        const struct engine_sentence *so_far, uint32_t next, bool is_whole)
{
    struct v1_stream *stream =
        (struct v1_stream *)((char *)listener - offsetof(struct v1_stream, listener));
    struct text_stream *t = &stream->texts[text];
    struct request *r = t->call->request;
    const struct arena_mark mark = arena_mark(&r->arena);
    struct engine_sentence sentence;
    struct error err;
    if (!t->answer.is_broken &&
        document_grow(&r->documents[text], &t->place, t->answer.vocabulary, so_far, next, is_whole,
                      &r->arena, &sentence, &err) != STATUS_OK)
        t->answer.is_broken = true;
    if (!t->answer.is_broken && sentence.translation.count > 0)
        answer_stream_grow(&t->answer, r->texts[text].text, &sentence, is_whole, &r->arena);
    arena_rewind(&r->arena, mark);
}

static enum status end_text(struct bytes *out, struct text_stream *text, struct error *err)
{
    struct request *r = text->call->request;
    const struct v1_stream *stream = text->call->context;
    json_t *translation;
    enum status status =
        v1_answer_translation(&translation, r, text->index, &stream->v1.options, err);
    if (status != STATUS_OK)
        return status;
    text->end = out;
    (void)(answer_stream_end(&text->answer, &r->answers[text->index]) &&
           on_event(text, "translation", translation)); // out remembers a failure
    json_decref(translation);
    return STATUS_OK;
}

static enum status write_end(struct request *r, struct error *err)
{
    const struct call *call = r->owner;
    struct v1_stream *stream = call->context;
    struct bytes out;
    bytes_init(&out, REPLY_BYTES_MAX);
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < r->text_count; i++)
        status = end_text(&out, &stream->texts[i], err);
    json_t *head = v1_answer_head(r);
    (void)write_event(&out, "done", head);
    json_decref(head);
    if (status == STATUS_OK)
        status = bytes_check(&out, "the answer: send the text in parts", err);
    struct slice *end = arena_array(&r->arena, struct slice, 1);
    if (status == STATUS_OK && end) {
        *end = (struct slice){ arena_copy(&r->arena, out.data, out.len), out.len };
        stream->v1.written = end->at ? end : NULL;
    }
    bytes_release(&out);
    if (status == STATUS_OK && !stream->v1.written)
        return error_set(err, STATUS_TOO_LARGE, "the answer is too large: send the text in parts");
    return status;
}

/* ---- on the loop ---- */

static void begin(struct exchange *x)
{
    if (x->begun_code == 0)
        exchange_begin(x, 200, EVENT_TYPE, "Cache-Control: no-store\r\n");
}

static void on_posted(struct request *r, struct slice bytes)
{
    struct call *call = r->owner;
    begin(&call->x);
    exchange_part(&call->x, bytes, false);
}

/* What fails in the midst is told in the stream, as its last event. */
static void end_with_problem(struct exchange *x, const struct error *err)
{
    const int code = exchange_code(err->status);
    struct bytes *body = &x->service->body;
    json_t *problem = http_error(true, code, err->text);
    bytes_reset(body);
    (void)write_event(body, "error", problem);
    json_decref(problem);
    exchange_part(x, (struct slice){ body->data, body->len }, true);
}

static void answer(struct call *call)
{
    struct exchange *x = &call->x;
    const struct slice *end = ((const struct v1_stream *)call->context)->v1.written;
    if (call->status == STATUS_OK && x->begun_code)
        exchange_part(x, *end, true);
    else if (call->status == STATUS_OK)
        exchange_body(x, 200, EVENT_TYPE, *end);
    else if (x->begun_code)
        end_with_problem(x, &call->err);
    else
        exchange_fail(x, &call->err);
}

static enum status prepare(struct call *call, struct error *err)
{
    struct request *r = call->request;
    struct v1_stream *stream = call->context;
    stream->texts = arena_array(&r->arena, struct text_stream, r->text_count);
    if (!stream->texts)
        return error_set(err, STATUS_TOO_LARGE, "the request is too large: send it in parts");
    for (int i = 0; i < r->text_count; i++) {
        struct text_stream *text = &stream->texts[i];
        *text = (struct text_stream){ .call = call, .index = i };
        answer_stream_init(&text->answer, v1_answer_vocabulary(r), &stream->v1.options, on_event,
                           text);
    }
    stream->listener.on_sentence = on_sentence;
    r->listener = &stream->listener;
    r->on_posted = on_posted;
    return STATUS_OK;
}

void post_v1_stream(struct exchange *x)
{
    static const struct v1_way way = { .read = v1_wish_read,
                                       .context_bytes = sizeof(struct v1_stream),
                                       .one_part = true,
                                       .prepare = prepare,
                                       .on_answers = write_end,
                                       .answer = answer };
    struct error err;
    if (exchange_takes_json(x) && v1_call_take(x, (struct slice){ 0 }, &way, &err) != STATUS_OK)
        exchange_fail(x, &err);
}
