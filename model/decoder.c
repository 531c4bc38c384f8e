/*
 * decoder.c - memory to target pieces: start, a whole target forward and back, one step.
 */
#include "model/decoder.h"

#include <assert.h>
#include <string.h>

#include "model/layers/dropout.h"
#include "model/layers/linear.h"

void decoder_declare(struct decoder *d, struct params *params, int E, int H, int M, int A)
{
    d->E = E;
    d->H = H;
    d->M = M;
    d->bridge = params_add(params, INIT_GLOROT, H, M, "bridge.w");
    d->bridge_bias = params_add(params, INIT_ZERO, H, 1, "bridge.bias");
    attention_declare(&d->attention, params, A, H, M);
    cell_declare(&d->cell, params, "decoder.0", E, H);
    d->context = params_add(params, INIT_GLOROT, CELL_GATES * H, M, "decoder.0.context");
    d->readout_state = params_add(params, INIT_GLOROT, E, H, "readout.state");
    d->readout_context = params_add(params, INIT_GLOROT, E, M, "readout.context");
    d->readout_previous = params_add(params, INIT_GLOROT, E, E, "readout.previous");
    d->readout_bias = params_add(params, INIT_ZERO, E, 1, "readout.bias");
}

void decoder_start(const struct decoder *d, const struct weights *weights, int S, int B,
                   const int *len, const real *states, real *mean, real *s0)
{
    const size_t rows = (size_t)B, M = (size_t)d->M;
    memset(mean, 0, rows * M * sizeof(real));
    for (size_t s = 0; s < (size_t)S; s++)
        for (size_t i = 0; i < rows * M; i++)
            mean[i] += states[s * rows * M + i];
    for (size_t b = 0; b < rows; b++)
        for (size_t i = 0; i < M; i++)
            mean[b * M + i] /= (real)len[b];
    linear_forward(weights, d->bridge, d->bridge_bias, B, mean, d->M, s0);
    weights->kernels->tanh_rows(B * d->H, s0, s0);
}

/* ---- a whole target at once ---- */

void decoder_lay_out(const struct decoder *d, struct decoder_run *run, struct arena *arena)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H, M = (size_t)d->M;
    const size_t target = (size_t)run->T * B, source = (size_t)run->S * B;
    const size_t A = (size_t)d->attention.A;
    run->readout = arena_array(arena, real, target * (size_t)d->E);
    run->alignment = arena_array(arena, real, target * (size_t)run->S);
    run->mean = arena_array(arena, real, B * M);
    run->s0 = arena_array(arena, real, B * H);
    run->keys = arena_array(arena, real, source * A);
    run->folded = arena_array(arena, real, source * CELL_GATES * H);
    run->fed = arena_array(arena, real, (target + B) * H);
    run->query = arena_array(arena, real, target * A);
    run->gates = arena_array(arena, real, target * CELL_GATES * H);
    run->c = arena_array(arena, real, (target + B) * H);
    run->h = arena_array(arena, real, target * H);
    run->contexts = arena_array(arena, real, target * M);
}

/* Alignment, context and the context's share of the gates, for each sentence of a step. */
static void attend(const struct decoder *d, const struct weights *weights,
                   const struct decoder_run *run, size_t t)
{
    const struct kernels *k = weights->kernels;
    const size_t B = (size_t)run->B, A = (size_t)d->attention.A, M = (size_t)d->M;
    const size_t G = CELL_GATES * (size_t)d->H, S = (size_t)run->S;
    for (size_t b = 0; b < B; b++) {
        const int len = run->source_len[b];
        real *alignment = run->alignment + (t * B + b) * S;
        real *context = run->contexts + (t * B + b) * M;
        attention_forward(&d->attention, weights, len, run->keys + b * A, (int)(B * A),
                          run->query + (t * B + b) * A, alignment);
        memset(alignment + len, 0, (S - (size_t)len) * sizeof(real));
        memset(context, 0, M * sizeof(real));
        k->weighted_sum(len, d->M, alignment, run->memory + b * M, (int)(B * M), context);
        k->weighted_sum(len, (int)G, alignment, run->folded + b * G, (int)(B * G),
                        run->gates + (t * B + b) * G);
    }
}

static void mask_rows(const struct decoder_run *run, size_t H, const real *x, real *y)
{
    dropout_apply((size_t)run->B * H, x, run->mask, y);
}

