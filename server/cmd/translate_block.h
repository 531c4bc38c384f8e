/*
 * translate_block.h - a block of lines that is translated.
 *
 *     struct translate_block *block;
 *     status = translate_block_new(&block, engine, &setup, &err);
 *     while (...) status = block_add(&block->lines, number, text, len, NULL, 0, &err);
 *     translate_block_run(block);
 *
 * Lines of about one length go through the model together, the longest first,
 * so that no thread is left with a long one at the end. What a line says does
 * not depend on its company.
 */
#ifndef SERVER_CMD_TRANSLATE_BLOCK_H
#define SERVER_CMD_TRANSLATE_BLOCK_H

#include <stdatomic.h>
#include "server/cmd/block.h"
#include "server/cmd/translate_format.h"
#include "server/documents/document.h"
#include "server/engine/engine.h"

struct translate_setup {
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

struct translate_block {
    struct block lines;
    const struct engine *engine;
    struct translate_setup setup;
    struct engine_worker **workers; // (threads)

    int order[BLOCK_LINES]; // (ordered) lines to translate, the longest first
    int ordered, share_lines;
    atomic_int next; // in order: the first that no thread has taken
};

MUST_CHECK enum status translate_block_new(struct translate_block **out,
                                           const struct engine *engine,
                                           const struct translate_setup *setup, struct error *err);
void translate_block_free(struct translate_block *block); // NULL is fine
void translate_block_run(struct translate_block *block);

#endif
