/*
 * test_kernels.c - every instruction set's kernels against the reference, over
 * odd sizes, with operands that end at unreadable pages.
 */
#include "tests/model/kernels/guarded.h"

#define REORDERED_SUMS 2e-5f // vectorised sums and polynomials against plain loops

static void assert_close(const float *got, const float *wanted, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(got[i] - wanted[i]) <= REORDERED_SUMS * (1 + fabsf(wanted[i])),
                      "%s[%zu] is %.9g, not %.9g", what, i, (double)got[i], (double)wanted[i]);
}

static const int sizes[] = { 1, 2, 3, 5, 8, 13, 16, 17, 31, 63, 64, 65, 130 };
#define SIZES (int)(sizeof sizes / sizeof sizes[0])

START_TEST(tanh_and_sigmoid_are_right_from_minus_to_plus_a_hundred)
{
    enum { N = 4001 };
    float *x = guarded(N), *y = guarded(N);
    for (int i = 0; i < N; i++)
        x[i] = (float)(i - N / 2) * 0.05f;
    all[_i]->tanh_rows(N, x, y);
    for (int i = 0; i < N; i++)
        ck_assert_double_eq_tol((double)y[i], tanh((double)x[i]), 4e-7);
    all[_i]->sigmoid_rows(N, x, y);
    for (int i = 0; i < N; i++)
        ck_assert_double_eq_tol((double)y[i], 1 / (1 + exp(-(double)x[i])), 4e-7);
    unguard(x, N), unguard(y, N);
}
END_TEST

START_TEST(simple_cells_equal_the_reference)
{
    const struct kernels *k = all[_i], *plain = &kernels_reference;
    for (int i = 0; i < SIZES; i++) {
        const int H = sizes[i];
        const size_t n = (size_t)H;
        float *y = random_floats(n, 2, 1), *y2 = copy_of(y, n), *d = random_floats(n, 1, 2);
        float *d_x = guarded(n), *d_x2 = guarded(n);
        k->tanh_rows(H, y, y), plain->tanh_rows(H, y2, y2);
        assert_close(y, y2, n, "tanh");
        k->tanh_backward(H, y2, d, d_x), plain->tanh_backward(H, y2, d, d_x2);
        assert_close(d_x, d_x2, n, "d tanh");
        k->sigmoid_rows(H, y, y), plain->sigmoid_rows(H, y2, y2);
        assert_close(y, y2, n, "sigmoid");
        k->sigmoid_backward(H, y2, d, d_x), plain->sigmoid_backward(H, y2, d, d_x2);
        assert_close(d_x, d_x2, n, "d sigmoid");
        unguard(y, n), unguard(y2, n), unguard(d, n), unguard(d_x, n), unguard(d_x2, n);
    }
}
END_TEST

static void assert_lstm_like_reference(const struct kernels *k, int H, bool has_peepholes)
{
    const size_t h_n = (size_t)H, g_n = 4 * h_n, p_n = 3 * h_n;
    float *gates = random_floats(g_n, 2, 1), *gates2 = copy_of(gates, g_n);
    float *before = random_floats(h_n, 1, 2), *d_h = random_floats(h_n, 1, 3);
    float *peephole = random_floats(p_n, 1, 5), *p = has_peepholes ? peephole : NULL;
    float *c = guarded(h_n), *c2 = guarded(h_n), *h = guarded(h_n), *h2 = guarded(h_n);
    k->lstm_forward(H, p, gates, before, c, h);
    kernels_reference.lstm_forward(H, p, gates2, before, c2, h2);
    assert_close(gates, gates2, g_n, "gates");
    assert_close(c, c2, h_n, "c");
    assert_close(h, h2, h_n, "h");
    float *d_c = random_floats(h_n, 1, 4), *d_c2 = copy_of(d_c, h_n);
    float *d_gates = guarded(g_n), *d_gates2 = guarded(g_n);
    float *d_peephole = random_floats(p_n, 1, 6), *d_peephole2 = copy_of(d_peephole, p_n);
    float *d_p = has_peepholes ? d_peephole : NULL, *d_p2 = has_peepholes ? d_peephole2 : NULL;
    k->lstm_backward(H, p, gates2, before, c2, d_h, d_c, d_gates, d_p);
    kernels_reference.lstm_backward(H, p, gates2, before, c2, d_h, d_c2, d_gates2, d_p2);
    assert_close(d_gates, d_gates2, g_n, "d_gates");
    assert_close(d_c, d_c2, h_n, "d_c");
    assert_close(d_peephole, d_peephole2, p_n, "d_peephole");
    unguard(gates, g_n), unguard(gates2, g_n), unguard(before, h_n), unguard(d_h, h_n);
    unguard(c, h_n), unguard(c2, h_n), unguard(h, h_n), unguard(h2, h_n), unguard(d_c, h_n);
    unguard(d_c2, h_n), unguard(d_gates, g_n), unguard(d_gates2, g_n), unguard(peephole, p_n);
    unguard(d_peephole, p_n), unguard(d_peephole2, p_n);
}