void decoder_forward(const struct decoder *d, const struct weights *weights,
                     struct decoder_run *run)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H, A = (size_t)d->attention.A;
    const int source = run->S * run->B, target = run->T * run->B;
    decoder_start(d, weights, run->S, run->B, run->source_len, run->memory, run->mean, run->s0);
    attention_keys(&d->attention, weights, source, run->memory, run->keys);
    weights_product(weights, d->context, source, run->memory, d->M, false, run->folded,
                    CELL_GATES * d->H);
    linear_forward(weights, d->cell.w, d->cell.bias, target, run->y, d->E, run->gates);
    memset(run->c, 0, B * H * sizeof(real));
    mask_rows(run, H, run->s0, run->fed);

    for (size_t t = 0; t < (size_t)run->T; t++) {
        const real *fed = run->fed + t * B * H;
        real *h = run->h + t * B * H;
        weights_product(weights, d->attention.query, run->B, fed, d->H, false,
                        run->query + t * B * A, d->attention.A);
        attend(d, weights, run, t);
        cell_forward(&d->cell, weights, run->B, run->gates + t * B * CELL_GATES * H, fed, d->H,
                     run->c + t * B * H, run->c + (t + 1) * B * H, h, d->H);
        mask_rows(run, H, h, run->fed + (t + 1) * B * H);
    }

    linear_forward(weights, d->readout_state, d->readout_bias, target, run->h, d->H, run->readout);
    weights_product(weights, d->readout_context, target, run->contexts, d->M, true, run->readout,
                    d->E);
    weights_product(weights, d->readout_previous, target, run->y, d->E, true, run->readout, d->E);
    weights->kernels->tanh_rows(target * d->E, run->readout, run->readout);
}

struct backward_scratch {
    real *d_h;         // (T,B,H) from the readout
    real *d_contexts;  // (T,B,M) from the readout
    real *d_gates;     // (T,B,4H)
    real *d_query;     // (T,B,A)
    real *d_keys;      // (S,B,A)
    real *d_folded;    // (S,B,4H)
    real *d_fed;       // (B,H) what flows to the step before
    real *d_c;         // (B,H)
    real *d_alignment; // (S) of one sentence
    real *d_mean;      // (B,M)
};

static void lay_out_backward(struct backward_scratch *k, const struct decoder *d, int T, int S,
                             int B, struct arena *arena)
{
    const size_t rows = (size_t)B, H = (size_t)d->H, M = (size_t)d->M, A = (size_t)d->attention.A;
    const size_t target = (size_t)T * rows, source = (size_t)S * rows;
    k->d_h = arena_array(arena, real, target * H);
    k->d_contexts = arena_array(arena, real, target * M);
    k->d_gates = arena_array(arena, real, target * CELL_GATES * H);
    k->d_query = arena_array(arena, real, target * A);
    k->d_keys = arena_array(arena, real, source * A);
    k->d_folded = arena_array(arena, real, source * CELL_GATES * H);
    k->d_fed = arena_array(arena, real, rows * H);
    k->d_c = arena_array(arena, real, rows * H);
    k->d_alignment = arena_array(arena, real, S);
    k->d_mean = arena_array(arena, real, rows * M);
}

size_t decoder_backward_bytes(const struct decoder *decoder, int T, int S, int B)
{
    struct arena measure = arena_measure();
    struct backward_scratch scratch;
    lay_out_backward(&scratch, decoder, T, S, B, &measure);
    return measure.used;
}

/* r = tanh(z): d_z = d_r (1 - r²), then to the weights, the states, the contexts and y. */
static void readout_backward(const struct decoder *d, const struct weights *weights,
                             const struct decoder_run *run, const struct backward_scratch *k,
                             real *d_readout, real *d_y, real *gradients)
{
    const int rows = run->T * run->B;
    for (size_t i = 0; i < (size_t)rows * (size_t)d->E; i++)
        d_readout[i] *= 1 - run->readout[i] * run->readout[i];
    memset(k->d_h, 0, (size_t)rows * (size_t)d->H * sizeof(real));
    memset(k->d_contexts, 0, (size_t)rows * (size_t)d->M * sizeof(real));
    bias_backward(d->readout_bias, rows, d_readout, gradients);
    product_backward(weights, d->readout_state, rows, run->h, d->H, d_readout, k->d_h, d->H,
                     gradients);
    product_backward(weights, d->readout_context, rows, run->contexts, d->M, d_readout,
                     k->d_contexts, d->M, gradients);
    product_backward(weights, d->readout_previous, rows, run->y, d->E, d_readout, d_y, d->E,
                     gradients);
}

