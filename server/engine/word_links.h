/*
 * word_links.h - from pieces to words: what each target word looked at, how sure it is, and what
 * should make a reader look twice.
 *
 * Pieces are joined to words at their "▁", and punctuation at either end of a
 * word is a word of its own. With a_ij the weight that target piece i gave to
 * source piece j,
 *
 *     weights_ts    = mean over the pieces i of t of (sum over the pieces j of s of a_ij)
 *     coverage_s    = sum_t weights_ts                  1: as much as one word's whole attention
 *     log_prob_t    = sum over the pieces of t of log p_i
 *     probability_t = exp(log_prob_t / pieces of t)                            a piece's, on average
 *     spread_t      = -sum_s weights_ts ln weights_ts / ln(S+1)    0: one word only, 1: all the same
 *     confidence_t  = probability_t * (1 - spread_t / 2)
 *
 * A target word is linked to the source word it looked at most, or to none
 * when that was the sentence's end. A model without attention has weights of
 * 0: no links, no spread, and nothing is said to be uncovered.
 */
#ifndef SERVER_ENGINE_WORD_LINKS_H
#define SERVER_ENGINE_WORD_LINKS_H

#include "server/engine/engine.h"

#define UNCOVERED_BELOW 0.1f     // coverage of a source word that was left out
#define REPETITION_PIECES_MAX 16 // of a phrase that is said again and again
#define REPETITION_PIECES_LONG 4 // so many pieces need be said only twice in a row
#define REPETITION_TIMES_LONG 2
#define REPETITION_TIMES_SHORT 3

enum word_warning_kind {
    WARNING_UNCOVERED,  // source: a word that hardly any target word looked at
    WARNING_REPETITION, // target: a phrase again and again, when nothing in the source is so
    WARNING_SPLIT,      // source: this is part of a sentence over the limit
    WARNING_TRUNCATED,  // target: the length limit ended it
    WORD_WARNING_KINDS
};

struct word_warning {
    enum word_warning_kind kind;
    struct span span; // of the request's text or of this hypothesis' own, as the kind says
};

struct word_alignment {
    int S, T;            // words
    struct span *source; // (S) bytes of the request's text
    struct span *target; // (T) bytes of this hypothesis' own text
    float *weights;      // (T,S+1) each row sums to 1; the last column is </s>
    int *links;          // (T) a source word, or -1
    float *coverage;     // (S)
    float *log_probs;    // (T) with that of </s> they add up to the hypothesis'
    float *confidence;   // (T) 0..1
    struct word_warning *warnings;
    int warning_count; // at most S + 3
};

/* Words of one hypothesis of a sentence. */
MUST_CHECK enum status word_alignment(const struct vocabulary *vocabulary,
                                      const struct engine_sentence *sentence, int hypothesis,
                                      struct arena *arena, struct word_alignment *out,
                                      struct error *err);

/* The same with pieces for words: S and T are those of the hypothesis without </s>, a piece's span
 * may be empty (of a space in front, of a later byte of a character). Warnings are of the words. */
MUST_CHECK enum status piece_alignment(const struct vocabulary *vocabulary,
                                       const struct engine_sentence *sentence, int hypothesis,
                                       struct arena *arena, struct word_alignment *out,
                                       struct error *err);

const char *word_warning_name(enum word_warning_kind kind);  // "uncovered"
bool word_warning_is_of_source(enum word_warning_kind kind); // whose bytes its span is

#endif
