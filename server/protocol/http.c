/*
 * http.c - HTTP/1.1 as a protocol: keep-alive, pipelining, chunked bodies, 100-continue.
 *
 *            head complete            body complete
 *     HEAD ----------------> LENGTH ---------------> HEAD     the message goes to the sink
 *      | '-----------------> CHUNKS ------------------^
 *      | '-------------------- no body ---------------'
 *      |
 *      '--> FINISHED    refused, "Connection: close", drained, or the client has ended:
 *                       what still comes is thrown away
 *
 * The head is collected byte by byte through http_scan and parsed in one go, so
 * slices into it hold until the message has been handed over.
 */
#include "server/protocol/protocol.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "server/protocol/http_chunks.h"
#include "server/protocol/http_error.h"
#include "server/protocol/http_head.h"
#include "server/protocol/http_reply.h"
#include "server/protocol/http_scan.h"
#include "server/protocol/order.h"

#define BODY_KEEP_BYTES 65536 // a larger body's memory is given back after its message
#define REFUSAL_BYTES_MAX 1024

#define SLOT_WITHOUT_BODY 1u // the answer to HEAD
#define SLOT_HTTP_1_0 2u     // must be told that the connection stays open
#define SLOT_IN_PARTS 4u     // its reply has begun

struct http {
    struct sink *sink;
    const struct protocol_options *options;
    struct order order;

    enum { HTTP_HEAD, HTTP_LENGTH, HTTP_CHUNKS, HTTP_FINISHED } state;
    struct http_scan scan;
    char *head_bytes; // (options->head_bytes)
    size_t head_len;
    struct http_head head;     // of the message whose body is coming in
    uint64_t body_left;        // HTTP_LENGTH
    struct http_chunks chunks; // HTTP_CHUNKS
    struct bytes body;
    bool continue_wanted; // "100 Continue" is owed as soon as the earlier replies have left

    bool draining; // the next message is the last
    bool finish_sent;
};

static void *http_open(struct arena *arena, struct sink *sink,
                       const struct protocol_options *options)
{
    struct http *http = arena_alloc(arena, sizeof *http);
    if (!http)
        return NULL;
    *http = (struct http){ .sink = sink, .options = options };
    http->head_bytes = arena_alloc(arena, options->head_bytes);
    http->scan = http_scan_head(options->head_bytes);
    bytes_init(&http->body, options->body_bytes);
    if (!http->head_bytes ||
        !order_init(&http->order, arena, sink, options->in_flight, options->held_bytes))
        return NULL;
    return http;
}

static void http_close(void *session)
{
    struct http *http = session;
    order_release(&http->order);
    bytes_release(&http->body);
}

/* ---- replies ---- */

static void format_id(const struct http *http, uint64_t number, char out[MESSAGE_ID_BYTES])
{
    snprintf(out, MESSAGE_ID_BYTES, "%.40s-%" PRIu64, http->options->name, number);
}

static void finish_if_idle(struct http *http)
{
    if (http->state != HTTP_FINISHED || http->order.count > 0 || http->finish_sent)
        return;
    http->finish_sent = true;
    http->sink->finish(http->sink);
}

static void send_continue(struct http *http)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct order_slot *first = order_first(&http->order);
    if (!http->continue_wanted || !order_is_last(&http->order, first))
        return;
    http->continue_wanted = false;
    http->sink->bytes(http->sink, text, sizeof text - 1);
}

static enum connection_field connection_of(struct http *http, const struct order_slot *slot)
{
    if (http->state == HTTP_FINISHED && order_is_last(&http->order, slot))
        return CONNECTION_CLOSE;
    return slot->flags & SLOT_HTTP_1_0 ? CONNECTION_KEEP_ALIVE : CONNECTION_UNSAID;
}

