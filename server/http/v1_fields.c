/* v1_fields.c - the fields of a JSON object, read strictly. */
#include "server/http/v1_fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIST_BYTES 240 // of names in an error text

enum status v1_fields_read(json_t **out, struct slice body, struct error *err)
{
    *out = NULL;
    if (body.len == 0)
        return error_set(err, STATUS_BAD_INPUT,
                         "the request has no body: send a JSON object as application/json");
    enum status status = json_parse(out, body.at, body.len, err);
    if (status == STATUS_BAD_INPUT)
        return error_while(err, "the body is not JSON: ");
    if (status == STATUS_OK && !json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        return error_set(err, STATUS_BAD_INPUT, "the body must be a JSON object");
    }
    return status;
}

int v1_fields_echo(const char *text)
{
    size_t len = strlen(text);
    if (len <= FIELD_ECHO_BYTES)
        return (int)len;
    for (len = FIELD_ECHO_BYTES; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        ;
    return (int)len;
}

static bool has_word(const char *const *words, const char *word, int *at)
{
    for (*at = 0; words[*at]; ++*at)
        if (strcmp(words[*at], word) == 0)
            return true;
    return false;
}

/* "text, source, target" */
static const char *list_words(const char *const *words, char out[LIST_BYTES])
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; words[i] && len < LIST_BYTES; i++)
        len += (size_t)snprintf(out + len, LIST_BYTES - len, "%s%s", i ? ", " : "", words[i]);
    return out;
}

enum status v1_fields_check(const json_t *json, const char *const *names, struct error *err)
{
    const char *key;
    json_t *value;
    int at;
    char list[LIST_BYTES];
    json_object_foreach ((json_t *)json, key, value) {
        if (!has_word(names, key, &at))
            return error_set(err, STATUS_BAD_INPUT,
                             "\"%.*s\" is no field of this request; these are: %s",
                             v1_fields_echo(key), key, list_words(names, list));
    }
    return STATUS_OK;
}

enum status v1_fields_bool(const json_t *json, const char *name, bool *out, struct error *err)
{
    const json_t *value = json_object_get(json, name);
    if (!value)
        return STATUS_OK;
    if (!json_is_boolean(value))
        return error_set(err, STATUS_BAD_INPUT, "%s must be true or false", name);
    *out = json_is_true(value);
    return STATUS_OK;
}

enum status v1_fields_int(const json_t *json, const char *name, int min, int max, int *out,
                          struct error *err)
{
    const json_t *value = json_object_get(json, name);
    if (!value)
        return STATUS_OK;
    const double number = json_number_value(value); // 5.0 is an integer as well
    if (!json_is_number(value) || number != floor(number) || number < min || number > max)
        return error_set(err, STATUS_BAD_INPUT, "%s must be an integer from %d to %d", name, min,
                         max);
    *out = (int)number;
    return STATUS_OK;
}

enum status v1_fields_word(const json_t *json, const char *name, const char *const *words, int *out,
                           struct error *err)
{
    const json_t *value = json_object_get(json, name);
    char list[LIST_BYTES];
    int at;
    if (!value)
        return STATUS_OK;
    if (!json_is_string(value) || !has_word(words, json_string_value(value), &at))
        return error_set(err, STATUS_BAD_INPUT, "%s must be one of: %s", name,
                         list_words(words, list));
    *out = at;
    return STATUS_OK;
}

enum status v1_fields_text(const json_t *json, const char *name, const char **out,
                           struct error *err)
{
    const json_t *value = json_object_get(json, name);
    if (!value)
        return STATUS_OK;
    if (!json_is_string(value))
        return error_set(err, STATUS_BAD_INPUT, "%s must be a text", name);
    *out = json_string_value(value);
    return STATUS_OK;
}
