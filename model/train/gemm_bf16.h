/*
 * gemm_bf16.h - matrix products in bfloat16 with float32 sums, by oneDNN.
 *
 * Operands are rounded to bfloat16 for the product alone; weights, gradients
 * and sums stay float32. On processors with AMX a training is about twice
 * as fast. Small products stay in float32: rounding the operands
 * would cost more than it saves.
 */
#ifndef MODEL_TRAIN_GEMM_BF16_H
#define MODEL_TRAIN_GEMM_BF16_H

#include <stdbool.h>
#include "model/kernels/kernels.h"

/* Whether this processor multiplies bfloat16. */
bool bf16_is_supported(void);

/* Whether a product is large enough to be worth it. */
bool bf16_is_worth_it(int M, int N, int K);

/* As kernels->gemm, but only of the first pieces (rows of A and C, in the form TN rows of A
 * and B) and returns how many: all but a few at the end, which are left to the caller; -1: the
 * library refused, C is worthless. Each thread has buffers and prepared products of its own, freed
 * when it ends. `round` is a table's to_bf16. rounded_B: B (dense) when it is rounded already, or
 * NULL. */
int bf16_gemm(void (*round)(size_t n, const float *x, uint16_t *y), enum gemm_form form, int M,
              int N, int K, const float *A, int lda, const float *B, int ldb,
              const uint16_t *rounded_B, bool accumulate, float *C, int ldc);

#endif
