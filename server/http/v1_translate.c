/*
 * v1_translate.c - POST /v1/translate, a line that is such a request, and POST /v1/align.
 */
#include <math.h>

#include "server/http/lines.h"
#include "server/http/routes.h"
#include "server/http/v1_answer.h"
#include "server/http/v1_call.h"

/* What was found out of the text's language, and the model that it was translated with. */
static bool add_detected(json_t *translation, const struct call *part, int i)
{
    const struct v1_call *v1 = part->context;
    if (!v1->detected)
        return true;
    json_t *head = v1_answer_head(part->request);
    const bool ok = json_object_set_new(
                        translation, "detected",
                        json_pack("{s:s,s:f}", "language", v1->detected[i].language, "confidence",
                                  round(v1->detected[i].confidence * 1e3) / 1e3)) == 0 &&
                    head && json_object_update(translation, head) == 0;
    json_decref(head);
    return ok;
}

/* Each text's translation as bytes. */
static enum status write_translations(struct request *r, struct error *err)
{
    const struct call *part = r->owner;
    struct v1_call *v1 = part->context;
    struct slice *written = arena_array(&r->arena, struct slice, r->text_count);
    enum status status = written ? STATUS_OK
                                 : error_set(err, STATUS_TOO_LARGE,
                                             "the answer is too large: send the text in parts");
    for (int i = 0; i < r->text_count && status == STATUS_OK; i++) {
        json_t *translation;
        status = v1_answer_translation(&translation, r, i, &v1->options, err);
        if (status == STATUS_OK && !add_detected(translation, part, i)) {
            json_decref(translation);
            translation = NULL;
        }
        if (status == STATUS_OK)
            status = v1_answer_write(&written[i], &r->arena, translation, err);
    }
    if (status == STATUS_OK)
        v1->written = written;
    return status;
}

/* The texts are the service's body then, in their order. */
static enum status join(struct call *call, struct error *err)
{
    struct bytes *body = &call->x.service->body;
    const struct v1_call *v1 = call->context;
    json_t *head = call->next ? json_pack("{s:n}", "model") : v1_answer_head(call->request);
    struct slice *all = arena_array(&call->request->arena, struct slice, v1->all_texts);
    for (const struct call *part = call; all && part; part = part->next) {
        const struct v1_call *its = part->context;
        for (int i = 0; i < part->request->text_count; i++)
            all[its->places[i]] = its->written[i];
    }
    bytes_reset(body);
    bool ok = all && head && json_write(body, head);
    json_decref(head);
    if (ok)
        body->len--; // the closing brace
    ok = ok && bytes_append_text(body, ",\"translations\":");
    for (int i = 0; ok && i < v1->all_texts; i++)
        ok = bytes_append_char(body, i ? ',' : '[') && bytes_append(body, all[i].at, all[i].len);
    ok = ok && bytes_append_text(body, "]}");
    return ok ? STATUS_OK
              : error_set(err, STATUS_TOO_LARGE,
                          "the answer has more than %d bytes: send the text in parts",
                          REPLY_BYTES_MAX);
}

static void answer(struct call *call)
{
    const struct bytes *body = &call->x.service->body;
    struct error err = call->err;
    if (call->status == STATUS_OK && join(call, &err) == STATUS_OK)
        exchange_body(&call->x, 200, "application/json", (struct slice){ body->data, body->len });
    else
        exchange_fail(&call->x, &err);
}

static void answer_line(struct call *call)
{
    const struct bytes *body = &call->x.service->body;
    struct error err = call->err;
    if (call->status == STATUS_OK && join(call, &err) == STATUS_OK)
        exchange_line(&call->x, 200, body->data, body->len);
    else
        exchange_line_fail(&call->x, &err);
}

/* What all that are answered in translations share. */
#define WRITTEN .context_bytes = sizeof(struct v1_call), .on_answers = write_translations

static void take_json(struct exchange *x, const struct v1_way *way)
{
    struct error err;
    if (exchange_takes_json(x) && v1_call_take(x, (struct slice){ 0 }, way, &err) != STATUS_OK)
        exchange_fail(x, &err);
}

void post_v1_translate(struct exchange *x)
{
    static const struct v1_way way = { .read = v1_wish_read, WRITTEN, .answer = answer };
    take_json(x, &way);
}

void post_v1_align(struct exchange *x)
{
    static const struct v1_way way = { .read = v1_wish_read_given, WRITTEN, .answer = answer };
    take_json(x, &way);
}

void lines_request(struct exchange *x)
{
    static const struct v1_way way = { .read = v1_wish_read, WRITTEN, .answer = answer_line };
    struct error err;
    if (v1_call_take(x, x->message->pair, &way, &err) != STATUS_OK)
        exchange_line_fail(x, &err);
}
