/*
 * html_scan.h - where the markup of an HTML text is, byte for byte.
 *
 * Private to server/documents. Tags as the HTML standard's tokenizer cuts them,
 * quoted attributes, comments, and elements whose contents are no markup; which
 * end tag belongs to which start tag. What the tree looks like (elements that
 * end without a tag, and misplaced ones) is not known here: see html.c.
 */
#ifndef SERVER_DOCUMENTS_HTML_SCAN_H
#define SERVER_DOCUMENTS_HTML_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"

#define HTML_BYTES_MAX (4 << 20) // of a document
#define HTML_DEPTH_MAX 512       // elements that are open at once

enum html_token_kind {
    HTML_TEXT,
    HTML_OPEN,
    HTML_CLOSE,
    HTML_OTHER, // a comment, a declaration, a whole script: nothing in it is text
};

enum element_trait {
    ELEMENT_BLOCK = 1,   // a sentence ends before it and behind it
    ELEMENT_VOID = 2,    // has no end tag
    ELEMENT_FLAT = 4,    // its end tag may be left out; never inside itself without another element
    ELEMENT_OPAQUE = 8,  // its contents are no markup, and are not translated
    ELEMENT_NESTED = 16, // as opaque, and it may be inside itself
    ELEMENT_TITLE = 32,  // its contents are text without tags
    ELEMENT_PRE = 64,    // white space counts
    ELEMENT_KEPT = 128,  // code: not translated
    ELEMENT_RAISED = 256 // may be the mark of a note
};

enum html_wish { HTML_INHERITS, HTML_TRANSLATE, HTML_KEEP }; // translate="..." and its kin

struct html_token {
    enum html_token_kind kind;
    uint32_t from, to; // bytes
    uint32_t name_len; // of a tag, behind "<" or "</"
    unsigned traits;   // of its element
    enum html_wish wish;
    bool in_pre;
    int partner; // the other tag of the element, -1: none
};

struct html_tokens {
    struct html_token *list; // (count) all bytes of the text
    int count;
};

MUST_CHECK enum status html_scan(const char *html, size_t len, struct arena *arena,
                                 struct html_tokens *out, struct error *err);

#endif
