/*
 * cell_suite.h - every recurrent cell: a step by hand, a layer against the
 * reference values, rows that do not depend on their company. Included by two
 * programs: one with the model in double, one in float with the fast kernels.
 */
#ifndef TESTS_MODEL_CELL_SUITE_H
#define TESTS_MODEL_CELL_SUITE_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/layers/recurrent.h"
#include "tests/model/reference_file.h"

static const enum cell_kind kinds[] = {
    CELL_RNN, CELL_RNN_LOGISTIC, CELL_LSTM, CELL_PEEPHOLE, CELL_GRU, CELL_GRU_UNBIASED,
};
#define KINDS (int)(sizeof kinds / sizeof kinds[0])

/* A cell of a kind with its values and gradients; what a test needs besides is in the arena. */
struct fixture {
    struct arena arena;
    struct params params;
    struct cell cell;
    struct weights weights;
    real *values, *gradients;
};

static real *zeros(struct fixture *f, size_t n)
{
    real *x = arena_array(&f->arena, real, n);
    ck_assert_ptr_nonnull(x);
    memset(x, 0, n * sizeof *x);
    return x;
}

static real *random_reals(struct fixture *f, size_t n, uint64_t seed)
{
    struct rng rng = rng_make(seed, 17);
    real *x = zeros(f, n);
    for (size_t i = 0; i < n; i++)
        x[i] = (real)rng_normal(&rng);
    return x;
}

static void fixture_open(struct fixture *f, enum cell_kind kind, int I, int H, int M)
{
    ck_assert(arena_init(&f->arena, 16 << 20));
    params_init(&f->params);
    cell_declare(&f->cell, &f->params, kind, "cell", I, H, M);
    f->values = zeros(f, f->params.total);
    f->gradients = zeros(f, f->params.total);
    f->weights = (struct weights){ .params = &f->params, .kernels = KERNELS, .values = f->values };
}

static void fixture_close(struct fixture *f)
{
    arena_release(&f->arena);
}

/* Every weight, also those that start as zero. */
static void fixture_fill(struct fixture *f, real deviation, uint64_t seed)
{
    const struct arena_mark mark = arena_mark(&f->arena);
    const real *x = random_reals(f, f->params.total, seed);
    for (size_t i = 0; i < f->params.total; i++)
        f->values[i] = deviation * x[i];
    arena_rewind(&f->arena, mark);
}

/* ---- a step by hand ---- */

#define BY_HAND 1e-6

/* One unit with h' = c' = 1; gates before activation such that every sigmoid is 1/2 or 3/4 and
 * every tanh that of 1/2 or 0 (but for the LSTM's h = 3/4 tanh(c)). */
START_TEST(a_step_equals_a_value_by_hand)
{
    const double log3 = 1.0986122886681098, tanh_half = 0.46211715726000975;
    const double lstm_h = 0.4677844123694067;
    const struct {
        double gates[4], u[4], candidate, peephole[3], h, c;
    } cases[] = {
        [CELL_RNN] = { { -1.5 }, { 2 }, 0, { 0 }, tanh_half, 0 },
        [CELL_RNN_LOGISTIC] = { { log3 - 2 }, { 2 }, 0, { 0 }, 0.75, 0 },
        [CELL_LSTM] = { { -1, 0, 0.5, log3 }, { 1 }, 0, { 0 }, lstm_h, 0.5 + tanh_half / 2 },
        [CELL_PEEPHOLE] = { { -2, 3, 0, -2 }, { 0 }, 0, { 2, -3, 4 }, tanh_half / 2, 0.5 },
        [CELL_GRU] = { { 0, log3 - 1, -1 }, { 0, 1 }, 2, { 0 }, 0.5 + tanh_half / 2, 0.75 },
        [CELL_GRU_UNBIASED] = { { 0, log3, -1 }, { 0, 0 }, 2, { 0 }, 0.5 + tanh_half / 2, 0.75 },
    };
    const enum cell_kind kind = kinds[_i];
    struct fixture f;
    fixture_open(&f, kind, 1, 1, 0);
    real gates[4], h[1], c[1], h_previous[1] = { 1 }, c_previous[1] = { 1 };
    for (int g = 0; g < f.cell.G; g++)
        gates[g] = (real)cases[kind].gates[g];
    for (int g = 0; g < f.cell.u.rows; g++)
        f.values[f.cell.u.offset + (size_t)g] = (real)cases[kind].u[g];
    if (f.cell.candidate.rows)
        f.values[f.cell.candidate.offset] = (real)cases[kind].candidate;
    for (int p = 0; p < f.cell.peephole.rows; p++)
        f.values[f.cell.peephole.offset + (size_t)p] = (real)cases[kind].peephole[p];
    const struct cell_step step = { 1, gates, 4, h_previous, c_previous, h_previous, 1,
                                    1, 1,     h, c,          1,          1,          false };
    cell_forward(&f.cell, &f.weights, &step);
    assert_near(h[0], cases[kind].h, BY_HAND, "h", (size_t)kind);
    assert_near(c[0], cases[kind].c, BY_HAND, "c", (size_t)kind);
    fixture_close(&f);
}
END_TEST

