/*
 * html.h - an HTML text as what a reader reads, and the marks that stand in it.
 *
 *     struct html_text text;
 *     status = html_read(html, len, &arena, &text, &err);
 *
 * A line of the text is a block (paragraph, item, cell, title) that has letters,
 * with its references decoded and its white space, unless in <pre>, made single
 * spaces. What is not in a line is to be copied: blocks without letters,
 * scripts, comments, attributes, whatever says translate="no". Within a line,
 * inline tags are marks between its bytes, and what is to be kept (code) is an
 * object, one U+FFFC. All else of the line's markup can be moved freely.
 *
 * gumbo tells which elements hold a text, as a browser would see it; it is given
 * only the tags' names, with all other bytes blank, and bounded memory.
 */
#ifndef SERVER_DOCUMENTS_HTML_H
#define SERVER_DOCUMENTS_HTML_H

#include "server/documents/text_map.h"
#include "tokenizer/tokenizer.h"

enum mark_kind {
    MARK_OPEN,
    MARK_CLOSE,
    MARK_POINT, // one tag without another, a comment, a footnote's number
    MARK_HELD,  // part of what is held anyway
};

#define MARK_ALONE (-1)     // no partner at all
#define MARK_ELSEWHERE (-2) // the partner is in no line, or was

struct mark {
    enum mark_kind kind;
    uint32_t at;        // byte of the text it stands before
    struct span source; // its bytes
    int partner;        // a mark, or one of the above
};

struct html_text {
    char *text; // valid UTF-8
    size_t len;
    struct text_map map; // to the bytes of the HTML
    struct mark *marks;  // (mark_count) in order
    int mark_count;
    uint32_t *objects; // (object_count) where they are in the text
    int object_count;
};

#define HTML_OBJECT "\xEF\xBF\xBC"
#define HTML_OBJECT_BYTES 3

/* `html` is valid UTF-8. STATUS_TOO_LARGE: over HTML_BYTES_MAX or HTML_DEPTH_MAX (html_scan.h), or
 * a tree that is too large for a text of its length. */
MUST_CHECK enum status html_read(const char *html, size_t len, struct arena *arena,
                                 struct html_text *out, struct error *err);

#define HTML_ESCAPE_BYTES_MAX 5

/* Write the byte so that it is text in HTML; returns how many bytes that took. */
int html_escape(char c, char out[HTML_ESCAPE_BYTES_MAX]);

#endif
