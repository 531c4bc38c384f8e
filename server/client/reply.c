/* reply.c - one HTTP reply, parsed by llhttp. */
#include "server/client/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/client/error.h"

#define EVENT_TYPE "text/event-stream"

static struct verso_reply *reply_of(llhttp_t *parser)
{
    return parser->data;
}

static int stop(struct verso_reply *r, enum verso_status status)
{
    r->failed = status;
    return HPE_USER;
}

static int stop_over(struct verso_reply *r)
{
    r->is_over = true;
    return stop(r, VERSO_TOO_LARGE);
}

/* ---- the head ---- */

/* Status line, header fields, trailers and what is beside the sizes of chunks. */
static int on_head_bytes(llhttp_t *parser, const char *at, size_t len)
{
    struct verso_reply *r = reply_of(parser);
    (void)at;
    r->head_bytes += len;
    return r->head_bytes > VERSO_HEAD_BYTES_MAX ? stop_over(r) : 0;
}

static void collect(char *out, size_t size, size_t *out_len, const char *at, size_t len)
{
    if (*out_len + len < size)
        memcpy(out + *out_len, at, len);
    *out_len += len;
    out[*out_len < size ? *out_len : 0] = '\0';
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct verso_reply *r = reply_of(parser);
    collect(r->field, sizeof r->field, &r->field_len, at, len);
    return on_head_bytes(parser, at, len);
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct verso_reply *r = reply_of(parser);
    collect(r->value, sizeof r->value, &r->value_len, at, len);
    return on_head_bytes(parser, at, len);
}

static int read_seconds(const char *text)
{
    const long seconds = strtol(text, NULL, 10); // a date counts as nothing
    return seconds > 0 && seconds < 1000000 ? (int)seconds : 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct verso_reply *r = reply_of(parser);
    if (!r->has_head && strcasecmp(r->field, "content-type") == 0)
        memcpy(r->content_type, r->value, sizeof r->content_type);
    else if (!r->has_head && strcasecmp(r->field, "retry-after") == 0)
        r->retry_after_s = read_seconds(r->value);
    r->field[0] = r->value[0] = '\0';
    r->field_len = r->value_len = 0;
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct verso_reply *r = reply_of(parser);
    if (parser->http_major != 1 || parser->status_code == 101) {
        llhttp_set_error_reason(parser, "another version or protocol");
        return HPE_USER;
    }
    r->http_status = parser->status_code;
    r->stays_open = llhttp_should_keep_alive(parser);
    r->has_head = true;
    return 0;
}

/* ---- the body ---- */

static bool is_stream(const struct verso_reply *r)
{
    return r->events && r->http_status == 200 &&
           strncasecmp(r->content_type, EVENT_TYPE, strlen(EVENT_TYPE)) == 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct verso_reply *r = reply_of(parser);
    r->body_bytes += len;
    if (r->body_bytes > r->body.max)
        return stop_over(r);
    const enum verso_status status = is_stream(r) ? verso_events_feed(r->events, at, len)
                                                  : verso_bytes_append(&r->body, at, len);
    return status == VERSO_OK ? 0 : stop(r, status);
}

static int on_message_complete(llhttp_t *parser)
{
    struct verso_reply *r = reply_of(parser);
    if (r->http_status < 200) {
        r->has_head = false;
        r->content_type[0] = '\0';
        return 0;
    }
    r->is_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_status = on_head_bytes,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_chunk_extension_name = on_head_bytes,
    .on_chunk_extension_value = on_head_bytes,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* ---- all of it ---- */

void verso_reply_init(struct verso_reply *r, size_t body_bytes_max, struct verso_events *events)
{
    *r = (struct verso_reply){ .events = events };
    verso_bytes_init(&r->body, body_bytes_max);
    llhttp_init(&r->parser, HTTP_RESPONSE, &callbacks);
    r->parser.data = r;
}

void verso_reply_release(struct verso_reply *r)
{
    verso_bytes_release(&r->body);
}

static enum verso_status explain(const struct verso_reply *r, struct verso_error *err)
{
    if (r->failed == VERSO_NO_MEMORY)
        return verso_error_set(err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
    if (r->is_over)
        return verso_error_set(err, VERSO_TOO_LARGE,
                               "the reply has more than %zu bytes: raise reply_bytes_max, or send "
                               "the text in parts",
                               r->body_bytes > r->body.max ? r->body.max
                                                           : (size_t)VERSO_HEAD_BYTES_MAX);
    if (r->failed != VERSO_OK)
        return r->failed; // whoever had the event in hands has filled err
    const char *reason = llhttp_get_error_reason(&r->parser);
    return verso_error_set(err, VERSO_BAD_REPLY,
                           "what answers is no verso server: its reply is not HTTP/1.1 (%s)",
                           reason && *reason ? reason : "another protocol");
}

enum verso_status verso_reply_feed(struct verso_reply *r, const char *bytes, size_t len,
                                   struct verso_error *err)
{
    r->has_begun = r->has_begun || len > 0;
    const llhttp_errno_t result = llhttp_execute(&r->parser, bytes, len);
    if (result == HPE_OK)
        return VERSO_OK;
    if (result != HPE_PAUSED || !r->is_complete)
        return explain(r, err);
    if (llhttp_get_error_pos(&r->parser) != bytes + len)
        r->stays_open = false; // something follows that nobody asked for
    return VERSO_OK;
}

enum verso_status verso_reply_end(struct verso_reply *r, struct verso_error *err)
{
    const llhttp_errno_t result = llhttp_finish(&r->parser);
    r->stays_open = false;
    if ((result == HPE_OK || result == HPE_PAUSED) && r->is_complete)
        return VERSO_OK;
    return verso_error_set(err, VERSO_UNREACHABLE,
                           r->has_begun
                               ? "the server closed the connection in the midst of its reply"
                               : "the server closed the connection without a reply");
}
