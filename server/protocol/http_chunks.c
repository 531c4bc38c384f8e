/* http_chunks.c - a chunked body without its framing. */
#include "server/protocol/http_chunks.h"

struct http_chunks http_chunks_start(uint64_t body_bytes_max)
{
    return (struct http_chunks){
        .state = CHUNK_SIZE,
        .body_left = body_bytes_max,
        .framing_left = CHUNK_FRAMING_FACTOR * body_bytes_max + CHUNK_FRAMING_BYTES,
    };
}

static enum chunks refuse(struct refusal *why, int code, const char *text)
{
    *why = (struct refusal){ code, text };
    return CHUNKS_REFUSED;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum chunks size_byte(struct http_chunks *chunks, char byte, struct refusal *why)
{
    int digit = hex_digit(byte);
    if (digit >= 0) {
        chunks->digits++;
        if (chunks->size > UINT64_MAX >> 8)
            return refuse(why, 413, "the body is over the limit");
        chunks->size = chunks->size * 16 + (uint64_t)digit;
        return CHUNKS_MORE;
    }
    if (chunks->digits == 0 || (byte != ';' && byte != '\r'))
        return refuse(why, 400, "a chunk size is malformed");
    chunks->state = byte == ';' ? CHUNK_EXTENSION : CHUNK_SIZE_LF;
    return CHUNKS_MORE;
}

static enum chunks extension_byte(struct http_chunks *chunks, char byte, struct refusal *why)
{
    if (byte == '\r')
        chunks->state = CHUNK_SIZE_LF;
    else if (((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7f)
        return refuse(why, 400, "there is a control character in a chunk extension");
    return CHUNKS_MORE;
}

static enum chunks end_of_size(struct http_chunks *chunks, struct refusal *why)
{
    if (chunks->size > chunks->body_left)
        return refuse(why, 413, "the body is over the limit");
    chunks->body_left -= chunks->size;
    if (chunks->size > 0) {
        chunks->state = CHUNK_DATA;
    } else {
        chunks->state = CHUNK_TRAILER;
        chunks->trailer = http_scan_trailer(TRAILER_BYTES_MAX);
    }
    return CHUNKS_MORE;
}

static enum chunks trailer_byte(struct http_chunks *chunks, char byte, struct refusal *why)
{
    switch (http_scan_byte(&chunks->trailer, byte, why)) {
    case SCAN_END:
        return CHUNKS_END;
    case SCAN_REFUSED:
        return CHUNKS_REFUSED;
    default:
        return CHUNKS_MORE;
    }
}

static enum chunks framing_byte(struct http_chunks *chunks, char byte, struct refusal *why)
{
    if (chunks->framing_left-- == 0)
        return refuse(why, 413, "the chunks of the body are too small");
    switch (chunks->state) {
    case CHUNK_SIZE:
        return size_byte(chunks, byte, why);
    case CHUNK_EXTENSION:
        return extension_byte(chunks, byte, why);
    case CHUNK_SIZE_LF:
        return byte == '\n' ? end_of_size(chunks, why)
                            : refuse(why, 400, "a chunk size is not followed by CR LF");
    case CHUNK_DATA_CR:
        chunks->state = CHUNK_DATA_LF;
        return byte == '\r' ? CHUNKS_MORE
                            : refuse(why, 400, "a chunk is longer than its size says");
    case CHUNK_DATA_LF:
        chunks->state = CHUNK_SIZE;
        chunks->digits = 0;
        return byte == '\n' ? CHUNKS_MORE : refuse(why, 400, "a chunk is not followed by CR LF");
    default:
        return trailer_byte(chunks, byte, why);
    }
}

enum chunks http_chunks_take(struct http_chunks *chunks, const char *bytes, size_t len,
                             size_t *taken, struct slice *data, struct refusal *why)
{
    size_t at = 0;
    enum chunks result = CHUNKS_MORE;
    while (at < len && result == CHUNKS_MORE && chunks->state != CHUNK_DATA)
        result = framing_byte(chunks, bytes[at++], why);
    if (at < len && result == CHUNKS_MORE) {
        size_t piece = len - at < chunks->size ? len - at : (size_t)chunks->size;
        *data = (struct slice){ bytes + at, piece };
        chunks->size -= piece;
        if (chunks->size == 0)
            chunks->state = CHUNK_DATA_CR;
        at += piece;
        result = CHUNKS_DATA;
    }
    *taken = at;
    return result;
}
