/*
 * line.h - how the line protocol says that something went wrong.
 */
#ifndef SERVER_PROTOCOL_LINE_H
#define SERVER_PROTOCOL_LINE_H

#include <stddef.h>
#include "base/status.h"

#define LINE_ERROR_BYTES 512

/* "#!error BAD_INPUT sentence", without the line end; returns its length. */
size_t line_error(enum status status, const char *sentence, char out[LINE_ERROR_BYTES]);

#endif
