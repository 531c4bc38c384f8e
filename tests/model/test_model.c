/*
 * test_model.c - the model in float with the kernels the programs use.
 */
#include "tests/model/model_suite.h"

START_TEST(a_batch_that_does_not_fit_the_scratch_is_an_error)
{
    struct whole w;
    struct random_batch r;
    struct error err;
    struct loss loss;
    struct arena little;
    whole_open(&w, &small, 3);
    random_batch(&r, small.vocabulary, 1);
    ck_assert(arena_init(&little, seq2seq_loss_bytes(&w.model, RANDOM_B, RANDOM_S, RANDOM_T) - 1));
    const struct loss_options options = { .scale = 1 };
    assert_status(seq2seq_loss(&w.model, &w.weights, &r.batch, &options, &little, NULL, &loss,
                               &err),
                  STATUS_NO_MEMORY);
    arena_release(&little);
    whole_close(&w);
}
END_TEST

/* Encoding a sentence beside others gives the bits it gets alone; so does a step. */
START_TEST(company_changes_no_bit)
{
    const struct config config = { 131, 24, 40, 17 };
    struct whole w;
    struct error err;
    whole_open(&w, &config, 8);
    const struct params *params = &w.model.params;
    const real **packed = calloc((size_t)params->count, sizeof *packed);
    for (int p = 0; p < params->count; p++) {
        const struct tensor t = params->entries[p].tensor;
        if (t.cols == 1)
            continue;
        real *copy = calloc(KERNELS->packed_count(t.rows, t.cols), sizeof *copy);
        KERNELS->pack(t.rows, t.cols, w.values + t.offset, copy);
        packed[p] = copy;
    }
    w.weights.packed = packed;

    enum { N = 23, LONGEST = 9 };
    int32_t ids[N][LONGEST];
    const int32_t *rows[N];
    int len[N];
    struct rng rng = rng_make(4, 4);
    for (int n = 0; n < N; n++) {
        rows[n] = ids[n];
        len[n] = 1 + (int)rng_below(&rng, LONGEST);
        for (int s = 0; s < LONGEST; s++)
            ids[n][s] = 3 + (int32_t)rng_below(&rng, 128);
    }
    struct memory together[N], alone;
    assert_ok(seq2seq_encode(&w.model, &w.weights, rows, len, N, &results, &arena, together, &err),
              err);
    const int width = SEQ2SEQ_STATE(&w.model);
    const struct memory *of[N];
    int32_t previous[N];
    real *state = calloc((size_t)(N * width), sizeof *state), *next = calloc((size_t)(N * width), sizeof *next);
    real *alignment = calloc(N * LONGEST, sizeof *alignment), *log_probs = calloc(N * 131, sizeof *log_probs);
    for (int n = 0; n < N; n++) {
        of[n] = &together[n];
        previous[n] = 3 + n;
        assert_ok(seq2seq_start(&w.model, &w.weights, of[n], &arena, state + n * width, &err), err);
    }
    const struct step all = { N, of, previous, state, next, alignment, LONGEST, log_probs };
    assert_ok(seq2seq_step(&w.model, &w.weights, &all, &arena, &err), err);
    for (int n = 0; n < N; n++) {
        assert_ok(seq2seq_encode(&w.model, &w.weights, &rows[n], &len[n], 1, &results, &arena,
                                 &alone, &err),
                  err);
        ck_assert_mem_eq(alone.states, together[n].states, (size_t)len[n] * 80 * sizeof(real));
        ck_assert_mem_eq(alone.keys, together[n].keys, (size_t)len[n] * 17 * sizeof(real));
        real one_next[80], one_alignment[LONGEST], one_log_probs[131];
        const struct step one = { 1, &of[n], &previous[n], state + n * width, one_next,
                                  one_alignment, LONGEST, one_log_probs };
        assert_ok(seq2seq_step(&w.model, &w.weights, &one, &arena, &err), err);
        ck_assert_mem_eq(one_next, next + n * width, sizeof one_next);
        ck_assert_mem_eq(one_alignment, alignment + n * LONGEST, (size_t)len[n] * sizeof(real));
        ck_assert_mem_eq(one_log_probs, log_probs + n * 131, sizeof one_log_probs);
    }
    for (int p = 0; p < params->count; p++)
        free((void *)(uintptr_t)packed[p]);
    free(packed), free(state), free(next), free(alignment), free(log_probs);
    whole_close(&w);
}
END_TEST

static const struct test_case cases[] = {
    TEST(lstm_layer_equals_the_reference),
    TEST(lstm_step_equals_a_value_by_hand),
    TEST(attention_equals_the_reference),
    TEST(equal_keys_share_the_weight),
    TEST_LOOP(cross_entropy_equals_the_reference, 2),
    TEST(whole_model_equals_the_reference),
    TEST(single_steps_equal_the_reference),
    TEST_LOOP(padding_changes_nothing, 5),
    TEST(padding_is_never_read),
    TEST(dropout_keeps_the_mean),
    TEST(a_batch_that_does_not_fit_the_scratch_is_an_error),
    TEST(company_changes_no_bit),
};
TEST_MAIN("model", cases)
