/*
 * config.c - what a model is: its bounds and its JSON.
 */
#include "model/config.h"

#include <stddef.h>
#include <string.h>

#include "base/json.h"

#define WORDS_MAX 6

/* Kinds as bits: which of them have a field. */
enum {
    OF_TRANSLATE = 1 << KIND_TRANSLATE,
    OF_LM = 1 << KIND_LM,
    OF_CLASSIFY = 1 << KIND_CLASSIFY,
    OF_ALL = OF_TRANSLATE | OF_LM | OF_CLASSIFY,
};

/* Fields that are one of some words; a field that a text leaves out is the first value that its
 * default says. Enums are stored as int. */
static const struct choice {
    const char *name;
    size_t offset;
    int kinds;
    const char *words[WORDS_MAX + 1]; // in the order of the enum, ended by NULL
} choices[] = {
    { "kind", offsetof(struct config, kind), OF_ALL, { "translate", "lm", "classify" } },
    { "cell",
      offsetof(struct config, cell),
      OF_ALL,
      { "rnn", "rnn-logistic", "lstm", "peephole", "gru", "gru-unbiased" } },
    { "encoder",
      offsetof(struct config, encoder),
      OF_TRANSLATE | OF_CLASSIFY,
      { "bidirectional", "unidirectional", "reversed" } },
    { "attention_kind",
      offsetof(struct config, attention_kind),
      OF_TRANSLATE,
      { "bahdanau", "none" } },
};
#define CHOICE_COUNT (sizeof choices / sizeof choices[0])

static const struct field {
    const char *name;
    size_t offset;
    int kinds;
    int min, max;
    bool required; // in a text; the others have defaults, for files from before they existed
} fields[] = {
    { "vocabulary", offsetof(struct config, vocabulary), OF_ALL, 4, CONFIG_VOCABULARY_MAX, true },
    { "embedding", offsetof(struct config, embedding), OF_ALL, 1, CONFIG_WIDTH_MAX, true },
    { "hidden", offsetof(struct config, hidden), OF_ALL, 1, CONFIG_WIDTH_MAX, true },
    { "attention", offsetof(struct config, attention), OF_TRANSLATE, 1, CONFIG_WIDTH_MAX, true },
    { "encoder_layers", offsetof(struct config, encoder_layers), OF_TRANSLATE | OF_CLASSIFY, 1,
      CONFIG_LAYERS_MAX, false },
    { "decoder_layers", offsetof(struct config, decoder_layers), OF_TRANSLATE | OF_LM, 1,
      CONFIG_LAYERS_MAX, false },
    { "classes", offsetof(struct config, classes), OF_CLASSIFY, 2, CONFIG_CLASSES_MAX, true },
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

static int *value_at(struct config *config, size_t offset)
{
    return (int *)(void *)((char *)config + offset);
}

/* Without attention its width is nothing. */
static bool has_field(const struct config *config, const struct field *field)
{
    if (field->offset == offsetof(struct config, attention) &&
        config->attention_kind == ATTENTION_NONE)
        return false;
    return field->kinds >> config->kind & 1;
}

struct config config_default(enum model_kind kind)
{
    struct config config = { .kind = kind, .cell = CELL_LSTM, .embedding = 256, .hidden = 512 };
    if (kind == KIND_TRANSLATE)
        config.attention = 256;
    if (kind != KIND_LM)
        config.encoder_layers = 1;
    if (kind != KIND_CLASSIFY)
        config.decoder_layers = 1;
    return config;
}

static int word_count(const struct choice *choice)
{
    int count = 0;
    while (choice->words[count])
        count++;
    return count;
}

enum status config_check(const struct config *config, struct error *err)
{
    struct config copy = *config;
    for (size_t i = 0; i < CHOICE_COUNT; i++)
        if (*value_at(&copy, choices[i].offset) < 0 ||
            *value_at(&copy, choices[i].offset) >= word_count(&choices[i]))
            return error_set(err, STATUS_BAD_INPUT, "config: \"%s\" is not known", choices[i].name);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];
        const int value = *value_at(&copy, field->offset);
        if (has_field(config, field) && (value < field->min || value > field->max))
            return error_set(err, STATUS_BAD_INPUT, "config: \"%s\" is %d; it must be %d to %d",
                             field->name, value, field->min, field->max);
    }
    return STATUS_OK;
}

