/* parameters.c - what a request says, whether in JSON, in a form or in its query. */
#include "server/http/parameters.h"

#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "server/http/multipart.h"
#include "server/http/percent.h"
#include "tokenizer/utf8.h"

/* "application/json; charset=utf-8" is "application/json", in any case. */
static bool media_type_is(struct slice type, const char *wanted)
{
    size_t len = 0;
    while (len < type.len && type.at[len] != ';' && type.at[len] != ' ' && type.at[len] != '\t')
        len++;
    return len == strlen(wanted) && strncasecmp(type.at, wanted, len) == 0;
}

static enum status read_json(json_t **out, struct slice body, struct error *err)
{
    json_t *value;
    if (json_parse(&value, body.at, body.len, NULL) != STATUS_OK)
        return error_set(err, STATUS_BAD_INPUT, "Invalid JSON format");
    if (!json_is_object(value)) {
        json_decref(value);
        return error_set(err, STATUS_BAD_INPUT, "Invalid JSON format");
    }
    *out = value;
    return STATUS_OK;
}

/* ---- forms: name=value&name=value ---- */

/* "+" is a space. Returns the length. */
static size_t decode(struct slice from, char *to)
{
    size_t len = 0;
    for (const char *at = from.at, *end = from.at + from.len; at < end;) {
        char c = *at == '+' ? ' ' : *at;
        at += percent_read(at, end, &c) ? PERCENT_BYTES : 1;
        if (c == '\n' && len > 0 && to[len - 1] == '\r')
            len--;
        to[len++] = c;
    }
    return len;
}

static bool is_wanted(const char *const *names, const char *name, size_t len)
{
    for (; *names; names++)
        if (strlen(*names) == len && memcmp(*names, name, len) == 0)
            return true;
    return false;
}

/* `copy` writes name and value as they are meant. */
static enum status add_field(json_t *object, const char *const *names, struct slice name,
                             struct slice value, size_t (*copy)(struct slice from, char *to),
                             struct error *err)
{
    char key[32];
    if (name.len >= sizeof key)
        return STATUS_OK;
    size_t key_len = copy(name, key);
    key[key_len] = '\0';
    if (!is_wanted(names, key, key_len) || json_object_get(object, key))
        return STATUS_OK;

    char *text = memory_alloc(value.len + 1, 1);
    if (!text)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    json_t *json = json_stringn(text, copy(value, text));
    memory_free(text);
    if (!json)
        return error_set(err, STATUS_BAD_INPUT, "Invalid request: %s is not valid UTF-8", key);
    if (json_object_set_new(object, key, json) != 0)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    return STATUS_OK;
}

static enum status read_form(json_t *object, const char *const *names, struct slice form,
                             struct error *err)
{
    enum status status = STATUS_OK;
    const char *at = form.at, *end = form.at + form.len;
    while (at < end && status == STATUS_OK) {
        const char *field_end = memchr(at, '&', (size_t)(end - at));
        if (!field_end)
            field_end = end;
        const char *equals = memchr(at, '=', (size_t)(field_end - at));
        if (equals)
            status = add_field(object, names, (struct slice){ at, (size_t)(equals - at) },
                               (struct slice){ equals + 1, (size_t)(field_end - equals - 1) },
                               decode, err);
        at = field_end + 1;
    }
    return status;
}

/* As it is, but with LF for CR LF. */
static size_t copy_lines(struct slice from, char *to)
{
    size_t len = 0;
    for (size_t at = 0; at < from.len; at++) {
        if (from.at[at] == '\n' && len > 0 && to[len - 1] == '\r')
            len--;
        to[len++] = from.at[at];
    }
    return len;
}

static enum status read_multipart(json_t *object, const char *const *names,
                                  const struct message *message, struct error *err)
{
    struct multipart m;
    struct multipart_field field;
    enum status status = STATUS_OK;
    bool is_sound = multipart_start(&m, message->content_type, message->body);
    while (is_sound && status == STATUS_OK && multipart_next(&m, &field))
        status = add_field(object, names, field.name, field.value, copy_lines, err);
    if (status == STATUS_OK && (!is_sound || m.is_damaged))
        status =
            error_set(err, STATUS_BAD_INPUT,
                      "Invalid request: the multipart body is damaged or has more than %d parts",
                      MULTIPART_PARTS_MAX);
    return status;
}

