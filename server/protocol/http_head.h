/*
 * http_head.h - the head of one HTTP request, parsed by llhttp and checked.
 *
 *     struct http_head head;
 *     if (!http_head_parse(&head, bytes, len, &why)) ... answer why.code ...
 *
 * The bytes have been through http_scan. What llhttp lets through and RFC 9112
 * does not (white space before a colon, an empty field name, several spaces in
 * the request line, Transfer-Encoding other than chunked) is refused here.
 * Slices point into the bytes.
 */
#ifndef SERVER_PROTOCOL_HTTP_HEAD_H
#define SERVER_PROTOCOL_HTTP_HEAD_H

#include "server/protocol/http_scan.h"
#include "server/protocol/protocol.h"

struct http_head {
    struct slice method, path, query, content_type;
    struct slice host, origin, authorization, if_none_match, forwarded_for;
    bool is_http_1_0;
    bool keep_alive;
    bool expects_continue;
    bool chunked;
    uint64_t length; // of the body, when not chunked
};

/* Of a head of which perhaps not all has come, what its request line says: method, path, query and
 * host. Without a whole request line nothing. */
void http_head_begin(struct http_head *head, const char *bytes, size_t len);

/* false: *why says with which status to refuse it. */
MUST_CHECK bool http_head_parse(struct http_head *head, const char *bytes, size_t len,
                                struct refusal *why);

#endif
