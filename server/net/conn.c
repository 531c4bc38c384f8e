/* conn.c - one client connection, from accept to close; conn.h draws its states. */
#include "server/net/conn.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/http/metrics.h"
#include "server/protocol/choose.h"

#define CONN_INPUT_BYTES 16384 // at least FIRST_LINE_BYTES_MAX
#define SLOT_BYTES 128         // of a message in flight; generous
#define SESSION_BYTES 4096     // of a session without its head buffer; generous

#define TO(state) (1u << (state))

/* allowed[from] is the set of states that may follow. */
static const unsigned allowed[] = {
    [CONN_SNIFFING] = TO(CONN_READING) | TO(CONN_CLOSING),
    [CONN_READING] = TO(CONN_PAUSED) | TO(CONN_DRAINING) | TO(CONN_CLOSING),
    [CONN_PAUSED] = TO(CONN_READING) | TO(CONN_DRAINING) | TO(CONN_CLOSING),
    [CONN_DRAINING] = TO(CONN_LINGERING) | TO(CONN_CLOSING),
    [CONN_LINGERING] = TO(CONN_CLOSING),
    [CONN_CLOSING] = 0,
};

static void enter(struct conn *conn, enum conn_state next)
{
    assert(allowed[conn->state] & TO(next));
    conn->state = next;
}

static bool is_serving(const struct conn *conn)
{
    return conn->state == CONN_READING || conn->state == CONN_PAUSED;
}

static struct conn *conn_of_sink(struct sink *sink)
{
    return (struct conn *)((char *)sink - offsetof(struct conn, sink));
}

static struct conn *conn_of_client(struct client *client)
{
    return (struct conn *)((char *)client - offsetof(struct conn, client));
}

/* ---- the end ---- */

static void free_conn(struct conn *conn)
{
    if (conn->session)
        conn->protocol->close(conn->session);
    outbox_release(&conn->outbox);
    arena_release(&conn->arena);
    if (conn->on_freed)
        conn->on_freed(conn);
    memory_free(conn);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    if (--conn->handles_open == 0)
        free_conn(conn);
}

void conn_close(struct conn *conn)
{
    if (conn->state == CONN_CLOSING)
        return;
    enter(conn, CONN_CLOSING);
    uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&conn->timer, on_handle_closed);
    client_gone(&conn->client);
}

static void close_because(struct conn *conn, const char *reason)
{
    if (conn->state != CONN_CLOSING)
        log_event(LOG_WARNING, "connection_closed", "connection", LOG_TEXT(conn->name), "reason",
                  LOG_TEXT(reason), NULL);
    conn_close(conn);
}

static void on_shut_down(uv_shutdown_t *shutdown, int status)
{
    if (status < 0 && status != UV_ECANCELED)
        conn_close(shutdown->data);
}

/* Closing at once would make the kernel answer bytes still coming in with a reset, which can
 * destroy our last reply before the client has read it. */
static void linger(struct conn *conn)
{
    if (conn->has_ended) {
        conn_close(conn);
        return;
    }
    enter(conn, CONN_LINGERING);
    conn->shutdown.data = conn;
    if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, on_shut_down) < 0)
        conn_close(conn);
}

/* ---- time ---- */

static enum conn_watch wanted_watch(const struct conn *conn)
{
    if (conn->state == CONN_LINGERING)
        return WATCH_LINGER;
    if (conn->outbox.is_flying)
        return WATCH_SEND;
    if (conn->state == CONN_SNIFFING)
        return conn->input_to > 0 ? WATCH_HEAD : WATCH_IDLE;
    if (!is_serving(conn))
        return WATCH_NOTHING;
    switch (conn->protocol->phase(conn->session)) {
    case PHASE_HEAD:
        return WATCH_HEAD;
    case PHASE_BODY:
        return WATCH_BODY;
    default:
        return conn->client.tickets ? WATCH_NOTHING : WATCH_IDLE;
    }
}

