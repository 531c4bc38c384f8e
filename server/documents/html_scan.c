/*
 * html_scan.c - tags, comments and opaque elements cut out of the bytes of an HTML text.
 */
#include "server/documents/html_scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES_MAX 16 // of the longest name in the table

struct scanner {
    const char *html;
    size_t len;
    struct html_token *list;
    int count;
    int open[HTML_DEPTH_MAX]; // start tags without their end tag yet
    int depth;
    int pre_depth;
};

/* ---- elements ---- */

struct element {
    const char *name;
    unsigned traits;
};

/* In order of names. What is not here is inline. */
static const struct element elements[] = {
    { "address", ELEMENT_BLOCK },
    { "area", ELEMENT_VOID },
    { "article", ELEMENT_BLOCK },
    { "aside", ELEMENT_BLOCK },
    { "base", ELEMENT_BLOCK | ELEMENT_VOID },
    { "basefont", ELEMENT_VOID },
    { "bgsound", ELEMENT_VOID },
    { "blockquote", ELEMENT_BLOCK },
    { "body", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "br", ELEMENT_BLOCK | ELEMENT_VOID },
    { "button", ELEMENT_BLOCK },
    { "caption", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "center", ELEMENT_BLOCK },
    { "code", ELEMENT_KEPT },
    { "col", ELEMENT_BLOCK | ELEMENT_VOID },
    { "colgroup", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "dd", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "details", ELEMENT_BLOCK },
    { "dialog", ELEMENT_BLOCK },
    { "dir", ELEMENT_BLOCK },
    { "div", ELEMENT_BLOCK },
    { "dl", ELEMENT_BLOCK },
    { "dt", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "embed", ELEMENT_VOID },
    { "fieldset", ELEMENT_BLOCK },
    { "figcaption", ELEMENT_BLOCK },
    { "figure", ELEMENT_BLOCK },
    { "footer", ELEMENT_BLOCK },
    { "form", ELEMENT_BLOCK },
    { "frame", ELEMENT_BLOCK | ELEMENT_VOID },
    { "frameset", ELEMENT_BLOCK },
    { "h1", ELEMENT_BLOCK },
    { "h2", ELEMENT_BLOCK },
    { "h3", ELEMENT_BLOCK },
    { "h4", ELEMENT_BLOCK },
    { "h5", ELEMENT_BLOCK },
    { "h6", ELEMENT_BLOCK },
    { "head", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "header", ELEMENT_BLOCK },
    { "hgroup", ELEMENT_BLOCK },
    { "hr", ELEMENT_BLOCK | ELEMENT_VOID },
    { "html", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "iframe", ELEMENT_OPAQUE },
    { "image", ELEMENT_VOID },
    { "img", ELEMENT_VOID },
    { "input", ELEMENT_VOID },
    { "isindex", ELEMENT_VOID },
    { "kbd", ELEMENT_KEPT },
    { "keygen", ELEMENT_VOID },
    { "legend", ELEMENT_BLOCK },
    { "li", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "link", ELEMENT_VOID },
    { "listing", ELEMENT_BLOCK | ELEMENT_PRE },
    { "main", ELEMENT_BLOCK },
    { "math", ELEMENT_NESTED },
    { "menu", ELEMENT_BLOCK },
    { "menuitem", ELEMENT_BLOCK | ELEMENT_VOID },
    { "meta", ELEMENT_VOID },
    { "nav", ELEMENT_BLOCK },
    { "noembed", ELEMENT_OPAQUE },
    { "noframes", ELEMENT_OPAQUE },
    { "noscript", ELEMENT_OPAQUE },
    { "ol", ELEMENT_BLOCK },
    { "optgroup", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "option", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "p", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "param", ELEMENT_VOID },
    { "plaintext", ELEMENT_OPAQUE },
    { "pre", ELEMENT_BLOCK | ELEMENT_PRE },
    { "samp", ELEMENT_KEPT },
    { "script", ELEMENT_OPAQUE },
    { "search", ELEMENT_BLOCK },
    { "section", ELEMENT_BLOCK },
    { "select", ELEMENT_BLOCK },
    { "source", ELEMENT_VOID },
    { "style", ELEMENT_OPAQUE },
    { "summary", ELEMENT_BLOCK },
    { "sup", ELEMENT_RAISED },
    { "svg", ELEMENT_NESTED },
    { "table", ELEMENT_BLOCK },
    { "tbody", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "td", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "template", ELEMENT_BLOCK },
    { "textarea", ELEMENT_OPAQUE },
    { "tfoot", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "th", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "thead", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "title", ELEMENT_BLOCK | ELEMENT_TITLE },
    { "tr", ELEMENT_BLOCK | ELEMENT_FLAT },
    { "track", ELEMENT_VOID },
    { "tt", ELEMENT_KEPT },
    { "ul", ELEMENT_BLOCK },
    { "var", ELEMENT_KEPT },
    { "wbr", ELEMENT_VOID },
    { "xmp", ELEMENT_OPAQUE },
};