/* HTTP/1.0 knows no chunks: its reply in parts ends with the connection. */
static bool is_in_chunks(const struct order_slot *slot)
{
    return !(slot->flags & (SLOT_HTTP_1_0 | SLOT_WITHOUT_BODY));
}

static enum status write_reply(struct http *http, struct order_slot *slot,
                               const struct reply *reply)
{
    char id[MESSAGE_ID_BYTES], head[HTTP_HEAD_BYTES];
    format_id(http, reply->number, id);
    size_t len = http_reply_head(
        &(struct http_reply_head){
            .code = reply->code,
            .content_type = reply->content_type,
            .content_length = reply->len,
            .body = !reply->in_parts     ? BODY_OF_LENGTH
                    : is_in_chunks(slot) ? BODY_IN_CHUNKS
                                         : BODY_UNTIL_CLOSE,
            .id = id,
            .wall_ms = http->options->wall_ms(),
            .connection = connection_of(http, slot),
        },
        head);

    const char *further = reply->headers ? reply->headers : "";
    enum status status = order_write(&http->order, slot, head, len);
    if (status == STATUS_OK)
        status = order_write(&http->order, slot, further, strlen(further));
    if (status == STATUS_OK)
        status = order_write(&http->order, slot, "\r\n", 2);
    if (status == STATUS_OK && !reply->in_parts && !(slot->flags & SLOT_WITHOUT_BODY))
        status = order_write(&http->order, slot, reply->body, reply->len);
    return status;
}

static void reply_done(struct http *http, struct order_slot *slot)
{
    order_done(&http->order, slot);
    if (http->order.count > 0)
        send_continue(http);
    finish_if_idle(http);
}

static enum status http_reply(void *session, const struct reply *reply)
{
    struct http *http = session;
    struct order_slot *slot = order_find(&http->order, reply->number);
    assert(slot && !slot->done && !(slot->flags & SLOT_IN_PARTS));
    if (reply->in_parts && slot->flags & SLOT_HTTP_1_0)
        http->state = HTTP_FINISHED; // no message came behind it
    enum status status = write_reply(http, slot, reply);
    if (reply->in_parts)
        slot->flags |= SLOT_IN_PARTS;
    else
        reply_done(http, slot);
    return status;
}

static enum status write_chunk(struct http *http, struct order_slot *slot, struct slice bytes)
{
    char size[24];
    const int len = snprintf(size, sizeof size, "%zx\r\n", bytes.len);
    enum status status = order_write(&http->order, slot, size, (size_t)len);
    if (status == STATUS_OK)
        status = order_write(&http->order, slot, bytes.at, bytes.len);
    if (status == STATUS_OK)
        status = order_write(&http->order, slot, "\r\n", 2);
    return status;
}

static enum status http_part(void *session, uint64_t number, struct slice bytes, bool is_last)
{
    struct http *http = session;
    struct order_slot *slot = order_find(&http->order, number);
    enum status status = STATUS_OK;
    assert(slot && !slot->done && slot->flags & SLOT_IN_PARTS);
    if (bytes.len > 0 && is_in_chunks(slot))
        status = write_chunk(http, slot, bytes);
    else if (bytes.len > 0 && !(slot->flags & SLOT_WITHOUT_BODY))
        status = order_write(&http->order, slot, bytes.at, bytes.len);
    if (status == STATUS_OK && is_last && is_in_chunks(slot))
        status = order_write(&http->order, slot, "0\r\n\r\n", 5);
    if (is_last)
        reply_done(http, slot);
    return status;
}

/* ---- messages ---- */

static void start_next_head(struct http *http)
{
    http->head_len = 0;
    http->scan = http_scan_head(http->options->head_bytes);
    http->continue_wanted = false;
    http->state = HTTP_HEAD;
}

static void clear_body(struct http *http)
{
    if (http->body.capacity > BODY_KEEP_BYTES)
        bytes_release(&http->body);
    else
        bytes_reset(&http->body);
}

