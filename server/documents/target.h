/*
 * target.h - the words of a translated sentence, and which of them look at some of the source.
 *
 * Private to server/documents. With in_t the share of word t's attention that
 * is on the source words [from,to), those that look at them are the words
 * [i,j), side by side, for which the sum of (2 in_t - 1) is largest, and the
 * first and fewest such: more than half of each counts for it, less against
 * it. Where that is nowhere above 0 there are none. A mark of punctuation is
 * among the last of them if one is among the last of the source's. A model without attention
 * is taken to say its words in the order and at the pace of the source's.
 */
#ifndef SERVER_DOCUMENTS_TARGET_H
#define SERVER_DOCUMENTS_TARGET_H

#include "server/engine/word_links.h"

struct range {
    int from, to; // words, none if equal
};

struct target_word {
    struct span span; // bytes of the hypothesis' own text
    float *sums;      // (S+1) of its weights of the source words before each
    int taken_by;     // whose children may not have it
    bool is_replaced; // something else comes out for it
    bool is_mark;     // of punctuation
};

struct target {
    const char *plain;
    const struct span *source; // (S) words, bytes of the plain text
    int S;
    struct target_word *words; // (T)
    int T;
    uint32_t len; // of the text
};

/* Of a plain text and a hypothesis; false: the arena is full. */
bool target_init(struct target *target, const struct word_alignment *words, const char *plain,
                 const char *text, uint32_t len, struct arena *arena);

/* Words that the span touches become one, which looks at `source` and nothing else, or, if that is
 * none, as they did on average. */
void target_join(struct target *target, struct span span, struct range source);

/* Source words that have bytes of the span. */
struct range target_source_words(const struct target *target, struct span plain);

enum range_ends { RANGE_FREE, RANGE_AT_START, RANGE_AT_END }; // where it must begin or end

/* Of the words `within` those that look at `source`, none of them taken by `by`. */
struct range target_looking_at(const struct target *target, struct range source,
                               struct range within, enum range_ends ends, int by);

/* The word of `within` that looks most at a source word; `within` is not empty. */
int target_most_at(const struct target *target, int source, struct range within);

/* Where something that stood between the source words at byte `at` of the plain text goes: behind
 * the word that looks most at the one before it, or, where it touches only the one behind, before
 * the word that looks most at that; at the beginning or end of `within` if it stood there. */
uint32_t target_place(const struct target *target, uint32_t at, struct range within);

/* Bytes of a range; an empty one is where its words would be. */
struct span target_bytes(const struct target *target, struct range range);

#endif
