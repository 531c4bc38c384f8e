/* error.c - statuses, and the sentences that come with them. */
#include "server/client/error.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *verso_status_name(enum verso_status status)
{
    static const char *const names[] = {
        [VERSO_OK] = "ok",
        [VERSO_BAD_ARGUMENT] = "bad argument",
        [VERSO_NO_MEMORY] = "no memory",
        [VERSO_UNREACHABLE] = "unreachable",
        [VERSO_TIMED_OUT] = "timed out",
        [VERSO_CANCELLED] = "cancelled",
        [VERSO_TOO_LARGE] = "too large",
        [VERSO_BAD_REPLY] = "bad reply",
        [VERSO_REFUSED] = "refused",
        [VERSO_DENIED] = "denied",
        [VERSO_NOT_FOUND] = "not found",
        [VERSO_BUSY] = "busy",
        [VERSO_SERVER_FAILED] = "server failed",
    };
    const size_t at = (size_t)status;
    return at < sizeof names / sizeof names[0] ? names[at] : "unknown";
}

/* What a server says may go to a terminal: no control characters, and no part of a character where
 * it had to be cut. */
static void tidy(char *text, bool is_cut)
{
    size_t len = strlen(text);
    if (is_cut) {
        size_t start = len;
        while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
            start--;
        if (start > 0 && (unsigned char)text[start - 1] >= 0xc0)
            text[start - 1] = '\0';
    }
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

enum verso_status verso_error_set(struct verso_error *err, enum verso_status status,
                                  const char *format, ...)
{
    va_list args;
    if (!err)
        return status;
    *err = (struct verso_error){ .status = status };
    va_start(args, format);
    const int len = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    tidy(err->text, len >= (int)sizeof err->text);
    return status;
}

static enum verso_status status_of(int http_status)
{
    switch (http_status) {
    case 401:
    case 403:
        return VERSO_DENIED;
    case 404:
        return VERSO_NOT_FOUND;
    case 413:
        return VERSO_TOO_LARGE;
    case 429:
    case 503:
        return VERSO_BUSY;
    case 504:
        return VERSO_TIMED_OUT;
    default:
        break;
    }
    if (http_status >= 500 && http_status <= 599)
        return VERSO_SERVER_FAILED;
    return http_status >= 400 && http_status <= 499 ? VERSO_REFUSED : VERSO_BAD_REPLY;
}

static const char *sentence_in(const json_t *problem)
{
    static const char *const names[] = { "detail", "error", "title" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = json_string_value(json_object_get(problem, names[i]));
        if (text && *text)
            return text;
    }
    return NULL;
}

enum verso_status verso_error_of_reply(struct verso_error *err, int http_status, int retry_after_s,
                                       const char *body, size_t len)
{
    json_t *problem = len > 0 ? json_loadb(body, len, 0, NULL) : NULL;
    const char *sentence = sentence_in(problem);
    const enum verso_status status =
        sentence ? verso_error_set(err, status_of(http_status), "%s", sentence)
                 : verso_error_set(err, status_of(http_status),
                                   "the server answered %d and did not say why", http_status);
    if (err) {
        err->http_status = http_status;
        err->retry_after_s = retry_after_s;
    }
    json_decref(problem);
    return status;
}
