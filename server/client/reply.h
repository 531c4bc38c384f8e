/*
 * reply.h - one HTTP reply, taken from bytes as they come.
 *
 *     verso_reply_init(&reply, 16 << 20, NULL);
 *     while (!reply.is_complete)
 *         ... verso_reply_feed(&reply, bytes, len, err), or at the connection's end
 *             verso_reply_end(&reply, err) ...
 *     reply.http_status, reply.body
 *     verso_reply_release(&reply);
 *
 * Pure: it never sees a socket. Replies of 100 and its like are passed over.
 */
#ifndef SERVER_CLIENT_REPLY_H
#define SERVER_CLIENT_REPLY_H

#include <llhttp.h>

#include "server/client/events.h"

#define VERSO_CONTENT_TYPE_BYTES 128
#define VERSO_FIELD_BYTES 32 // of the names of header fields that matter here

struct verso_reply {
    int http_status;
    char content_type[VERSO_CONTENT_TYPE_BYTES];
    int retry_after_s;
    bool stays_open; // another request may follow
    bool has_begun;  // any byte has come
    bool has_head;
    bool is_complete;
    struct verso_bytes body; // of a stream with 200: empty

    struct verso_events *events; // NULL: a stream is not expected
    llhttp_t parser;
    size_t head_bytes, body_bytes;
    char field[VERSO_FIELD_BYTES], value[VERSO_CONTENT_TYPE_BYTES];
    size_t field_len, value_len; // may be more than there is room for: then it does not matter
    enum verso_status failed;    // of a callback
    bool is_over;                // that was because of a limit here
};

void verso_reply_init(struct verso_reply *r, size_t body_bytes_max, struct verso_events *events);
void verso_reply_release(struct verso_reply *r);

enum verso_status verso_reply_feed(struct verso_reply *r, const char *bytes, size_t len,
                                   struct verso_error *err);
/* The connection has ended. VERSO_UNREACHABLE: before the reply was whole. */
enum verso_status verso_reply_end(struct verso_reply *r, struct verso_error *err);

#endif
