/*
 * config.c - what a model is: its bounds and its JSON.
 */
#include "model/config.h"

#include <stddef.h>
#include <string.h>

#include "base/json.h"

/* The one list of the numbers; the choices are below it. */
static const struct field {
    const char *name;
    size_t offset;
    int min, max;
} fields[] = {
    { "vocabulary", offsetof(struct config, vocabulary), 4, CONFIG_VOCABULARY_MAX },
    { "embedding", offsetof(struct config, embedding), 1, CONFIG_WIDTH_MAX },
    { "hidden", offsetof(struct config, hidden), 1, CONFIG_WIDTH_MAX },
    { "attention", offsetof(struct config, attention), 1, CONFIG_WIDTH_MAX },
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

/* What this version knows of each choice. */
static const struct choice {
    const char *name, *value;
} choices[] = {
    { "kind", "translate" },
    { "cell", "lstm" },
    { "encoder", "bidirectional" },
    { "attention_kind", "bahdanau" },
};
#define CHOICE_COUNT (sizeof choices / sizeof choices[0])

static int *field_of(struct config *config, const struct field *field)
{
    return (int *)(void *)((char *)config + field->offset);
}

struct config config_default(void)
{
    return (struct config){ .vocabulary = 0, .embedding = 256, .hidden = 512, .attention = 256 };
}

enum status config_check(const struct config *config, struct error *err)
{
    struct config copy = *config;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];
        const int value = *field_of(&copy, field);
        if (value < field->min || value > field->max)
            return error_set(err, STATUS_BAD_INPUT, "config: \"%s\" is %d; it must be %d to %d",
                             field->name, value, field->min, field->max);
    }
    return STATUS_OK;
}

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static enum status read_choice(const char *name, const json_t *value, struct error *err)
{
    for (size_t i = 0; i < CHOICE_COUNT; i++) {
        if (strcmp(choices[i].name, name) != 0)
            continue;
        if (json_is_string(value) && strcmp(json_string_value(value), choices[i].value) == 0)
            return STATUS_OK;
        return error_set(err, STATUS_BAD_INPUT,
                         "config: this version knows \"%s\": \"%s\" only; the file may be of a "
                         "newer one",
                         name, choices[i].value);
    }
    return error_set(err, STATUS_BAD_INPUT,
                     "config: \"%s\" is not known; the file may be of a newer version", name);
}

static enum status read_fields(struct config *config, json_t *root, struct error *err)
{
    const char *name;
    json_t *value;
    size_t seen = 0;
    json_object_foreach (root, name, value) {
        const struct field *field = find_field(name);
        if (!field) {
            enum status status = read_choice(name, value, err);
            if (status != STATUS_OK)
                return status;
            continue;
        }
        const json_int_t number = json_integer_value(value);
        if (!json_is_integer(value) || number < field->min || number > field->max)
            return error_set(err, STATUS_BAD_INPUT,
                             "config: \"%s\" must be a whole number from %d to %d", name,
                             field->min, field->max);
        *field_of(config, field) = (int)number;
        seen++;
    }
    if (seen != FIELD_COUNT)
        return error_set(err, STATUS_BAD_INPUT,
                         "config: vocabulary, embedding, hidden and attention must all be there");
    return STATUS_OK;
}

enum status config_parse(struct config *config, const char *json, size_t len, struct error *err)
{
    json_t *root;
    enum status status = json_parse(&root, json, len, err);
    if (status != STATUS_OK)
        return error_while(err, "config: ");
    struct config parsed = config_default();
    if (!json_is_object(root))
        status = error_set(err, STATUS_BAD_INPUT, "config: a JSON object was expected");
    else
        status = read_fields(&parsed, root, err);
    json_decref(root);
    if (status == STATUS_OK)
        *config = parsed;
    return status;
}

enum status config_write(const struct config *config, struct bytes *out, struct error *err)
{
    struct config copy = *config;
    bytes_append_char(out, '{');
    for (size_t i = 0; i < CHOICE_COUNT; i++)
        bytes_printf(out, "\"%s\":\"%s\",", choices[i].name, choices[i].value);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        bytes_printf(out, "%s\"%s\":%d", i ? "," : "", fields[i].name,
                     *field_of(&copy, &fields[i]));
    bytes_append_char(out, '}');
    return bytes_check(out, "the config", err);
}
