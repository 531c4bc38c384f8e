/* http_head.c - the head of one HTTP request, parsed by llhttp (its only user) and checked. */
#include "server/protocol/http_head.h"

#include <ctype.h>
#include <llhttp.h>
#include <string.h>
#include <strings.h>

/* Filled by llhttp's callbacks. */
struct reading {
    llhttp_t parser;
    struct http_head *head;
    struct refusal why; // code 0 while all is well
    struct slice field, value;
    int hosts, lengths, encodings;
};

static struct reading *reading_of(llhttp_t *parser)
{
    return parser->data;
}

static int refuse(struct reading *r, int code, const char *text)
{
    r->why = (struct refusal){ code, text };
    return HPE_USER;
}

static bool equals(struct slice s, const char *lower_case)
{
    return s.len == strlen(lower_case) && strncasecmp(s.at, lower_case, s.len) == 0;
}

/* A span may come in pieces, but they lie next to each other: the head is parsed in one go. */
static void extend(struct slice *s, const char *at, size_t len)
{
    if (!s->at)
        s->at = at;
    s->len = (size_t)(at + len - s->at);
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    extend(&reading_of(parser)->field, at, len);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    extend(&reading_of(parser)->value, at, len);
    return 0;
}

static struct slice trimmed(struct slice s)
{
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* A name or address, perhaps with a port: no white space, no list, nothing of another part of a
 * URL. In one that is empty there is nothing wrong. */
static bool is_host(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.at[i]) && !strchr("-._~!$&'()*+;=%:[]", s.at[i]))
            return false;
    return true;
}

/* Fields that are handed on as they are; of several the last, which of X-Forwarded-For is what the
 * nearest proxy has added. False: the field is none of them. */
static bool keep(struct http_head *head, struct slice field, struct slice value)
{
    const struct {
        const char *name;
        struct slice *kept;
    } fields[] = { { "content-type", &head->content_type },
                   { "origin", &head->origin },
                   { "if-none-match", &head->if_none_match },
                   { "x-forwarded-for", &head->forwarded_for } };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (equals(field, fields[i].name)) {
            *fields[i].kept = value;
            return true;
        }
    return false;
}

/* What says how long the body is, and how it comes. */
static int take_framing(struct reading *r, struct slice field, struct slice value)
{
    if (equals(field, "content-length")) {
        r->lengths++;
    } else if (equals(field, "transfer-encoding")) {
        r->encodings++;
        if (!equals(value, "chunked"))
            return refuse(r, 501, "the only Transfer-Encoding served is chunked");
    } else if (equals(field, "content-encoding")) {
        if (value.len > 0 && !equals(value, "identity"))
            return refuse(r, 415,
                          "the only Content-Encoding served is identity: send the body as it is");
    } else if (equals(field, "expect")) {
        if (!equals(value, "100-continue"))
            return refuse(r, 417, "the only expectation served is 100-continue");
        r->head->expects_continue = true;
    }
    return 0;
}

static int on_header(llhttp_t *parser)
{
    struct reading *r = reading_of(parser);
    struct slice field = r->field, value = trimmed(r->value);
    r->field = r->value = (struct slice){ 0 };

    if (field.len == 0 || memchr(field.at, ' ', field.len))
        return refuse(r, 400, "a header field has no name, or white space before its colon");
    if (equals(field, "host")) {
        r->hosts++;
        if (!is_host(value))
            return refuse(r, 400, "the Host header names no host");
        if (!r->head->host.at)
            r->head->host = value; // that of an absolute target goes before it
    } else if (equals(field, "authorization")) {
        if (r->head->authorization.at)
            return refuse(r, 400, "Authorization is given twice");
        r->head->authorization = value;
    } else if (!keep(r->head, field, value)) {
        return take_framing(r, field, value);
    }
    return 0;
}

/* Of other methods a Content-Type alone announces none. */
static bool has_body(const struct http_head *head)
{
    return equals(head->method, "post") || equals(head->method, "put") ||
           equals(head->method, "patch") || equals(head->method, "query");
}

static int on_head(llhttp_t *parser)
{
    struct reading *r = reading_of(parser);
    if (r->hosts > 1 || (r->hosts == 0 && !r->head->is_http_1_0))
        return refuse(r, 400, "there must be one Host header");
    if (r->encodings > 0 && (r->encodings > 1 || r->lengths > 0 || r->head->is_http_1_0))
        return refuse(r, 400,
                      "Transfer-Encoding is given twice, beside Content-Length or in "
                      "HTTP/1.0");
    if (r->encodings == 0 && r->lengths == 0 && r->head->content_type.at && has_body(r->head))
        return refuse(r, 411, "a body without Content-Length or chunks has no end");
    r->head->chunked = r->encodings == 1;
    r->head->length = parser->content_length;
    r->head->keep_alive = llhttp_should_keep_alive(parser);
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_header,
    .on_headers_complete = on_head,
};

