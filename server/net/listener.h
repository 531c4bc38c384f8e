/*
 * listener.h - the port: accepts connections up to a limit, and stops without losing an answer.
 *
 *     struct listener *listener;
 *     status = listener_open(&listener, &loop, &options, &err);    // bound and listening
 *     ...
 *     listener_drain(listener, on_drained, context);               // on SIGTERM
 *     uv_run(...); listener_free(listener);
 *
 * A connection over the limit is told so with HTTP 503 and closed. Loop thread only.
 */
#ifndef SERVER_NET_LISTENER_H
#define SERVER_NET_LISTENER_H

#include <uv.h>
#include "server/net/conn.h"

struct listener_options {
    int socket;       // one that listens already, taken over; -1: host and port say where
    const char *host; // an address: 127.0.0.1, 0.0.0.0, ::1
    int port;         // 0: any free one; the log line "listening" says which
    int connections;  // at once
    int drain_ms;     // what is not answered by then is cut off
    struct conn_limits conn;
    struct handler *handler;
};

struct listener;

/* options is copied; its texts are borrowed for the call. After a failure the loop must run once
 * more before it is closed. */
MUST_CHECK enum status listener_open(struct listener **out, uv_loop_t *loop,
                                     const struct listener_options *options, struct error *err);
const char *listener_address(const struct listener *listener); // "127.0.0.1"
int listener_connection_count(const struct listener *listener);

/* Accept no more, let every connection finish with what it has asked, then call on_drained once.
 * Called again, it cuts off what is left. */
void listener_drain(struct listener *listener, void (*on_drained)(void *context), void *context);

/* After on_drained, when the loop has run its close callbacks. NULL is fine. */
void listener_free(struct listener *listener);

#endif
