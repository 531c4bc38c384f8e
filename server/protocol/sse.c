/* sse.c - server-sent events. */
#include "server/protocol/sse.h"

static size_t line_length(const char *at, size_t len)
{
    size_t n = 0;
    while (n < len && at[n] != '\n' && at[n] != '\r')
        n++;
    return n;
}

static bool append_data(struct bytes *out, const char *data, size_t len)
{
    for (;;) {
        const size_t line = line_length(data, len);
        if (!bytes_append_text(out, "data: ") || !bytes_append(out, data, line) ||
            !bytes_append_char(out, '\n'))
            return false;
        if (line == len)
            return true;
        const size_t end = len - line > 1 && data[line] == '\r' && data[line + 1] == '\n' ? 2 : 1;
        data += line + end;
        len -= line + end;
    }
}

bool sse_event(struct bytes *out, const char *name, const char *data, size_t len)
{
    const size_t before = out->len;
    if (bytes_printf(out, "event: %s\n", name) && append_data(out, data, len) &&
        bytes_append_char(out, '\n'))
        return true;
    out->len = before;
    if (out->data)
        out->data[before] = '\0';
    return false;
}
