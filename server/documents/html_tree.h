/*
 * html_tree.h - what gumbo knows of an HTML text: which elements a text is in, and what character
 * references mean.
 *
 * Private to server/documents. All memory comes from the arena, at most
 * HTML_TREE_BYTES a byte of the text: what makes a larger tree (end tags that
 * never come, so that each block opens all of them again) is refused.
 */
#ifndef SERVER_DOCUMENTS_HTML_TREE_H
#define SERVER_DOCUMENTS_HTML_TREE_H

#include "server/documents/html_scan.h"

#define HTML_TREE_BYTES 512                     // a byte of the text
#define HTML_TREE_BYTES_MIN ((size_t)64 << 10)  // for a short one
#define HTML_TREE_BYTES_MAX ((size_t)256 << 20) // for a long one
#define HTML_REFERENCE_BYTES_MAX 40             // of "&" + name

/* Most that a text of so many bytes may need. */
size_t html_tree_bytes(size_t len);

/* kept[i]: token i is text that is not to be translated, or no text. */
MUST_CHECK enum status html_tree_kept(const char *html, size_t len,
                                      const struct html_tokens *tokens, struct arena *arena,
                                      bool *kept, struct error *err);

struct html_reference {
    uint32_t from, to; // bytes of the HTML
    const char *text;  // what they mean
    uint32_t len;
};

/* All references of the tokens that are not kept, in order. */
MUST_CHECK enum status html_tree_references(const char *html, const struct html_tokens *tokens,
                                            const bool *kept, struct arena *arena,
                                            struct html_reference **list, int *count,
                                            struct error *err);

#endif
