/*
 * options.c - the command line read against its table, and the table as help.
 */
#include "server/cmd/options.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/threads.h"
#include "server/cmd/settings_file.h"

#define NAME_BYTES 64
#define HELP_COLUMN 24 // where the explanations start
#define HELP_WIDTH 80
#define HELP_BYTES 1024 // of one option's explanation

struct setting { // what one row of the table got
    bool given;
    bool is_said;     // on the command line, in the environment or in the file
    const char *text; // NULL: nothing, not even a fallback
    int64_t integer;
    double real;
    const char **items; // (count) of a list
    int count;
};

struct options {
    const struct option_spec *specs;
    const char *name;
    int spec_count;
    bool help_wanted;
    struct setting *settings;  // (spec_count)
    struct settings_file file; // texts of settings may be in it
    const char **operands;     // (operand_count)
    int operand_count;
};

/* ---- names that are nearly right ---- */

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* How many letters to change, add, leave out or swap with their neighbour. */
static int letters_apart(const char *a, const char *b)
{
    int rows[3][NAME_BYTES + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    int lb = (int)strlen(b);
    for (int j = 0; j <= lb; j++)
        above[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1, row[j]);
        }
        int *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[lb];
}

const char *nearest_name(const char *word, const char *const *names, int count)
{
    size_t len = strlen(word);
    const char *nearest = NULL;
    int best = len <= 3 ? 2 : 3; // one letter off in a short word, two in others
    if (len == 0 || len > NAME_BYTES)
        return NULL;
    for (int i = 0; i < count; i++) {
        assert(strlen(names[i]) <= NAME_BYTES);
        int apart = letters_apart(word, names[i]);
        if (len >= 3 && strncmp(word, names[i], len) == 0)
            apart = 1; // its beginning
        if (apart < best) {
            best = apart;
            nearest = names[i];
        }
    }
    return nearest;
}

/* ---- the table ---- */

static int count_specs(const struct option_spec *specs)
{
    int count = 0;
    while (specs[count].name)
        count++;
    return count;
}

/* -1: the table has no such name. */
static int find_spec(const struct options *o, const char *name, size_t len)
{
    for (int i = 0; i < o->spec_count; i++)
        if (strlen(o->specs[i].name) == len && memcmp(o->specs[i].name, name, len) == 0)
            return i;
    return -1;
}

static int find_letter(const struct options *o, char letter)
{
    for (int i = 0; i < o->spec_count; i++)
        if (o->specs[i].letter == letter)
            return i;
    return -1;
}