START_TEST(lstm_cell_equals_the_reference)
{
    for (int i = 0; i < SIZES; i++) {
        assert_lstm_like_reference(all[_i], sizes[i], false);
        assert_lstm_like_reference(all[_i], sizes[i], true);
    }
}
END_TEST

START_TEST(gru_cell_equals_the_reference)
{
    const struct kernels *k = all[_i], *plain = &kernels_reference;
    for (int i = 0; i < SIZES; i++) {
        const int H = sizes[i];
        const size_t n = (size_t)H, g_n = 3 * n;
        float *gates = random_floats(g_n, 2, 1), *gates2 = copy_of(gates, g_n);
        float *before = random_floats(n, 1, 2), *before2 = copy_of(before, n);
        float *reset = guarded(n), *reset2 = guarded(n), *h = guarded(n), *h2 = guarded(n);
        k->gru_reset(H, gates, before, reset), plain->gru_reset(H, gates2, before, reset2);
        assert_close(reset, reset2, n, "reset");
        k->gru_update(H, gates, before, h), plain->gru_update(H, gates2, before, h2);
        assert_close(gates, gates2, g_n, "gates");
        assert_close(h, h2, n, "h");
        float *d_h = random_floats(n, 1, 3), *d_gates = random_floats(g_n, 1, 4);
        float *d_gates2 = copy_of(d_gates, g_n), *d_before = guarded(n), *d_before2 = guarded(n);
        k->gru_update_backward(H, gates2, before, d_h, d_gates, d_before);
        plain->gru_update_backward(H, gates2, before, d_h, d_gates2, d_before2);
        assert_close(d_gates, d_gates2, g_n, "d_gates of z and n");
        assert_close(d_before, d_before2, n, "d_carried");
        k->gru_reset_backward(H, gates2, before, d_gates, d_before);
        plain->gru_reset_backward(H, gates2, before, d_gates2, d_before2);
        assert_close(d_gates, d_gates2, g_n, "d_gates");
        assert_close(d_before, d_before2, n, "d_h_previous");
        float *again = copy_of(gates2, g_n);
        k->gru_update(H, again, before2, h), k->gru_update(H, gates2, before2, before2);
        ck_assert_mem_eq(h, before2, n * sizeof *h); // in place
        unguard(gates, g_n), unguard(gates2, g_n), unguard(before, n), unguard(before2, n);
        unguard(reset, n), unguard(reset2, n), unguard(h, n), unguard(h2, n), unguard(d_h, n);
        unguard(d_gates, g_n), unguard(d_gates2, g_n), unguard(d_before, n);
        unguard(d_before2, n), unguard(again, g_n);
    }
}
END_TEST