static int watch_ms(const struct conn *conn, enum conn_watch watch)
{
    switch (watch) {
    case WATCH_HEAD:
        return conn->limits->header_ms;
    case WATCH_BODY:
        return conn->limits->body_ms;
    case WATCH_SEND:
        return conn->limits->send_ms;
    case WATCH_LINGER:
        return LINGER_MS;
    default:
        return conn->is_stopping ? DRAIN_IDLE_MS : conn->limits->idle_ms;
    }
}

static void on_time(uv_timer_t *timer);

static void start_watch(struct conn *conn, enum conn_watch watch)
{
    conn->watch = watch;
    conn->watched_activity = conn->activity;
    conn->watched_sent_bytes =
        conn->sent_bytes - uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp);
    if (watch == WATCH_NOTHING)
        uv_timer_stop(&conn->timer);
    else
        uv_timer_start(&conn->timer, on_time, (uint64_t)watch_ms(conn, watch), 0);
}

/* A limit runs on while what it is for goes on; only a further message or reply starts it anew.
 * Replies that pile up do not help a client that takes none of them. */
static void set_watch(struct conn *conn)
{
    enum conn_watch watch = wanted_watch(conn);
    bool is_another = watch != WATCH_SEND && conn->activity != conn->watched_activity;
    if (watch != conn->watch || is_another)
        start_watch(conn, watch);
}

static bool took_bytes(const struct conn *conn)
{
    uint64_t taken = conn->sent_bytes - uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp);
    return taken != conn->watched_sent_bytes;
}

/* ---- sending ---- */

static void settle(struct conn *conn);
static void pump(struct conn *conn);

static void on_written(uv_write_t *write, int status)
{
    struct conn *conn = write->data;
    outbox_written(&conn->outbox);
    metric_observe(STAGE_WRITE, clock_now_ns() - conn->writing_since_ns);
    if (status < 0) {
        conn_close(conn);
        return;
    }
    if (outbox_bytes(&conn->outbox) < OUTBOX_LOW)
        conn->sink.full = false;
    pump(conn);
}

static void flush(struct conn *conn)
{
    char *bytes;
    size_t len;
    if (!outbox_take(&conn->outbox, &bytes, &len))
        return;
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)len);
    conn->write.data = conn;
    conn->sent_bytes += len;
    conn->writing_since_ns = clock_now_ns();
    metric_add(METRIC_SENT_BYTES, (int64_t)len);
    if (uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) < 0) {
        outbox_written(&conn->outbox);
        conn_close(conn);
    }
}

static void on_bytes(struct sink *sink, const char *bytes, size_t len)
{
    struct conn *conn = conn_of_sink(sink);
    if (conn->state == CONN_CLOSING)
        return;
    conn->activity++;
    if (!outbox_add(&conn->outbox, bytes, len)) {
        close_because(conn, "too many replies wait to be read");
        return;
    }
    if (outbox_bytes(&conn->outbox) > OUTBOX_HIGH)
        sink->full = true;
}

/* ---- between the protocol and the handler ---- */

static void on_message(struct sink *sink, const struct message *message)
{
    struct conn *conn = conn_of_sink(sink);
    conn->activity++;
    conn->handler->message(conn->handler, &conn->client, message);
}

static void on_refused(struct sink *sink, const char *id, int code)
{
    const bool is_line = conn_of_sink(sink)->protocol == &protocol_line;
    if (code == 413)
        metric_limit(is_line ? LIMIT_LINE_BYTES : LIMIT_REQUEST_BYTES);
    else if (code == 414 || code == 431)
        metric_limit(LIMIT_HEAD_BYTES);
    metric_request(is_line ? "LINE" : "-", "-", code, 0);
    log_event(LOG_INFO, "refused", "id", LOG_TEXT(id), "status", LOG_NUMBER(code), NULL);
}

static void on_client_reply(struct client *client, const struct reply *reply)
{
    struct conn *conn = conn_of_client(client);
    if (conn->state == CONN_CLOSING)
        return;
    if (conn->protocol->reply(conn->session, reply) != STATUS_OK)
        close_because(conn, "too many replies wait for their turn");
    pump(conn);
}

