/*
 * percent.h - "%41" is an A: how bytes are written in paths, queries and forms.
 *
 *     if (percent_read(at, end, &byte)) at += PERCENT_BYTES;
 */
#ifndef SERVER_HTTP_PERCENT_H
#define SERVER_HTTP_PERCENT_H

#include <stdbool.h>

#define PERCENT_BYTES 3

/* False: a byte is not written so here; a "%" without two digits is itself. */
bool percent_read(const char *at, const char *end, char *byte);

#endif
