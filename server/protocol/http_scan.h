/*
 * http_scan.h - where the head of an HTTP message ends, and what must not be in it.
 *
 * Runs over the head (and over trailers) before any other parser sees a byte.
 * Lines end in CR LF and nothing else; a CR without LF, an LF without CR, a
 * control character and a folded line are refused, because two parsers that
 * read them differently can be made to see different requests. llhttp 8.1
 * lets several of them through.
 */
#ifndef SERVER_PROTOCOL_HTTP_SCAN_H
#define SERVER_PROTOCOL_HTTP_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_LINE_BYTES_MAX 8192

/* Why a message is not served. The text is a sentence without quotes, so that it fits in JSON. */
struct refusal {
    int code; // HTTP status
    const char *text;
};

enum scan { SCAN_KEEP, SCAN_SKIP, SCAN_END, SCAN_REFUSED };

struct http_scan {
    size_t max; // bytes of all lines together
    size_t bytes, line_bytes;
    long lines; // complete ones, the empty one at the end not counted
    bool after_cr;
};

/* Heads may be preceded by empty lines, which are skipped; trailers may be empty. */
struct http_scan http_scan_head(size_t max);
struct http_scan http_scan_trailer(size_t max);

/* SCAN_KEEP: it belongs to the head. SCAN_SKIP: to an empty line before it. SCAN_END: it is the
 * head's last byte. SCAN_REFUSED: *why says what is wrong. */
enum scan http_scan_byte(struct http_scan *scan, char byte, struct refusal *why);

#endif
