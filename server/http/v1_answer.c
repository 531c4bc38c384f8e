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

const struct vocabulary *v1_answer_vocabulary(const struct request *r)
{
    const struct live_model *model = last_model(r);
    return model ? engine_vocabulary(live_model_engine(model)) : NULL;
}

json_t *v1_answer_head(const struct request *r)
{
    const struct live_model *model = last_model(r);
    json_t *head = json_pack("{s:s?}", "model", model ? live_model_name(model) : NULL);
    if (!head || r->hop_count < 2 ||
        json_object_set_new(head, "via", json_string(live_model_source(model))) == 0)
        return head;
    json_decref(head);
    return NULL;
}

static const char *origin_of(const struct request *r, int i)
{
    if (r->suggested && r->suggested[i].text)
        return "suggestion";
    if (r->given)
        return "given";
    return last_model(r) ? "model" : "unchanged";
}

enum status v1_answer_translation(json_t **out, struct request *r, int i,
                                  const struct answer_json_options *options, struct error *err)
{
    json_t *answer;
    *out = NULL;
    enum status status = answer_to_json(&answer, v1_answer_vocabulary(r), r->texts[i].text,
                                        &r->answers[i], options, &r->arena, err);
    if (status != STATUS_OK)
        return status;
    const char *id = r->ids && *r->ids[i] ? r->ids[i] : NULL;
    json_t *object = json_pack("{s:s?,s:s}", "id", id, "origin", origin_of(r, i));
    bool ok = object && json_object_update(object, answer) == 0;
    if (ok && r->not_stored)
        ok = json_array_append_new(json_object_get(object, "warnings"),
                                   json_pack("{s:s}", "kind", "not_stored")) == 0;
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

enum status v1_answer_write(struct slice *out, struct arena *arena, json_t *value,
                            struct error *err)
{
    struct bytes body;
    enum status status = STATUS_OK;
    bytes_init(&body, REPLY_BYTES_MAX);
    if (!value || !json_write(&body, value))
        status = !value || body.out_of_memory
                     ? no_memory(err)
                     : error_set(err, STATUS_TOO_LARGE,
                                 "the answer has more than %d bytes: send the text in parts",
                                 REPLY_BYTES_MAX);
    if (status == STATUS_OK) {
        *out = (struct slice){ arena_copy(arena, body.data, body.len), body.len };
        status = out->at ? STATUS_OK : no_memory(err);
    }
    bytes_release(&body);
    json_decref(value);
    return status;
}
