/* http_reply.c - the status line and header fields in front of a reply's body. */
#include "server/protocol/http_reply.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

const char *http_reason(int code)
{
    switch (code) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 417:
        return "Expectation Failed";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "";
    }
}

static const char *const connection_lines[] = {
    [CONNECTION_UNSAID] = "",
    [CONNECTION_CLOSE] = "Connection: close\r\n",
    [CONNECTION_KEEP_ALIVE] = "Connection: keep-alive\r\n",
};

static void format_date(int64_t wall_ms, char out[32])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(out, 32, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

size_t http_reply_head(const struct http_reply_head *head, char out[HTTP_HEAD_BYTES])
{
    char date[32], length[48] = "", type[128] = "";
    format_date(head->wall_ms, date);
    if (head->body == BODY_IN_CHUNKS)
        snprintf(length, sizeof length, "Transfer-Encoding: chunked\r\n");
    else if (head->code != 204 && head->code != 304 && head->body == BODY_OF_LENGTH)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", head->content_length);
    if (head->content_type)
        snprintf(type, sizeof type, "Content-Type: %.100s\r\n", head->content_type);
    int len = snprintf(out, HTTP_HEAD_BYTES,
                       "HTTP/1.1 %d %s\r\nDate: %s\r\n%s%sX-Content-Type-Options: nosniff\r\n"
                       "X-Request-Id: %.64s\r\n%s",
                       head->code, http_reason(head->code), date, type, length, head->id,
                       connection_lines[head->connection]);
    assert(len > 0 && len < HTTP_HEAD_BYTES);
    return (size_t)len;
}