static void attend_backward(const struct decoder *d, const struct weights *weights,
                            const struct decoder_run *run, const struct backward_scratch *k,
                            size_t t, real *d_memory, real *gradients)
{
    const struct kernels *kernels = weights->kernels;
    const size_t B = (size_t)run->B, A = (size_t)d->attention.A, M = (size_t)d->M;
    const size_t G = CELL_GATES * (size_t)d->H, S = (size_t)run->S;
    memset(k->d_query + t * B * A, 0, B * A * sizeof(real));
    for (size_t b = 0; b < B; b++) {
        const int len = run->source_len[b];
        const real *alignment = run->alignment + (t * B + b) * S;
        memset(k->d_alignment, 0, S * sizeof(real));
        kernels->weighted_sum_backward(len, (int)G, alignment, run->folded + b * G, (int)(B * G),
                                       k->d_gates + (t * B + b) * G, k->d_alignment,
                                       k->d_folded + b * G);
        kernels->weighted_sum_backward(len, d->M, alignment, run->memory + b * M, (int)(B * M),
                                       k->d_contexts + (t * B + b) * M, k->d_alignment,
                                       d_memory + b * M);
        attention_backward(&d->attention, weights, len, run->keys + b * A, (int)(B * A),
                           run->query + (t * B + b) * A, alignment, k->d_alignment,
                           k->d_keys + b * A, k->d_query + (t * B + b) * A, gradients);
    }
}

/* The steps from the last to the first; leaves d s_0 ⊙ mask in d_fed. */
static void steps_backward(const struct decoder *d, const struct weights *weights,
                           const struct decoder_run *run, const struct backward_scratch *k,
                           real *d_memory, real *gradients)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H, A = (size_t)d->attention.A;
    memset(k->d_fed, 0, B * H * sizeof(real));
    memset(k->d_c, 0, B * H * sizeof(real));
    for (size_t t = (size_t)run->T; t-- > 0;) {
        real *d_h = k->d_h + t * B * H;
        mask_rows(run, H, k->d_fed, k->d_fed);
        for (size_t i = 0; i < B * H; i++)
            d_h[i] += k->d_fed[i];
        cell_backward(&d->cell, weights, run->B, run->gates + t * B * CELL_GATES * H,
                      run->c + t * B * H, run->c + (t + 1) * B * H, d_h, k->d_c,
                      k->d_gates + t * B * CELL_GATES * H, k->d_fed);
        attend_backward(d, weights, run, k, t, d_memory, gradients);
        weights->kernels->gemm(GEMM_NN, run->B, d->H, d->attention.A, k->d_query + t * B * A,
                               d->attention.A, weight(weights, d->attention.query), d->H, true,
                               k->d_fed, d->H);
    }
    mask_rows(run, H, k->d_fed, k->d_fed);
}

/* s_0 = tanh(W_init mean + b), mean over the real states. */
static void start_backward(const struct decoder *d, const struct weights *weights,
                           const struct decoder_run *run, const struct backward_scratch *k,
                           real *d_memory, real *gradients)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H, M = (size_t)d->M;
    real *d_s0 = k->d_fed;
    for (size_t i = 0; i < B * H; i++)
        d_s0[i] *= 1 - run->s0[i] * run->s0[i];
    memset(k->d_mean, 0, B * M * sizeof(real));
    bias_backward(d->bridge_bias, run->B, d_s0, gradients);
    product_backward(weights, d->bridge, run->B, run->mean, d->M, d_s0, k->d_mean, d->M, gradients);
    for (size_t b = 0; b < B; b++)
        for (size_t s = 0; s < (size_t)run->source_len[b]; s++)
            for (size_t i = 0; i < M; i++)
                d_memory[(s * B + b) * M + i] += k->d_mean[b * M + i] / (real)run->source_len[b];
}

