/*
 * page.c - GET / and /web/{name}: the page and its files.
 *
 * A browser asks each time whether its copy is still good, and is told so
 * without the bytes: after an upgrade no old script meets a new service.
 */
#include <stdio.h>
#include <string.h>

#include "server/http/routes.h"
#include "server/web/web.h"

#define HEADERS_BYTES_MAX 512

/* "\"abc\", W/\"def\"" or "*". */
static bool has_tag(struct slice list, const char *tag)
{
    return list.at && ((list.len == 1 && *list.at == '*') ||
                       memmem(list.at, list.len, tag, strlen(tag)) != NULL);
}

static void answer_file(struct exchange *x, const struct web_file *file)
{
    char headers[HEADERS_BYTES_MAX];
    if (!file) {
        exchange_error(x, 404, "there is no such file; the page is at GET /");
        return;
    }
    snprintf(headers, sizeof headers,
             "ETag: %s\r\nCache-Control: no-cache\r\nContent-Security-Policy: " WEB_POLICY
             "\r\nReferrer-Policy: no-referrer\r\n",
             file->tag);
    const bool is_known = has_tag(x->message->if_none_match, file->tag);
    const struct slice body = { file->bytes, is_known ? 0 : file->len };
    exchange_body_with(x, is_known ? 304 : 200, is_known ? NULL : file->type, headers, body);
}

void get_page(struct exchange *x)
{
    answer_file(x, web_find("index.html"));
}

void get_web(struct exchange *x)
{
    answer_file(x, web_find(x->values[0]));
}
