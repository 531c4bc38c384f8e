/* events.c - server-sent events. */
#include "server/client/events.h"

#include <string.h>

void verso_events_init(struct verso_events *e, size_t max)
{
    *e = (struct verso_events){ .line = { .max = max }, .data = { .max = max } };
}

void verso_events_release(struct verso_events *e)
{
    verso_bytes_release(&e->line);
    verso_bytes_release(&e->data);
}

static enum verso_status end_event(struct verso_events *e)
{
    enum verso_status status = VERSO_OK;
    if (e->has_data)
        status = e->on_event(e->context, e->name, e->data.data, e->data.len);
    e->data.len = 0;
    e->has_data = false;
    e->name[0] = '\0';
    return status;
}

static void set_name(struct verso_events *e, const char *value, size_t len)
{
    if (len >= sizeof e->name)
        len = 0;
    memcpy(e->name, value, len);
    e->name[len] = '\0';
}

static enum verso_status add_data(struct verso_events *e, const char *value, size_t len)
{
    enum verso_status status = VERSO_OK;
    if (e->has_data)
        status = verso_bytes_append(&e->data, "\n", 1);
    e->has_data = true;
    return status == VERSO_OK ? verso_bytes_append(&e->data, value, len) : status;
}

static bool is_field(const char *name, const char *line, size_t len)
{
    return len == strlen(name) && memcmp(name, line, len) == 0;
}

static enum verso_status end_line(struct verso_events *e)
{
    const char *line = e->line.data;
    const size_t len = e->line.len;
    e->line.len = 0;
    if (len == 0)
        return end_event(e);
    const char *colon = memchr(line, ':', len);
    const size_t name_len = colon ? (size_t)(colon - line) : len;
    const char *value = colon ? colon + 1 : line + len;
    if (value < line + len && *value == ' ')
        value++;
    const size_t value_len = (size_t)(line + len - value);
    if (is_field("data", line, name_len))
        return add_data(e, value, value_len);
    if (is_field("event", line, name_len))
        set_name(e, value, value_len);
    return VERSO_OK;
}

static size_t line_length(const char *bytes, size_t len)
{
    size_t n = 0;
    while (n < len && bytes[n] != '\n' && bytes[n] != '\r')
        n++;
    return n;
}

enum verso_status verso_events_feed(struct verso_events *e, const char *bytes, size_t len)
{
    enum verso_status status = VERSO_OK;
    for (size_t at = 0; at < len && status == VERSO_OK; at++) {
        const size_t n = line_length(bytes + at, len - at);
        if (n > 0) {
            e->after_cr = false;
            status = verso_bytes_append(&e->line, bytes + at, n);
            at += n;
        }
        if (at == len || status != VERSO_OK)
            break;
        if (bytes[at] == '\n' && e->after_cr) {
            e->after_cr = false;
            continue;
        }
        e->after_cr = bytes[at] == '\r';
        status = end_line(e);
    }
    return status;
}
