/* http_scan.c - where the head of an HTTP message ends, and what must not be in it. */
#include "server/protocol/http_scan.h"

struct http_scan http_scan_head(size_t max)
{
    return (struct http_scan){ .max = max };
}

struct http_scan http_scan_trailer(size_t max)
{
    return (struct http_scan){ .max = max, .lines = 1 };
}

static enum scan refuse(struct refusal *why, int code, const char *text)
{
    *why = (struct refusal){ code, text };
    return SCAN_REFUSED;
}

static enum scan end_line(struct http_scan *scan)
{
    bool is_empty = scan->line_bytes == 0;
    scan->after_cr = false;
    scan->line_bytes = 0;
    if (is_empty)
        return scan->lines == 0 ? SCAN_SKIP : SCAN_END;
    scan->lines++;
    return SCAN_KEEP;
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

enum scan http_scan_byte(struct http_scan *scan, char byte, struct refusal *why)
{
    bool is_line_end = byte == '\r' || byte == '\n';
    bool before_head = scan->lines == 0 && scan->line_bytes == 0 && is_line_end;
    if (!before_head && ++scan->bytes > scan->max)
        return scan->lines == 0 ? refuse(why, 414, "the request target is too long")
                                : refuse(why, 431, "the header fields are too long");
    if (scan->after_cr)
        return byte == '\n' ? end_line(scan)
                            : refuse(why, 400, "a CR in the head is not followed by LF");
    if (byte == '\r') {
        scan->after_cr = true;
        return before_head ? SCAN_SKIP : SCAN_KEEP;
    }
    if (byte == '\n')
        return refuse(why, 400, "a line of the head ends in LF without CR");
    if (is_control(byte))
        return refuse(why, 400, "there is a control character in the head");
    if (scan->line_bytes == 0 && scan->lines > 0 && (byte == ' ' || byte == '\t'))
        return refuse(why, 400, "a header line starts with white space");
    if (++scan->line_bytes > REQUEST_LINE_BYTES_MAX && scan->lines == 0)
        return refuse(why, 414, "the request target is too long");
    return SCAN_KEEP;
}