bool parameters_are_json(const struct message *message)
{
    return media_type_is(message->content_type, "application/json");
}

/* ---- a query alone, strictly ---- */

/* As text in memory of the caller's, with a NUL behind it. */
static enum status decode_query_part(struct slice from, char *to, size_t *len, struct error *err)
{
    *len = decode(from, to);
    to[*len] = '\0';
    if (utf8_check(to, *len, NULL) != STATUS_OK || memchr(to, '\0', *len))
        return error_set(err, STATUS_BAD_INPUT,
                         "the query is not valid UTF-8, or has a zero byte in it");
    return STATUS_OK;
}

static enum status add_parameter(json_t *object, struct slice name, struct slice value,
                                 struct error *err)
{
    size_t name_len, value_len;
    char *text = memory_alloc(name.len + value.len + 2, 1);
    if (!text)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    char *value_text = text + name.len + 1;
    enum status status = decode_query_part(name, text, &name_len, err);
    if (status == STATUS_OK)
        status = decode_query_part(value, value_text, &value_len, err);
    if (status == STATUS_OK && json_object_get(object, text))
        status = error_set(err, STATUS_BAD_INPUT, "a parameter of the query comes twice");
    if (status == STATUS_OK &&
        json_object_set_new(object, text, json_stringn(value_text, value_len)) != 0)
        status = error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    memory_free(text);
    return status;
}

static enum status read_query(json_t *object, struct slice query, struct error *err)
{
    enum status status = STATUS_OK;
    const char *at = query.at, *end = query.at + query.len;
    while (at < end && status == STATUS_OK) {
        const char *field_end = memchr(at, '&', (size_t)(end - at));
        if (!field_end)
            field_end = end;
        const char *equals = memchr(at, '=', (size_t)(field_end - at));
        const char *name_end = equals ? equals : field_end;
        const char *value = equals ? equals + 1 : field_end;
        if (field_end > at)
            status = add_parameter(object, (struct slice){ at, (size_t)(name_end - at) },
                                   (struct slice){ value, (size_t)(field_end - value) }, err);
        at = field_end + 1;
    }
    return status;
}

enum status parameters_query(json_t **out, struct slice query, struct error *err)
{
    json_t *object = json_object();
    *out = NULL;
    if (!object)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    enum status status = query.at ? read_query(object, query, err) : STATUS_OK;
    if (status == STATUS_OK)
        *out = object;
    else
        json_decref(object);
    return status;
}

/* ---- all forms ---- */

enum status parameters_read(json_t **out, const struct message *message, const char *const *names,
                            struct error *err)
{
    *out = NULL;
    if (parameters_are_json(message))
        return read_json(out, message->body, err);

    json_t *object = json_object();
    if (!object)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the request");
    enum status status = STATUS_OK;
    if (message->query.at)
        status = read_form(object, names, message->query, err);
    if (status == STATUS_OK &&
        media_type_is(message->content_type, "application/x-www-form-urlencoded"))
        status = read_form(object, names, message->body, err);
    if (status == STATUS_OK && media_type_is(message->content_type, "multipart/form-data"))
        status = read_multipart(object, names, message, err);
    if (status == STATUS_OK)
        *out = object;
    else
        json_decref(object);
    return status;
}

static bool has_bytes(struct slice s, const char *name)
{
    return s.len > 0 && memmem(s.at, s.len, name, strlen(name));
}

bool parameters_text(const struct message *message, const char *name, char *out, size_t size)
{
    const char *const names[] = { name, NULL };
    json_t *object;
    if (!has_bytes(message->body, name) && !has_bytes(message->query, name))
        return false;
    if (parameters_read(&object, message, names, NULL) != STATUS_OK)
        return false;
    const json_t *value = json_object_get(object, name);
    const bool fits =
        json_is_string(value) && json_string_length(value) > 0 && json_string_length(value) < size;
    if (fits)
        memcpy(out, json_string_value(value), json_string_length(value) + 1);
    json_decref(object);
    return fits;
}
