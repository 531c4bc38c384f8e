/*
 * block.h - some lines of text at once: gathered, worked on by all threads, given back in order.
 *
 *     status = block_init(&block, threads, LINE_BYTES_MAX, &err);
 *     while (!block_is_full(&block) && ...)
 *         status = block_add(&block, number, text, len, NULL, 0, &err);
 *     team_run(block.team, work, ...);                     // each: block.lines[i].out or .err
 *     for (int i = 0; i < block.count; i++) ... block.lines[i] ...
 *     block_reset(&block);
 *
 * What is done with the lines is translate_block's and align_block's.
 */
#ifndef SERVER_CMD_BLOCK_H
#define SERVER_CMD_BLOCK_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/threads.h"

#define BLOCK_LINES 1000

struct block_line {
    long number;       // in its file
    size_t at, len;    // in the block's texts
    size_t second_len; // of a pair's other text, right behind
    struct bytes out;  // all that is to be printed for it
    struct error err;  // status is not OK: nothing to print, and why
};

struct block {
    int threads;
    struct team *team;    // (threads)
    struct arena *arenas; // (threads)
    struct bytes texts;   // of all lines, one behind the other
    struct block_line lines[BLOCK_LINES];
    int count;
};

/* Of zeroed memory; to be released even if this fails. */
MUST_CHECK enum status block_init(struct block *block, int threads, size_t line_bytes_max,
                                  struct error *err);
void block_release(struct block *block);

bool block_is_full(const struct block *block); // a line more would be over its limits
/* The texts are copied; the second one is that of a pair. */
MUST_CHECK enum status block_add(struct block *block, long number, const char *text, size_t len,
                                 const char *second, size_t second_len, struct error *err);
/* A line that could not even be read. */
void block_add_failed(struct block *block, long number, const struct error *why);

const char *block_text(const struct block *block, int line);
void block_reset(struct block *block);

#endif
