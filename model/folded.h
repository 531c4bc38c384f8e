/*
 * folded.h - the decoder's step for search, with all that is not of this step moved out of it.
 *
 *   S source pieces   N rows   E embedding = readout   H state   M memory   A attention   G gates
 *
 *     key          exp 2(W_k h_s + b_k)                      (A)       once a source piece
 *     values       [W_c h_s ; W_rc h_s]                      (GH+E)    once a source piece
 *     input row    [W y + b ; W_ry y + b_r]                  (GH+E)    once a piece, kept
 *
 *     a_t      = softmax_s(-2 Σ_a v_a / (1 + key_s query))   = softmax_s(v · tanh(W_k h_s + ...))
 *     [a ; z]  = input row + ([U h_{t-1} ; 0] + Σ_s a_ts values_s)
 *     h_t, c_t = cell(a)
 *     r_t      = tanh(z + W_rs h_t)
 *
 * Two products a step: [U ; W_q] by the h_{t-1} of the different parents, W_rs by the h_t of the rows.
 *
 * The second line and what is in brackets are of h_{t-1} alone: hypotheses that continue the same one
 * have them in common, and they are computed once for all of those.
 *
 * Values lie in panels of columns, [panel][S][FOLDED_PANEL], so that a sum reads a sentence's from
 * end to end. They and input rows are in bfloat16 where the matrices are int8, which round more.
 *
 * Equal in real arithmetic to decoder_step, which is its specification; for
 * decoders of one layer that attend. Bits of a row do not depend on its company.
 */
#ifndef MODEL_FOLDED_H
#define MODEL_FOLDED_H

#include "model/decoder.h"

/* Input rows that are kept between steps: of the pieces used last, in sets of
 * ROW_CACHE_WAYS. One thread. */
struct row_cache {
    int sets;
    size_t row_bytes;
    int32_t *ids;   // (sets, ways) -1: empty
    uint32_t *used; // (sets, ways) when
    char *rows;     // (sets, ways, row_bytes)
    uint32_t clock;
};

/* Room for `rows` rows or a few less, for none where the decoder does not fold; pointers stay NULL in a
 * measuring arena. */
void row_cache_lay_out(struct row_cache *cache, const struct decoder *decoder,
                       const struct weights *weights, int rows, struct arena *arena);
void row_cache_clear(struct row_cache *cache);

/* Keys and values, before either is as above, of encoder states (S,M) of any sentences; a row takes
 * the width. */
int folded_row_width(const struct decoder *decoder);
void folded_rows(const struct decoder *decoder, const struct weights *weights, int S,
                 const real *states, real *rows);
/* The memory of a sentence, of the size in reals, of its S rows. */
size_t folded_memory_size(const struct decoder *decoder, const struct weights *weights, int S);
void folded_memory(const struct decoder *decoder, const struct weights *weights, int S,
                   const real *rows, real *memory);

struct folded_step {
    int N;
    const int32_t *previous;   // (N) pieces
    struct tensor embedding;   // (V,E) whose rows they are
    const real *const *memory; // (N) -> that of the row's sentence
    const int *S;              // (N)
    const real *const *state;  // (N) -> state of the row's parent
    real *next_state;          // (N,state width); none of the parents'
    real *alignment;           // (N) rows of S weights, ld_alignment apart
    int ld_alignment;
    real *readout; // (N,E)
};

void folded_step(const struct decoder *decoder, const struct weights *weights,
                 const struct folded_step *step, struct row_cache *cache, struct arena *scratch);
size_t folded_step_bytes(const struct decoder *decoder, int N);

#endif
