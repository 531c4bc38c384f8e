/*
 * parameters.h - what a request says, whether in JSON, in a form or in its query.
 *
 *     static const char *const names[] = { "q", "source", "target", NULL };
 *     json_t *p;
 *     status = parameters_read(&p, message, names, &err);
 *     json_object_get(p, "q") ...
 *
 * JSON (by Content-Type) is taken whole. Otherwise the query and a form body
 * (urlencoded or multipart) become an object of texts: of a name given twice the
 * first counts, the query before the body, and CR LF becomes LF.
 */
#ifndef SERVER_HTTP_PARAMETERS_H
#define SERVER_HTTP_PARAMETERS_H

#include "base/json.h"
#include "server/protocol/protocol.h"

/* Whether its Content-Type says so. */
bool parameters_are_json(const struct message *message);

/* One parameter that is a text, NUL-terminated into `out`, without reading the rest where it is not
 * there. False: it is not there, no text, or longer. */
bool parameters_text(const struct message *message, const char *name, char *out, size_t size);

/* *out is the caller's, an object. `names`, ended by NULL, are those of interest in a form.
 * STATUS_BAD_INPUT has the text to answer with. */
MUST_CHECK enum status parameters_read(json_t **out, const struct message *message,
                                       const char *const *names, struct error *err);

/* All of a query, as texts without zero bytes; STATUS_BAD_INPUT: one comes twice. *out is the
 * caller's, an object. */
MUST_CHECK enum status parameters_query(json_t **out, struct slice query, struct error *err);

#endif