static int compare_name(const void *name, const void *element)
{
    return strcasecmp(name, ((const struct element *)element)->name);
}

static unsigned traits_of(const char *name, size_t len)
{
    char copy[NAME_BYTES_MAX];
    if (len >= sizeof copy || memchr(name, '\0', len))
        return 0;
    memcpy(copy, name, len);
    copy[len] = '\0';
    const struct element *found = bsearch(copy, elements, sizeof elements / sizeof elements[0],
                                          sizeof elements[0], compare_name);
    return found ? found->traits : 0;
}

/* ---- characters ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char at_byte(const struct scanner *s, size_t at)
{
    return at < s->len ? s->html[at] : '\0';
}

static bool has_at(const struct scanner *s, size_t at, const char *what)
{
    const size_t len = strlen(what);
    return at <= s->len && s->len - at >= len && strncasecmp(s->html + at, what, len) == 0;
}

/* Where `what` is, from `at` on; the end if it is nowhere. */
static size_t find(const struct scanner *s, size_t at, const char *what)
{
    const char *found = at < s->len ? memmem(s->html + at, s->len - at, what, strlen(what)) : NULL;
    return found ? (size_t)(found - s->html) : s->len;
}

static size_t name_length(const struct scanner *s, size_t from)
{
    size_t at = from;
    while (at < s->len && !is_space(s->html[at]) && s->html[at] != '/' && s->html[at] != '>')
        at++;
    return at - from;
}

/* ---- attributes ---- */

struct attribute {
    size_t name, name_len, value, value_len;
};

static bool is_named(const struct scanner *s, const struct attribute *a, const char *name)
{
    return a->name_len == strlen(name) && has_at(s, a->name, name);
}

static bool is_value(const struct scanner *s, const struct attribute *a, const char *value)
{
    return a->value_len == strlen(value) && has_at(s, a->value, value);
}

static bool has_word(const struct scanner *s, const struct attribute *a, const char *word)
{
    const size_t end = a->value + a->value_len;
    for (size_t at = a->value; at < end;) {
        size_t to = at;
        while (to < end && !is_space(s->html[to]))
            to++;
        if (to - at == strlen(word) && has_at(s, at, word))
            return true;
        at = to + 1;
    }
    return false;
}

/* At a value, behind "=" and white space: the byte behind it. */
static size_t read_value(const struct scanner *s, size_t at, struct attribute *a)
{
    const char quote = at_byte(s, at);
    if (quote == '"' || quote == '\'') {
        const char *end = memchr(s->html + at + 1, quote, s->len - at - 1);
        a->value = at + 1;
        a->value_len = end ? (size_t)(end - s->html) - a->value : s->len - a->value;
        return end ? a->value + a->value_len + 1 : s->len;
    }
    a->value = at;
    while (at < s->len && !is_space(s->html[at]) && s->html[at] != '>')
        at++;
    a->value_len = at - a->value;
    return at;
}

static size_t skip_space(const struct scanner *s, size_t at)
{
    while (at < s->len && is_space(s->html[at]))
        at++;
    return at;
}

/* The attribute at or behind `at`, and the byte behind it; without a name: the tag's end. */
static size_t read_attribute(const struct scanner *s, size_t at, struct attribute *a)
{
    *a = (struct attribute){ 0 };
    while (at < s->len && (is_space(s->html[at]) || s->html[at] == '/'))
        at++;
    a->name = at;
    if (at_byte(s, at) == '=') // belongs to the name
        at++;
    while (at < s->len && !is_space(s->html[at]) && !strchr("/>=", s->html[at] ? s->html[at] : 'x'))
        at++;
    a->name_len = at - a->name;
    if (a->name_len == 0)
        return at;
    const size_t equals = skip_space(s, at);
    return at_byte(s, equals) == '=' ? read_value(s, skip_space(s, equals + 1), a) : at;
}

/* The first attribute of a name counts. */
static void read_wish(const struct scanner *s, const struct attribute *a, bool *decided,
                      enum html_wish *wish)
{
    if (is_named(s, a, "translate") && !*decided) {
        *decided = true;
        if (is_value(s, a, "no"))
            *wish = HTML_KEEP;
        else if ((is_value(s, a, "yes") || a->value_len == 0) && *wish != HTML_KEEP)
            *wish = HTML_TRANSLATE;
    } else if (is_named(s, a, "class") && has_word(s, a, "notranslate")) {
        *wish = HTML_KEEP;
    }
}

