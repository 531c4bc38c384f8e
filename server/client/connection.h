/*
 * connection.h - a request and its reply over the connection that a client keeps.
 *
 * A connection is used again as long as the server lets it. One that the server
 * has closed in between, which can show only when the next request is under
 * way, is made anew and the request sent once more, unless a byte of a reply
 * has come.
 */
#ifndef SERVER_CLIENT_CONNECTION_H
#define SERVER_CLIENT_CONNECTION_H

#include "server/client/reply.h"

struct verso_client {
    char *host, *api_key; // api_key: NULL, none
    int port, timeout_ms;
    size_t reply_bytes_max;
    int fd; // -1: not connected
};

struct verso_ask {
    const char *method, *path;
    const struct verso_bytes *body; // JSON; NULL: none
    struct verso_events *events;    // NULL: no stream is expected
};

/* Any reply is VERSO_OK; the caller releases it in either case. */
enum verso_status verso_connection_ask(struct verso_client *client, const struct verso_ask *ask,
                                       struct verso_reply *reply, struct verso_error *err);
void verso_connection_close(struct verso_client *client);

#endif
