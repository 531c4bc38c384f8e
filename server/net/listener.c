/* listener.c - the port: accepts connections up to a limit, and stops without losing an answer. */
#include "server/net/listener.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/http/metrics.h"
#include "server/protocol/http_reply.h"

#define HOST_BYTES 64
#define BACKLOG 1024 // connections that the kernel keeps until we accept them

struct listener {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    uv_timer_t drain_timer;
    struct listener_options options;
    uv_tcp_t refused; // the connection that is being told that there are too many
    bool is_refusing;
    bool is_waiting; // another one came meanwhile; libuv keeps it and accepts no further
    char tag[9];     // of this process, so that ids of two runs differ
    int port;
    char address[HOST_BYTES];
    uint64_t accepted;
    struct conn *conns;
    int conn_count;
    int handles_open; // tcp, timer and refused
    bool is_draining;
    void (*on_drained)(void *context);
    void *context;
};

/* ---- connections ---- */

static void check_drained(struct listener *listener)
{
    if (!listener->is_draining || listener->conn_count > 0 || listener->handles_open > 0 ||
        !listener->on_drained)
        return;
    void (*on_drained)(void *) = listener->on_drained;
    listener->on_drained = NULL;
    on_drained(listener->context);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    listener->handles_open--;
    check_drained(listener);
}

static void close_timer_if_unused(struct listener *listener)
{
    uv_handle_t *timer = (uv_handle_t *)&listener->drain_timer;
    if (listener->is_draining && listener->conn_count == 0 && !uv_is_closing(timer))
        uv_close(timer, on_handle_closed);
}

static void on_conn_freed(struct conn *conn)
{
    struct listener *listener = conn->owner;
    if (conn->next)
        conn->next->previous = conn->previous;
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        listener->conns = conn->next;
    listener->conn_count--;
    metric_add(METRIC_CONNECTIONS, -1);
    close_timer_if_unused(listener);
}

static struct conn *add_conn(struct listener *listener)
{
    char name[CONN_NAME_BYTES];
    snprintf(name, sizeof name, "%s-%" PRIu64, listener->tag, ++listener->accepted);
    struct conn *conn =
        conn_new(listener->loop, &listener->options.conn, listener->options.handler, name);
    if (!conn)
        return NULL;
    conn->owner = listener;
    conn->on_freed = on_conn_freed;
    conn->next = listener->conns;
    if (conn->next)
        conn->next->previous = conn;
    listener->conns = conn;
    listener->conn_count++;
    metric_add(METRIC_CONNECTIONS, 1);
    metric_add(METRIC_ACCEPTED, 1);
    return conn;
}

static void on_connection(uv_stream_t *stream, int status);

static void on_refused_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    listener->is_refusing = false;
    on_handle_closed(handle);
    if (listener->is_waiting && !listener->is_draining) {
        listener->is_waiting = false;
        on_connection((uv_stream_t *)&listener->tcp, 0);
    }
}

#define TOO_MANY "{\"error\":\"there are too many connections just now: try again in a while\"}"
_Static_assert(sizeof TOO_MANY - 1 == 73, "its Content-Length says so");
static const char too_many[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Type: application/json\r\n"
                               "Content-Length: 73\r\n" HTTP_RETRY_LATER "Connection: close\r\n"
                               "\r\n" TOO_MANY;

/* One at a time, in memory that is there already. */
static void refuse_connection(struct listener *listener)
{
    if (listener->is_refusing) {
        listener->is_waiting = true;
        return;
    }
    listener->is_refusing = true;
    metric_limit(LIMIT_CONNECTIONS);
    uv_tcp_init(listener->loop, &listener->refused);
    listener->refused.data = listener;
    listener->handles_open++;
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&listener->refused) == 0) {
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)too_many, sizeof too_many - 1);
        uv_try_write((uv_stream_t *)&listener->refused, &buf, 1);
        log_event(LOG_WARNING, "connection_refused", "connections",
                  LOG_NUMBER(listener->conn_count), NULL);
    }
    uv_close((uv_handle_t *)&listener->refused, on_refused_closed);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = stream->data;
    if (status < 0) {
        log_event(LOG_WARNING, "accept_failed", "reason", LOG_TEXT(uv_strerror(status)), NULL);
        return;
    }
    struct conn *conn = NULL;
    if (listener->conn_count < listener->options.connections)
        conn = add_conn(listener);
    if (!conn)
        refuse_connection(listener);
    else if (uv_accept(stream, (uv_stream_t *)&conn->tcp) < 0)
        conn_close(conn);
    else
        conn_start(conn);
}

/* ---- life ---- */

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

