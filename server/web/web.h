/*
 * web.h - the page's files, embedded when the program is built.
 *
 *     const struct web_file *file = web_find("page.js");        // NULL: there is none
 */
#ifndef SERVER_WEB_WEB_H
#define SERVER_WEB_WEB_H

#include <stddef.h>

struct web_file {
    const char *name; // "index.html"
    const char *type; // "text/html; charset=utf-8"
    const char *tag;  // changes with the bytes: an entity tag with its quotes
    const char *bytes;
    size_t len;
};

extern const struct web_file web_files[]; // (web_file_count)
extern const int web_file_count;

const struct web_file *web_find(const char *name);

/* What the page may load and run: its own files, and nothing that is written in the page. */
#define WEB_POLICY                                                                                 \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "        \
    "'self'; "                                                                                     \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#endif
