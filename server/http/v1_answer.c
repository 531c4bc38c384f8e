/* v1_answer.c - what came of a request, as /v1 says it. */
#include "server/http/v1_answer.h"

#include "server/http/service.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "there is no memory for the answer");
}

static const struct live_model *last_model(const struct request *r)
{
    return r->hop_count > 0 ? r->hops[r->hop_count - 1] : NULL;
}

static enum status explain(json_t **out, struct request *r, int i,
                           const struct answer_json_options *options, struct error *err)
{
    const struct live_model *model = last_model(r);
    const struct vocabulary *vocabulary =
        model ? engine_vocabulary(live_model_engine(model)) : NULL;
    return answer_to_json(out, vocabulary, r->texts[i].text, &r->answers[i], options, &r->arena,
                          err);
}

enum status v1_answer_translation(json_t **out, struct request *r, int i,
                                  const struct answer_json_options *options, struct error *err)
{
    json_t *answer;
    *out = NULL;
    enum status status = explain(&answer, r, i, options, err);
    if (status != STATUS_OK)
        return status;
    json_t *object = json_pack("{s:n,s:s}", "id", "origin", last_model(r) ? "model" : "unchanged");
    bool ok = object && json_object_update(object, answer) == 0;
    if (ok && r->hop_count > 1)
        ok = json_object_set_new(object, "via_text",
                                 json_stringn(r->texts[i].text, r->texts[i].len)) == 0;
    json_decref(answer);
    if (!ok) {
        json_decref(object);
        return no_memory(err);
    }
    *out = object;
    return STATUS_OK;
}

static enum status all(json_t *list, struct request *r, const struct answer_json_options *options,
                       struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < r->text_count; i++) {
        json_t *one;
        status = v1_answer_translation(&one, r, i, options, err);
        if (status == STATUS_OK && json_array_append_new(list, one) != 0)
            status = no_memory(err);
    }
    return status;
}

/* {"model":...,"via":...,"translations":[]} */
static json_t *reply_without_translations(const struct request *r)
{
    const struct live_model *model = last_model(r);
    json_t *reply = json_pack("{s:s?}", "model", model ? live_model_name(model) : NULL);
    if (reply && r->hop_count > 1)
        json_object_set_new(reply, "via", json_string(live_model_source(model)));
    if (reply && json_object_set_new(reply, "translations", json_array()) == 0)
        return reply;
    json_decref(reply);
    return NULL;
}

static enum status write_body(struct slice *out, struct arena *arena, const json_t *reply,
                              struct error *err)
{
    struct bytes body;
    enum status status = STATUS_OK;
    bytes_init(&body, REPLY_BYTES_MAX);
    if (!json_write(&body, reply))
        status = body.out_of_memory
                     ? no_memory(err)
                     : error_set(err, STATUS_TOO_LARGE,
                                 "the answer has more than %d bytes: send the text in parts",
                                 REPLY_BYTES_MAX);
    if (status == STATUS_OK) {
        *out = (struct slice){ arena_copy(arena, body.data, body.len), body.len };
        status = out->at ? STATUS_OK : no_memory(err);
    }
    bytes_release(&body);
    return status;
}

enum status v1_answer_body(struct slice *out, struct request *r,
                           const struct answer_json_options *options, struct error *err)
{
    json_t *reply = reply_without_translations(r);
    if (!reply)
        return no_memory(err);
    enum status status = all(json_object_get(reply, "translations"), r, options, err);
    if (status == STATUS_OK)
        status = write_body(out, &r->arena, reply, err);
    json_decref(reply);
    return status;
}
