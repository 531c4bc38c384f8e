/*
 * events.h - server-sent events, taken from bytes as they come.
 *
 * Lines end in LF, CR or CRLF; an empty line ends an event. Comments and
 * fields other than event and data are passed over, as the standard has it.
 */
#ifndef SERVER_CLIENT_EVENTS_H
#define SERVER_CLIENT_EVENTS_H

#include "server/client/memory.h"

#define VERSO_EVENT_NAME_BYTES 32 // a longer name is none of ours

struct verso_events {
    /* An event that is whole; anything but VERSO_OK ends the reading. */
    enum verso_status (*on_event)(void *context, const char *name, const char *data, size_t len);
    void *context;

    struct verso_bytes line, data;
    char name[VERSO_EVENT_NAME_BYTES];
    bool has_data, after_cr;
};

/* max: bytes of an event */
void verso_events_init(struct verso_events *e, size_t max);
void verso_events_release(struct verso_events *e);
/* What on_event returned, VERSO_NO_MEMORY or VERSO_TOO_LARGE. */
enum verso_status verso_events_feed(struct verso_events *e, const char *bytes, size_t len);

#endif
