/* connection.c - a request and its reply over the connection that a client keeps. */
#include "server/client/connection.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/client/error.h"
#include "server/client/socket.h"

#define RECEIVED_BYTES 16384
#define LENGTH_LINES_BYTES 96
#define HEAD_ROOM 8192 // in front of the body, with the key

void verso_connection_close(struct verso_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

/* ---- the request ---- */

/* Ends with NULL. */
static enum verso_status append_all(struct verso_bytes *out, const char *const *parts)
{
    enum verso_status status = VERSO_OK;
    for (; *parts && status == VERSO_OK; parts++)
        status = verso_bytes_append(out, *parts, strlen(*parts));
    return status;
}

static enum verso_status write_request(struct verso_bytes *out, const struct verso_client *client,
                                       const struct verso_ask *ask, struct verso_error *err)
{
    const bool is_v6 = strchr(client->host, ':') != NULL;
    char port[16], length[LENGTH_LINES_BYTES] = "";
    snprintf(port, sizeof port, ":%d", client->port);
    if (ask->body)
        snprintf(length, sizeof length, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 ask->body->len);
    const char *const parts[] = { ask->method,
                                  " ",
                                  ask->path,
                                  " HTTP/1.1\r\nHost: ",
                                  is_v6 ? "[" : "",
                                  client->host,
                                  is_v6 ? "]" : "",
                                  port,
                                  "\r\nUser-Agent: libverso-client\r\n",
                                  client->api_key ? "Authorization: Bearer " : "",
                                  client->api_key ? client->api_key : "",
                                  client->api_key ? "\r\n" : "",
                                  length,
                                  "\r\n",
                                  NULL };
    enum verso_status status = append_all(out, parts);
    if (status == VERSO_OK && ask->body)
        status = verso_bytes_append(out, ask->body->data, ask->body->len);
    return status == VERSO_OK ? status
                              : verso_error_set(err, VERSO_NO_MEMORY, VERSO_NO_MEMORY_TEXT);
}

/* ---- the reply ---- */

static enum verso_status receive(struct verso_client *client, struct verso_reply *reply,
                                 int64_t deadline, struct verso_error *err)
{
    char bytes[RECEIVED_BYTES];
    enum verso_status status = VERSO_OK;
    while (status == VERSO_OK && !reply->is_complete) {
        size_t len;
        status = verso_socket_receive(client->fd, bytes, sizeof bytes, &len, deadline, err);
        if (status == VERSO_OK)
            status =
                len > 0 ? verso_reply_feed(reply, bytes, len, err) : verso_reply_end(reply, err);
    }
    return status;
}

static enum verso_status attempt(struct verso_client *client, const struct verso_bytes *request,
                                 struct verso_reply *reply, int64_t deadline,
                                 struct verso_error *err)
{
    bool is_cut = false;
    enum verso_status status = VERSO_OK;
    if (client->fd < 0)
        status = verso_socket_connect(&client->fd, client->host, client->port, deadline, err);
    if (status == VERSO_OK)
        status = verso_socket_send(client->fd, request->data, request->len, deadline, &is_cut, err);
    if (status == VERSO_OK)
        status = receive(client, reply, deadline, err);
    if (status != VERSO_OK || is_cut || !reply->stays_open)
        verso_connection_close(client);
    return status;
}

enum verso_status verso_connection_ask(struct verso_client *client, const struct verso_ask *ask,
                                       struct verso_reply *reply, struct verso_error *err)
{
    const int64_t deadline = verso_socket_now() + client->timeout_ms;
    struct verso_bytes request;
    verso_reply_init(reply, client->reply_bytes_max, ask->events);
    verso_bytes_init(&request, VERSO_REQUEST_BYTES_MAX + HEAD_ROOM);
    enum verso_status status = write_request(&request, client, ask, err);
    if (status == VERSO_OK) {
        if (client->fd >= 0 && !verso_socket_is_idle(client->fd))
            verso_connection_close(client);
        const bool is_used = client->fd >= 0;
        status = attempt(client, &request, reply, deadline, err);
        if (status == VERSO_UNREACHABLE && is_used && !reply->has_begun)
            status = attempt(client, &request, reply, deadline, err);
    }
    verso_bytes_release(&request);
    return status;
}
