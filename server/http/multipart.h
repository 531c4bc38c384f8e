/*
 * multipart.h - the fields of a multipart/form-data body (RFC 7578).
 *
 *     struct multipart m;
 *     struct multipart_field field;
 *     if (!multipart_start(&m, content_type, body)) ...     // no boundary in the type
 *     while (multipart_next(&m, &field)) ... field.name, field.value ...
 *     if (m.is_damaged) ...
 *
 * Everything is borrowed from the body. Parts that are files (with a filename)
 * are passed over; nested multiparts and transfer encodings are not known, as
 * browsers and libraries do not send them. A pure reader: it holds no memory.
 */
#ifndef SERVER_HTTP_MULTIPART_H
#define SERVER_HTTP_MULTIPART_H

#include <stdbool.h>
#include "server/protocol/protocol.h"

#define MULTIPART_PARTS_MAX 64    // read of a body; more are damage
#define MULTIPART_BOUNDARY_MAX 70 // as RFC 2046 has it

struct multipart {
    char delimiter[MULTIPART_BOUNDARY_MAX + 5]; // CR LF -- boundary
    size_t delimiter_len;
    const char *at, *end; // behind a delimiter
    int parts;
    bool is_damaged;
};

struct multipart_field {
    struct slice name, value;
};

/* false: content_type names no boundary that could be one. */
bool multipart_start(struct multipart *m, struct slice content_type, struct slice body);
/* false: that was the last, or the rest is damaged. */
bool multipart_next(struct multipart *m, struct multipart_field *field);

#endif