static void on_client_part(struct client *client, uint64_t number, struct slice bytes, bool is_last)
{
    struct conn *conn = conn_of_client(client);
    if (conn->state == CONN_CLOSING)
        return;
    if (conn->protocol->part(conn->session, number, bytes, is_last) != STATUS_OK)
        close_because(conn, "too many replies wait for their turn");
    pump(conn);
}

/* ---- receiving ---- */

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf);

/* Reading is stopped whenever bytes are left in `input`, but for the first line: it is shorter. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *conn = handle->data;
    (void)suggested;
    *buf = uv_buf_init(conn->input + conn->input_to, (unsigned)(CONN_INPUT_BYTES - conn->input_to));
}

static void start_reading(struct conn *conn)
{
    if (!conn->has_ended && uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) < 0)
        conn_close(conn);
}

/* From here on bytes are read only to be thrown away. */
static void on_finish(struct sink *sink)
{
    struct conn *conn = conn_of_sink(sink);
    bool was_paused = conn->state == CONN_PAUSED;
    if (!is_serving(conn))
        return;
    enter(conn, CONN_DRAINING);
    if (was_paused)
        start_reading(conn);
}

static void choose(struct conn *conn)
{
    const struct protocol *protocol;
    switch (protocol_choose(conn->input, conn->input_to, conn->has_ended, &protocol)) {
    case CHOICE_MORE:
        return;
    case CHOICE_REFUSE:
        close_because(conn, "a TLS hello on a plain port");
        return;
    case CHOICE_MADE:
        break;
    }
    conn->protocol = protocol;
    conn->session = protocol->open(&conn->arena, &conn->sink, &conn->protocol_options);
    assert(conn->session); // conn_new made the arena large enough
    enter(conn, CONN_READING);
    if (conn->is_stopping)
        protocol->drain(conn->session);
}

static void feed(struct conn *conn)
{
    while (is_serving(conn) && conn->input_from < conn->input_to) {
        size_t taken = conn->protocol->feed(conn->session, conn->input + conn->input_from,
                                            conn->input_to - conn->input_from);
        if (taken == 0)
            return;
        conn->input_from += taken;
    }
}

/* The last byte has been taken: the protocol says what that means for the messages in flight. */
static void end(struct conn *conn)
{
    conn->protocol->end(conn->session);
    if (!conn->protocol->half_close)
        client_gone(&conn->client);
}

/* Give the session what there is and see what has become of the connection. */
static void pump(struct conn *conn)
{
    if (conn->is_pumping)
        return;
    conn->is_pumping = true;
    if (conn->state == CONN_SNIFFING && conn->input_to > 0)
        choose(conn);
    feed(conn);
    if (is_serving(conn) && conn->has_ended && conn->input_from == conn->input_to)
        end(conn);
    conn->is_pumping = false;
    settle(conn);
}

static void settle(struct conn *conn)
{
    if (conn->state == CONN_SNIFFING && conn->has_ended)
        conn_close(conn); // it came and went without a byte
    bool is_taken = conn->input_from == conn->input_to || !is_serving(conn);
    if (is_taken && conn->state != CONN_SNIFFING)
        conn->input_from = conn->input_to = 0;
    if (conn->state == CONN_READING && (!is_taken || conn->sink.full)) {
        enter(conn, CONN_PAUSED);
        if (!conn->sink.full)
            metric_limit(LIMIT_IN_FLIGHT);
        uv_read_stop((uv_stream_t *)&conn->tcp);
    } else if (conn->state == CONN_PAUSED && is_taken && !conn->sink.full) {
        enter(conn, CONN_READING);
        start_reading(conn);
    }
    if (conn->state != CONN_CLOSING)
        flush(conn);
    if (conn->state == CONN_DRAINING && outbox_bytes(&conn->outbox) == 0)
        linger(conn);
    if (conn->state != CONN_CLOSING)
        set_watch(conn);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    (void)buf;
    if (len == 0)
        return;
    if (len > 0)
        metric_add(METRIC_RECEIVED_BYTES, len);
    if (len < 0 && len != UV_EOF) {
        conn_close(conn);
        return;
    }
    if (len == UV_EOF) {
        conn->has_ended = true;
        uv_read_stop(stream);
        if (conn->state == CONN_LINGERING) {
            conn_close(conn);
            return;
        }
    } else if (conn->state == CONN_SNIFFING || is_serving(conn)) {
        conn->input_to += (size_t)len;
    }
    pump(conn);
}

