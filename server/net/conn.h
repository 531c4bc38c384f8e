/*
 * conn.h - one client connection, from accept to close.
 *
 *     accept
 *       |
 *       v      first line            outbox above HIGH, or as many
 *    SNIFFING -----------> READING   messages in flight as may be
 *       |                   |   ^ ----------------------> PAUSED
 *       |                   |   '------- room again ------- |
 *       |            finish |                               | finish
 *       |                   v                               |
 *       |                DRAINING <-------------------------'
 *       |                   |  outbox empty: our half is closed
 *       |                   v
 *       |                LINGERING
 *       |                   |  the client's half is closed too, or LINGER_MS
 *       v                   v
 *       '---------------> CLOSING    from any state: error, deadline
 *                           |  both handles closed
 *                           v
 *                         freed
 *
 *   SNIFFING -> READING          [choose]      choose.h knows the protocol
 *   READING <-> PAUSED           [settle]      bytes that the protocol did not take wait in `input`
 *   READING, PAUSED -> DRAINING  [on_finish]   the protocol has written its last reply
 *   DRAINING -> LINGERING        [settle]      what the client still sends is thrown away, so that
 *                                              closing does not destroy the reply on its way
 *   any -> CLOSING               [conn_close]  idempotent; open tickets are told
 *
 * Everything here runs on the loop thread; nothing is locked.
 */
#ifndef SERVER_NET_CONN_H
#define SERVER_NET_CONN_H

#include <uv.h>
#include "base/arena.h"
#include "server/net/client.h"
#include "server/net/outbox.h"
#include "server/protocol/protocol.h"

#define CONN_NAME_BYTES 40
#define LINGER_MS 1000
#define DRAIN_IDLE_MS 250 // when the server stops: how long an idle connection may still begin

struct conn_limits {
    int header_ms;                    // from a request's first byte to the end of its head
    int body_ms;                      // from there to the end of its body; also for one line
    int idle_ms;                      // without a request
    int send_ms;                      // without the client taking a byte of its replies
    size_t outbox_bytes;              // replies that the client has not read
    struct protocol_options protocol; // name and clock are filled in by the connection
};

enum conn_state {
    CONN_SNIFFING,
    CONN_READING,
    CONN_PAUSED,
    CONN_DRAINING,
    CONN_LINGERING,
    CONN_CLOSING,
};

enum conn_watch { // what the timer is set for
    WATCH_NOTHING,
    WATCH_IDLE,
    WATCH_HEAD,
    WATCH_BODY,
    WATCH_SEND,
    WATCH_LINGER,
};

struct conn {
    uv_tcp_t tcp; // libuv owns these two until their close callbacks
    uv_timer_t timer;
    uv_write_t write; // one at a time
    uv_shutdown_t shutdown;
    int handles_open; // 2, 1, 0: freed at 0

    enum conn_state state;           // assigned only by enter() in conn.c
    const struct protocol *protocol; // NULL while sniffing
    void *session;                   // the protocol's own state, in `arena`
    struct protocol_options protocol_options;
    char name[CONN_NAME_BYTES];
    struct sink sink;     // what the session talks to
    struct client client; // what the handler talks to
    struct handler *handler;
    const struct conn_limits *limits;

    struct arena arena; // lives as long as the connection
    char *input;        // (CONN_INPUT_BYTES) read and not yet taken: [input_from, input_to)
    size_t input_from, input_to;
    bool is_pumping;  // the session is being fed: do not feed it from inside
    bool has_ended;   // the client has sent its last byte
    bool is_stopping; // the server wants to stop
    struct outbox outbox;

    enum conn_watch watch;
    uint64_t activity, watched_activity; // messages and writes; idle time starts again at each
    uint64_t sent_bytes, watched_sent_bytes;
    int64_t writing_since_ns;

    void (*on_freed)(struct conn *conn); // the owner's, before the memory goes
    void *owner;
    struct conn *next, *previous; // the owner's list
};

/* A connection that is not yet connected: uv_accept() into &conn->tcp, then conn_start(). NULL: no
 * memory. name is copied. */
struct conn *conn_new(uv_loop_t *loop, const struct conn_limits *limits, struct handler *handler,
                      const char *name);
void conn_start(struct conn *conn);

/* Finish with the requests in flight, or soon if there are none. */
void conn_drain(struct conn *conn);
/* Safe to call from any callback, any number of times. */
void conn_close(struct conn *conn);

#endif