static struct refusal llhttp_refusal(llhttp_errno_t error)
{
    switch (error) {
    case HPE_INVALID_METHOD:
        return (struct refusal){ 501, "the request method is not known" };
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
        return (struct refusal){ 400, "Content-Length is malformed, given twice or beside "
                                      "Transfer-Encoding" };
    case HPE_INVALID_TRANSFER_ENCODING:
        return (struct refusal){ 400, "Transfer-Encoding is malformed" };
    default:
        return (struct refusal){ 400, "the head of the request is malformed" };
    }
}

/* "http://host/path?query" or "/path?query": the path, and what follows its "?". */
static void split_target(struct http_head *head, struct slice target)
{
    const char *end = target.at + target.len;
    const char *path = target.at;
    if (target.at[0] != '/' && target.len > 7 && strncasecmp(target.at, "http://", 7) == 0) {
        path = target.at + 7;
        while (path < end && *path != '/' && *path != '?')
            path++;
        head->host = (struct slice){ target.at + 7, (size_t)(path - target.at - 7) };
    }
    const char *mark = memchr(path, '?', (size_t)(end - path));
    head->path = (struct slice){ path, (size_t)((mark ? mark : end) - path) };
    if (mark)
        head->query = (struct slice){ mark + 1, (size_t)(end - mark - 1) };
    if (head->path.len == 0)
        head->path = (struct slice){ "/", 1 };
}

/* METHOD SP target SP HTTP/1.0 or HTTP/1.1, one space each. */
static bool parse_request_line(struct http_head *head, const char *line, size_t len,
                               struct refusal *why)
{
    *head = (struct http_head){ 0 };
    const char *end = line + len;
    const char *target = memchr(line, ' ', len);
    const char *version = target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;
    bool is_whole = version && target > line && version > target + 1 && end - version == 9 &&
                    memcmp(version, " HTTP/", 6) == 0;
    if (!is_whole) {
        *why = (struct refusal){ 400, "the request line is not METHOD target HTTP/1.1" };
        return false;
    }
    head->method = (struct slice){ line, (size_t)(target - line) };
    split_target(head, (struct slice){ target + 1, (size_t)(version - target - 1) });
    head->is_http_1_0 = memcmp(version + 6, "1.0", 3) == 0;
    if (!head->is_http_1_0 && memcmp(version + 6, "1.1", 3) != 0) {
        *why = (struct refusal){ 505, "the HTTP versions served are 1.0 and 1.1" };
        return false;
    }
    return true;
}

void http_head_begin(struct http_head *head, const char *bytes, size_t len)
{
    struct refusal ignored;
    const char *line_end = memchr(bytes, '\r', len);
    *head = (struct http_head){ 0 };
    if (line_end)
        (void)parse_request_line(head, bytes, (size_t)(line_end - bytes), &ignored);
}

/* QUERY came after llhttp 8.1, which lets nothing through that it does not know. It is framed like
 * POST, and so is put to it as that. */
static struct slice method_for_llhttp(struct slice method)
{
    static const char query[] = "QUERY", post[] = "POST";
    bool is_query = method.len == sizeof query - 1 && memcmp(method.at, query, method.len) == 0;
    return is_query ? (struct slice){ post, sizeof post - 1 } : method;
}

static llhttp_errno_t run_llhttp(struct reading *r, const char *bytes, size_t len)
{
    const struct slice written = r->head->method, known = method_for_llhttp(written);
    llhttp_init(&r->parser, HTTP_REQUEST, &callbacks);
    r->parser.data = r;
    llhttp_errno_t error = llhttp_execute(&r->parser, known.at, known.len);
    if (error == HPE_OK)
        error = llhttp_execute(&r->parser, bytes + written.len, len - written.len);
    return error;
}

bool http_head_parse(struct http_head *head, const char *bytes, size_t len, struct refusal *why)
{
    struct reading r = { .head = head };
    const char *line_end = memchr(bytes, '\r', len);
    if (!parse_request_line(head, bytes, (size_t)(line_end - bytes), why))
        return false;

    llhttp_errno_t error = run_llhttp(&r, bytes, len);
    if (error == HPE_PAUSED && llhttp_get_error_pos(&r.parser) == bytes + len)
        return true;
    *why = r.why.code ? r.why : llhttp_refusal(error);
    return false;
}
