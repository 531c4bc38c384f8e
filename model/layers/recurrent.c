/*
 * recurrent.c - a cell run over a batch of sequences of several lengths, in one direction.
 */
#include "model/layers/recurrent.h"

#include <assert.h>
#include <string.h>

#include "model/layers/dropout.h"
#include "model/layers/linear.h"
#include "model/loss.h"

#define GATES_ROWS 192 // whose inputs are multiplied at once: then they are in the cache when used

void recurrent_lay_out(const struct cell *cell, struct recurrent_run *run, struct arena *arena)
{
    const size_t rows = (size_t)run->S * (size_t)run->B, H = (size_t)cell->H;
    run->gates = arena_array(arena, real, rows * (size_t)cell->G * H);
    run->c = arena_array(arena, real, rows * H);
    run->fed = arena_array(arena, real, rows * H);
    run->zeros = arena_array(arena, real, (size_t)run->B * H);
}

/* The n-th step in the order of the run, and its place in time. */
static size_t step_at(const struct recurrent_run *run, int n)
{
    return (size_t)(run->reverse ? run->S - 1 - n : n);
}

/* Where step s begins among inputs and gates. */
static size_t first_row(const struct recurrent_run *run, size_t s)
{
    return run->first ? (size_t)run->first[s] : s * (size_t)run->B;
}

/* Behind the last sentence that is so long. */
static int rows_at(const struct recurrent_run *run, size_t s)
{
    int rows = run->B;
    while (rows > 0 && (int)s >= run->len[rows - 1])
        rows--;
    return rows;
}

/* The n-th step as the cell sees it. What it starts from is what the one before left. */
static struct cell_step step_of(const struct cell *cell, const struct recurrent_run *run, int n)
{
    const size_t B = (size_t)run->B, H = (size_t)cell->H, ld = (size_t)run->ld_h;
    const size_t s = step_at(run, n), before = n > 0 ? step_at(run, n - 1) : 0;
    const real *h0 = run->h0 ? run->h0 : run->zeros, *c0 = run->c0 ? run->c0 : run->zeros;
    return (struct cell_step){
        .B = run->B,
        .gates = run->gates + first_row(run, s) * (size_t)cell->G * H,
        .ld_gates = cell->G * cell->H,
        .h_previous = n > 0 ? run->fed + before * B * H : h0,
        .c_previous = n > 0 ? run->c + before * B * H : c0,
        .carried = n > 0 ? run->h + before * B * ld : h0,
        .ld_h_previous = cell->H,
        .ld_c_previous = cell->H,
        .ld_carried = n > 0 ? run->ld_h : cell->H,
        .h = run->h + s * B * ld,
        .c = run->c + s * B * H,
        .ld_h = run->ld_h,
        .ld_c = cell->H,
        .starts = n == 0 && !run->h0,
    };
}

/* Zeros behind a sentence's end, and what the next step is fed. */
static void finish_step(const struct cell *cell, const struct weights *weights,
                        const struct recurrent_run *run, int n)
{
    const size_t H = (size_t)cell->H, s = step_at(run, n);
    const struct cell_step step = step_of(cell, run, n);
    real *fed = run->fed + s * (size_t)run->B * H;
    for (size_t b = 0; b < (size_t)run->B; b++) {
        real *h = step.h + b * (size_t)run->ld_h;
        if ((int)s >= run->len[b]) {
            memset(step.c + b * H, 0, H * sizeof(real));
            memset(h, 0, H * sizeof(real));
        }
        dropout_apply(weights->kernels, H, h, run->mask ? run->mask + b * H : NULL, fed + b * H);
    }
}

/* What the inputs give to the gates of `steps` steps of the run, the n-th and those that follow. */
static void start_gates(const struct cell *cell, const struct weights *weights,
                        const struct recurrent_run *run, int n, int steps)
{
    const size_t from = step_at(run, run->reverse ? n + steps - 1 : n);
    const size_t first = first_row(run, from);
    const int rows = (int)(first_row(run, from + (size_t)steps) - first);
    const int width = cell->G * cell->H;
    real *gates = run->gates + first * (size_t)width;
    linear_forward(weights, cell->w, cell->bias, rows, run->x + first * (size_t)cell->I, cell->I,
                   gates);
    if (cell->M > 0)
        weights_product(weights, cell->context, rows, run->context + first * (size_t)cell->M,
                        cell->M, true, gates, width);
}

void recurrent_forward(const struct cell *cell, const struct weights *weights,
                       struct recurrent_run *run)
{
    const int at_once = run->B < GATES_ROWS ? GATES_ROWS / run->B : 1;
    memset((real *)run->zeros, 0, (size_t)run->B * (size_t)cell->H * sizeof(real));
    for (int n = 0; n < run->S; n++) {
        if (n % at_once == 0)
            start_gates(cell, weights, run, n, run->S - n < at_once ? run->S - n : at_once);
        struct cell_step step = step_of(cell, run, n);
        step.B = rows_at(run, step_at(run, n));
        cell_forward(cell, weights, &step);
        finish_step(cell, weights, run, n);
    }
}

