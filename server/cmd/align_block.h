/*
 * align_block.h - a block of pairs that are followed by one model or two.
 *
 *     struct align_block *block;
 *     status = align_block_new(&block, &setup, &err);
 *     while (...) status = block_add(&block->lines, number, source, ..., target, ..., &err);
 *     align_block_run(block);                                      // calls setup.explain
 *
 * A pair is a source and its translation, in the order of the file. A model
 * that is `swapped` reads the translation and says the source.
 */
#ifndef SERVER_CMD_ALIGN_BLOCK_H
#define SERVER_CMD_ALIGN_BLOCK_H

#include <stdatomic.h>
#include "server/cmd/block.h"
#include "server/engine/align.h"
#include "server/engine/corpus.h"

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

struct align_block {
    struct block lines;
    struct align_setup setup;
    int model_count;
    struct align_worker *workers; // (threads)
    atomic_int next;              // pair that no thread has taken
};

MUST_CHECK enum status align_block_new(struct align_block **out, const struct align_setup *setup,
                                       struct error *err);
void align_block_free(struct align_block *block); // NULL is fine
void align_block_run(struct align_block *block);

#endif