/* ---- what a cell is made of ---- */

static const real *tensor_of(const struct fixture *f, const char *name)
{
    const struct param *p = params_find(&f->params, name);
    return p ? f->values + p->tensor.offset : NULL;
}

static void assert_orthogonal(const real *block, int H)
{
    for (int i = 0; i < H; i++) {
        for (int j = 0; j <= i; j++) {
            double dot = 0;
            for (int k = 0; k < H; k++)
                dot += (double)block[i * H + k] * (double)block[j * H + k];
            ck_assert_double_eq_tol(dot, i == j, 1e-6);
        }
    }
}

/* Orthogonal recurrence, a forget gate that is open, everything else from zero. */
START_TEST(first_values_keep_what_a_state_holds)
{
    enum { H = 5 };
    struct fixture f;
    fixture_open(&f, kinds[_i], 3, H, 2);
    ck_assert(params_initialise(&f.params, f.values, 1));
    const bool is_lstm = f.cell.kind == CELL_LSTM || f.cell.kind == CELL_PEEPHOLE;
    for (int row = 0; row < f.cell.u.rows; row += H)
        assert_orthogonal(tensor_of(&f, "cell.u") + row * H, H);
    if (f.cell.candidate.rows)
        assert_orthogonal(tensor_of(&f, "cell.candidate"), H);
    for (int i = 0; i < f.cell.bias.rows; i++)
        ck_assert(tensor_of(&f, "cell.bias")[i] == (is_lstm && i / H == 1 ? 1 : 0));
    for (int i = 0; i < f.cell.peephole.rows * H; i++)
        ck_assert(tensor_of(&f, "cell.peephole")[i] == 0);
    fixture_close(&f);
}
END_TEST

START_TEST(a_cell_has_no_tensor_that_it_does_not_use)
{
    const enum cell_kind kind = kinds[_i];
    const bool is_gru = kind == CELL_GRU || kind == CELL_GRU_UNBIASED;
    const bool is_biased = kind != CELL_GRU_UNBIASED;
    struct fixture f;
    fixture_open(&f, kind, 3, 4, 0);
    ck_assert_int_eq(tensor_of(&f, "cell.bias") != NULL, is_biased);
    ck_assert_int_eq(f.cell.bias.rows, is_biased ? f.cell.G * 4 : 0);
    ck_assert_int_eq(tensor_of(&f, "cell.candidate") != NULL, is_gru);
    ck_assert_int_eq(f.cell.u.rows + f.cell.candidate.rows, f.cell.G * 4);
    ck_assert_int_eq(tensor_of(&f, "cell.peephole") != NULL, kind == CELL_PEEPHOLE);
    ck_assert_ptr_null(tensor_of(&f, "cell.context"));
    ck_assert_int_eq(f.params.count, 2 + is_biased + is_gru + (kind == CELL_PEEPHOLE));
    fixture_close(&f);
}
END_TEST

