/*
 * align_block.h - some pairs at once: gathered, followed by one model or two with all threads,
 * given back in order.
 *
 *     struct align_block *block;
 *     status = align_block_new(&block, &setup, &err);
 *     while (!align_block_is_full(block) && ...)
 *         status = align_block_add(block, number, &pair, &err);
 *     align_block_run(block);                                      // calls setup.explain
 *     for (int i = 0; i < align_block_count(block); i++) ... align_block_line(block, i) ...
 *     align_block_reset(block);
 *
 * A pair is a source and its translation, in the order of the file. A model
 * that is `swapped` reads the translation and says the source.
 */
#ifndef SERVER_CMD_ALIGN_BLOCK_H
#define SERVER_CMD_ALIGN_BLOCK_H

#include "base/bytes.h"
#include "server/engine/align.h"
#include "server/engine/corpus.h"

#define ALIGN_BLOCK_PAIRS 1000

struct align_answer { // of one model
    const struct engine *engine;
    bool swapped;
    const struct engine_answer *answer;
};

struct align_answers { // all that was found out about a pair
    long number;
    struct engine_pair pair;
    const struct align_answer *models; // (model_count)
    int model_count;
    int member; // the thread: what it alone has is in places of this number
    struct arena *arena;
};

struct align_setup {
    const struct engine *engines[2]; // the second may be NULL
    bool swapped;                    // the first; the second is the other way round
    int threads;
    /* On one of the threads: what is to be printed for a pair. */
    enum status (*explain)(void *context, const struct align_answers *found, struct bytes *out,
                           struct error *err);
    void *context;
};

struct align_block;

struct align_line {
    long number;
    struct bytes out;
    struct error err; // status is not OK: nothing to print, and why
};

MUST_CHECK enum status align_block_new(struct align_block **out, const struct align_setup *setup,
                                       struct error *err);
void align_block_free(struct align_block *block); // NULL is fine

bool align_block_is_full(const struct align_block *block); // a pair more would be over its limits
/* The texts are copied. */
MUST_CHECK enum status align_block_add(struct align_block *block, long number,
                                       const struct corpus_pair *pair, struct error *err);
void align_block_run(struct align_block *block);
int align_block_count(const struct align_block *block);
const struct align_line *align_block_line(const struct align_block *block, int i);
void align_block_reset(struct align_block *block);

#endif
