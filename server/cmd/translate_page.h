/*
 * translate_page.h - "verso translate --format html": a file as one page.
 */
#ifndef SERVER_CMD_TRANSLATE_PAGE_H
#define SERVER_CMD_TRANSLATE_PAGE_H

#include "server/documents/document.h"
#include "server/engine/engine.h"

/* The page at `path` ("-": standard input) to standard output. */
MUST_CHECK enum status translate_page(const struct engine *engine,
                                      const struct search_options *search,
                                      const struct glossary *glossary, const char *path,
                                      struct error *err);

#endif