/* ---- a layer ---- */

static void set_rows(struct fixture *f, struct tensor t, json_t *root, const char *path,
                     int from_row)
{
    real *all = reference_reals(root, path);
    memcpy(f->values + t.offset, all + from_row * t.cols,
           (size_t)t.rows * (size_t)t.cols * sizeof *all);
    free(all);
}

static void assert_rows_like_reference(const struct fixture *f, struct tensor t, json_t *root,
                                       const char *path, int from_row)
{
    json_t *data = reference_data(root, path);
    const size_t from = (size_t)from_row * (size_t)t.cols;
    for (size_t i = 0; i < (size_t)t.rows * (size_t)t.cols; i++)
        assert_near(f->gradients[t.offset + i], json_number_value(json_array_get(data, from + i)),
                    TOLERANCE, path, from + i);
}

/* Behind a sentence's end the reference repeats the last state where ours is zero. So its values
 * there must be our last ones, and its loss weights there belong to our last step. */
static void fold_padding(real *rows, const int *len, int S, int B, int H)
{
    for (int b = 0; b < B; b++)
        for (int s = len[b]; s < S; s++)
            for (int j = 0; j < H; j++)
                rows[((len[b] - 1) * B + b) * H + j] += rows[(s * B + b) * H + j];
}

static void repeat_last(real *h, const int *len, int S, int B, int H)
{
    for (int b = 0; b < B; b++) {
        for (int s = len[b]; s < S; s++) {
            for (int j = 0; j < H; j++) {
                ck_assert(h[(s * B + b) * H + j] == 0);
                h[(s * B + b) * H + j] = h[((len[b] - 1) * B + b) * H + j];
            }
        }
    }
}

/* To a GRU without biases those of the reference come as weights of a context that is always 1. */
START_TEST(a_layer_equals_the_reference)
{
    static const char *const files[] = {
        [CELL_RNN] = "rnn_tanh.json", [CELL_RNN_LOGISTIC] = "rnn_logistic.json",
        [CELL_LSTM] = "lstm.json",    [CELL_PEEPHOLE] = "lstm_peephole.json",
        [CELL_GRU] = "gru.json",      [CELL_GRU_UNBIASED] = "gru.json",
    };
    const enum cell_kind kind = kinds[_i];
    const bool has_c = kind == CELL_LSTM || kind == CELL_PEEPHOLE;
    json_t *root = reference_open(files[kind]);
    const int S = reference_int(root, "T"), B = reference_int(root, "B");
    const int I = reference_int(root, "I"), H = reference_int(root, "H");
    struct fixture f;
    fixture_open(&f, kind, I, H, kind == CELL_GRU_UNBIASED);
    const struct cell *cell = &f.cell;
    const struct tensor bias = kind == CELL_GRU_UNBIASED ? cell->context : cell->bias;
    set_rows(&f, cell->w, root, "params/W", 0);
    set_rows(&f, cell->u, root, "params/U", 0);
    set_rows(&f, cell->candidate, root, "params/U", cell->u.rows);
    set_rows(&f, bias, root, "params/b", 0);
    if (cell->peephole.rows)
        set_rows(&f, cell->peephole, root, "params/p", 0);

    const size_t rows = (size_t)(S * B), state = (size_t)(B * H);
    int *len = reference_ints(root, "lengths");
    real *x = reference_reals(root, "x"), *h0 = reference_reals(root, "params/h0");
    real *c0 = has_c ? reference_reals(root, "params/c0") : NULL;
    real *ones = zeros(&f, rows), *h = zeros(&f, rows * (size_t)H);
    for (size_t i = 0; i < rows; i++)
        ones[i] = 1;
    struct recurrent_run run = {
        .S = S, .B = B, .len = len, .x = x, .context = ones, .h0 = h0, .c0 = c0, .h = h, .ld_h = H
    };
    recurrent_lay_out(cell, &run, &f.arena);
    recurrent_forward(cell, &f.weights, &run);
    repeat_last(h, len, S, B, H);
    assert_like_reference(h, root, "h");

    real *d_h = reference_reals(root, "loss_weights");
    double loss = 0;
    for (size_t i = 0; i < rows * (size_t)H; i++)
        loss += (double)(d_h[i] * h[i]);
    assert_near((real)loss, json_number_value(reference_at(root, "loss")), TOLERANCE, "loss", 0);
    fold_padding(d_h, len, S, B, H);
    const struct recurrent_gradients back = { .d_h = d_h,
                                              .d_x = zeros(&f, rows * (size_t)I),
                                              .d_context = zeros(&f, rows),
                                              .d_h0 = zeros(&f, state),
                                              .d_c0 = zeros(&f, state) };
    recurrent_backward(cell, &f.weights, &run, &back, f.gradients, &f.arena);
    assert_rows_like_reference(&f, cell->w, root, "grads/W", 0);
    assert_rows_like_reference(&f, cell->u, root, "grads/U", 0);
    assert_rows_like_reference(&f, cell->candidate, root, "grads/U", cell->u.rows);
    assert_rows_like_reference(&f, bias, root, "grads/b", 0);
    if (cell->peephole.rows)
        assert_rows_like_reference(&f, cell->peephole, root, "grads/p", 0);
    assert_like_reference(back.d_x, root, "grads/x");
    assert_like_reference(back.d_h0, root, "grads/h0");
    if (has_c)
        assert_like_reference(back.d_c0, root, "grads/c0");

    free(len), free(x), free(h0), free(c0), free(d_h);
    json_decref(root);
    fixture_close(&f);
}
END_TEST

