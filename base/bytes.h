/*
 * bytes.h - a byte string that grows up to a maximum named by its owner.
 *
 *     struct bytes out;
 *     bytes_init(&out, REPLY_BYTES_MAX);
 *     if (!bytes_printf(&out, "%d pieces", n)) ...     // out of memory, or over the maximum
 *     bytes_release(&out);
 *
 * Appending never cuts: either all of it fits or nothing changed, the result
 * is false and the string remembers it (`failed`), so that a run of appends
 * can be checked once at its end. data is always NUL-terminated after the
 * first append (the NUL is not counted). One thread at a time.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"

struct bytes {
    char *data; // NULL while empty
    size_t len;
    size_t capacity;
    size_t max;         // most bytes it may ever hold
    bool failed;        // an append did not fit or found no memory
    bool out_of_memory; // ... and memory was the reason
};

void bytes_init(struct bytes *b, size_t max);
void bytes_release(struct bytes *b);
void bytes_reset(struct bytes *b); // empty, capacity kept, failed cleared

bool bytes_reserve(struct bytes *b, size_t more); // room for `more` bytes behind len
bool bytes_append(struct bytes *b, const char *data, size_t len);
bool bytes_append_text(struct bytes *b, const char *text);
bool bytes_append_char(struct bytes *b, char c);
bool bytes_printf(struct bytes *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* STATUS_OK, or STATUS_TOO_LARGE / STATUS_NO_MEMORY saying that `what` did not fit. */
MUST_CHECK enum status bytes_check(const struct bytes *b, const char *what, struct error *err);

/* The whole file, up to b->max bytes (STATUS_TOO_LARGE above). Path "-" is standard input. */
MUST_CHECK enum status bytes_read_file(struct bytes *b, const char *path, struct error *err);

#endif
