/*
 * gemm.c - dnnl_sgemm behind the table's signature.
 */
#include "model/train/gemm.h"

#if defined(__SANITIZE_THREAD__)
#define WITHOUT_LIBRARY 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITHOUT_LIBRARY 1
#endif
#endif

#ifdef WITHOUT_LIBRARY

struct kernels training_kernels(const struct kernels *base, enum precision precision)
{
    (void)precision;
    return *base;
}

enum status precision_check(enum precision precision, struct error *err)
{
    (void)precision;
    (void)err;
    return STATUS_OK;
}

void gemm_use_one_thread(void)
{
}

void gemm_share_rounded(const float *values, uint16_t *rounded, size_t count)
{
    (void)values;
    (void)rounded;
    (void)count;
}

void gemm_round_shared(size_t from, size_t to)
{
    (void)from;
    (void)to;
}

enum status gemm_check(struct error *err)
{
    (void)err;
    return STATUS_OK;
}

#else

#include <oneapi/dnnl/dnnl.h>
#include <omp.h>
#include <stdatomic.h>

#include "model/train/gemm_bf16.h"

#define TN_ROWS 160
#define TN_WIDE 1024

static atomic_int first_failure = dnnl_success;

/* Set before threads start. */
static void (*to_bf16)(size_t n, const float *x, uint16_t *y);
static struct {
    const float *values;
    uint16_t *rounded;
    size_t count;
} shared;

static void note_failure(dnnl_status_t status)
{
    int expected = dnnl_success;
    if (status != dnnl_success)
        atomic_compare_exchange_strong(&first_failure, &expected, (int)status);
}

/* The library's blocks suit a gradient of weights badly, whose K is all pieces of a batch, unless it
 * is TN_WIDE: in equal parts of at most TN_ROWS it is a tenth to a half faster. */
static void library_gemm(enum gemm_form form, int M, int N, int K, const float *A, int lda,
                         const float *B, int ldb, bool accumulate, float *C, int ldc)
{
    if (M == 0 || N == 0)
        return;
    const bool in_parts = form == GEMM_TN && N < TN_WIDE && K > 0;
    const int parts = in_parts ? (K + TN_ROWS - 1) / TN_ROWS : 1;
    for (int part = 0; part < parts; part++) {
        const int from = K * part / parts, rows = K * (part + 1) / parts - from;
        note_failure(dnnl_sgemm(form == GEMM_TN ? 'T' : 'N', form == GEMM_NT ? 'T' : 'N', M, N,
                                rows, 1, A + (size_t)from * (size_t)lda, lda,
                                B + (size_t)from * (size_t)ldb, ldb, accumulate || part > 0 ? 1 : 0,
                                C, ldc));
    }
}

/* The rounded form of a dense matrix if it is in the shared block, else NULL. */
static const uint16_t *find_rounded(const float *B, size_t elements, bool dense)
{
    const uintptr_t at = (uintptr_t)B, from = (uintptr_t)shared.values;
    if (!shared.values || !dense || at < from ||
        at + elements * sizeof *B > from + shared.count * sizeof *B)
        return NULL;
    return shared.rounded + (at - from) / sizeof *B;
}

/* Most pieces in bfloat16, the few that are left in float32. */
static void half_gemm(enum gemm_form form, int M, int N, int K, const float *A, int lda,
                      const float *B, int ldb, bool accumulate, float *C, int ldc)
{
    const bool over_k = form == GEMM_TN;
    int done = 0;
    if (bf16_is_worth_it(M, N, K)) {
        const uint16_t *rounded =
            find_rounded(B, (size_t)N * (size_t)K, ldb == (form == GEMM_NT ? K : N));
        done = bf16_gemm(to_bf16, form, M, N, K, A, lda, B, ldb, rounded, accumulate, C, ldc);
    }
    if (done < 0) {
        note_failure(dnnl_runtime_error);
        return;
    }
    const float *rest_A = A + (size_t)done * (size_t)lda;
    if (over_k && done < K)
        library_gemm(form, M, N, K - done, rest_A, lda, B + (size_t)done * (size_t)ldb, ldb,
                     accumulate || done > 0, C, ldc);
    if (!over_k && done < M)
        library_gemm(form, M - done, N, K, rest_A, lda, B, ldb, accumulate,
                     C + (size_t)done * (size_t)ldc, ldc);
}

struct kernels training_kernels(const struct kernels *base, enum precision precision)
{
    struct kernels kernels = *base;
    to_bf16 = base->to_bf16;
    kernels.gemm = precision == PRECISION_BF16 ? half_gemm : library_gemm;
    return kernels;
}

enum status precision_check(enum precision precision, struct error *err)
{
    if (precision == PRECISION_F32 || bf16_is_supported())
        return STATUS_OK;
    return error_set(err, STATUS_BAD_USAGE,
                     "this processor does not multiply bfloat16; use --precision f32");
}

void gemm_use_one_thread(void)
{
    omp_set_num_threads(1);
}

void gemm_share_rounded(const float *values, uint16_t *rounded, size_t count)
{
    shared.values = values;
    shared.rounded = rounded;
    shared.count = count;
}

void gemm_round_shared(size_t from, size_t to)
{
    to_bf16(to - from, shared.values + from, shared.rounded + from);
}

enum status gemm_check(struct error *err)
{
    int failure = atomic_load(&first_failure);
    if (failure == dnnl_success)
        return STATUS_OK;
    return error_set(err, failure == dnnl_out_of_memory ? STATUS_NO_MEMORY : STATUS_IO,
                     "oneDNN refused a matrix product (status %d): is there enough memory?",
                     failure);
}

#endif