/* ---- rows ---- */

/* Packed as search has them, with states anywhere; and each row alone, from states of its own and
 * with h over the one before. */
START_TEST(a_row_has_the_same_bits_alone_and_in_a_batch_of_seven)
{
    enum { B = 7, H = 37, LD_H_PREVIOUS = 41, LD_C_PREVIOUS = 43, LD_H = 47, LD_C = 53 };
    struct fixture f;
    fixture_open(&f, kinds[_i], 3, H, 0);
    fixture_fill(&f, (real)0.2, 5);
    const struct packing *packing = KERNELS->packings[WEIGHT_F32];
    struct packed packed[PARAMS_MAX] = { { .type = WEIGHT_F32 } };
    for (int i = 0; i < f.params.count; i++) {
        const struct tensor t = f.params.entries[i].tensor;
        real *panels = zeros(&f, packing->bytes(t.rows, t.cols) / sizeof(real));
        packing->pack(t.rows, t.cols, f.values + t.offset, panels);
        packed[i].panels = panels;
    }
    f.weights.packed = packed;
    const size_t GH = (size_t)f.cell.G * H;
    const real *inputs = random_reals(&f, B * GH, 1);
    const real *before = random_reals(&f, B * LD_H_PREVIOUS, 2);
    const struct cell_step together = { .B = B,
                                        .gates = zeros(&f, B * GH),
                                        .ld_gates = (int)GH,
                                        .h_previous = before,
                                        .c_previous = random_reals(&f, B * LD_C_PREVIOUS, 3),
                                        .carried = before,
                                        .ld_h_previous = LD_H_PREVIOUS,
                                        .ld_carried = LD_H_PREVIOUS,
                                        .ld_c_previous = LD_C_PREVIOUS,
                                        .h = zeros(&f, B * LD_H),
                                        .c = zeros(&f, B * LD_C),
                                        .ld_h = LD_H,
                                        .ld_c = LD_C };
    memcpy(together.gates, inputs, B * GH * sizeof(real));
    cell_forward(&f.cell, &f.weights, &together);
    for (size_t b = 0; b < B; b++) {
        real gates[4 * H], h[H], c_previous[H], c[H];
        memcpy(gates, inputs + b * GH, GH * sizeof(real));
        memcpy(h, together.h_previous + b * LD_H_PREVIOUS, sizeof h);
        memcpy(c_previous, together.c_previous + b * LD_C_PREVIOUS, sizeof c_previous);
        const struct cell_step alone = { 1, gates, f.cell.G * H, h, c_previous, h, H, H, H, h, c,
                                         H, H,     false };
        cell_forward(&f.cell, &f.weights, &alone);
        ck_assert_mem_eq(h, together.h + b * LD_H, sizeof h);
        ck_assert_mem_eq(c, together.c + b * LD_C, sizeof c);
        ck_assert_mem_eq(gates, together.gates + b * GH, GH * sizeof(real));
    }
    fixture_close(&f);
}
END_TEST

