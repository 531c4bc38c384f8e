/*
 * v1_fields.h - the fields of a JSON object, read strictly.
 *
 *     static const char *const names[] = { "text", "beam", NULL };
 *     status = v1_fields_check(json, names, &err);               // no others
 *     status = v1_fields_int(json, "beam", 1, 12, &beam, &err);  // unchanged if it is absent
 *
 * Each complaint names the field and what it may be: STATUS_BAD_INPUT.
 */
#ifndef SERVER_HTTP_V1_FIELDS_H
#define SERVER_HTTP_V1_FIELDS_H

#include <stdbool.h>
#include "base/json.h"
#include "server/protocol/protocol.h"

#define FIELD_ECHO_BYTES 40 // most of what a client wrote that an error text repeats

/* The object that is the message's body. */
MUST_CHECK enum status v1_fields_read(json_t **out, struct slice body, struct error *err);
/* As many bytes of it as an error text should repeat, cut at a character. */
int v1_fields_echo(const char *text);

MUST_CHECK enum status v1_fields_check(const json_t *json, const char *const *names,
                                       struct error *err);
MUST_CHECK enum status v1_fields_bool(const json_t *json, const char *name, bool *out,
                                      struct error *err);
MUST_CHECK enum status v1_fields_int(const json_t *json, const char *name, int min, int max,
                                     int *out, struct error *err);
/* One of the words, as its index. */
MUST_CHECK enum status v1_fields_word(const json_t *json, const char *name,
                                      const char *const *words, int *out, struct error *err);
/* Borrowed from the JSON. */
MUST_CHECK enum status v1_fields_text(const json_t *json, const char *name, const char **out,
                                      struct error *err);

#endif
