/*
 * recurrent.c - a cell run over a padded batch of sequences, in one direction.
 */
#include "model/layers/recurrent.h"

#include <assert.h>
#include <string.h>

#include "model/layers/dropout.h"
#include "model/layers/linear.h"

void recurrent_lay_out(const struct cell *cell, struct recurrent_run *run, struct arena *arena)
{
    const size_t rows = (size_t)run->S * (size_t)run->B, H = (size_t)cell->H;
    run->gates = arena_array(arena, real, rows * CELL_GATES * H);
    run->c = arena_array(arena, real, rows * H);
    run->fed = arena_array(arena, real, rows * H);
    run->zeros = arena_array(arena, real, (size_t)run->B * H);
}

/* The n-th step in the order of the run, and its place in time. */
static int step_at(const struct recurrent_run *run, int n)
{
    return run->reverse ? run->S - 1 - n : n;
}

/* What the n-th step starts from. */
static const real *fed_before(const struct recurrent_run *run, int n, size_t H)
{
    if (n == 0)
        return run->h0 ? run->h0 : run->zeros;
    return run->fed + (size_t)step_at(run, n - 1) * (size_t)run->B * H;
}

static const real *c_before(const struct recurrent_run *run, int n, size_t H)
{
    if (n == 0)
        return run->c0 ? run->c0 : run->zeros;
    return run->c + (size_t)step_at(run, n - 1) * (size_t)run->B * H;
}

void recurrent_forward(const struct cell *cell, const struct weights *weights,
                       struct recurrent_run *run)
{
    const size_t B = (size_t)run->B, H = (size_t)cell->H, ld = (size_t)run->ld_h;
    memset((real *)run->zeros, 0, B * H * sizeof(real));
    linear_forward(weights, cell->w, cell->bias, run->S * run->B, run->x, cell->I, run->gates);
    for (int n = 0; n < run->S; n++) {
        const size_t s = (size_t)step_at(run, n);
        real *c = run->c + s * B * H, *h = run->h + s * B * ld, *fed = run->fed + s * B * H;
        cell_forward(cell, weights, run->B, run->gates + s * B * CELL_GATES * H,
                     fed_before(run, n, H), cell->H, c_before(run, n, H), c, h, run->ld_h);
        for (size_t b = 0; b < B; b++) {
            if ((int)s >= run->len[b]) {
                memset(c + b * H, 0, H * sizeof(real));
                memset(h + b * ld, 0, H * sizeof(real));
            }
            dropout_apply(H, h + b * ld, run->mask ? run->mask + b * H : NULL, fed + b * H);
        }
    }
}

struct backward_scratch {
    real *d_gates; // (S,B,4H)
    real *d_h;     // (B,H) of the step at hand
    real *d_fed;   // (B,H) what flows to the step before
    real *d_c;     // (B,H)
};

static void lay_out_backward(struct backward_scratch *s, const struct cell *cell, int S, int B,
                             struct arena *arena)
{
    const size_t rows = (size_t)B, H = (size_t)cell->H;
    s->d_gates = arena_array(arena, real, (size_t)S * rows * CELL_GATES * H);
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

/* d_h = d_out + d_fed ⊙ mask, and nothing behind a sentence's end. */
static void gather_d_h(const struct recurrent_run *run, const struct backward_scratch *scratch,
                       const real *d_out, int s, size_t H)
{
    for (size_t b = 0; b < (size_t)run->B; b++) {
        real *d_h = scratch->d_h + b * H;
        if (s >= run->len[b]) {
            memset(d_h, 0, H * sizeof(real));
            memset(scratch->d_c + b * H, 0, H * sizeof(real));
            continue;
        }
        const real *out = d_out + b * (size_t)run->ld_h;
        dropout_apply(H, scratch->d_fed + b * H, run->mask ? run->mask + b * H : NULL, d_h);
        for (size_t j = 0; j < H; j++)
            d_h[j] += out[j];
    }
}

/* Weight gradients of all steps at once: step n started from what step n-1 fed it. */
static void weights_backward(const struct cell *cell, const struct weights *weights,
                             const struct recurrent_run *run, const real *d_gates, real *d_x,
                             real *gradients)
{
    const size_t B = (size_t)run->B, H = (size_t)cell->H;
    const int rows = run->S * run->B, later = rows - run->B;
    bias_backward(cell->bias, rows, d_gates, gradients);
    product_backward(weights, cell->w, rows, run->x, cell->I, d_gates, d_x, cell->I, gradients);
    const real *d_later = run->reverse ? d_gates : d_gates + B * CELL_GATES * H;
    const real *fed = run->reverse ? run->fed + B * H : run->fed;
    if (later > 0)
        product_backward(weights, cell->u, later, fed, cell->H, d_later, NULL, 0, gradients);
    if (run->h0)
        product_backward(weights, cell->u, run->B, run->h0, cell->H,
                         d_gates + (size_t)step_at(run, 0) * B * CELL_GATES * H, NULL, 0,
                         gradients);
}

void recurrent_backward(const struct cell *cell, const struct weights *weights,
                        const struct recurrent_run *run, const real *d_h, real *d_x, real *d_h0,
                        real *d_c0, real *gradients, struct arena *scratch)
{
    const size_t B = (size_t)run->B, H = (size_t)cell->H;
    struct arena_mark mark = arena_mark(scratch);
    struct backward_scratch k;
    lay_out_backward(&k, cell, run->S, run->B, scratch);
    assert(k.d_c);

    memset(k.d_fed, 0, B * H * sizeof(real));
    memset(k.d_c, 0, B * H * sizeof(real));
    for (int n = run->S - 1; n >= 0; n--) {
        const size_t s = (size_t)step_at(run, n);
        gather_d_h(run, &k, d_h + s * B * (size_t)run->ld_h, (int)s, H);
        cell_backward(cell, weights, run->B, run->gates + s * B * CELL_GATES * H,
                      c_before(run, n, H), run->c + s * B * H, k.d_h, k.d_c,
                      k.d_gates + s * B * CELL_GATES * H, k.d_fed);
    }
    weights_backward(cell, weights, run, k.d_gates, d_x, gradients);
    if (d_h0)
        memcpy(d_h0, k.d_fed, B * H * sizeof(real));
    if (d_c0)
        memcpy(d_c0, k.d_c, B * H * sizeof(real));
    arena_rewind(scratch, mark);
}