START_TEST(attention_equals_the_reference)
{
    const struct kernels *k = all[_i];
    for (int i = 0; i < SIZES; i++) {
        const int S = sizes[(i + 4) % SIZES], A = sizes[i], ld = A + 3;
        const size_t a_n = (size_t)A, s_n = (size_t)S, keys_n = (size_t)((S - 1) * ld + A);
        float *keys = random_floats(keys_n, 1, 1), *query = random_floats(a_n, 1, 2);
        float *v = random_floats(a_n, 1, 3), *e = guarded(s_n), *e2 = guarded(s_n);
        k->energies(S, A, keys, ld, query, v, e);
        kernels_reference.energies(S, A, keys, ld, query, v, e2);
        assert_close(e, e2, s_n, "energy");
        float *d_keys = random_floats(keys_n, 1, 5), *d_keys2 = copy_of(d_keys, keys_n);
        float *d_query = random_floats(a_n, 1, 6), *d_query2 = copy_of(d_query, a_n);
        float *d_v = random_floats(a_n, 1, 7), *d_v2 = copy_of(d_v, a_n);
        k->energies_backward(S, A, keys, ld, query, v, e2, d_keys, d_query, d_v);
        kernels_reference.energies_backward(S, A, keys, ld, query, v, e2, d_keys2, d_query2, d_v2);
        assert_close(d_keys, d_keys2, keys_n, "d_keys");
        assert_close(d_query, d_query2, a_n, "d_query");
        assert_close(d_v, d_v2, a_n, "d_v");
        k->softmax(S, e);
        kernels_reference.softmax(S, e2);
        assert_close(e, e2, s_n, "softmax");

        enum { SUMS = 7 };
        const size_t w_n = SUMS * s_n, y_n = SUMS * a_n;
        float *w = random_floats(w_n, 1, 10);
        float *y = random_floats(y_n, 1, 8), *y2 = copy_of(y, y_n), *alone = copy_of(y, y_n);
        k->weighted_sums(SUMS, S, A, w, S, keys, ld, y, A);
        kernels_reference.weighted_sums(SUMS, S, A, w, S, keys, ld, y2, A);
        assert_close(y, y2, y_n, "weighted sums");
        for (size_t r = 0; r < SUMS; r++)
            k->weighted_sums(1, S, A, w + r * s_n, S, keys, ld, alone + r * a_n, A);
        ck_assert_mem_eq(alone, y, y_n * sizeof *y);
        float *d_w = random_floats(s_n, 1, 9), *d_w2 = copy_of(d_w, s_n);
        k->row_dots(S, A, keys, ld, query, d_w);
        kernels_reference.row_dots(S, A, keys, ld, query, d_w2);
        assert_close(d_w, d_w2, s_n, "d_w");
        unguard(keys, keys_n), unguard(query, a_n), unguard(v, a_n), unguard(e, s_n);
        unguard(e2, s_n), unguard(d_keys, keys_n), unguard(d_keys2, keys_n);
        unguard(d_query, a_n), unguard(d_query2, a_n), unguard(d_v, a_n), unguard(d_v2, a_n);
        unguard(y, y_n), unguard(y2, y_n), unguard(alone, y_n), unguard(w, w_n), unguard(d_w, s_n),
            unguard(d_w2, s_n);
    }
}
END_TEST

/* Many of them where tanh is ±1 to the last bit. */
START_TEST(energies_of_exponentials_are_those_of_keys_and_query)
{
    const struct kernels *k = all[_i];
    for (int i = 0; i < SIZES; i++) {
        const int S = sizes[(i + 4) % SIZES], A = sizes[i];
        const size_t a_n = (size_t)A, s_n = (size_t)S, keys_n = s_n * a_n;
        float *keys = random_floats(keys_n, 4, 1), *query = random_floats(a_n, 4, 2);
        float *v = random_floats(a_n, 1, 3), *e = guarded(s_n), *e2 = guarded(s_n), sum = 0;
        for (size_t a = 0; a < a_n; a++)
            sum += v[a];
        kernels_reference.energies(S, A, keys, A, query, v, e2);
        for (size_t s = 0; s < s_n; s++)
            e2[s] -= sum;
        k->exp_twice(S * A, keys, keys);
        k->exp_twice(A, query, query);
        k->energies_of_exponentials(S, A, keys, A, query, v, e);
        assert_close(e, e2, s_n, "energy");
        for (int s = 0; s < S; s++) // alone, to the bit
            k->energies_of_exponentials(1, A, keys + (size_t)s * a_n, A, query, v, e2 + s);
        ck_assert_mem_eq(e, e2, s_n * sizeof *e);
        unguard(keys, keys_n), unguard(query, a_n), unguard(v, a_n), unguard(e, s_n);
        unguard(e2, s_n);
    }
}
END_TEST

START_TEST(no_key_and_query_are_too_large_for_energies)
{
    float keys[4] = { 1e30f, -1e30f, 30, -30 }, query[2] = { 1e30f, -1e30f }, v[1] = { 1 }, e[4];
    all[_i]->exp_twice(4, keys, keys);
    all[_i]->exp_twice(2, query, query);
    all[_i]->energies_of_exponentials(4, 1, keys, 1, &query[0], v, e);
    const float wanted[] = { 0, -1, 0, -1 }; // tanh - 1 of more than any, of nothing
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq_tol(e[i], wanted[i], 1e-6f);
    all[_i]->energies_of_exponentials(4, 1, keys, 1, &query[1], v, e);
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq_tol(e[i], wanted[i] - 1, 1e-6f);
}
END_TEST