/* ---- tokens ---- */

/* The byte behind a tag that begins at `from`, its name at `name`; 0: it has no end. */
static size_t read_tag(const struct scanner *s, size_t name, struct html_token *token)
{
    const size_t name_len = name_length(s, name);
    struct attribute attribute;
    bool decided = false;
    size_t at = name + name_len;
    token->name_len = (uint32_t)name_len;
    token->traits = traits_of(s->html + name, name_len);
    do {
        at = read_attribute(s, at, &attribute);
        if (attribute.name_len > 0 && token->kind == HTML_OPEN)
            read_wish(s, &attribute, &decided, &token->wish);
    } while (attribute.name_len > 0);
    if (token->wish == HTML_INHERITS && token->traits & ELEMENT_KEPT)
        token->wish = HTML_KEEP;
    return at < s->len ? at + 1 : 0;
}

static size_t comment_end(const struct scanner *s, size_t at)
{
    if (has_at(s, at, "<!-->"))
        return at + 5;
    if (has_at(s, at, "<!--->"))
        return at + 6;
    const size_t end = find(s, at + 4, "--");
    for (size_t i = end; i < s->len; i = find(s, i + 1, "--")) {
        if (at_byte(s, i + 2) == '>')
            return i + 3;
        if (has_at(s, i + 2, "!>"))
            return i + 4;
    }
    return s->len;
}

static size_t behind_bracket(const struct scanner *s, size_t at)
{
    const size_t end = find(s, at, ">");
    return end < s->len ? end + 1 : s->len;
}

/* Whether the tag "<name" or "</name" is at `at`. */
static bool is_tag_at(const struct scanner *s, size_t at, const char *before, const char *name,
                      size_t name_len)
{
    const size_t from = at + strlen(before);
    return has_at(s, at, before) && from + name_len < s->len &&
           strncasecmp(s->html + from, name, name_len) == 0 &&
           (is_space(s->html[from + name_len]) || strchr("/>", s->html[from + name_len])) &&
           s->html[from + name_len] != '\0';
}

/* In a script, what "<!--" and then "<script" begin hides "</script" until "-->" or "</script". */
static size_t script_end(const struct scanner *s, size_t at)
{
    bool is_comment = false, is_hidden = false;
    for (; at < s->len; at++) {
        if (has_at(s, at, "-->"))
            is_comment = is_hidden = false;
        if (s->html[at] != '<')
            continue;
        if (has_at(s, at, "<!--"))
            is_comment = true;
        else if (is_comment && !is_hidden && is_tag_at(s, at, "<", "script", 6))
            is_hidden = true;
        else if (is_tag_at(s, at, "</", "script", 6)) {
            if (!is_hidden)
                return at;
            is_hidden = false;
        }
    }
    return s->len;
}

/* Where the end tag of the element that the tag opens begins. */
static size_t contents_end(const struct scanner *s, const struct html_token *tag)
{
    const char *name = s->html + tag->from + 1;
    const size_t name_len = tag->name_len;
    size_t at = tag->to;
    int depth = 1;
    if (name_len == 6 && strncasecmp(name, "script", 6) == 0)
        return script_end(s, at);
    if (name_len == 9 && strncasecmp(name, "plaintext", 9) == 0)
        return s->len;
    for (at = find(s, at, "<"); at < s->len; at = find(s, at + 1, "<")) {
        if (is_tag_at(s, at, "</", name, name_len) && --depth == 0)
            return at;
        if (tag->traits & ELEMENT_NESTED && is_tag_at(s, at, "<", name, name_len))
            depth++;
    }
    return s->len;
}

static bool is_closed_at_once(const struct scanner *s, const struct html_token *token)
{
    return token->traits & ELEMENT_NESTED && s->html[token->to - 2] == '/';
}

/* A whole element that is no markup inside. */
static void swallow_element(const struct scanner *s, struct html_token *token)
{
    token->kind = HTML_OTHER;
    if (is_closed_at_once(s, token))
        return;
    const size_t end = contents_end(s, token);
    token->to = (uint32_t)(end < s->len ? behind_bracket(s, end) : s->len);
}

