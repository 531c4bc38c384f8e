/* multipart.c - the fields of a multipart/form-data body. */
#include "server/http/multipart.h"

#include <string.h>
#include <strings.h>

static bool starts_with(struct slice s, const char *text)
{
    const size_t len = strlen(text);
    return s.len >= len && strncasecmp(s.at, text, len) == 0;
}

static struct slice from(struct slice s, size_t count)
{
    return (struct slice){ s.at + count, s.len - count };
}

static struct slice without_blanks(struct slice s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
        s = from(s, 1);
    return s;
}

/* The value of `name` among "; name=value; name=\"value\"". A quote within quotes is written %22 by
 * browsers; a backslash before it is passed over. */
static bool find_parameter(struct slice s, const char *name, struct slice *value)
{
    while (s.len > 0) {
        const char *semicolon = memchr(s.at, ';', s.len);
        if (!semicolon)
            return false;
        s = without_blanks(from(s, (size_t)(semicolon - s.at) + 1));
        const size_t len = strlen(name);
        const bool is_it = starts_with(s, name) && s.len > len && s.at[len] == '=';
        const char *equals = memchr(s.at, '=', s.len);
        if (!equals)
            return false;
        s = from(s, (size_t)(equals - s.at) + 1);
        size_t end = 0;
        if (s.len > 0 && s.at[0] == '"') {
            s = from(s, 1);
            while (end < s.len && s.at[end] != '"')
                end += s.at[end] == '\\' && end + 1 < s.len ? 2 : 1;
            if (end >= s.len)
                return false;
        } else {
            while (end < s.len && !strchr("; \t\r\n", s.at[end]))
                end++;
        }
        *value = (struct slice){ s.at, end };
        if (is_it)
            return true;
        s = from(s, end);
    }
    return false;
}

bool multipart_start(struct multipart *m, struct slice content_type, struct slice body)
{
    struct slice boundary;
    *m = (struct multipart){ .at = body.at, .end = body.at + body.len };
    if (!find_parameter(content_type, "boundary", &boundary) || boundary.len == 0 ||
        boundary.len > MULTIPART_BOUNDARY_MAX)
        return false;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.at, boundary.len);
    m->delimiter_len = boundary.len + 4;

    /* The first one needs no line before it; what stands before that is nobody's. */
    const size_t first_len = m->delimiter_len - 2;
    if (body.len >= first_len && memcmp(body.at, m->delimiter + 2, first_len) == 0) {
        m->at += first_len;
        return true;
    }
    const char *first = memmem(body.at, body.len, m->delimiter, m->delimiter_len);
    m->is_damaged = !first;
    m->at = first ? first + m->delimiter_len : m->end;
    return true;
}

static bool damaged(struct multipart *m)
{
    m->is_damaged = true;
    m->at = m->end;
    return false;
}

/* A line of the part's head without its CR LF; an empty one ends the head. */
static bool next_line(struct multipart *m, struct slice *line)
{
    const char *newline = memmem(m->at, (size_t)(m->end - m->at), "\r\n", 2);
    if (!newline)
        return false;
    *line = (struct slice){ m->at, (size_t)(newline - m->at) };
    m->at = newline + 2;
    return true;
}

/* Reads the part behind a delimiter. *is_field: it has a name, and is no file. */
static bool read_part(struct multipart *m, struct multipart_field *field, bool *is_field)
{
    static const char disposition[] = "content-disposition:";
    struct slice line, file;
    *is_field = false;
    if (!next_line(m, &line) || without_blanks(line).len > 0)
        return damaged(m); // only blanks may stand behind a delimiter
    for (;;) {
        if (!next_line(m, &line))
            return damaged(m);
        if (line.len == 0)
            break;
        if (starts_with(line, disposition))
            *is_field = find_parameter(line, "name", &field->name) &&
                        !find_parameter(line, "filename", &file);
    }
    /* The empty line's CR LF may be the delimiter's: an empty value. */
    const char *from_here = m->at - 2;
    const char *end =
        memmem(from_here, (size_t)(m->end - from_here), m->delimiter, m->delimiter_len);
    if (!end)
        return damaged(m);
    field->value = (struct slice){ m->at, end >= m->at ? (size_t)(end - m->at) : 0 };
    m->at = end + m->delimiter_len;
    return true;
}

bool multipart_next(struct multipart *m, struct multipart_field *field)
{
    bool is_field;
    while (!m->is_damaged) {
        if (m->end - m->at >= 2 && memcmp(m->at, "--", 2) == 0)
            return false; // the last delimiter
        if (m->parts++ == MULTIPART_PARTS_MAX || !read_part(m, field, &is_field))
            return damaged(m);
        if (is_field)
            return true;
    }
    return false;
}
