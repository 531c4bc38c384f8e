/*
 * test_products.c - every instruction set's packed products against the
 * reference's: sizes that fill no panel, operands between unreadable pages.
 */
#include "tests/model/kernels/guarded.h"

#define REORDERED_SUMS 2e-5f // float32 sums in another order, a unit of K
#define ROUNDED_ROWS 0.02f   // rows of X rounded to bfloat16 or not, a unit of sqrt(K)

/* Distance from the float32 product, as a share of its length, where X and W are normal. */
#define BF16_BUDGET 0.003
#define I8_BUDGET 0.012

struct shape {
    int M, N, K;
};

static const struct shape shapes[] = {
    { 1, 1, 1 },    { 2, 5, 3 },    { 3, 16, 2 },   { 4, 17, 31 },  { 5, 63, 64 },
    { 6, 64, 65 },  { 7, 65, 5 },   { 9, 130, 33 }, { 12, 8, 130 }, { 15, 70, 97 },
    { 16, 31, 63 }, { 17, 66, 66 }, { 31, 3, 17 },  { 32, 64, 64 }, { 33, 100, 4 },
    { 48, 20, 19 }, { 50, 7, 129 }, { 65, 33, 70 }, { 64, 129, 1 }, { 300, 9, 7 },
};
#define SHAPES (int)(sizeof shapes / sizeof shapes[0])

/* One product: x (M,ldx) by w (N,K) into y (M,ldy), packed in guarded memory. */
struct operands {
    struct shape shape;
    int ldx, ldy;
    size_t x_n, w_n, y_n;
    float *x, *w, *y;
};

static struct operands operands_make(struct shape shape, bool gaps)
{
    struct operands o = { .shape = shape, .ldx = shape.K + gaps * 3, .ldy = shape.N + gaps * 5 };
    o.x_n = (size_t)((shape.M - 1) * o.ldx + shape.K);
    o.w_n = (size_t)(shape.N * shape.K);
    o.y_n = (size_t)((shape.M - 1) * o.ldy + shape.N);
    o.x = random_floats(o.x_n, 1, 1);
    o.w = random_floats(o.w_n, 1, 2);
    o.y = random_floats(o.y_n, 1, 3);
    return o;
}

static void operands_release(struct operands *o)
{
    unguard(o->x, o->x_n), unguard(o->w, o->w_n), unguard(o->y, o->y_n);
}

/* y of one table; the caller unguards it. */
static float *multiply(const struct kernels *k, enum weight_type type, const struct operands *o,
                       bool accumulate)
{
    const struct packing *packing = k->packings[type];
    const struct shape s = o->shape;
    const size_t bytes = packing->bytes(s.N, s.K);
    void *packed = guarded_bytes(bytes);
    float *y = copy_of(o->y, o->y_n);
    packing->pack(s.N, s.K, o->w, packed);
    packing->product(s.M, s.N, s.K, o->x, o->ldx, packed, accumulate, y, o->ldy);
    unguard_bytes(packed, bytes);
    return y;
}

static float tolerance(enum weight_type type, int K)
{
    if (type == WEIGHT_F32)
        return REORDERED_SUMS * (float)K;
    return type == WEIGHT_BF16 ? ROUNDED_ROWS * sqrtf((float)K) : 0;
}

/* int8 has no tolerance: the sums are integers and the rest is one order of operations. What lies
 * between the rows of y stays as it is. */
static void assert_like_reference(const struct kernels *k, enum weight_type type,
                                  struct shape shape, bool gaps)
{
    struct operands o = operands_make(shape, gaps);
    const bool accumulate = shape.M % 2 == gaps;
    float *y = multiply(k, type, &o, accumulate);
    float *wanted = multiply(&kernels_reference, type, &o, accumulate);
    for (size_t i = 0; i < o.y_n; i++)
        ck_assert_msg(fabsf(y[i] - wanted[i]) <= tolerance(type, shape.K),
                      "%s, type %u, %d x %d x %d: [%zu] is %.9g, not %.9g", k->name, type, shape.M,
                      shape.N, shape.K, i, (double)y[i], (double)wanted[i]);
    unguard(y, o.y_n), unguard(wanted, o.y_n);
    operands_release(&o);
}