/* A mask is on what U reads, not on what is carried: with every surviving value doubled, states of
 * a hundred steps stay where the activations leave them. (An LSTM's h is, whatever its c.) */
START_TEST(a_masked_state_does_not_grow)
{
    enum { S = 100, I = 3, H = 8 };
    struct fixture f;
    fixture_open(&f, kinds[_i], I, H, 0);
    ck_assert(params_initialise(&f.params, f.values, 1));
    real mask[H];
    for (int j = 0; j < H; j++)
        mask[j] = (real)(j % 2 ? 2 : 0);
    const int len = S;
    real *h = zeros(&f, S * H);
    struct recurrent_run run = { .S = S,
                                 .B = 1,
                                 .len = &len,
                                 .x = random_reals(&f, S * I, 7),
                                 .mask = mask,
                                 .h = h,
                                 .ld_h = H };
    recurrent_lay_out(&f.cell, &run, &f.arena);
    recurrent_forward(&f.cell, &f.weights, &run);
    for (int i = 0; i < S * H; i++)
        ck_assert_msg(fabs((double)h[i]) <= 1, "h[%d] is %g", i, (double)h[i]);
    fixture_close(&f);
}
END_TEST

/* A step that starts leaves out what a state of zeros would add. */
START_TEST(a_start_equals_a_state_of_zeros)
{
    enum { B = 3, I = 2, H = 5 };
    struct fixture f;
    fixture_open(&f, kinds[_i], I, H, 0);
    fixture_fill(&f, (real)0.5, 9);
    const size_t GH = (size_t)f.cell.G * H;
    const real *inputs = random_reals(&f, B * GH, 4), *nothing = zeros(&f, B * H);
    const real *d_h = random_reals(&f, B * H, 5);
    real *h[2], *d_gates[2];
    for (int starts = 0; starts < 2; starts++) {
        struct cell_step step = { .B = B,
                                  .gates = zeros(&f, B * GH),
                                  .ld_gates = (int)GH,
                                  .h_previous = nothing,
                                  .c_previous = nothing,
                                  .carried = nothing,
                                  .ld_h_previous = H,
                                  .ld_c_previous = H,
                                  .ld_carried = H,
                                  .h = h[starts] = zeros(&f, B * H),
                                  .c = zeros(&f, B * H),
                                  .ld_h = H,
                                  .ld_c = H,
                                  .starts = starts };
        real *gradients = zeros(&f, f.params.total), *d_c = zeros(&f, B * H);
        memcpy(step.gates, inputs, B * GH * sizeof(real));
        cell_forward(&f.cell, &f.weights, &step);
        cell_backward(&f.cell, &f.weights, &step, d_h, d_c, d_gates[starts] = zeros(&f, B * GH),
                      zeros(&f, B * H), gradients);
    }
    for (size_t i = 0; i < B * H; i++)
        assert_near(h[1][i], h[0][i], 0, "h", i);
    for (size_t i = 0; i < B * GH; i++)
        assert_near(d_gates[1][i], d_gates[0][i], 0, "d_gates", i);
    fixture_close(&f);
}
END_TEST

#endif
