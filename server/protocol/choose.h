/*
 * choose.h - which protocol a connection speaks, from its first line.
 *
 *     METHOD target HTTP/1.1     http (also another version: it answers 505)
 *     a TLS hello                nobody: close
 *     anything else              line ("GET the book" is a sentence)
 *
 * Pure; asks for more bytes until it knows.
 */
#ifndef SERVER_PROTOCOL_CHOOSE_H
#define SERVER_PROTOCOL_CHOOSE_H

#include "server/protocol/protocol.h"

#define FIRST_LINE_BYTES_MAX 8192

enum choice { CHOICE_MORE, CHOICE_MADE, CHOICE_REFUSE };

/* `all`: no more bytes will come. Otherwise len up to FIRST_LINE_BYTES_MAX may be CHOICE_MORE. */
enum choice protocol_choose(const char *first, size_t len, bool all,
                            const struct protocol **protocol);

#endif
