/*
 * log.c - an event becomes one line in a buffer on the stack and leaves in one
 * write, so that it needs no memory when memory is what ran out.
 *
 * A line over LOG_LINE_BYTES_MAX loses the fields that did not fit and says so
 * with "cut":true.
 */
#include "base/log.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "base/clock.h"

#define LOG_LINE_BYTES_MAX 4096
#define NUMBER_BYTES 32
#define EXACT_INTEGERS 0x1p53 // doubles below it hold every integer

static const char cut_mark[] = ",\"cut\":true";
static const char *const level_names[] = { "debug", "info", "warning", "error" };

static atomic_int lowest_level = LOG_INFO;
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *log_file; // guarded by file_lock; NULL: stderr

struct log_line {
    size_t len;
    bool is_full;
    char text[LOG_LINE_BYTES_MAX];
};

/* Room is kept for the end of the line, so a full one can always be closed. */
static void put(struct log_line *line, const char *bytes, size_t len)
{
    if (line->is_full || len > sizeof line->text - sizeof cut_mark - 2 - line->len) {
        line->is_full = true;
        return;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void put_text(struct log_line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Length of the UTF-8 character at `s`; 0 if it is none (overlong, surrogate, cut, too high). */
static size_t utf8_length(const unsigned char *s)
{
    static const unsigned char lowest[] = { 0, 0, 0xC2, 0xE0, 0xF0 };
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (s[0] < lowest[len] || s[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return len;
}

/* A JSON string; bytes that are no UTF-8 become U+FFFD. */
static void put_string(struct log_line *line, const char *text)
{
    put_text(line, "\"");
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t len = utf8_length(s);
        char escape[8];
        if (len == 0) {
            put_text(line, "\xEF\xBF\xBD");
            len = 1;
        } else if (*s == '"' || *s == '\\') {
            escape[0] = '\\';
            escape[1] = (char)*s;
            put(line, escape, 2);
        } else if (*s < 0x20 || *s == 0x7F) {
            snprintf(escape, sizeof escape, "\\u%04x", *s);
            put_text(line, escape);
        } else {
            put(line, (const char *)s, len);
        }
        s += len;
    }
    put_text(line, "\"");
}

static void put_number(struct log_line *line, double number)
{
    char text[NUMBER_BYTES];
    if (!isfinite(number)) {
        put_text(line, "null");
        return;
    }
    bool is_integer = number == trunc(number) && fabs(number) < EXACT_INTEGERS;
    snprintf(text, sizeof text, is_integer ? "%.0f" : "%.10g", number);
    put_text(line, text);
}

/* The whole field or nothing of it. */
static void put_field(struct log_line *line, const char *name, const struct log_value *value)
{
    size_t len_before = line->len;
    put_text(line, ",");
    put_string(line, name);
    put_text(line, ":");
    if (value->text)
        put_string(line, value->text);
    else
        put_number(line, value->number);
    if (line->is_full)
        line->len = len_before;
}

void log_set_level(enum log_level lowest)
{
    atomic_store(&lowest_level, (int)lowest);
}

void log_set_file(FILE *file)
{
    pthread_mutex_lock(&file_lock);
    log_file = file;
    pthread_mutex_unlock(&file_lock);
}

static void write_line(const struct log_line *line)
{
    pthread_mutex_lock(&file_lock);
    FILE *file = log_file ? log_file : stderr;
    fwrite(line->text, 1, line->len, file);
    fflush(file);
    pthread_mutex_unlock(&file_lock);
}

static void line_end(struct log_line *line)
{
    if (line->is_full) {
        memcpy(line->text + line->len, cut_mark, sizeof cut_mark - 1);
        line->len += sizeof cut_mark - 1;
    }
    line->text[line->len++] = '}';
    line->text[line->len++] = '\n';
}

void log_event(enum log_level level, const char *event, ...)
{
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed) ||
        level >= LOG_NOTHING)
        return;
    struct log_line line;
    char now[CLOCK_TEXT_BYTES];
    line.len = 0;
    line.is_full = false;
    clock_format(clock_wall_ms(), now);
    put_text(&line, "{\"time\":\"");
    put_text(&line, now);
    put_text(&line, "\"");
    put_field(&line, "level", &(struct log_value){ .text = level_names[level] });
    put_field(&line, "event", &(struct log_value){ .text = event });

    va_list fields;
    va_start(fields, event);
    const char *name;
    while (!line.is_full && (name = va_arg(fields, const char *)))
        put_field(&line, name, va_arg(fields, const struct log_value *));
    va_end(fields);
    line_end(&line);
    write_line(&line);
}
