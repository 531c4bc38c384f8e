/*
 * members.h - what the models of a translator say of the rows of a step, together.
 *
 *     members_lay_out(&members, &ensemble, &limits, &arena);               // once
 *     members_encode(&members, ids, lens, count, memories, &scratch);      // sentences
 *     members_row(&members, n, memories, previous, parent);                // N rows, each step
 *     members_step(&members, N, &scratch);
 *     members_products(&members, first, rows);                             // of those without
 *     log_probs = members_log_probs(&members, first, rows, ids, count);
 *
 * One model, or several of one vocabulary: then the mean of their probabilities
 * and of their weights, and where there is a language model, its log-probability
 * times a weight on top (shallow fusion, Gulcehre et al. 2015). Each model's
 * state rows lie where its step wrote them; the next step reads them from there
 * by pointer. Private to this folder.
 */
#ifndef MODEL_SEARCH_MEMBERS_H
#define MODEL_SEARCH_MEMBERS_H

#include "model/search/translator.h"

struct member {
    const struct seq2seq *shape;
    const struct weights *weights;
    struct row_cache cache;
    const struct memory **memory; // (N) of the rows of a step, N = sentences * beam
    const real **state;           // (N) in states[0], or a memory's start
    real *states[2];              // (N,state width) of the last step and of the one before
    real *alignment;              // (N,source_len)
    real *readout;                // (N,E)
    real *products; // (N,V) logits but for the bias, then log-probabilities; of rows without a list
};

struct fused_lm {        // the language model
    const struct lm *lm; // NULL: there is none
    const struct weights *weights;
    float weight;
    int32_t *ids;    // (N) what it reads
    real *state;     // (N,state width) of the rows of a step
    real *next;      // (N,state width) of the last step
    real *log_probs; // (N,V)
};

struct members {
    struct member list[ENSEMBLE_MAX];
    int count;
    struct fused_lm fused;
    int V, source_len;
    struct memory **sentence; // (sentences) to encode, of one model
    int32_t *previous;        // (N)
    real *own;                // (beam,V) those of one sentence's own pieces
    real *row;                // (V) of one model
};

void members_lay_out(struct members *members, const struct ensemble *ensemble,
                     const struct search_limits *limits, struct arena *arena);
void members_clear(struct members *members); // before the first step
size_t members_scratch_bytes(const struct ensemble *ensemble, const struct search_limits *limits);

/* Room for the encoded form of a sentence of S pieces for each model, memories (count). */
void members_sentence_lay_out(const struct members *members, int S, struct arena *arena,
                              struct memory *memories);
/* memories[i] are those of sentence i. */
void members_encode(struct members *members, const int32_t *const *ids, const int *lens, int count,
                    struct memory *const *memories, struct arena *scratch);

/* Row n of the next step follows row `parent` of the last one, -1: it is a sentence's first. */
void members_row(struct members *members, int n, const struct memory *memories, int32_t previous,
                 int parent);
void members_step(struct members *members, int N, struct arena *scratch);

/* Of the rows of sentences that may use all pieces, once a step. */
void members_products(struct members *members, int first, int rows);
/* Log-probabilities (rows,count) of a sentence's rows, over the pieces `ids` that it may use or over
 * all, ids NULL; until the next call. */
const real *members_log_probs(struct members *members, int first, int rows, const int32_t *ids,
                              int count);
/* Weights of a row, those of the next row source_len behind them. */
const real *members_alignment(const struct members *members, int row);

#endif
