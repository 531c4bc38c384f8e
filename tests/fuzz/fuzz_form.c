/*
 * fuzz_form.c - whatever a body or a query is, it is read as fields or refused.
 *
 * The first byte chooses how it is sent: multipart, a form, a query, JSON. What
 * is read must be texts of the names that were asked for, within the input.
 */
#include <assert.h>
#include <string.h>

#include "server/http/multipart.h"
#include "server/http/parameters.h"

static void check_multipart(struct slice type, struct slice body)
{
    struct multipart m;
    struct multipart_field field;
    int count = 0;
    if (!multipart_start(&m, type, body))
        return;
    while (multipart_next(&m, &field)) {
        assert(++count <= MULTIPART_PARTS_MAX);
        assert(field.name.at >= body.at && field.name.at + field.name.len <= body.at + body.len);
        assert(field.value.at >= body.at && field.value.at + field.value.len <= body.at + body.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "q", "source", "api_key", NULL };
    static const char *const types[] = { "multipart/form-data; boundary=b",
                                         "application/x-www-form-urlencoded", "text/plain",
                                         "application/json" };
    struct error err;
    char key[64];
    json_t *p;
    if (size < 1)
        return 0;
    const char *type = types[data[0] % 4];
    const struct slice body = { (const char *)data + 1, size - 1 };
    struct message message = { .content_type = { type, strlen(type) }, .body = body };
    if (data[0] % 4 == 2)
        message.query = body;
    if (parameters_read(&p, &message, names, &err) == STATUS_OK) {
        assert(json_is_object(p));
        json_decref(p);
    } else {
        assert(err.status == STATUS_BAD_INPUT && err.text[0]);
    }
    if (parameters_query(&p, body, &err) == STATUS_OK) {
        const char *name;
        json_t *value;
        json_object_foreach (p, name, value) {
            assert(strlen(json_string_value(value)) == json_string_length(value));
        }
        json_decref(p);
    } else {
        assert(err.status == STATUS_BAD_INPUT && err.text[0]);
    }
    if (parameters_text(&message, "api_key", key, sizeof key))
        assert(strlen(key) < sizeof key);
    check_multipart(message.content_type, body);
    const char *newline = memchr(body.at, '\n', body.len); // a type of its own before the body
    if (newline) {
        const size_t len = (size_t)(newline - body.at);
        check_multipart((struct slice){ body.at, len },
                        (struct slice){ newline + 1, body.len - len - 1 });
    }
    return 0;
}