static void add_slot(struct http *http)
{
    struct order_slot *slot = order_add(&http->order);
    if (http->head.method.len == 4 && memcmp(http->head.method.at, "HEAD", 4) == 0)
        slot->flags |= SLOT_WITHOUT_BODY;
    if (http->head.is_http_1_0)
        slot->flags |= SLOT_HTTP_1_0;
}

/* What a client must know to do better. */
static const char *refusal_headers(int code)
{
    switch (code) {
    case 415:
        return "Accept-Encoding: identity\r\n";
    case 503:
        return HTTP_RETRY_LATER;
    default:
        return NULL;
    }
}

/* A refusal is small; if even that cannot be held, the connection ends without it. */
static void reply_refusal(struct http *http, struct refusal why)
{
    const bool is_problem = http_error_is_problem(http->head.path);
    json_t *value = http_error(is_problem, why.code, why.text);
    struct bytes body;
    struct reply reply = { .number = http->order.last_number,
                           .code = why.code,
                           .headers = refusal_headers(why.code),
                           .body = "" };
    bytes_init(&body, REFUSAL_BYTES_MAX);
    if (value && json_write(&body, value)) {
        reply.content_type = http_error_type(is_problem);
        reply.body = body.data;
        reply.len = body.len;
    }
    (void)!http_reply(http, &reply);
    bytes_release(&body);
    json_decref(value);
}

/* Answer the message that is coming in ourselves. Where its end would be is unknown or not worth
 * waiting for, so it is the last. */
static void refuse(struct http *http, struct refusal why)
{
    struct message message;
    if (http->state == HTTP_HEAD) {
        http_head_begin(&http->head, http->head_bytes, http->head_len); // as far as it has come
        add_slot(http);
    }
    http->state = HTTP_FINISHED;
    http->continue_wanted = false;
    clear_body(http);
    format_id(http, http->order.last_number, message.id);
    http->sink->refused(http->sink, message.id, why.code);
    reply_refusal(http, why);
}

static void message_complete(struct http *http)
{
    struct message message = {
        .kind = MESSAGE_HTTP,
        .number = http->order.last_number,
        .method = http->head.method,
        .path = http->head.path,
        .query = http->head.query,
        .content_type = http->head.content_type,
        .host = http->head.host,
        .origin = http->head.origin,
        .authorization = http->head.authorization,
        .if_none_match = http->head.if_none_match,
        .forwarded_for = http->head.forwarded_for,
        .body = { http->body.len > 0 ? http->body.data : "", http->body.len },
    };
    format_id(http, message.number, message.id);
    start_next_head(http);
    if (!http->head.keep_alive || http->draining)
        http->state = HTTP_FINISHED;
    http->sink->message(http->sink, &message);
    clear_body(http);
}

static void head_complete(struct http *http)
{
    struct refusal why;
    if (!http_head_parse(&http->head, http->head_bytes, http->head_len, &why)) {
        refuse(http, why);
        return;
    }
    if (!http->head.chunked && http->head.length > http->options->body_bytes) {
        refuse(http, (struct refusal){ 413, "the body is over the limit" });
        return;
    }
    add_slot(http);
    if (!http->head.chunked && http->head.length == 0) {
        message_complete(http);
        return;
    }
    http->state = http->head.chunked ? HTTP_CHUNKS : HTTP_LENGTH;
    http->body_left = http->head.length;
    http->chunks = http_chunks_start(http->options->body_bytes);
    http->continue_wanted = http->head.expects_continue && !http->head.is_http_1_0;
    send_continue(http);
}

static size_t take_head(struct http *http, const char *bytes, size_t len)
{
    struct refusal why;
    for (size_t at = 0; at < len; at++) {
        enum scan scan = http_scan_byte(&http->scan, bytes[at], &why);
        if (scan == SCAN_SKIP)
            continue;
        if (scan == SCAN_REFUSED) {
            refuse(http, why);
            return at + 1;
        }
        http->head_bytes[http->head_len++] = bytes[at];
        if (scan == SCAN_END) {
            head_complete(http);
            return at + 1;
        }
    }
    return len;
}