struct backward_scratch {
    real *d_gates; // (S,B,GH)
    real *d_h;     // (B,H) of the step at hand
    real *d_fed;   // (B,H) what flows to the step before
    real *d_c;     // (B,H)
};

static void lay_out_backward(struct backward_scratch *s, const struct cell *cell, int S, int B,
                             struct arena *arena)
{
    const size_t rows = (size_t)B, H = (size_t)cell->H;
    s->d_gates = arena_array(arena, real, (size_t)S * rows * (size_t)cell->G * H);
    s->d_h = arena_array(arena, real, rows * H);
    s->d_fed = arena_array(arena, real, rows * H);
    s->d_c = arena_array(arena, real, rows * H);
}

size_t recurrent_backward_bytes(const struct cell *cell, int S, int B)
{
    struct arena measure = arena_measure();
    struct backward_scratch scratch;
    lay_out_backward(&scratch, cell, S, B, &measure);
    return measure.used;
}

/* d_h = d_out + d_fed ⊙ mask + d_carried, and nothing behind a sentence's end. */
static void gather_d_h(const struct cell *cell, const struct weights *weights,
                       const struct recurrent_run *run, const struct recurrent_gradients *back,
                       const struct backward_scratch *scratch, size_t s)
{
    const size_t H = (size_t)cell->H;
    const size_t B = (size_t)run->B, ld = (size_t)run->ld_h;
    for (size_t b = 0; b < B; b++) {
        real *d_h = scratch->d_h + b * H;
        if ((int)s >= run->len[b]) {
            memset(d_h, 0, H * sizeof(real));
            memset(scratch->d_c + b * H, 0, H * sizeof(real));
        } else {
            const real *out = back->d_h + s * B * ld + b * ld;
            dropout_apply(weights->kernels, H, scratch->d_fed + b * H,
                          run->mask ? run->mask + b * H : NULL, d_h);
            weights->kernels->add(H, out, d_h, d_h);
            if (cell_carries(cell))
                weights->kernels->add(H, scratch->d_c + b * H, d_h, d_h);
        }
        if (back->squares)
            back->squares[s * B + b] = gradient_square(H, d_h);
    }
}

/* Weight gradients of all steps at once: step n started from what step n-1 fed it. */
static void weights_backward(const struct cell *cell, const struct weights *weights,
                             const struct recurrent_run *run,
                             const struct recurrent_gradients *back, const real *d_gates,
                             real *gradients)
{
    const size_t B = (size_t)run->B, H = (size_t)cell->H, G = (size_t)cell->G;
    const int rows = run->S * run->B, later = rows - run->B;
    bias_backward(weights, cell->bias, rows, d_gates, gradients);
    product_backward(weights, cell->w, rows, run->x, cell->I, d_gates, back->d_x, cell->I,
                     gradients);
    if (cell->M > 0)
        product_backward(weights, cell->context, rows, run->context, cell->M, d_gates,
                         back->d_context, cell->M, gradients);
    const size_t from = run->reverse ? 0 : B, fed = run->reverse ? B : 0;
    if (later > 0)
        cell_recurrent_gradients(cell, weights, later, run->fed + fed * H, cell->H,
                                 run->c + from * H, cell->H, d_gates + from * G * H, gradients);
    if (run->h0) {
        const struct cell_step first = step_of(cell, run, 0);
        cell_recurrent_gradients(cell, weights, run->B, run->h0, cell->H, first.c, cell->H,
                                 d_gates + step_at(run, 0) * B * G * H, gradients);
    }
}

void recurrent_backward(const struct cell *cell, const struct weights *weights,
                        const struct recurrent_run *run, const struct recurrent_gradients *back,
                        real *gradients, struct arena *scratch)
{
    const size_t B = (size_t)run->B, H = (size_t)cell->H;
    struct arena_mark mark = arena_mark(scratch);
    struct backward_scratch k;
    lay_out_backward(&k, cell, run->S, run->B, scratch);
    assert(k.d_c);

    memset(k.d_fed, 0, B * H * sizeof(real));
    memset(k.d_c, 0, B * H * sizeof(real));
    for (int n = run->S - 1; n >= 0; n--) {
        struct cell_step step = step_of(cell, run, n);
        step.starts = step.starts && !back->d_h0;
        gather_d_h(cell, weights, run, back, &k, step_at(run, n));
        cell_backward(cell, weights, &step, k.d_h, k.d_c,
                      k.d_gates + step_at(run, n) * B * (size_t)cell->G * H, k.d_fed, gradients);
    }
    weights_backward(cell, weights, run, back, k.d_gates, gradients);
    const bool carries = cell_carries(cell);
    for (size_t i = 0; back->d_h0 && i < B * H; i++)
        back->d_h0[i] = k.d_fed[i] + (carries ? k.d_c[i] : 0);
    for (size_t i = 0; back->d_c0 && i < B * H; i++)
        back->d_c0[i] = carries ? 0 : k.d_c[i];
    arena_rewind(scratch, mark);
}
