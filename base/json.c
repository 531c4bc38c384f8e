/*
 * json.c - strict and bounded reading, compact writing.
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define WRITTEN_DIGITS 15 // the most at which 0.1 is written 0.1

/* The first bracket that opens level JSON_DEPTH_MAX + 1, or NULL. jansson recurses a level a
 * bracket, so this runs before it. Strings are skipped; damaged ones are jansson's to report. */
static const char *first_too_deep(const char *bytes, size_t len)
{
    int depth = 0;
    bool in_string = false;
    for (const char *s = bytes; s < bytes + len; s++) {
        if (in_string) {
            if (*s == '\\')
                s++;
            else if (*s == '"')
                in_string = false;
        } else if (*s == '"') {
            in_string = true;
        } else if (*s == '[' || *s == '{') {
            if (++depth > JSON_DEPTH_MAX)
                return s;
        } else if (*s == ']' || *s == '}') {
            depth--;
        }
    }
    return NULL;
}

static enum status refuse_depth(const char *bytes, const char *at, struct error *err)
{
    int line = 1, column = 1;
    for (const char *s = bytes; s < at; s++) {
        column = *s == '\n' ? 1 : column + 1;
        line += *s == '\n';
    }
    return error_set(err, STATUS_BAD_INPUT, "JSON line %d column %d: nested deeper than %d levels",
                     line, column, JSON_DEPTH_MAX);
}

enum status json_parse(json_t **root, const char *bytes, size_t len, struct error *err)
{
    *root = NULL;
    if (len == 0)
        return error_set(err, STATUS_BAD_INPUT, "JSON line 1 column 1: there is no value");
    const char *too_deep = first_too_deep(bytes, len);
    if (too_deep)
        return refuse_depth(bytes, too_deep, err);

    json_error_t why;
    *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (*root)
        return STATUS_OK;
    if (json_error_code(&why) == json_error_out_of_memory)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory to read JSON of %zu bytes",
                         len);
    return error_set(err, STATUS_BAD_INPUT, "JSON line %d column %d: %s", why.line, why.column,
                     why.text);
}

static int append_part(const char *part, size_t len, void *out)
{
    return bytes_append(out, part, len) ? 0 : -1;
}

bool json_write(struct bytes *out, const json_t *value)
{
    size_t len_before = out->len;
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(WRITTEN_DIGITS);
    if (json_dump_callback(value, append_part, out, flags) == 0 && !out->failed)
        return true;  // jansson does not look whether a key could be appended
    if (!out->failed) // jansson's own allocation, not ours
        out->failed = out->out_of_memory = true;
    out->len = len_before;
    if (out->data)
        out->data[out->len] = '\0';
    return false;
}

json_t *json_rounded(double value, int digits)
{
    char text[40];
    if (!isfinite(value))
        return json_null();
    snprintf(text, sizeof text, "%.*g", digits, value);
    return json_real(strtod(text, NULL));
}