START_TEST(weighted_sums_of_bfloat16_are_those_of_its_values)
{
    enum { R = 7 };
    const struct kernels *k = all[_i];
    for (int i = 0; i < SIZES; i++) {
        const int S = sizes[(i + 4) % SIZES], n = sizes[i];
        const size_t row_n = (size_t)n, s_n = (size_t)S, rows_n = s_n * row_n, y_n = R * row_n;
        float *rows = random_floats(rows_n, 1, 1), *w = random_floats(R * s_n, 1, 2);
        float *y = random_floats(y_n, 1, 3), *y2 = copy_of(y, y_n);
        uint16_t *upper = guarded_bytes(rows_n * sizeof *upper);
        k->to_bf16(rows_n, rows, upper);
        for (size_t j = 0; j < rows_n; j++) {
            const uint32_t bits = (uint32_t)upper[j] << 16;
            memcpy(&rows[j], &bits, sizeof bits);
        }
        k->weighted_sums_bf16(R, S, n, w, S, upper, n, y, n);
        k->weighted_sums(R, S, n, w, S, rows, n, y2, n);
        ck_assert_mem_eq(y, y2, y_n * sizeof *y);
        unguard(rows, rows_n), unguard(w, R * s_n), unguard(y, y_n), unguard(y2, y_n);
        unguard_bytes(upper, rows_n * sizeof *upper);
    }
}
END_TEST

START_TEST(cross_entropy_equals_the_reference)
{
    const struct kernels *k = all[_i];
    for (int i = 1; i < SIZES; i++) {
        const int V = sizes[i];
        const size_t n = (size_t)V;
        float *x = random_floats(n, 5, 1), *d = guarded(n), *d2 = guarded(n), plain, plain2;
        const float loss = k->cross_entropy(V, x, V / 2, 0.1f, 0.25f, &plain, d);
        const float loss2 = kernels_reference.cross_entropy(V, x, V / 2, 0.1f, 0.25f, &plain2, d2);
        assert_close(&loss, &loss2, 1, "loss");
        assert_close(&plain, &plain2, 1, "plain");
        assert_close(d, d2, n, "d_logits");
        k->log_softmax(V, x);
        double sum = 0;
        for (int v = 0; v < V; v++)
            sum += exp((double)x[v]);
        ck_assert_double_eq_tol(sum, 1, 1e-5);
        unguard(x, n), unguard(d, n), unguard(d2, n);
    }
}
END_TEST

START_TEST(sums_and_products_of_rows_equal_the_reference)
{
    for (int i = 0; i < SIZES; i++) {
        const size_t n = (size_t)sizes[i];
        float *x = random_floats(n, 1, 1), *y = random_floats(n, 1, 2), *wanted = copy_of(y, n);
        all[_i]->add(n, x, y, y), kernels_reference.add(n, x, wanted, wanted);
        ck_assert_mem_eq(y, wanted, n * sizeof *y);
        all[_i]->multiply(n, y, x, y), kernels_reference.multiply(n, wanted, x, wanted);
        ck_assert_mem_eq(y, wanted, n * sizeof *y);
        uint16_t *upper = guarded_bytes(n * sizeof *upper);
        all[_i]->to_bf16(n, x, upper);
        all[_i]->add_bf16(n, y, upper, y), kernels_reference.add_bf16(n, wanted, upper, wanted);
        ck_assert_mem_eq(y, wanted, n * sizeof *y);
        unguard(x, n), unguard(y, n), unguard(wanted, n);
        unguard_bytes(upper, n * sizeof *upper);
    }
}
END_TEST

/* Whatever is before it: what equals the floor, is below it, or is not a number. */
START_TEST(the_first_above_a_floor_is_found_at_every_place)
{
    const float below[] = { 1.5f, -INFINITY, NAN, 1 };
    for (int i = 0; i < SIZES; i++) {
        const int n = sizes[i];
        float *x = guarded((size_t)n);
        for (int j = 0; j < n; j++)
            x[j] = below[j % 4];
        ck_assert_int_eq(all[_i]->first_above(n, x, 0.5f, 2), n);
        for (int at = n - 1; at >= 0; at--) {
            x[at] = 1.75f;
            ck_assert_int_eq(all[_i]->first_above(n, x, 0.5f, 2), at);
            ck_assert_int_eq(kernels_reference.first_above(n, x, 0.5f, 2), at);
        }
        unguard(x, (size_t)n);
    }
}
END_TEST

START_TEST(adam_equals_the_reference)
{
    enum { N = 77 };
    float *w = random_floats(N, 1, 1), *w2 = copy_of(w, N), *g = random_floats(N, 1, 2);
    float *m = random_floats(N, 1, 3), *m2 = copy_of(m, N), *v = guarded(N), *v2 = guarded(N);
    memset(v, 0, N * sizeof *v), memset(v2, 0, N * sizeof *v2);
    all[_i]->adam(N, w, g, m, v, 0.5f, 0.01f, 0.9f, 0.98f, 1e-9f, 0.1f, 0.02f);
    kernels_reference.adam(N, w2, g, m2, v2, 0.5f, 0.01f, 0.9f, 0.98f, 1e-9f, 0.1f, 0.02f);
    assert_close(w, w2, N, "w"), assert_close(m, m2, N, "m"), assert_close(v, v2, N, "v");
    unguard(w, N), unguard(w2, N), unguard(g, N), unguard(m, N), unguard(m2, N), unguard(v, N);
    unguard(v2, N);
}
END_TEST

