/*
 * translate_block.h - some lines at once: gathered, translated by all threads, given back in order.
 *
 *     struct block *block;
 *     status = block_new(&block, engine, &setup, &err);
 *     while (!block_is_full(block) && ...) status = block_add(block, number, text, len, &err);
 *     block_translate(block);
 *     for (int i = 0; i < block_count(block); i++) ... block_line(block, i) ...
 *     block_reset(block);
 *
 * Lines of about one length go through the model together, the longest first,
 * so that no thread is left with a long one at the end. What a line says does
 * not depend on its company.
 */
#ifndef SERVER_CMD_TRANSLATE_BLOCK_H
#define SERVER_CMD_TRANSLATE_BLOCK_H

#include "base/bytes.h"
#include "server/cmd/translate_format.h"
#include "server/documents/document.h"
#include "server/engine/engine.h"

struct block_setup {
    int threads;
    struct search_options search;
    enum answer_form form;
    const struct glossary *glossary; // NULL: none
    /* On one of the threads, of each line that was translated, before it is formatted; again when
     * lines have to be translated once more. NULL: nobody wants to know. */
    enum status (*look)(void *context, long number, const char *text,
                        const struct engine_answer *answer, struct arena *arena, struct error *err);
    void *context;
};

struct block;

struct block_line {
    long number;      // in its file
    struct bytes out; // all that is to be printed for it
    struct error err; // status is not OK: nothing to print, and why
};

MUST_CHECK enum status block_new(struct block **out, const struct engine *engine,
                                 const struct block_setup *setup, struct error *err);
void block_free(struct block *block); // NULL is fine

bool block_is_full(const struct block *block); // a line more would be over its limits
/* The text is copied. */
MUST_CHECK enum status block_add(struct block *block, long number, const char *text, size_t len,
                                 struct error *err);
/* A line that could not even be read. */
void block_add_failed(struct block *block, long number, const struct error *why);

void block_translate(struct block *block);
int block_count(const struct block *block);
const struct block_line *block_line(const struct block *block, int i);
void block_reset(struct block *block);

#endif
