/*
 * stream.h - a translation while it is found: events become tokens for the caller and, in the end,
 * the translations.
 *
 *     verso_stream_init(&stream, &request, on_token, context, 16 << 20, err);
 *     ... verso_events_feed(&stream.events, ...) ...
 *     verso_stream_end(&stream, &out);
 *     verso_stream_release(&stream);
 */
#ifndef SERVER_CLIENT_STREAM_H
#define SERVER_CLIENT_STREAM_H

#include <jansson.h>

#include "server/client/events.h"

struct verso_stream {
    struct verso_events events;
    const struct verso_request *request;
    verso_on_token *on_token; // NULL: nobody listens
    void *context;
    json_t *translations; // as they come
    json_t *head;         // of the last event; NULL: it has not come
    struct verso_error *err;
};

/* It stays where it is until it is released. */
void verso_stream_init(struct verso_stream *stream, const struct verso_request *request,
                       verso_on_token *on_token, void *context, size_t bytes_max,
                       struct verso_error *err);
void verso_stream_release(struct verso_stream *stream);

/* All events are there. */
enum verso_status verso_stream_end(struct verso_stream *stream, struct verso_translations **out);

#endif