START_TEST(packed_products_equal_the_reference)
{
    for (enum weight_type type = 0; type < WEIGHT_TYPES; type++)
        for (int i = 0; i < SHAPES; i++)
            for (int gaps = 0; gaps < 2; gaps++) {
                guard_front = gaps == 1;
                assert_like_reference(all[_i], type, shapes[i], gaps == 1);
            }
    guard_front = false;
}
END_TEST

START_TEST(every_number_of_rows_from_1_to_65_is_right)
{
    for (enum weight_type type = 0; type < WEIGHT_TYPES; type++)
        for (int M = 1; M <= 65; M++)
            assert_like_reference(all[_i], type, (struct shape){ M, 66, 35 }, false);
}
END_TEST

/* Rows so long that a block of converted ones holds fewer than 16, and then one. */
START_TEST(the_longest_rows_are_right)
{
    for (enum weight_type type = WEIGHT_BF16; type < WEIGHT_TYPES; type++) {
        assert_like_reference(all[_i], type, (struct shape){ 19, 2, 12001 }, false);
        assert_like_reference(all[_i], type, (struct shape){ 3, 2, PACKED_K_MAX }, false);
    }
}
END_TEST

START_TEST(what_is_packed_transposed_is_the_transposed_matrix_packed)
{
    for (enum weight_type type = WEIGHT_F32; type <= WEIGHT_BF16; type++)
        for (int i = 0; i < SHAPES; i++) {
            const struct packing *packing = all[_i]->packings[type];
            const int N = shapes[i].N, K = shapes[i].K;
            const size_t n = (size_t)(N * K), bytes = packing->bytes(N, K);
            float *w = random_floats(n, 1, 1), *transposed = guarded(n);
            for (int row = 0; row < N; row++)
                for (int k = 0; k < K; k++)
                    transposed[k * N + row] = w[row * K + k];
            void *wanted = guarded_bytes(bytes), *got = guarded_bytes(bytes);
            packing->pack(N, K, w, wanted);
            packing->pack_transposed(N, K, transposed, got);
            ck_assert_mem_eq(got, wanted, bytes);
            unguard(w, n), unguard(transposed, n);
            unguard_bytes(wanted, bytes), unguard_bytes(got, bytes);
        }
}
END_TEST

START_TEST(what_is_packed_a_few_rows_at_a_time_is_the_matrix_packed)
{
    for (enum weight_type type = 0; type < WEIGHT_TYPES; type++)
        for (int i = 0; i < SHAPES; i++) {
            const struct packing *packing = all[_i]->packings[type];
            const int N = shapes[i].N, K = shapes[i].K;
            const size_t n = (size_t)(N * K), bytes = packing->bytes(N, K);
            float *w = random_floats(n, 1, 1);
            char *wanted = guarded_bytes(bytes), *got = guarded_bytes(bytes);
            packing->pack(N, K, w, wanted);
            for (int row = 0; row < N; row += PACKED_ROWS)
                packing->pack(N - row < PACKED_ROWS ? N - row : PACKED_ROWS, K, w + row * K,
                              got + packing->bytes(row, K));
            ck_assert_mem_eq(got, wanted, bytes);
            unguard(w, n);
            unguard_bytes(wanted, bytes), unguard_bytes(got, bytes);
        }
}
END_TEST

/* The bits of a row are the same whatever the rows beside it. */

START_TEST(a_row_does_not_depend_on_its_company)
{
    const struct shape shape = { 69, 70, 133 };
    for (enum weight_type type = 0; type < WEIGHT_TYPES; type++) {
        struct operands together = operands_make(shape, false);
        float *y = multiply(all[_i], type, &together, false);
        for (int m = 0; m < shape.M; m++) {
            for (int company = 1; company <= 37 && m + company <= shape.M; company += 12) {
                struct operands some = together;
                some.shape.M = company;
                some.x += m * shape.K;
                some.y_n = (size_t)(company * shape.N);
                float *part = multiply(all[_i], type, &some, false);
                ck_assert_mem_eq(part, y + m * shape.N, some.y_n * sizeof *y);
                unguard(part, some.y_n);
            }
        }
        unguard(y, together.y_n);
        operands_release(&together);
    }
}
END_TEST