static void environment_name(const struct option_spec *spec, char out[NAME_BYTES + 8])
{
    snprintf(out, NAME_BYTES + 8, "VERSO_%s", spec->name);
    for (char *c = out; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

static bool has_limits(const struct option_spec *spec)
{
    return spec->min != 0 || spec->max != 0;
}

/* ---- values ---- */

static enum status check_limits(const struct option_spec *spec, double value, const char *from,
                                const char *text, struct error *err)
{
    double max = spec->kind == OPTION_INT ? INT_MAX : HUGE_VAL;
    if (has_limits(spec))
        max = spec->max;
    if (value < spec->min)
        return error_set(err, STATUS_BAD_USAGE, "%s: %s is less than %.12g", from, text, spec->min);
    if (value > max)
        return error_set(err, STATUS_BAD_USAGE, "%s: %s is more than %.12g", from, text, max);
    return STATUS_OK;
}

static enum status set_number(const struct option_spec *spec, struct setting *setting,
                              const char *text, const char *from, struct error *err)
{
    char *end;
    bool whole = spec->kind == OPTION_INT;
    errno = 0;
    int64_t integer = whole ? strtoll(text, &end, 10) : 0;
    double real = whole ? (double)integer : strtod(text, &end);
    if (end == text || *end || errno || !isfinite(real) || isspace((unsigned char)text[0]))
        return error_set(err, STATUS_BAD_USAGE, "%s: \"%s\" is not a %s", from, text,
                         whole ? "whole number" : "number");
    enum status status = check_limits(spec, real, from, text, err);
    if (status != STATUS_OK)
        return status;
    setting->integer = integer;
    setting->real = real;
    return STATUS_OK;
}

static enum status add_item(struct setting *setting, const char *text, const char *from,
                            struct error *err)
{
    if (setting->count == OPTION_LIST_MAX)
        return error_set(err, STATUS_BAD_USAGE, "%s was given more than %d times", from,
                         OPTION_LIST_MAX);
    if (!setting->items)
        setting->items = memory_alloc(OPTION_LIST_MAX, sizeof *setting->items);
    if (!setting->items)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the options");
    setting->items[setting->count++] = text;
    return STATUS_OK;
}

/* from: what the text was written behind, for messages: "--beam" or "VERSO_BEAM". */
static enum status set_value(const struct option_spec *spec, struct setting *setting,
                             const char *text, const char *from, struct error *err)
{
    enum status status = STATUS_OK;
    if (spec->kind == OPTION_INT || spec->kind == OPTION_REAL)
        status = set_number(spec, setting, text, from, err);
    else if (spec->kind == OPTION_LIST)
        status = add_item(setting, text, from, err);
    if (status == STATUS_OK)
        setting->text = text;
    return status;
}

/* ---- words ---- */

static enum status unknown_option(const struct options *o, const char *word, size_t name_len,
                                  struct error *err)
{
    const char *names[OPTION_LIST_MAX];
    char name[NAME_BYTES + 1] = "";
    int count = o->spec_count < OPTION_LIST_MAX ? o->spec_count : OPTION_LIST_MAX;
    for (int i = 0; i < count; i++)
        names[i] = o->specs[i].name;
    if (name_len <= NAME_BYTES)
        memcpy(name, word + 2, name_len);
    const char *nearest = nearest_name(name, names, count);
    if (nearest)
        return error_set(err, STATUS_BAD_USAGE, "there is no option %.*s; did you mean --%s?",
                         (int)name_len + 2, word, nearest);
    return error_set(err, STATUS_BAD_USAGE, "there is no option %.*s; see verso %s --help",
                     (int)name_len + 2, word, o->name);
}

/* One option, whose value is what follows "=" or its letter, or else the next word. *at is the
 * last word taken. */
static enum status take_option(struct options *o, int index, const char *attached,
                               char *const *argv, int argc, int *at, struct error *err)
{
    const struct option_spec *spec = &o->specs[index];
    char from[NAME_BYTES + 4];
    snprintf(from, sizeof from, "--%s", spec->name);
    o->settings[index].given = o->settings[index].is_said = true;
    if (spec->kind == OPTION_FLAG)
        return attached ? error_set(err, STATUS_BAD_USAGE, "%s takes no value", from) : STATUS_OK;
    if (attached)
        return set_value(spec, &o->settings[index], attached, from, err);
    if (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0)
        return error_set(err, STATUS_BAD_USAGE, "%s needs a value: %s %s", from, from, spec->value);
    ++*at;
    return set_value(spec, &o->settings[index], argv[*at], from, err);
}

static enum status take_operand(struct options *o, const char *word, struct error *err)
{
    if (o->operand_count == OPERANDS_MAX)
        return error_set(err, STATUS_BAD_USAGE, "more than %d operands", OPERANDS_MAX);
    o->operands[o->operand_count++] = word;
    return STATUS_OK;
}

static enum status take_word(struct options *o, char *const *argv, int argc, int *at,
                             struct error *err)
{
    const char *word = argv[*at];
    if (word[0] != '-' || word[1] == '\0')
        return take_operand(o, word, err); // "-" is standard input
    if (word[1] != '-') {
        int index = find_letter(o, word[1]);
        if (index < 0)
            return error_set(err, STATUS_BAD_USAGE, "there is no option -%c; see verso %s --help",
                             word[1], o->name);
        return take_option(o, index, word[2] ? word + 2 : NULL, argv, argc, at, err);
    }
    size_t len = strcspn(word + 2, "=");
    int index = find_spec(o, word + 2, len);
    if (index < 0)
        return unknown_option(o, word, len, err);
    return take_option(o, index, word[2 + len] ? word + 2 + len + 1 : NULL, argv, argc, at, err);
}

static enum status take_words(struct options *o, int argc, char *const *argv, struct error *err)
{
    enum status status = STATUS_OK;
    bool operands_only = false;
    for (int i = 0; i < argc && status == STATUS_OK; i++) {
        if (operands_only)
            status = take_operand(o, argv[i], err);
        else if (strcmp(argv[i], "--") == 0)
            operands_only = true;
        else
            status = take_word(o, argv, argc, &i, err);
    }
    return status;
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcasecmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

static enum status set_flag(struct setting *setting, const char *text, const char *from,
                            struct error *err)
{
    static const char *const yes[] = { "1", "true", "yes", "on", NULL };
    static const char *const no[] = { "0", "false", "no", "off", "", NULL };
    setting->given = is_one_of(text, yes);
    if (!setting->given && !is_one_of(text, no))
        return error_set(err, STATUS_BAD_USAGE, "%s: \"%s\" is neither 1 nor 0", from, text);
    return STATUS_OK;
}

/* What was said elsewhere than on the command line. */
static enum status set_said(const struct option_spec *spec, struct setting *setting,
                            const char *text, const char *from, struct error *err)
{
    setting->is_said = true;
    if (spec->kind == OPTION_FLAG)
        return set_flag(setting, text, from, err);
    if (!*text)
        return STATUS_OK;
    setting->given = true;
    return set_value(spec, setting, text, from, err);
}

static enum status take_environment(struct options *o, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < o->spec_count && status == STATUS_OK; i++) {
        char from[NAME_BYTES + 8];
        environment_name(&o->specs[i], from);
        const char *text = o->specs[i].environment ? getenv(from) : NULL;
        const bool is_flag = o->specs[i].kind == OPTION_FLAG;
        if (text && (*text || is_flag) && !o->settings[i].is_said)
            status = set_said(&o->specs[i], &o->settings[i], text, from, err);
    }
    return status;
}

static enum status unknown_setting(const struct options *o, struct error *err)
{
    const char *names[OPTION_LIST_MAX];
    int count = 0;
    for (int i = 0; i < o->spec_count && count < OPTION_LIST_MAX; i++)
        if (o->specs[i].environment)
            names[count++] = o->specs[i].name;
    const char *nearest = nearest_name(o->file.name, names, count);
    if (nearest)
        return error_set(err, STATUS_BAD_USAGE, "%s:%d: there is no setting %s; did you mean %s?",
                         o->file.path, o->file.line, o->file.name, nearest);
    return error_set(err, STATUS_BAD_USAGE, "%s:%d: there is no setting %s; see verso %s --help",
                     o->file.path, o->file.line, o->file.name, o->name);
}

/* lines: where each setting was found before, 0 if it was not. */
static enum status take_line(struct options *o, int *lines, const bool *was_said, struct error *err)
{
    const int i = find_spec(o, o->file.name, strlen(o->file.name));
    char from[PATH_MAX + NAME_BYTES];
    if (i < 0 || !o->specs[i].environment || o->specs[i].kind == OPTION_SETTINGS)
        return unknown_setting(o, err);
    if (lines[i] && o->specs[i].kind != OPTION_LIST)
        return error_set(err, STATUS_BAD_USAGE, "%s:%d: %s is in line %d already", o->file.path,
                         o->file.line, o->file.name, lines[i]);
    lines[i] = o->file.line;
    snprintf(from, sizeof from, "%s:%d: %s", o->file.path, o->file.line, o->file.name);
    if (was_said[i]) { // it must be right all the same
        struct setting unused = { 0 };
        enum status status = set_said(&o->specs[i], &unused, o->file.value, from, err);
        memory_free(unused.items);
        return status;
    }
    return set_said(&o->specs[i], &o->settings[i], o->file.value, from, err);
}

static enum status take_file(struct options *o, struct error *err)
{
    const char *path = NULL;
    int lines[OPTION_LIST_MAX] = { 0 };
    bool was_said[OPTION_LIST_MAX] = { false };
    assert(o->spec_count <= OPTION_LIST_MAX);
    for (int i = 0; i < o->spec_count; i++) {
        was_said[i] = o->settings[i].is_said;
        if (o->specs[i].kind == OPTION_SETTINGS)
            path = o->settings[i].text;
    }
    if (!path)
        return STATUS_OK;
    enum status status = settings_file_read(&o->file, path, err);
    while (status == STATUS_OK) {
        status = settings_file_next(&o->file, err);
        if (status != STATUS_OK || !o->file.name)
            break;
        status = take_line(o, lines, was_said, err);
    }
    return status;
}

static enum status take_fallbacks(struct options *o, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < o->spec_count && status == STATUS_OK; i++)
        if (!o->settings[i].given && o->specs[i].fallback)
            status = set_value(&o->specs[i], &o->settings[i], o->specs[i].fallback,
                               o->specs[i].name, err);
    return status;
}

static bool is_help_among(int argc, char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

enum status options_parse(struct options **out, const struct option_spec *specs, const char *name,
                          int argc, char *const *argv, struct error *err)
{
    enum status status = STATUS_OK;
    struct options *o = memory_zeroed(1, sizeof *o);
    *out = NULL;
    if (o) {
        o->specs = specs;
        o->name = name;
        o->spec_count = count_specs(specs);
        o->settings = memory_zeroed((size_t)o->spec_count + 1, sizeof *o->settings);
        o->operands = memory_alloc((size_t)argc + 1, sizeof *o->operands);
    }
    if (!o || !o->settings || !o->operands) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the options");
        goto done;
    }
    o->help_wanted = is_help_among(argc, argv);
    if (!o->help_wanted) {
        status = take_words(o, argc, argv, err);
        if (status == STATUS_OK)
            status = take_environment(o, err);
        if (status == STATUS_OK)
            status = take_file(o, err);
        if (status == STATUS_OK)
            status = take_fallbacks(o, err);
    }
    if (status == STATUS_OK) {
        *out = o;
        o = NULL;
    }
done:
    options_free(o);
    return status;
}

void options_free(struct options *o)
{
    if (!o)
        return;
    for (int i = 0; o->settings && i < o->spec_count; i++)
        memory_free(o->settings[i].items);
    settings_file_release(&o->file);
    memory_free(o->settings);
    memory_free(o->operands);
    memory_free(o);
}

/* ---- reading ---- */

bool options_help_wanted(const struct options *o)
{
    return o->help_wanted;
}

static const struct setting *setting_of(const struct options *o, const char *name)
{
    int index = find_spec(o, name, strlen(name));
    assert(index >= 0 && "the option table lacks an option that the command asks for");
    return &o->settings[index];
}

static const struct setting *setting_of_kind(const struct options *o, const char *name,
                                             enum option_kind kind)
{
    const struct setting *setting = setting_of(o, name);
    assert(o->specs[setting - o->settings].kind == kind);
    return setting;
}

bool options_given(const struct options *o, const char *name)
{
    return setting_of(o, name)->given;
}

bool options_flag(const struct options *o, const char *name)
{
    return setting_of_kind(o, name, OPTION_FLAG)->given;
}

const char *options_text(const struct options *o, const char *name)
{
    return setting_of_kind(o, name, OPTION_TEXT)->text;
}

int options_int(const struct options *o, const char *name)
{
    int64_t value = options_int64(o, name);
    assert(value >= INT_MIN && value <= INT_MAX && "the table must limit it to the range of int");
    return (int)value;
}

int64_t options_int64(const struct options *o, const char *name)
{
    return setting_of_kind(o, name, OPTION_INT)->integer;
}

double options_real(const struct options *o, const char *name)
{
    return setting_of_kind(o, name, OPTION_REAL)->real;
}

int options_threads(const struct options *o, int most)
{
    const int threads =
        options_given(o, "threads") ? options_int(o, "threads") : threads_available();
    return threads < most ? threads : most;
}

const char *const *options_list(const struct options *o, const char *name, int *count)
{
    const struct setting *setting = setting_of_kind(o, name, OPTION_LIST);
    *count = setting->count;
    return setting->items;
}

enum status option_choice(const struct options *o, const char *name, const char *const *names,
                          int *found, struct error *err)
{
    const char *given = options_text(o, name);
    char list[128] = "";
    for (int i = 0; names[i]; i++) {
        if (strcmp(given, names[i]) == 0) {
            *found = i;
            return STATUS_OK;
        }
        size_t len = strlen(list);
        snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", names[i]);
    }
    return error_set(err, STATUS_BAD_USAGE, "--%s %s: it must be one of %s", name, given, list);
}

int options_operand_count(const struct options *o)
{
    return o->operand_count;
}

const char *options_operand(const struct options *o, int i)
{
    assert(i >= 0 && i < o->operand_count);
    return o->operands[i];
}

enum status options_need(const struct options *o, struct error *err, ...)
{
    enum status status = STATUS_OK;
    const char *name;
    va_list names;
    va_start(names, err);
    while (status == STATUS_OK && (name = va_arg(names, const char *)) != NULL) {
        const struct setting *setting = setting_of(o, name);
        const struct option_spec *spec = &o->specs[setting - o->settings];
        if (!setting->text)
            status = error_set(err, STATUS_BAD_USAGE, "--%s %s is needed; see verso %s --help",
                               name, spec->value, o->name);
    }
    va_end(names);
    return status;
}

/* ---- help ---- */

/* "what it is for (1 to 64; default 5; VERSO_BEAM)" */
static void explain(const struct option_spec *spec, char out[HELP_BYTES])
{
    char facts[256] = "", environment[NAME_BYTES + 8] = "";
    size_t at = 0;
    if (has_limits(spec) && spec->max > 1e6)
        at += (size_t)snprintf(facts + at, sizeof facts - at, "; at least %.12g", spec->min);
    else if (has_limits(spec))
        at += (size_t)snprintf(facts + at, sizeof facts - at, "; %.12g to %.12g", spec->min,
                               spec->max);
    if (spec->kind == OPTION_LIST)
        at += (size_t)snprintf(facts + at, sizeof facts - at, "; may be repeated");
    if (spec->fallback)
        at += (size_t)snprintf(facts + at, sizeof facts - at, "; default %.64s", spec->fallback);
    if (spec->environment) {
        environment_name(spec, environment);
        snprintf(facts + at, sizeof facts - at, "; %s", environment);
    }
    if (facts[0])
        snprintf(out, HELP_BYTES, "%s (%s)", spec->help, facts + 2);
    else
        snprintf(out, HELP_BYTES, "%s", spec->help);
}

void print_folded(const char *text, int indent, int column, FILE *out)
{
    bool line_is_empty = true;
    fprintf(out, "%*s", indent > column ? indent - column : 0, "");
    column = column > indent ? column : indent;
    text += strspn(text, " \n");
    while (*text) {
        int len = (int)strcspn(text, " \n");
        if (!line_is_empty && column + 1 + len > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
            line_is_empty = true;
        }
        column += fprintf(out, "%s%.*s", line_is_empty ? "" : " ", len, text);
        line_is_empty = false;
        text += len;
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

void options_print(const struct option_spec *specs, FILE *out)
{
    for (const struct option_spec *spec = specs; spec->name; spec++) {
        char text[HELP_BYTES], letter[8] = "";
        if (spec->letter)
            snprintf(letter, sizeof letter, "-%c, ", spec->letter);
        int column = fprintf(out, "  %s--%s%s%s", letter, spec->name, spec->value ? " " : "",
                             spec->value ? spec->value : "");
        if (column > HELP_COLUMN - 2) {
            fputc('\n', out);
            column = 0;
        }
        explain(spec, text);
        print_folded(text, HELP_COLUMN, column, out);
    }
}

/* ---- the end ---- */

enum exit_code exit_code_of(enum status status)
{
    static const enum exit_code codes[] = {
        [STATUS_OK] = EXIT_OK,
        [STATUS_NO_MEMORY] = EXIT_FAILED,
        [STATUS_BAD_USAGE] = EXIT_USAGE,
        [STATUS_BAD_INPUT] = EXIT_BAD_INPUT,
        [STATUS_TOO_LARGE] = EXIT_BAD_INPUT,
        [STATUS_NOT_FOUND] = EXIT_NOT_FOUND,
        [STATUS_DENIED] = EXIT_FAILED,
        [STATUS_BUSY] = EXIT_FAILED,
        [STATUS_CANCELLED] = EXIT_INTERRUPTED,
        [STATUS_BAD_FILE] = EXIT_BAD_FILE,
        [STATUS_IO] = EXIT_FAILED,
        [STATUS_DIVERGED] = EXIT_DIVERGED,
    };
    return codes[status];
}

int options_finish(const struct options *o, enum status status, const struct error *err)
{
    if (status != STATUS_OK && status != STATUS_CANCELLED)
        fprintf(stderr, "verso %s: %s\n", o->name, err->text);
    return (int)exit_code_of(status);
}

enum status output_flush(enum status status, struct error *err)
{
    if (fflush(stdout) != 0 && status == STATUS_OK)
        return error_set(err, STATUS_IO, "writing: %s", strerror(errno));
    return status;
}

int options_run(const struct options *o, size_t bytes,
                enum status (*run)(void *state, const struct options *o, struct error *err),
                void (*release)(void *state))
{
    struct error err;
    void *state = memory_zeroed(1, bytes);
    const enum status status =
        state ? run(state, o, &err) : error_set(&err, STATUS_NO_MEMORY, "no memory to begin with");
    if (state && release)
        release(state);
    memory_free(state);
    return options_finish(o, status, &err);
}
