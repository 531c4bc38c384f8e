/*
 * gemm.h - kernels whose matrix product is oneDNN's, for training.
 *
 *     struct kernels kernels = training_kernels(kernels_best(), PRECISION_F32);
 *     gemm_use_one_thread();                     // once in each thread that computes
 *     ...
 *     status = gemm_check(&err);                 // after each update
 *
 * oneDNN's home. The table's function returns nothing, so a product that the
 * library refuses is remembered for the process and told by gemm_check: what
 * was computed since is worthless. Under ThreadSanitizer, which does not know
 * the library's threads, the product is the table's own.
 */
#ifndef MODEL_TRAIN_GEMM_H
#define MODEL_TRAIN_GEMM_H

#include "base/status.h"
#include "model/kernels/kernels.h"

enum precision {
    PRECISION_F32,
    PRECISION_BF16, // operands of large products rounded to bfloat16, sums in float32
};

/* `base` with gemm replaced. */
struct kernels training_kernels(const struct kernels *base, enum precision precision);

/* STATUS_BAD_USAGE when this processor cannot. */
MUST_CHECK enum status precision_check(enum precision precision, struct error *err);

/* The library would start threads of its own in each thread that calls it. */
void gemm_use_one_thread(void);

/* Weights are in many products between two changes: with this, bfloat16 products whose second
 * operand lies in values[0,count) take rounded[] instead of rounding it each time. One block a
 * process; NULL: none. */
void gemm_share_rounded(const float *values, uint16_t *rounded, size_t count);
/* Round values[from,to) anew: after they changed, before the next product. */
void gemm_round_shared(size_t from, size_t to);

MUST_CHECK enum status gemm_check(struct error *err);

#endif
