/* stream.c - a translation while it is found. */
#include "server/client/stream.h"

#include <string.h>

#include "server/client/error.h"
#include "server/client/results.h"

static enum verso_status pass_token(const struct verso_stream *stream, const json_t *data)
{
    struct verso_streamed_token *token;
    enum verso_status status =
        verso_read_streamed_token(&token, data, stream->request->text_count, stream->err);
    if (status == VERSO_OK && stream->on_token && stream->on_token(stream->context, token) != 0)
        status = verso_error_set(stream->err, VERSO_CANCELLED, "the caller wanted no more");
    verso_free(token);
    return status;
}

static enum verso_status keep_translation(const struct verso_stream *stream, json_t *data)
{
    if (json_array_append(stream->translations, data) == 0)
        return VERSO_OK;
    return verso_error_set(stream->err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
}

/* What failed in the midst: a problem with the status that the reply would have had. */
static enum verso_status pass_problem(const struct verso_stream *stream, const json_t *problem,
                                      const char *text, size_t len)
{
    const json_int_t http_status = json_integer_value(json_object_get(problem, "status"));
    const bool is_one = http_status >= 400 && http_status <= 599;
    return verso_error_of_reply(stream->err, is_one ? (int)http_status : 500, 0, text, len);
}

static enum verso_status on_event(void *context, const char *name, const char *text, size_t len)
{
    struct verso_stream *stream = context;
    json_t *data;
    enum verso_status status = verso_parse(&data, text, len, stream->err);
    if (status != VERSO_OK)
        return status;
    if (strcmp(name, "token") == 0)
        status = pass_token(stream, data);
    else if (strcmp(name, "translation") == 0)
        status = keep_translation(stream, data);
    else if (strcmp(name, "error") == 0)
        status = pass_problem(stream, data, text, len);
    else if (strcmp(name, "done") == 0 && !stream->head)
        stream->head = json_incref(data);
    json_decref(data);
    return status;
}

void verso_stream_init(struct verso_stream *stream, const struct verso_request *request,
                       verso_on_token *on_token, void *context, size_t bytes_max,
                       struct verso_error *err)
{
    *stream = (struct verso_stream){ .request = request,
                                     .on_token = on_token,
                                     .context = context,
                                     .translations = json_array(),
                                     .err = err };
    verso_events_init(&stream->events, bytes_max);
    stream->events.on_event = on_event;
    stream->events.context = stream;
}

void verso_stream_release(struct verso_stream *stream)
{
    json_decref(stream->translations);
    json_decref(stream->head);
    verso_events_release(&stream->events);
}

enum verso_status verso_stream_end(struct verso_stream *stream, struct verso_translations **out)
{
    *out = NULL;
    if (!stream->head)
        return verso_error_set(stream->err, VERSO_BAD_REPLY,
                               "what answers is no verso server: its stream has no end");
    if (!json_is_object(stream->head))
        return verso_error_set(
            stream->err, VERSO_BAD_REPLY,
            "what answers is no verso server: the end of its stream is no object");
    if (json_object_set(stream->head, "translations", stream->translations) != 0)
        return verso_error_set(stream->err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
    return verso_read_translations(out, stream->head, stream->request->texts,
                                   stream->request->text_count, stream->err);
}
