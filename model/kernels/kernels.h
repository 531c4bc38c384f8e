/*
 * kernels.h - the arithmetic every layer is made of, as a table chosen once.
 *
 *     const struct kernels *k = kernels_best();
 *     k->gemm(GEMM_NT, M, N, K, x, K, w, K, false, y, N);       // y = x wᵀ
 *
 * kernels_reference is the specification: plain loops, no tricks, in double if
 * the build says so. The others compute the same with vectors of one
 * instruction set and are tested against it by tolerance. verso-train puts its
 * library's matrix product in a copy of a table.
 *
 * All are pure: any number of threads. No pointer needs alignment. Row-major
 * throughout; ld* is the distance between rows in elements.
 *
 * What stays true of every table: a row of a result depends on that row's
 * inputs alone, and each sum runs in one fixed order, so a sentence gives the
 * same bits alone and beside others. (The library's product in verso-train
 * promises this only for equal shapes.)
 */
#ifndef MODEL_KERNELS_KERNELS_H
#define MODEL_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/kernels/real.h"

enum gemm_form { // C is (M,N)
    GEMM_NN,     // A (M,K)   B (K,N)
    GEMM_NT,     // A (M,K)   B (N,K)
    GEMM_TN,     // A (K,M)   B (K,N)
};

/* What a matrix is kept as for inference. */
enum weight_type { WEIGHT_F32, WEIGHT_BF16, WEIGHT_I8, WEIGHT_TYPES };

/* Products by a matrix that stays the same: Y(M,N) = X(M,K) Wᵀ, or +=, with W (N,K) as pack() lays
 * it out, which only the same table reads. Rows from a multiple n of PACKED_ROWS on are laid out as
 * if they were a matrix, at bytes(n, K).
 * Of WEIGHT_BF16, W and perhaps X are rounded to bfloat16.
 * Of WEIGHT_I8, both are rounded to -127..127, with a scale a row of each; a row without a
 * magnitude above I8_SMALLEST_ROW is zero; every table gives the same bits. K is at most
 * PACKED_K_MAX. */
struct packing {
    size_t (*bytes)(int N, int K); // that pack() writes
    void (*pack)(int N, int K, const real *W, void *packed);
    /* What pack() makes of Wᵀ, from W (K,N). Not of WEIGHT_I8. */
    void (*pack_transposed)(int N, int K, const real *W, void *packed);
    void (*product)(int M, int N, int K, const real *X, int ldx, const void *packed,
                    bool accumulate, real *Y, int ldy);

    /* By some of its rows, `ids` (count): Y(M,count) = X(M,K) W[ids]ᵀ + bias[ids], with W as
     * put_rows() lays it out; as it is, where there is no such function. */
    size_t (*rows_bytes)(int N, int K); // that put_rows() writes
    void (*put_rows)(int N, int K, const real *W, void *rows);
    void (*product_of_rows)(int M, int count, int N, int K, const real *X, int ldx,
                            const void *rows, const int32_t *ids, const real *bias, real *Y,
                            int ldy);
};
#define I8_SMALLEST_ROW 1e-30f
#define PACKED_ROWS 64     // columns of a panel divide it, whatever the table
#define PACKED_K_MAX 32768 // an int32 holds the sum of as many products of codes

#define EXP_TWICE_MOST 21 // so that a product of two, at most e^84, is finite

struct kernels {
    const char *name; // as VERSO_ISA has it

    /* C = A B, or C += A B. */
    void (*gemm)(enum gemm_form form, int M, int N, int K, const real *A, int lda, const real *B,
                 int ldb, bool accumulate, real *C, int ldc);

    const struct packing *packings[WEIGHT_TYPES];

    void (*add)(size_t n, const real *x, const real *m, real *y);      // y = x + m; may be in place
    void (*multiply)(size_t n, const real *x, const real *m, real *y); // y = x ⊙ m; may be in place
    void (*add_bf16)(size_t n, const real *x, const uint16_t *m, real *y); // m in bfloat16
    void (*tanh_rows)(int n, const real *x, real *y);    // y = tanh(x); may be in place
    void (*sigmoid_rows)(int n, const real *x, real *y); // y = σ(x); may be in place
    /* d_x = d_y ⊙ the derivative, told from y; may be in place. */
    void (*tanh_backward)(int n, const real *y, const real *d_y, real *d_x);
    void (*sigmoid_backward)(int n, const real *y, const real *d_y, real *d_x);

    /* LSTM cell, elementwise part, one row: gates a (4H) in order i f g o, before activation in,
     * after activation out.  c = f⊙c' + i⊙g,  h = o⊙tanh(c). With peepholes p (3H), else NULL:
     * a_i += p_i⊙c', a_f += p_f⊙c', a_o += p_o⊙c first. */
    void (*lstm_forward)(int H, const real *peephole, real *gates, const real *c_previous, real *c,
                         real *h);
    /* d_c in: from the next step, out: for the one before. d_gates (4H) before activation.
     * d_peephole (3H) is added to; NULL if peephole is. */
    void (*lstm_backward)(int H, const real *peephole, const real *gates, const real *c_previous,
                          const real *c, const real *d_h, real *d_c, real *d_gates,
                          real *d_peephole);

