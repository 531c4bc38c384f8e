/* outbox.c - bytes on their way to a client that may read slowly. */
#include "server/net/outbox.h"

#include <assert.h>

#define OUTBOX_KEEP_BYTES 2048 // a larger buffer's memory is given back once it is empty

void outbox_init(struct outbox *outbox, size_t max)
{
    *outbox = (struct outbox){ .max = max };
    bytes_init(&outbox->filling, max);
    bytes_init(&outbox->flying, max);
}

void outbox_release(struct outbox *outbox)
{
    bytes_release(&outbox->filling);
    bytes_release(&outbox->flying);
}

bool outbox_add(struct outbox *outbox, const char *bytes, size_t len)
{
    if (len > outbox->max - outbox_bytes(outbox))
        return false;
    return bytes_append(&outbox->filling, bytes, len);
}

size_t outbox_bytes(const struct outbox *outbox)
{
    return outbox->filling.len + outbox->flying.len;
}

bool outbox_take(struct outbox *outbox, char **bytes, size_t *len)
{
    if (outbox->is_flying || outbox->filling.len == 0)
        return false;
    struct bytes empty = outbox->flying;
    outbox->flying = outbox->filling;
    outbox->filling = empty;
    outbox->is_flying = true;
    *bytes = outbox->flying.data;
    *len = outbox->flying.len;
    return true;
}

void outbox_written(struct outbox *outbox)
{
    assert(outbox->is_flying);
    outbox->is_flying = false;
    if (outbox->flying.capacity > OUTBOX_KEEP_BYTES)
        bytes_release(&outbox->flying);
    else
        bytes_reset(&outbox->flying);
}
