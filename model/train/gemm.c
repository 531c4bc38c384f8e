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

struct kernels training_kernels(const struct kernels *base)
{
    struct kernels kernels = *base;
    kernels.gemm = kernels_reference.gemm;
    return kernels;
}

void gemm_use_one_thread(void)
{
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

static atomic_int first_failure = dnnl_success;

static void library_gemm(enum gemm_form form, int M, int N, int K, const float *A, int lda,
                         const float *B, int ldb, bool accumulate, float *C, int ldc)
{
    if (M == 0 || N == 0)
        return;
    dnnl_status_t status = dnnl_sgemm(form == GEMM_TN ? 'T' : 'N', form == GEMM_NT ? 'T' : 'N', M,
                                      N, K, 1, A, lda, B, ldb, accumulate ? 1 : 0, C, ldc);
    int expected = dnnl_success;
    if (status != dnnl_success)
        atomic_compare_exchange_strong(&first_failure, &expected, (int)status);
}

struct kernels training_kernels(const struct kernels *base)
{
    struct kernels kernels = *base;
    kernels.gemm = library_gemm;
    return kernels;
}

void gemm_use_one_thread(void)
{
    omp_set_num_threads(1);
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