static bool add_to_body(struct http *http, struct slice data)
{
    if (bytes_append(&http->body, data.at, data.len))
        return true;
    refuse(http, (struct refusal){ 503, "there is no memory for the body just now" });
    return false;
}

static size_t take_length(struct http *http, const char *bytes, size_t len)
{
    size_t taken = len < http->body_left ? len : (size_t)http->body_left;
    if (!add_to_body(http, (struct slice){ bytes, taken }))
        return taken;
    http->body_left -= taken;
    if (http->body_left == 0)
        message_complete(http);
    return taken;
}

static size_t take_chunks(struct http *http, const char *bytes, size_t len)
{
    size_t taken;
    struct slice data;
    struct refusal why;
    switch (http_chunks_take(&http->chunks, bytes, len, &taken, &data, &why)) {
    case CHUNKS_DATA:
        add_to_body(http, data);
        break;
    case CHUNKS_END:
        message_complete(http);
        break;
    case CHUNKS_REFUSED:
        refuse(http, why);
        break;
    case CHUNKS_MORE:
        break;
    }
    return taken;
}

/* HTTP/1.0 has no pipelining: an answer in parts may end its connection. */
static bool waits_for_http_1_0(struct http *http)
{
    struct order_slot *last = order_find(&http->order, http->order.last_number);
    return last && last->flags & SLOT_HTTP_1_0;
}

static size_t http_feed(void *session, const char *bytes, size_t len)
{
    struct http *http = session;
    size_t at = 0;
    while (at < len) {
        switch (http->state) {
        case HTTP_HEAD:
            if (http->head_len == 0 &&
                (order_is_full(&http->order) || http->sink->full || waits_for_http_1_0(http)))
                return at;
            at += take_head(http, bytes + at, len - at);
            break;
        case HTTP_LENGTH:
            at += take_length(http, bytes + at, len - at);
            break;
        case HTTP_CHUNKS:
            at += take_chunks(http, bytes + at, len - at);
            break;
        case HTTP_FINISHED:
            return len;
        }
    }
    return at;
}

/* ---- time and ends ---- */

static enum phase http_phase(const void *session)
{
    const struct http *http = session;
    switch (http->state) {
    case HTTP_HEAD:
        return http->head_len > 0 ? PHASE_HEAD : PHASE_IDLE;
    case HTTP_LENGTH:
    case HTTP_CHUNKS:
        return PHASE_BODY;
    default:
        return PHASE_IDLE;
    }
}

/* A client that has gone wants no answers: HTTP clients do not close half. */
static void http_end(void *session)
{
    struct http *http = session;
    http->state = HTTP_FINISHED;
    if (http->finish_sent)
        return;
    http->finish_sent = true;
    http->sink->finish(http->sink);
}

static void http_expire(void *session)
{
    struct http *http = session;
    switch (http_phase(http)) {
    case PHASE_HEAD:
        refuse(http, (struct refusal){ 408, "the head of the request took too long" });
        break;
    case PHASE_BODY:
        refuse(http, (struct refusal){ 408, "the body of the request took too long" });
        break;
    case PHASE_IDLE:
        http->state = HTTP_FINISHED;
        finish_if_idle(http);
        break;
    }
}

static void http_drain(void *session)
{
    struct http *http = session;
    http->draining = true;
    if (http_phase(http) == PHASE_IDLE && http->order.count > 0)
        http->state = HTTP_FINISHED;
}

const struct protocol protocol_http = {
    .name = "http",
    .half_close = false,
    .open = http_open,
    .close = http_close,
    .feed = http_feed,
    .phase = http_phase,
    .end = http_end,
    .expire = http_expire,
    .drain = http_drain,
    .reply = http_reply,
    .part = http_part,
};