void decoder_backward(const struct decoder *d, const struct weights *weights,
                      const struct decoder_run *run, real *d_readout, real *d_memory, real *d_y,
                      real *gradients, struct arena *scratch)
{
    const int source = run->S * run->B, target = run->T * run->B;
    struct arena_mark mark = arena_mark(scratch);
    struct backward_scratch k;
    lay_out_backward(&k, d, run->T, run->S, run->B, scratch);
    assert(k.d_mean);
    memset(k.d_keys, 0, (size_t)source * (size_t)d->attention.A * sizeof(real));
    memset(k.d_folded, 0, (size_t)source * CELL_GATES * (size_t)d->H * sizeof(real));

    readout_backward(d, weights, run, &k, d_readout, d_y, gradients);
    steps_backward(d, weights, run, &k, d_memory, gradients);
    start_backward(d, weights, run, &k, d_memory, gradients);

    product_backward(weights, d->cell.u, target, run->fed, d->H, k.d_gates, NULL, 0, gradients);
    product_backward(weights, d->attention.query, target, run->fed, d->H, k.d_query, NULL, 0,
                     gradients);
    bias_backward(d->cell.bias, target, k.d_gates, gradients);
    product_backward(weights, d->cell.w, target, run->y, d->E, k.d_gates, d_y, d->E, gradients);
    product_backward(weights, d->context, source, run->memory, d->M, k.d_folded, d_memory, d->M,
                     gradients);
    bias_backward(d->attention.key_bias, source, k.d_keys, gradients);
    product_backward(weights, d->attention.key, source, run->memory, d->M, k.d_keys, d_memory, d->M,
                     gradients);
    arena_rewind(scratch, mark);
}

/* ---- one step ---- */

struct step_scratch {
    real *query;          // (N,A)
    real *context;        // (N,M)
    real *gates;          // (N,4H)
    real *c_previous, *c; // (N,H) dense, as the cell wants them
};

static void lay_out_step(struct step_scratch *k, const struct decoder *d, int N,
                         struct arena *arena)
{
    const size_t rows = (size_t)N, H = (size_t)d->H;
    k->query = arena_array(arena, real, rows * (size_t)d->attention.A);
    k->context = arena_array(arena, real, rows * (size_t)d->M);
    k->gates = arena_array(arena, real, rows * CELL_GATES * H);
    k->c_previous = arena_array(arena, real, rows * H);
    k->c = arena_array(arena, real, rows * H);
}

size_t decoder_step_bytes(const struct decoder *decoder, int N)
{
    struct arena measure = arena_measure();
    struct step_scratch scratch;
    lay_out_step(&scratch, decoder, N, &measure);
    return measure.used;
}

void decoder_step(const struct decoder *d, const struct weights *weights,
                  const struct decoder_step *step, struct arena *scratch)
{
    const int N = step->N, H = d->H, A = d->attention.A, gates = CELL_GATES * H;
    struct arena_mark mark = arena_mark(scratch);
    struct step_scratch k;
    lay_out_step(&k, d, N, scratch);
    assert(k.c);

    weights_product(weights, d->attention.query, N, step->state, 2 * H, false, k.query, A);
    memset(k.context, 0, (size_t)N * (size_t)d->M * sizeof(real));
    for (int n = 0; n < N; n++) {
        real *alignment = step->alignment + (size_t)n * (size_t)step->ld_alignment;
        attention_forward(&d->attention, weights, step->S[n], step->keys[n], A,
                          k.query + (size_t)n * (size_t)A, alignment);
        weights->kernels->weighted_sum(step->S[n], d->M, alignment, step->memory[n], d->M,
                                       k.context + (size_t)n * (size_t)d->M);
        memcpy(k.c_previous + (size_t)n * (size_t)H, step->state + (size_t)n * 2 * (size_t)H + H,
               (size_t)H * sizeof(real));
    }
    linear_forward(weights, d->cell.w, d->cell.bias, N, step->y, d->E, k.gates);
    weights_product(weights, d->context, N, k.context, d->M, true, k.gates, gates);
    cell_forward(&d->cell, weights, N, k.gates, step->state, 2 * H, k.c_previous, k.c,
                 step->next_state, 2 * H);
    for (int n = 0; n < N; n++)
        memcpy(step->next_state + (size_t)n * 2 * (size_t)H + H, k.c + (size_t)n * (size_t)H,
               (size_t)H * sizeof(real));

    linear_forward(weights, d->readout_previous, d->readout_bias, N, step->y, d->E, step->readout);
    weights_product(weights, d->readout_state, N, step->next_state, 2 * H, true, step->readout,
                    d->E);
    weights_product(weights, d->readout_context, N, k.context, d->M, true, step->readout, d->E);
    weights->kernels->tanh_rows(N * d->E, step->readout, step->readout);
    arena_rewind(scratch, mark);
}