static double relative_distance(const float *a, const float *b, size_t n)
{
    double difference = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        length += (double)b[i] * (double)b[i];
    }
    return sqrt(difference / length);
}

START_TEST(rounded_weights_stay_within_their_budget_of_float32)
{
    static const double budgets[] = { [WEIGHT_BF16] = BF16_BUDGET, [WEIGHT_I8] = I8_BUDGET };
    struct operands o = operands_make((struct shape){ 16, 100, 512 }, false);
    float *exact = multiply(&kernels_reference, WEIGHT_F32, &o, false);
    for (enum weight_type type = WEIGHT_BF16; type < WEIGHT_TYPES; type++) {
        float *y = multiply(all[_i], type, &o, false);
        const double distance = relative_distance(y, exact, o.y_n);
        ck_assert_msg(distance < budgets[type], "type %u is %g away", type, distance);
        unguard(y, o.y_n);
    }
    unguard(exact, o.y_n);
    operands_release(&o);
}
END_TEST

/* Sums of the largest codes: nothing saturates. */
START_TEST(int8_sums_of_extreme_values_are_exact)
{
    struct operands o = operands_make((struct shape){ 18, 65, 1000 }, false);
    for (size_t i = 0; i < o.x_n; i++)
        o.x[i] = i / 1000 % 2 ? -127 : 127;
    for (size_t i = 0; i < o.w_n; i++)
        o.w[i] = i / 1000 % 3 ? 127 : -127;
    float *y = multiply(all[_i], WEIGHT_I8, &o, false);
    for (int m = 0; m < 18; m++)
        for (int n = 0; n < 65; n++)
            ck_assert_float_eq(y[m * 65 + n],
                               (float)((m % 2 ? -1 : 1) * (n % 3 ? 1 : -1) * 1000 * 127 * 127));
    unguard(y, o.y_n);
    operands_release(&o);
}
END_TEST

START_TEST(rows_of_zeros_and_of_tiny_values_give_zeros)
{
    struct operands o = operands_make((struct shape){ 3, 4, 20 }, false);
    for (int k = 0; k < 20; k++) {
        o.x[k] = 0;
        o.x[20 + k] = 1e-40f;
        o.w[k] = -1e-38f;
    }
    float *y = multiply(all[_i], WEIGHT_I8, &o, false);
    for (int i = 0; i < 9; i++)
        ck_assert_float_eq(y[i], 0);
    ck_assert_float_ne(y[9], 0);
    unguard(y, o.y_n);
    operands_release(&o);
}
END_TEST

/* ---- by some rows ---- */

#define CHOSEN 37 // rows, in any order and more than once

/* y (M,CHOSEN), the caller unguards it, of rows in guarded memory. */
static float *multiply_rows(const struct kernels *k, enum weight_type type,
                            const struct operands *o, const int32_t *ids, const float *bias)
{
    const struct packing *packing = k->packings[type];
    const struct shape s = o->shape;
    const size_t bytes = packing->put_rows ? packing->rows_bytes(s.N, s.K) : 1;
    void *rows = guarded_bytes(bytes);
    float *y = guarded((size_t)s.M * CHOSEN);
    if (packing->put_rows)
        packing->put_rows(s.N, s.K, o->w, rows);
    packing->product_of_rows(s.M, CHOSEN, s.N, s.K, o->x, o->ldx, packing->put_rows ? rows : o->w,
                             ids, bias, y, CHOSEN);
    unguard_bytes(rows, bytes);
    return y;
}

static void choose_rows(int N, int32_t *ids)
{
    struct rng rng = rng_make(5, (uint64_t)N);
    for (int i = 0; i < CHOSEN; i++)
        ids[i] = (int32_t)(rng_uniform(&rng) * N);
    ids[0] = N - 1;
}

