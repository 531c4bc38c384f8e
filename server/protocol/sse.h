/*
 * sse.h - server-sent events, as the HTML standard has them: text/event-stream.
 *
 *     sse_event(&out, "token", "{\"text\":\"le\"}", 13);
 *
 *     event: token
 *     data: {"text":"le"}
 *                                 (an empty line)
 */
#ifndef SERVER_PROTOCOL_SSE_H
#define SERVER_PROTOCOL_SSE_H

#include "base/bytes.h"

/* `name` is a word. Data of several lines (ended by CR, LF or both) is told as such; a reader sees LF
 * between them. False: as bytes_append, and nothing was written. */
MUST_CHECK bool sse_event(struct bytes *out, const char *name, const char *data, size_t len);

#endif
