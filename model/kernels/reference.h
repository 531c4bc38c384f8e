/*
 * reference.h - the plain matrix product, for tables that have no better one.
 */
#ifndef MODEL_KERNELS_REFERENCE_H
#define MODEL_KERNELS_REFERENCE_H

#include "model/kernels/kernels.h"

void reference_gemm(enum gemm_form form, int M, int N, int K, const real *A, int lda, const real *B,
                    int ldb, bool accumulate, real *C, int ldc);

#endif
