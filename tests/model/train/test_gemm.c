/*
 * test_gemm.c - the training products against the reference, in both precisions.
 */
#include "base/rng.h"
#include "model/train/gemm.h"
#include "tests/helpers.h"

#define FLOAT_NOISE 1e-4f // other orders of summation
#define BF16_NOISE 2e-2f  // operands of 8 bits, times the root of the terms of a sum

static float *random_floats(size_t n, uint64_t seed)
{
    struct rng rng = rng_make(seed, 1);
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)rng_normal(&rng);
    return x;
}

/* Every form, with and without accumulation, over sizes around the powers of two that products are
 * cut into; ldc wider than N. */
static void check(enum precision precision, float noise)
{
    const struct kernels k = training_kernels(kernels_best(), precision);
    const int rows[] = { 1, 3, 31, 32, 33, 64, 97, 200, 777 };
    struct error err;
    gemm_use_one_thread();
    assert_ok(precision_check(precision, &err), err);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int form = GEMM_NN; form <= GEMM_TN; form++) {
            const int pieces = rows[i], N = 70, ldc = 75;
            const int M = form == GEMM_TN ? 90 : pieces, K = form == GEMM_TN ? pieces : 90;
            float *A = random_floats((size_t)(M * K), 1), *B = random_floats((size_t)(N * K), 2);
            float *C = random_floats((size_t)(M * ldc), 3),
                  *wanted = malloc((size_t)(M * ldc) * sizeof *C);
            memcpy(wanted, C, (size_t)(M * ldc) * sizeof *C);
            const int lda = form == GEMM_TN ? M : K, ldb = form == GEMM_NT ? K : N;
            k.gemm((enum gemm_form)form, M, N, K, A, lda, B, ldb, i % 2, C, ldc);
            kernels_reference.gemm((enum gemm_form)form, M, N, K, A, lda, B, ldb, i % 2, wanted,
                                   ldc);
            for (int j = 0; j < M * ldc; j++)
                ck_assert_msg(fabsf(C[j] - wanted[j]) <= noise * (1 + sqrtf((float)K)),
                              "form %d, %d pieces: C[%d] is %g, not %g", form, pieces, j,
                              (double)C[j], (double)wanted[j]);
            free(A), free(B), free(C), free(wanted);
        }
    }
    assert_ok(gemm_check(&err), err);
}

START_TEST(float32_products_equal_the_reference)
{
    check(PRECISION_F32, FLOAT_NOISE);
}
END_TEST

START_TEST(bfloat16_products_are_near_the_reference)
{
    struct error err;
    if (precision_check(PRECISION_BF16, &err) != STATUS_OK) {
        printf("skipped: %s\n", err.text);
        return;
    }
    check(PRECISION_BF16, BF16_NOISE);
}
END_TEST

/* A matrix inside the shared block, behind other weights. */
START_TEST(a_shared_rounded_block_changes_no_bit)
{
    enum { M = 70, N = 90, K = 80, BEFORE = 48, TOTAL = BEFORE + N * K };
    const struct kernels k = training_kernels(kernels_best(), PRECISION_BF16);
    struct error err;
    if (precision_check(PRECISION_BF16, &err) != STATUS_OK) {
        printf("skipped: %s\n", err.text);
        return;
    }
    float *A = random_floats(M * N, 1), *values = random_floats(TOTAL, 2);
    float *C = calloc(M * N, sizeof *C), *wanted = calloc(M * N, sizeof *C);
    uint16_t *rounded = calloc(TOTAL, sizeof *rounded);
    for (int form = GEMM_NN; form <= GEMM_NT; form++) {
        const int ldb = form == GEMM_NT ? K : N;
        k.gemm((enum gemm_form)form, M, N, K, A, K, values + BEFORE, ldb, false, wanted, N);
        gemm_share_rounded(values, rounded, TOTAL);
        gemm_round_shared(0, 100);
        gemm_round_shared(100, TOTAL);
        k.gemm((enum gemm_form)form, M, N, K, A, K, values + BEFORE, ldb, false, C, N);
        gemm_share_rounded(NULL, NULL, 0);
        ck_assert_mem_eq(C, wanted, M * N * sizeof *C);
    }
    assert_ok(gemm_check(&err), err);
    free(A), free(values), free(C), free(wanted), free(rounded);
}
END_TEST

static const struct test_case cases[] = {
    TEST(float32_products_equal_the_reference),
    TEST(bfloat16_products_are_near_the_reference),
    TEST(a_shared_rounded_block_changes_no_bit),
};
TEST_MAIN("model/train/gemm", cases)
