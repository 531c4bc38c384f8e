/*
 * status.c - the sentences that say what failed, always cut at a whole character.
 */
#include "base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define X(name) #name,
    STATUS_LIST(X)
#undef X
};

#define STATUS_COUNT (sizeof names / sizeof names[0])

const char *status_name(enum status status)
{
    return (size_t)status < STATUS_COUNT ? names[status] : "UNKNOWN";
}

/* Replace the tail of a full buffer by "...", without leaving half a UTF-8 character before it. */
static void mark_as_cut(char *text, size_t size)
{
    size_t end = size - sizeof "...";
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", sizeof "...");
}

/* Both texts are formatted aside first: the arguments may point into err->text. */
enum status error_set(struct error *err, enum status status, const char *fmt, ...)
{
    if (!err)
        return status;
    char text[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (wanted < 0)
        text[0] = '\0';
    else if ((size_t)wanted >= sizeof text)
        mark_as_cut(text, sizeof text);
    err->status = status;
    memcpy(err->text, text, sizeof text);
    return status;
}

static bool ends_with_colon(const char *text)
{
    size_t len = strlen(text);
    return len >= 2 && strcmp(text + len - 2, ": ") == 0;
}

enum status error_while(struct error *err, const char *fmt, ...)
{
    assert(err);
    char doing[sizeof err->text];
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(doing, sizeof doing, fmt, args);
    va_end(args);
    if (wanted < 0)
        doing[0] = '\0';
    else if ((size_t)wanted >= sizeof doing)
        mark_as_cut(doing, sizeof doing);
    return error_set(err, err->status, "%s%s%s", doing, ends_with_colon(doing) ? "" : ": ",
                     err->text);
}
