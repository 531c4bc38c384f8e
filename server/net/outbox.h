/*
 * outbox.h - bytes on their way to a client that may read slowly.
 *
 *     outbox_add(&outbox, bytes, len);                      // copies; false: over the maximum
 *     if (outbox_take(&outbox, &bytes, &len)) ...           // give these to the kernel
 *     outbox_written(&outbox);                              // it has them
 *
 * Two buffers: one flies while the other is filled. Above OUTBOX_HIGH its
 * owner should take no more messages until it is below OUTBOX_LOW; at its
 * maximum the connection ends. No socket here.
 */
#ifndef SERVER_NET_OUTBOX_H
#define SERVER_NET_OUTBOX_H

#include "base/bytes.h"

#define OUTBOX_HIGH (256 << 10)
#define OUTBOX_LOW (64 << 10)

struct outbox {
    struct bytes filling;
    struct bytes flying; // in the kernel's hands, unchanged until outbox_written()
    size_t max;          // of both together
    bool is_flying;
};

void outbox_init(struct outbox *outbox, size_t max);
void outbox_release(struct outbox *outbox);

MUST_CHECK bool outbox_add(struct outbox *outbox, const char *bytes, size_t len);
size_t outbox_bytes(const struct outbox *outbox);

/* false: there is nothing to send, or the last bytes are still flying. */
bool outbox_take(struct outbox *outbox, char **bytes, size_t *len);
void outbox_written(struct outbox *outbox);

#endif