static void count_time(const struct conn *conn, enum conn_watch watch)
{
    static const enum limit limits[] = { [WATCH_IDLE] = LIMIT_IDLE_TIME,
                                         [WATCH_HEAD] = LIMIT_HEADER_TIME,
                                         [WATCH_BODY] = LIMIT_BODY_TIME,
                                         [WATCH_SEND] = LIMIT_SEND_TIME };
    if (watch != WATCH_LINGER && !(watch == WATCH_IDLE && conn->is_stopping))
        metric_limit(limits[watch]);
}

static void on_time(uv_timer_t *timer)
{
    struct conn *conn = timer->data;
    enum conn_watch watch = conn->watch;
    conn->watch = WATCH_NOTHING;
    if (watch == WATCH_SEND && took_bytes(conn)) {
        start_watch(conn, WATCH_SEND);
        return;
    }
    count_time(conn, watch);
    if (watch == WATCH_SEND) {
        close_because(conn, "the client does not read its replies");
        return;
    }
    if (!is_serving(conn)) {
        conn_close(conn);
        return;
    }
    conn->protocol->expire(conn->session);
    settle(conn);
}

/* ---- life ---- */

static size_t arena_bytes(const struct protocol_options *options)
{
    return CONN_INPUT_BYTES + options->head_bytes + (size_t)options->in_flight * SLOT_BYTES +
           SESSION_BYTES;
}

struct conn *conn_new(uv_loop_t *loop, const struct conn_limits *limits, struct handler *handler,
                      const char *name)
{
    struct conn *conn = memory_zeroed(1, sizeof *conn);
    if (!conn)
        return NULL;
    if (!arena_init(&conn->arena, arena_bytes(&limits->protocol))) {
        memory_free(conn);
        return NULL;
    }
    conn->input = arena_alloc(&conn->arena, CONN_INPUT_BYTES);
    outbox_init(&conn->outbox, limits->outbox_bytes);
    snprintf(conn->name, sizeof conn->name, "%s", name);
    conn->limits = limits;
    conn->handler = handler;
    conn->protocol_options = limits->protocol;
    conn->protocol_options.name = conn->name;
    conn->protocol_options.wall_ms = clock_wall_ms;
    conn->sink = (struct sink){
        .message = on_message, .bytes = on_bytes, .refused = on_refused, .finish = on_finish
    };
    conn->client.reply = on_client_reply;
    conn->client.part = on_client_part;

    uv_tcp_init(loop, &conn->tcp); // cannot fail before there is a socket
    uv_timer_init(loop, &conn->timer);
    conn->tcp.data = conn->timer.data = conn;
    conn->handles_open = 2;
    return conn;
}

static void find_peer(struct conn *conn)
{
    struct sockaddr_storage storage;
    int len = sizeof storage;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&storage, &len) == 0)
        conn->client.peer = address_of_socket((struct sockaddr *)&storage);
}

void conn_start(struct conn *conn)
{
    find_peer(conn);
    uv_tcp_nodelay(&conn->tcp, 1);
    start_reading(conn);
    if (conn->state != CONN_CLOSING)
        set_watch(conn);
}

void conn_drain(struct conn *conn)
{
    if (conn->state == CONN_CLOSING)
        return;
    conn->is_stopping = true;
    if (is_serving(conn))
        conn->protocol->drain(conn->session);
    if (conn->watch == WATCH_IDLE)
        conn->watch = WATCH_NOTHING; // so that it is started with its shorter time
    settle(conn);
}