START_TEST(negative_sampling_equals_the_reference)
{
    const struct kernels *k = all[_i];
    for (int i = 0; i < SIZES; i++) {
        const int D = sizes[i], M = 1 + i % 9, N = 1 + i * 3 % 8;
        const size_t x_n = (size_t)(M * D), y_n = (size_t)(N * D), s_n = (size_t)(M * N);
        float *x = random_floats(x_n, 0.4f, 1), *y = random_floats(y_n, 0.4f, 2);
        float *s = guarded(s_n), *g = guarded(s_n), *d_x = guarded(x_n), *d_y = guarded(y_n);
        float *s2 = guarded(s_n), *g2 = guarded(s_n), *d_x2 = guarded(x_n), *d_y2 = guarded(y_n);
        k->negative_sampling(M, N, D, x, y, s, g, d_x, d_y);
        kernels_reference.negative_sampling(M, N, D, x, y, s2, g2, d_x2, d_y2);
        assert_close(s, s2, s_n, "scores"), assert_close(g, g2, s_n, "g");
        assert_close(d_x, d_x2, x_n, "d_x"), assert_close(d_y, d_y2, y_n, "d_y");
        unguard(x, x_n), unguard(y, y_n), unguard(d_x, x_n), unguard(d_y, y_n);
        unguard(d_x2, x_n), unguard(d_y2, y_n);
        unguard(s, s_n), unguard(g, s_n), unguard(s2, s_n), unguard(g2, s_n);
    }
}
END_TEST

START_TEST(bfloat16_rounds_to_nearest_even)
{
    const float x[] = { 1.0f, -2.5f, 1.00390625f, 1.01171875f, 3.3895314e38f, 0.0f, -0.0f, 1e-40f };
    const uint16_t wanted[] = { 0x3f80, 0xc020, 0x3f80, 0x3f82, 0x7f7f, 0, 0x8000, 1 };
    uint16_t y[8];
    all[_i]->to_bf16(8, x, y);
    ck_assert_mem_eq(y, wanted, sizeof wanted);
    enum { N = 1003 };
    float *many = random_floats(N, 3, 1);
    uint16_t got[N], plain[N];
    all[_i]->to_bf16(N, many, got);
    kernels_reference.to_bf16(N, many, plain);
    ck_assert_mem_eq(got, plain, sizeof plain);
    unguard(many, N);
}
END_TEST

START_TEST(an_unknown_instruction_set_is_refused)
{
    setenv("VERSO_ISA", "mmx", 1);
    ck_assert_ptr_null(kernels_best());
    setenv("VERSO_ISA", "portable", 1);
    ck_assert_ptr_eq(kernels_best(), &kernels_portable);
    unsetenv("VERSO_ISA");
    ck_assert_ptr_nonnull(kernels_best());
}
END_TEST

int main(void)
{
    find_tables();
    const struct test_case cases[] = {
        TEST_LOOP(tanh_and_sigmoid_are_right_from_minus_to_plus_a_hundred, all_count),
        TEST_LOOP(simple_cells_equal_the_reference, all_count),
        TEST_LOOP(lstm_cell_equals_the_reference, all_count),
        TEST_LOOP(gru_cell_equals_the_reference, all_count),
        TEST_LOOP(attention_equals_the_reference, all_count),
        TEST_LOOP(energies_of_exponentials_are_those_of_keys_and_query, all_count),
        TEST_LOOP(no_key_and_query_are_too_large_for_energies, all_count),
        TEST_LOOP(weighted_sums_of_bfloat16_are_those_of_its_values, all_count),
        TEST_LOOP(cross_entropy_equals_the_reference, all_count),
        TEST_LOOP(sums_and_products_of_rows_equal_the_reference, all_count),
        TEST_LOOP(the_first_above_a_floor_is_found_at_every_place, all_count),
        TEST_LOOP(adam_equals_the_reference, all_count),
        TEST_LOOP(negative_sampling_equals_the_reference, all_count),
        TEST_LOOP(bfloat16_rounds_to_nearest_even, all_count),
        TEST(an_unknown_instruction_set_is_refused),
    };
    return test_run("model/kernels", cases, sizeof cases / sizeof cases[0]);
}