static enum status bind_address(struct listener *listener, struct error *err)
{
    const struct listener_options *options = &listener->options;
    union socket_address address;
    if (uv_ip4_addr(options->host, options->port, &address.v4) != 0 &&
        uv_ip6_addr(options->host, options->port, &address.v6) != 0)
        return error_set(err, STATUS_BAD_USAGE,
                         "%s is no address to listen on; give one like 127.0.0.1 or ::1",
                         options->host);
    int failed = uv_tcp_bind(&listener->tcp, &address.any, 0);
    if (failed)
        return error_set(err, STATUS_IO, "cannot listen on %s port %d: %s", options->host,
                         options->port, uv_strerror(failed));
    return STATUS_OK;
}

static enum status take_socket(struct listener *listener, struct error *err)
{
    int failed = uv_tcp_open(&listener->tcp, listener->options.socket);
    if (failed)
        return error_set(err, STATUS_IO, "the socket that was passed cannot be used: %s",
                         uv_strerror(failed));
    return STATUS_OK;
}

/* The address it has, as the log shows it. */
static enum status find_address(struct listener *listener, struct error *err)
{
    union socket_address address;
    int len = sizeof address;
    int failed = uv_tcp_getsockname(&listener->tcp, &address.any, &len);
    if (failed)
        return error_set(err, STATUS_IO, "the port is not known: %s", uv_strerror(failed));
    uv_ip_name(&address.any, listener->address, HOST_BYTES);
    listener->port =
        ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    return STATUS_OK;
}

static enum status start_listening(struct listener *listener, struct error *err)
{
    const struct listener_options *options = &listener->options;
    enum status status =
        options->socket >= 0 ? take_socket(listener, err) : bind_address(listener, err);
    if (status != STATUS_OK)
        return status;
    int failed = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    if (failed)
        return error_set(err, STATUS_IO, "cannot listen on %s port %d: %s", options->host,
                         options->port, uv_strerror(failed));
    status = find_address(listener, err);
    if (status == STATUS_OK)
        log_event(LOG_INFO, "listening", "host", LOG_TEXT(listener->address), "port",
                  LOG_NUMBER(listener->port), "passed", LOG_NUMBER(options->socket >= 0), NULL);
    return status;
}

static bool make_tag(char out[9])
{
    uint32_t tag;
    if (!random_bytes(&tag, sizeof tag))
        return false;
    snprintf(out, 9, "%08" PRIx32, tag);
    return true;
}

/* After a failure: the handles go when the loop runs the next time. */
static void on_abandoned(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->handles_open == 0)
        memory_free(listener);
}

enum status listener_open(struct listener **out, uv_loop_t *loop,
                          const struct listener_options *options, struct error *err)
{
    *out = NULL;
    struct listener *listener = memory_zeroed(1, sizeof *listener);
    if (!listener || !make_tag(listener->tag)) {
        memory_free(listener);
        return error_set(err, STATUS_NO_MEMORY, "no memory for a port to listen on");
    }
    listener->loop = loop;
    listener->options = *options;
    uv_tcp_init(loop, &listener->tcp);
    uv_timer_init(loop, &listener->drain_timer);
    listener->tcp.data = listener->drain_timer.data = listener;
    listener->handles_open = 2;

    enum status status = start_listening(listener, err);
    listener->options.host = NULL; // borrowed for the call
    if (status != STATUS_OK) {
        uv_close((uv_handle_t *)&listener->tcp, on_abandoned);
        uv_close((uv_handle_t *)&listener->drain_timer, on_abandoned);
        return status;
    }
    *out = listener;
    return STATUS_OK;
}

const char *listener_address(const struct listener *listener)
{
    return listener->address;
}

int listener_connection_count(const struct listener *listener)
{
    return listener->conn_count;
}

/* A connection may go while we walk: only when the loop runs, not in here. */
static void for_each_conn(struct listener *listener, void (*act)(struct conn *conn))
{
    for (struct conn *conn = listener->conns; conn; conn = conn->next)
        act(conn);
}

static void on_drain_time(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    log_event(LOG_WARNING, "drain_cut_off", "connections", LOG_NUMBER(listener->conn_count), NULL);
    for_each_conn(listener, conn_close);
}

void listener_drain(struct listener *listener, void (*on_drained)(void *context), void *context)
{
    if (listener->is_draining) {
        if (listener->conn_count > 0)
            on_drain_time(&listener->drain_timer);
        return;
    }
    log_event(LOG_INFO, "draining", "connections", LOG_NUMBER(listener->conn_count), NULL);
    listener->is_draining = true;
    listener->on_drained = on_drained;
    listener->context = context;
    uv_close((uv_handle_t *)&listener->tcp, on_handle_closed);
    uv_timer_start(&listener->drain_timer, on_drain_time, (uint64_t)listener->options.drain_ms, 0);
    for_each_conn(listener, conn_drain);
    close_timer_if_unused(listener);
}

void listener_free(struct listener *listener)
{
    memory_free(listener);
}
