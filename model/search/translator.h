/*
 * translator.h - search: source ids to target ids, with scores and alignments.
 *
 *     struct translator *tr;
 *     status = translator_new(&tr, model, &limits, &err);             // one a thread
 *     status = translator_run(tr, sources, count, &options, &results, translations, &err);
 *     translator_free(tr);
 *
 * or, for sentences that come one by one, while others are on their way:
 *
 *     status = translator_add(tr, &search, &err);       // STATUS_BUSY: no room now, step first
 *     translator_step(tr);                              // all in flight: one piece further
 *     if (search.done) ... search.status, search.translation ...
 *
 * Beam search with length normalisation; a beam of 1 is greedy search. A target
 * may be forced, from its beginning or as a whole: then the search says how
 * probable it is and what it is aligned to. The
 * rows of all sentences in flight step together, whoever came when, and a
 * sentence gets the same bits alone and beside others. What is in flight is
 * bounded in number and in bytes. A translator is the memory one thread needs:
 * never share it. The model must outlive it.
 */
#ifndef MODEL_SEARCH_TRANSLATOR_H
#define MODEL_SEARCH_TRANSLATOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "model/model.h"

#define BEAM_MAX 64
#define SENTENCES_MAX 1024
#define SOURCE_LEN_MAX 4096
#define LENGTH_RATIO_MAX 4
#define LENGTH_POWER_MAX 4
#define COVERAGE_PENALTY_MAX 10
#define REPEATED_PIECES_MAX 8 // longest sequence of pieces whose repetition is looked for
#define REPEATS_MAX 16
#define ENSEMBLE_MAX 8 // that translate together
#define LM_WEIGHT_MAX 4
#define PHRASES_MAX 32 // a sentence
#define PHRASE_PIECES_MAX 16

struct search_limits { // what a translator is sized for
    int sentences;     // in flight at once, 1..SENTENCES_MAX
    int beam;          // 1..BEAM_MAX
    int source_len;    // pieces + </s>, 1..SOURCE_LEN_MAX; a longer source is STATUS_TOO_LARGE
};

struct search_options {
    int beam;               // 1 is greedy; at most limits.beam
    int n_best;             // hypotheses wanted a sentence, 1..beam
    float length_power;     // rank by log_prob / length^power, </s> counts; 0: by log_prob alone;
                            // 0.8 is usual, at most LENGTH_POWER_MAX
    float length_ratio;     // at most ratio * source length + 10 target pieces, </s> counts;
                            // 0..LENGTH_RATIO_MAX, 3 is usual
    float coverage_penalty; // ranks those that left source pieces out lower (Wu et al. 2016), see
                            // beam.c; 0..COVERAGE_PENALTY_MAX, 0: off
    int repeats; // how often a sequence of up to REPEATED_PIECES_MAX pieces may come in a row,
                 // 1..REPEATS_MAX; 0: as often as it likes
};

struct phrase { // pieces side by side
    const int32_t *ids;
    int count; // 1..PHRASE_PIECES_MAX
};

struct source {
    const int32_t *ids; // pieces + </s>
    int len;
    const atomic_bool *cancelled; // NULL, or checked at each step
    const int32_t *allowed;       // (allowed_count) target pieces it may use, rising, </s> among
    int allowed_count;            // them; NULL: all, as where a target or phrases are given
    const int32_t *forced; // (forced_count) what its target begins with, up to LENGTH_RATIO_MAX *
    int forced_count;      // limits.source_len pieces; one that ends in </s> is the whole
    const struct phrase *phrases; // (phrase_count) that its target must contain, in any order, over
    int phrase_count; // each other or not, one that is named twice twice; what has </s> has them
                      // all, and the best always
};

struct hypothesis {
    int32_t *ids;     // (T) without </s>
    float *log_probs; // (T+1) of each piece and of </s>, a language model's share included
    float *alignment; // (T+1,S) row t: weights of the step that made piece t; rows sum to 1
    int T, S;
    float log_prob; // natural log, summed, </s> included
    float score;    // what it was ranked by
    bool finished;  // false: the length limit ended it, there is no </s>: log_probs and
                    // alignment then have T rows
};

struct translation {
    struct hypothesis *best; // (count) best first
    int count;               // n_best, or fewer; 0 when cancelled
};

/* One sentence asked for. The caller's; borrowed from translator_add until it is done. */
struct search {
    struct source source;
    struct search_options options;
    struct arena *results; // where the translation will live

    bool done;
    enum status status; // STATUS_OK, STATUS_CANCELLED, STATUS_NO_MEMORY: no room in results
    struct translation translation;
};

struct translator;

/* Models of one vocabulary that translate together: the mean of their probabilities counts, and the
 * mean of their alignments is said. A language model over the target adds lm_weight times its
 * log-probability to that of each piece. Borrowed until the translator is freed. */
struct ensemble {
    const struct model *models[ENSEMBLE_MAX]; // (count)
    int count;
    const struct model *lm; // NULL: none
    float lm_weight;        // 0..LM_WEIGHT_MAX
};

/* STATUS_BAD_INPUT naming the limit that is out of its bounds, or the vocabulary that differs. */
MUST_CHECK enum status translator_new(struct translator **out, const struct model *model,
                                      const struct search_limits *limits, struct error *err);
MUST_CHECK enum status translator_new_ensemble(struct translator **out,
                                               const struct ensemble *ensemble,
                                               const struct search_limits *limits,
                                               struct error *err);
void translator_free(struct translator *tr); // NULL is fine

/* STATUS_BAD_INPUT or STATUS_TOO_LARGE: never possible; STATUS_BUSY: not before others are done. */
MUST_CHECK enum status translator_add(struct translator *tr, struct search *search,
                                      struct error *err);
void translator_step(struct translator *tr);
/* What the best translation of one in flight is certain to begin with, whatever the next steps find:
 * pieces, their log-probabilities and alignment, without an end. False: that is no more than the
 * `known` first, or the arena is full. */
bool translator_certain(const struct translator *tr, const struct search *search, int known,
                        struct arena *arena, struct hypothesis *out);
int translator_in_flight(const struct translator *tr);
/* Whether one of so many that wait should be added now, asked before each step: encoding a sentence
 * alone costs nearly what four cost together, so beside others they wait for a few more slots to be
 * free or a few more of their kind, a few steps at most where there are slots. No bit depends on it. */
bool translator_is_time_to_add(struct translator *tr, int waiting);

/* Translate sources into out[0..count); count may exceed limits.sentences. Results live in
 * `results`; STATUS_NO_MEMORY when it is full, and then as after every failure it is as it was. */
MUST_CHECK enum status translator_run(struct translator *tr, const struct source *sources,
                                      int count, const struct search_options *options,
                                      struct arena *results, struct translation *out,
                                      struct error *err);

struct search_options search_options_default(void); // beam 5, n_best 1, 0.8, 3, 0, 8

#endif
