/*
 * http_chunks.h - a chunked body without its framing.
 *
 *     struct http_chunks chunks = http_chunks_start(body_bytes_max);
 *     while (at < len) {
 *         switch (http_chunks_take(&chunks, bytes + at, len - at, &taken, &data, &why)) ...
 *         at += taken;
 *     }
 *
 *     size [";" extension] CR LF   data CR LF   ...   "0" CR LF   trailer lines   CR LF
 *
 * Strict: a size is hexadecimal digits alone, every CR is followed by LF and
 * every LF preceded by CR. Extensions and trailers are read over.
 */
#ifndef SERVER_PROTOCOL_HTTP_CHUNKS_H
#define SERVER_PROTOCOL_HTTP_CHUNKS_H

#include <stdint.h>
#include "server/protocol/http_scan.h"
#include "server/protocol/protocol.h"

#define CHUNK_FRAMING_FACTOR 8    // framing bytes allowed for each byte of the largest body
#define CHUNK_FRAMING_BYTES 16384 // and beside that
#define TRAILER_BYTES_MAX 8192

enum chunks { CHUNKS_MORE, CHUNKS_DATA, CHUNKS_END, CHUNKS_REFUSED };

struct http_chunks {
    enum {
        CHUNK_SIZE,
        CHUNK_EXTENSION,
        CHUNK_SIZE_LF,
        CHUNK_DATA,
        CHUNK_DATA_CR,
        CHUNK_DATA_LF,
        CHUNK_TRAILER
    } state;
    uint64_t size; // of this chunk; in CHUNK_DATA what is left of it
    int digits;
    uint64_t body_left; // what the limit still allows
    uint64_t framing_left;
    struct http_scan trailer;
};

struct http_chunks http_chunks_start(uint64_t body_bytes_max);

/* Reads at most len > 0 bytes, *taken of them: up to a piece of data (CHUNKS_DATA), the end of the
 * body, a refusal, or all (CHUNKS_MORE). */
enum chunks http_chunks_take(struct http_chunks *chunks, const char *bytes, size_t len,
                             size_t *taken, struct slice *data, struct refusal *why);

#endif