const char *const *config_choices(const char *name)
{
    for (size_t i = 0; i < CHOICE_COUNT; i++)
        if (strcmp(choices[i].name, name) == 0)
            return choices[i].words;
    return NULL;
}

static const struct choice *find_choice(const char *name)
{
    for (size_t i = 0; i < CHOICE_COUNT; i++)
        if (strcmp(choices[i].name, name) == 0)
            return &choices[i];
    return NULL;
}

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static enum status read_choice(struct config *config, const struct choice *choice,
                               const json_t *value, struct error *err)
{
    const char *text = json_string_value(value);
    for (int i = 0; text && choice->words[i]; i++) {
        if (strcmp(choice->words[i], text) == 0) {
            *value_at(config, choice->offset) = i;
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_BAD_INPUT,
                     "config: \"%s\" is \"%.40s\", which this version does not know; the file may "
                     "be of a newer one",
                     choice->name, text ? text : "no text");
}

static enum status read_number(struct config *config, const struct field *field,
                               const json_t *value, struct error *err)
{
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < field->min || number > field->max)
        return error_set(err, STATUS_BAD_INPUT,
                         "config: \"%s\" must be a whole number from %d to %d", field->name,
                         field->min, field->max);
    *value_at(config, field->offset) = (int)number;
    return STATUS_OK;
}

/* Choices come first: they say which numbers there are. */
static enum status read_choices(struct config *config, json_t *root, struct error *err)
{
    enum status status = STATUS_OK;
    const json_t *kind = json_object_get(root, "kind");
    if (kind)
        status = read_choice(config, find_choice("kind"), kind, err);
    *config = config_default(config->kind);
    for (size_t i = 0; i < CHOICE_COUNT && status == STATUS_OK; i++) {
        const json_t *value = json_object_get(root, choices[i].name);
        if (value && choices[i].kinds >> config->kind & 1)
            status = read_choice(config, &choices[i], value, err);
    }
    return status;
}

static enum status read_fields(struct config *config, json_t *root, struct error *err)
{
    const char *name;
    json_t *value;
    enum status status = read_choices(config, root, err);
    json_object_foreach (root, name, value) {
        if (status != STATUS_OK)
            return status;
        const struct choice *choice = find_choice(name);
        const struct field *field = find_field(name);
        if (choice && choice->kinds >> config->kind & 1)
            continue;
        if (!field || !has_field(config, field))
            return error_set(err, STATUS_BAD_INPUT,
                             "config: \"%s\" is not known of such a model; the file may be of a "
                             "newer version",
                             name);
        status = read_number(config, field, value, err);
    }
    for (size_t i = 0; i < FIELD_COUNT && status == STATUS_OK; i++)
        if (fields[i].required && has_field(config, &fields[i]) &&
            !json_object_get(root, fields[i].name))
            status = error_set(err, STATUS_BAD_INPUT, "config: \"%s\" is missing", fields[i].name);
    return status;
}

enum status config_parse(struct config *config, const char *json, size_t len, struct error *err)
{
    json_t *root;
    enum status status = json_parse(&root, json, len, err);
    if (status != STATUS_OK)
        return error_while(err, "config: ");
    struct config parsed = { 0 };
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
    const char *comma = "";
    bytes_append_char(out, '{');
    for (size_t i = 0; i < CHOICE_COUNT; i++) {
        if (!(choices[i].kinds >> config->kind & 1))
            continue;
        bytes_printf(out, "%s\"%s\":\"%s\"", comma, choices[i].name,
                     choices[i].words[*value_at(&copy, choices[i].offset)]);
        comma = ",";
    }
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (has_field(config, &fields[i]))
            bytes_printf(out, ",\"%s\":%d", fields[i].name, *value_at(&copy, fields[i].offset));
    bytes_append_char(out, '}');
    return bytes_check(out, "the config", err);
}
