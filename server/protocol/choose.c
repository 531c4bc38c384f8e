/* choose.c - which protocol a connection speaks, from its first line. */
#include "server/protocol/choose.h"

#include <string.h>

#define TLS_HANDSHAKE 0x16 // first byte of a TLS record that carries a hello
#define TLS_MAJOR 0x03

static size_t method_length(const char *line, size_t len)
{
    size_t at = 0;
    while (at < len && ((line[at] >= 'A' && line[at] <= 'Z') || line[at] == '-'))
        at++;
    return at;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* METHOD SP target SP HTTP/d.d, the line without its end. */
static bool is_request_line(const char *line, size_t len)
{
    size_t method = method_length(line, len);
    if (method == 0 || method == len || line[method] != ' ')
        return false;
    const char *version = line + len - 8;
    if (len < method + 1 + 1 + 1 + 8 || version[-1] != ' ')
        return false;
    return memcmp(version, "HTTP/", 5) == 0 && is_digit(version[5]) && version[6] == '.' &&
           is_digit(version[7]);
}

/* Over-long first lines have no end to look at: a path after the method must do. */
static bool starts_as_request(const char *line, size_t len)
{
    size_t method = method_length(line, len);
    return method > 0 && method + 1 < len && line[method] == ' ' && line[method + 1] == '/';
}

enum choice protocol_choose(const char *first, size_t len, bool all,
                            const struct protocol **protocol)
{
    if (len >= 2 && first[0] == TLS_HANDSHAKE && first[1] == TLS_MAJOR)
        return CHOICE_REFUSE;

    const char *newline = memchr(first, '\n', len);
    size_t line = newline ? (size_t)(newline - first) : len;
    if (!newline && !all && len < FIRST_LINE_BYTES_MAX)
        return CHOICE_MORE;

    bool is_http;
    if (newline) {
        if (line > 0 && first[line - 1] == '\r')
            line--;
        is_http = is_request_line(first, line);
    } else {
        is_http = len >= FIRST_LINE_BYTES_MAX && starts_as_request(first, len);
    }
    *protocol = is_http ? &protocol_http : &protocol_line;
    return CHOICE_MADE;
}