    /* GRU cell, elementwise parts, one row: gates a (3H) in order z r n. First z and r are
     * activated, reset = r⊙h'. Then, with U reset in a_n, n is and h = (1-z)⊙carried + z⊙n; h
     * may be carried, which is h' without a dropout mask. */
    void (*gru_reset)(int H, real *gates, const real *h_previous, real *reset);
    void (*gru_update)(int H, real *gates, const real *carried, real *h);
    /* Back: d_gates of z and n before activation, d_carried. Then, with d reset in the place of r,
     * that of r before activation and d_h' without what flows through U. */
    void (*gru_update_backward)(int H, const real *gates, const real *carried, const real *d_h,
                                real *d_gates, real *d_carried);
    void (*gru_reset_backward)(int H, const real *gates, const real *h_previous, real *d_gates,
                               real *d_h_previous);

    /* Energies of one query against S keys: e_s = v · tanh(key_s + query). */
    void (*energies)(int S, int A, const real *keys, int ld_keys, const real *query, const real *v,
                     real *e);
    /* The same of exponentials, which are computed once a key and once a query: exp_twice is
     * y = e^2x (in place too) with x no further from 0 than EXP_TWICE_MOST; of keys and a query so
     * given, e_s = -2 Σ_a v_a / (1 + key_sa query_a), the energy less Σ_a v_a, as
     * tanh x = 1 - 2 / (1 + e^2x). A softmax does not see the difference. */
    void (*exp_twice)(int n, const real *x, real *y);
    void (*energies_of_exponentials)(int S, int A, const real *keys, int ld_keys, const real *query,
                                     const real *v, real *e);
    /* g = d_e[s] v ⊙ (1 - tanh²(key_s + query)); d_key_s += g, d_query += g,
     * d_v += d_e[s] tanh(key_s + query). */
    void (*energies_backward)(int S, int A, const real *keys, int ld_keys, const real *query,
                              const real *v, const real *d_e, real *d_keys, real *d_query,
                              real *d_v);

    void (*softmax)(int n, real *x); // in place, n >= 1

    /* y_r(n) += Σ_s w_rs rows_s, in the order of s, for R rows of weights. */
    void (*weighted_sums)(int R, int S, int n, const real *w, int ld_w, const real *rows, int ld,
                          real *y, int ld_y);
    /* The same of rows in bfloat16. */
    void (*weighted_sums_bf16)(int R, int S, int n, const real *w, int ld_w, const uint16_t *rows,
                               int ld, real *y, int ld_y);
    /* d_w[s] += d_y · rows_s: what the weights of a weighted sum owe to it. */
    void (*row_dots)(int S, int n, const real *rows, int ld, const real *d_y, real *d_w);

    /* Cross-entropy of one row of logits (V) against `target`, label smoothing ε:
     *   q = (1-ε) onehot + ε/V,  loss = -Σ q log p.
     * Returns -log p[target] in *plain and the loss; d_logits (may be NULL, may be `logits`)
     * = scale (p - q). */
    real (*cross_entropy)(int V, const real *logits, int target, real smoothing, real scale,
                          real *plain, real *d_logits);

    /* The first i with add + x[i] > floor; n: there is none. */
    int (*first_above)(int n, const real *x, real add, real floor);

    /* In place: x = log softmax(x). */
    void (*log_softmax)(int n, real *x);

    /* bfloat16, rounded to nearest even: the upper halves of the floats. */
    void (*to_bf16)(size_t n, const real *x, uint16_t *y);

    /* One Adam update of n weights (Kingma & Ba 2015); rate already holds the
     * schedule; correction1 = 1-β1^t, correction2 = 1-β2^t; g is scaled by `clip` first. */
    void (*adam)(size_t n, real *w, const real *g, real *m, real *v, real clip, real rate,
                 real beta1, real beta2, real epsilon, real correction1, real correction2);

    /* M inputs x (M,D) against N outputs y (N,D), the first of which is right (Mikolov 2013):
     * scores_mn = x_m · y_n,  g_mn = σ(scores_mn) - [n = 0],
     * d_x_m = Σ_n g_mn y_n,  d_y_n = Σ_m g_mn x_m.  All are set. */
    void (*negative_sampling)(int M, int N, int D, const real *x, const real *y, real *scores,
                              real *g, real *d_x, real *d_y);
};

extern const struct kernels kernels_reference;

#ifndef VERSO_DOUBLE
extern const struct kernels kernels_portable;
#ifdef KERNELS_X86
extern const struct kernels kernels_avx2;
extern const struct kernels kernels_avx512;     // F, BW, DQ, VL
extern const struct kernels kernels_avx512vnni; // and int8 products
extern const struct kernels kernels_avx512bf16; // and bfloat16 products
extern const struct kernels kernels_amx;        // and tiles of either
#endif

/* The fastest this processor runs; VERSO_ISA in the environment forces one of reference, portable,
 * avx2, avx512, avx512vnni, avx512bf16, amx (an unknown or unsupported name gives NULL and the
 * caller says so). */
const struct kernels *kernels_best(void);
#endif

#endif
