/*
 * json.h - JSON, by jansson. The only place that includes jansson.h: others
 * include this and use jansson's json_t and its functions directly; here are
 * the few things on top that keep every use strict and bounded.
 *
 *     json_t *root;
 *     if (json_parse(&root, bytes, len, &err) != STATUS_OK) ...
 *     json_decref(root);
 *
 * A json_t belongs to one thread at a time.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include "base/bytes.h"
#include "base/status.h"

#define JSON_DEPTH_MAX 64 // deeper nesting is refused before it costs stack

/* Exactly one value and nothing behind it; duplicate keys, a NUL inside a
 * string, invalid UTF-8 and nesting above JSON_DEPTH_MAX are STATUS_BAD_INPUT
 * with line, column and reason. *root is the caller's. */
MUST_CHECK enum status json_parse(json_t **root, const char *bytes, size_t len, struct error *err);

/* Append compact JSON, keys in order of insertion, UTF-8 not escaped, reals to
 * 15 significant digits; false as bytes_append. */
bool json_write(struct bytes *out, const json_t *value);

/* A real rounded to `digits` significant digits (1 to 15), so that 0.1f is
 * written 0.1; null where the value is not finite. NULL: no memory. */
json_t *json_rounded(double value, int digits);

#endif
