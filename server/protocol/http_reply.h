/*
 * http_reply.h - the status line and header fields in front of a reply's body.
 */
#ifndef SERVER_PROTOCOL_HTTP_REPLY_H
#define SERVER_PROTOCOL_HTTP_REPLY_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_BYTES 512 // enough for what http_reply_head writes

/* A further header of errors with 503: what stands in the way is soon over. */
#define HTTP_RETRY_LATER "Retry-After: 1\r\n"

enum connection_field { CONNECTION_UNSAID, CONNECTION_CLOSE, CONNECTION_KEEP_ALIVE };

struct http_reply_head {
    int code;
    const char *content_type; // at most 100 bytes; NULL: none
    size_t content_length;    // not said with 204, nor
    enum { BODY_OF_LENGTH, BODY_IN_CHUNKS, BODY_UNTIL_CLOSE } body;
    const char *id;
    int64_t wall_ms;
    enum connection_field connection;
};

const char *http_reason(int code); // "Not Found"; "" for a status we never send

/* Without the empty line at the end: further fields may follow. Returns the length. */
size_t http_reply_head(const struct http_reply_head *head, char out[HTTP_HEAD_BYTES]);

#endif
