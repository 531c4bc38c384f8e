/* error.h - how the library says what went wrong, and what a server's refusal means. */
#ifndef SERVER_CLIENT_ERROR_H
#define SERVER_CLIENT_ERROR_H

#include "server/client/verso_client.h"

#ifdef __GNUC__
#define VERSO_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define VERSO_PRINTF(fmt, args)
#endif

#define VERSO_NO_MEMORY_TEXT "there is no memory for the call"

/* Fills err, which may be NULL, and returns the status. */
enum verso_status verso_error_set(struct verso_error *err, enum verso_status status,
                                  const char *format, ...) VERSO_PRINTF(3, 4);

/* What an HTTP status other than 200 means, with the sentence that is in the body: a problem of
 * RFC 9457, or {"error":"..."}. */
enum verso_status verso_error_of_reply(struct verso_error *err, int http_status, int retry_after_s,
                                       const char *body, size_t len);

#endif