START_TEST(products_by_some_rows_equal_the_reference)
{
    int32_t ids[CHOSEN];
    for (enum weight_type type = 0; type < WEIGHT_TYPES; type++)
        for (int i = 0; i < SHAPES; i++) {
            guard_front = i % 2 == 1;
            struct operands o = operands_make(shapes[i], true);
            float *bias = random_floats((size_t)o.shape.N, 1, 4);
            choose_rows(o.shape.N, ids);
            float *y = multiply_rows(all[_i], type, &o, ids, bias);
            float *wanted = multiply_rows(&kernels_reference, type, &o, ids, bias);
            const float most = type == WEIGHT_I8 ? 0 : REORDERED_SUMS * (float)o.shape.K;
            for (int n = 0; n < o.shape.M * CHOSEN; n++)
                ck_assert_msg(fabsf(y[n] - wanted[n]) <= most, "%s, type %u: %.9g, not %.9g",
                              all[_i]->name, type, (double)y[n], (double)wanted[n]);
            unguard(y, (size_t)o.shape.M * CHOSEN), unguard(wanted, (size_t)o.shape.M * CHOSEN);
            unguard(bias, (size_t)o.shape.N);
            operands_release(&o);
        }
    guard_front = false;
}
END_TEST

START_TEST(a_row_by_some_rows_does_not_depend_on_its_company)
{
    int32_t ids[CHOSEN];
    const struct shape shape = { 23, 40, 133 };
    for (enum weight_type type = 0; type < WEIGHT_TYPES; type++) {
        struct operands together = operands_make(shape, false);
        float *bias = random_floats((size_t)shape.N, 1, 4);
        choose_rows(shape.N, ids);
        float *y = multiply_rows(all[_i], type, &together, ids, bias);
        for (int m = 0; m < shape.M; m++) {
            struct operands alone = together;
            alone.shape.M = 1;
            alone.x += m * shape.K;
            float *row = multiply_rows(all[_i], type, &alone, ids, bias);
            ck_assert_mem_eq(row, y + m * CHOSEN, CHOSEN * sizeof *y);
            unguard(row, CHOSEN);
        }
        unguard(y, (size_t)shape.M * CHOSEN), unguard(bias, (size_t)shape.N);
        operands_release(&together);
    }
}
END_TEST

/* So that a sentence's own pieces have the scores they have among all. */
START_TEST(some_rows_in_int8_give_the_bits_that_all_rows_give)
{
    int32_t ids[CHOSEN];
    struct operands o = operands_make((struct shape){ 7, 70, 133 }, false);
    float *bias = random_floats(70, 1, 4);
    choose_rows(70, ids);
    float *some = multiply_rows(all[_i], WEIGHT_I8, &o, ids, bias);
    float *every = multiply(all[_i], WEIGHT_I8, &o, false);
    for (int m = 0; m < 7; m++)
        for (int i = 0; i < CHOSEN; i++)
            ck_assert_float_eq(some[m * CHOSEN + i], every[m * 70 + ids[i]] + bias[ids[i]]);
    unguard(some, (size_t)7 * CHOSEN), unguard(every, o.y_n), unguard(bias, 70);
    operands_release(&o);
}
END_TEST

int main(void)
{
    find_tables();
    const struct test_case cases[] = {
        TEST_LOOP(packed_products_equal_the_reference, all_count),
        TEST_LOOP(every_number_of_rows_from_1_to_65_is_right, all_count),
        TEST_LOOP(the_longest_rows_are_right, all_count),
        TEST_LOOP(what_is_packed_transposed_is_the_transposed_matrix_packed, all_count),
        TEST_LOOP(what_is_packed_a_few_rows_at_a_time_is_the_matrix_packed, all_count),
        TEST_LOOP(a_row_does_not_depend_on_its_company, all_count),
        TEST_LOOP(rounded_weights_stay_within_their_budget_of_float32, all_count),
        TEST_LOOP(int8_sums_of_extreme_values_are_exact, all_count),
        TEST_LOOP(rows_of_zeros_and_of_tiny_values_give_zeros, all_count),
        TEST_LOOP(products_by_some_rows_equal_the_reference, all_count),
        TEST_LOOP(a_row_by_some_rows_does_not_depend_on_its_company, all_count),
        TEST_LOOP(some_rows_in_int8_give_the_bits_that_all_rows_give, all_count),
    };
    return test_run("model/kernels/products", cases, sizeof cases / sizeof cases[0]);
}