/* The markup that begins with "<" at `at`; false: it is text. */
static bool read_markup(const struct scanner *s, size_t at, struct html_token *token)
{
    const char next = at_byte(s, at + 1);
    size_t end;
    *token = (struct html_token){ .kind = HTML_OTHER, .from = (uint32_t)at, .partner = -1 };
    if (has_at(s, at, "<!--")) {
        end = comment_end(s, at);
    } else if (next == '!' || next == '?') {
        end = behind_bracket(s, at);
    } else if (next == '/' && at + 2 < s->len && !is_letter(s->html[at + 2])) {
        end = behind_bracket(s, at);
    } else if (is_letter(next) || (next == '/' && at + 2 < s->len)) {
        token->kind = next == '/' ? HTML_CLOSE : HTML_OPEN;
        end = read_tag(s, at + (next == '/' ? 2 : 1), token);
        if (end == 0) {
            token->kind = HTML_OTHER;
            end = s->len;
        }
    } else {
        return false;
    }
    token->to = (uint32_t)end;
    if (token->kind == HTML_OPEN && token->traits & (ELEMENT_OPAQUE | ELEMENT_NESTED))
        swallow_element(s, token);
    return true;
}

/* ---- which tags belong together ---- */

static bool are_same_name(const struct scanner *s, int open, int close)
{
    const struct html_token *a = &s->list[open], *b = &s->list[close];
    return a->name_len == b->name_len &&
           strncasecmp(s->html + a->from + 1, s->html + b->from + 2, a->name_len) == 0;
}

static enum status open_element(struct scanner *s, int tag, struct error *err)
{
    if (s->list[tag].traits & (ELEMENT_VOID | ELEMENT_FLAT))
        return STATUS_OK;
    if (s->depth == HTML_DEPTH_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "the HTML has more than %d elements open at byte %u: close some, or send "
                         "it in parts",
                         HTML_DEPTH_MAX, s->list[tag].from);
    s->open[s->depth++] = tag;
    s->pre_depth += (s->list[tag].traits & ELEMENT_PRE) != 0;
    return STATUS_OK;
}

/* Those that were opened behind its start tag are left without a partner. */
static void close_element(struct scanner *s, int tag)
{
    int at = s->depth - 1;
    while (at >= 0 && !are_same_name(s, s->open[at], tag))
        at--;
    if (at < 0)
        return;
    s->list[s->open[at]].partner = tag;
    s->list[tag].partner = s->open[at];
    for (; s->depth > at; s->depth--)
        s->pre_depth -= (s->list[s->open[s->depth - 1]].traits & ELEMENT_PRE) != 0;
}

static enum status add(struct scanner *s, struct html_token token, struct error *err)
{
    if (token.from == token.to)
        return STATUS_OK;
    const int at = s->count++;
    token.in_pre = s->pre_depth > 0;
    s->list[at] = token;
    if (token.kind == HTML_OPEN)
        return open_element(s, at, err);
    if (token.kind == HTML_CLOSE)
        close_element(s, at);
    return STATUS_OK;
}

static struct html_token text_token(size_t from, size_t to)
{
    return (struct html_token){
        .kind = HTML_TEXT, .from = (uint32_t)from, .to = (uint32_t)to, .partner = -1
    };
}

/* Contents of a title: text, unless they look like markup. */
static enum status add_title(struct scanner *s, const struct html_token *tag, size_t *at,
                             struct error *err)
{
    const size_t end = contents_end(s, tag);
    struct html_token text = text_token(tag->to, end);
    if (end == s->len || memchr(s->html + tag->to, '<', end - tag->to))
        text.kind = HTML_OTHER;
    *at = end;
    return add(s, text, err);
}

enum status html_scan(const char *html, size_t len, struct arena *arena, struct html_tokens *out,
                      struct error *err)
{
    size_t brackets = 0;
    enum status status = STATUS_OK;
    if (len > HTML_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "the HTML is over the limit of %d bytes: send it in parts",
                         HTML_BYTES_MAX);
    for (size_t i = 0; i < len; i++)
        brackets += html[i] == '<';
    struct scanner *s = arena_array(arena, struct scanner, 1);
    struct html_token *list = arena_array(arena, struct html_token, 2 * brackets + 1);
    if (!s || !list)
        return error_set(err, STATUS_NO_MEMORY,
                         "the HTML needs more memory than there is for it: send it in parts");
    *s = (struct scanner){ .html = html, .len = len, .list = list };
    size_t text = 0, at = find(s, 0, "<");
    while (status == STATUS_OK && at < len) {
        struct html_token token;
        if (!read_markup(s, at, &token)) {
            at = find(s, at + 1, "<");
            continue;
        }
        status = add(s, text_token(text, at), err);
        if (status == STATUS_OK)
            status = add(s, token, err);
        text = token.to;
        if (status == STATUS_OK && token.kind == HTML_OPEN && token.traits & ELEMENT_TITLE)
            status = add_title(s, &token, &text, err);
        at = find(s, text, "<");
    }
    if (status == STATUS_OK)
        status = add(s, text_token(text, len), err);
    *out = (struct html_tokens){ .list = s->list, .count = s->count };
    return status;
}
