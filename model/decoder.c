/*
 * decoder.c - memory to target pieces: start, a whole target forward and back, one step.
 */
#include "model/decoder.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/stopwatch.h"
#include "model/layers/dropout.h"
#include "model/layers/linear.h"
#include "model/loss.h"
#include "model/parts.h"

static void declare_bridge(struct decoder *d, struct params *params, int l)
{
    char weights[PARAM_NAME_BYTES] = "bridge.w", bias[PARAM_NAME_BYTES] = "bridge.bias";
    if (l > 0) {
        snprintf(weights, sizeof weights, "bridge.%d.w", l);
        snprintf(bias, sizeof bias, "bridge.%d.bias", l);
    }
    d->bridge[l] = params_add(params, INIT_GLOROT, d->H, d->M, weights);
    d->bridge_bias[l] = params_add(params, INIT_ZERO, d->H, 1, bias);
}

static void fuse(struct decoder *d, struct params *params)
{
    const struct tensor state[] = { d->cell.u, d->attention.query };
    const struct tensor input[] = { d->cell.w, d->readout_previous };
    const struct tensor memory[] = { d->attention.key, d->cell.context, d->readout_context };
    d->fused_state = params_fuse(params, state, 2);
    d->fused_input = params_fuse(params, input, 2);
    d->fused_memory = params_fuse(params, memory, 3);
}

void decoder_declare(struct decoder *d, struct params *params, const struct config *config, int M)
{
    const int E = config->embedding, H = config->hidden, layers = config->decoder_layers;
    *d = (struct decoder){ .attends = config->attention_kind != ATTENTION_NONE,
                           .E = E,
                           .H = H,
                           .M = M,
                           .layers = layers };
    for (int l = 0; l < layers; l++)
        declare_bridge(d, params, l);
    if (d->attends) {
        attention_declare(&d->attention, params, config->attention, H, M);
        cell_declare(&d->cell, params, config->cell, "decoder.0", E, H, M);
        stack_declare(&d->above, params, config->cell, "decoder", 1, layers - 1, H, H, M);
    } else {
        stack_declare(&d->above, params, config->cell, "decoder", 0, layers, E, H, 0);
    }
    d->readout_state = params_add(params, INIT_GLOROT, E, H, "readout.state");
    if (d->attends)
        d->readout_context = params_add(params, INIT_GLOROT, E, M, "readout.context");
    d->readout_previous = params_add(params, INIT_GLOROT, E, E, "readout.previous");
    d->readout_bias = params_add(params, INIT_ZERO, E, 1, "readout.bias");
    if (decoder_folds(d))
        fuse(d, params);
}

void decoder_start_layer(const struct decoder *d, const struct weights *weights, int l, int N,
                         const real *summaries, real *start, int ld)
{
    weights_product(weights, d->bridge[l], N, summaries, d->M, false, start, ld);
    for (int n = 0; n < N; n++, start += ld) {
        add_bias(weights, d->bridge_bias[l], 1, start);
        weights->kernels->tanh_rows(d->H, start, start);
    }
}

static void clear(size_t n, real *x)
{
    memset(x, 0, n * sizeof *x);
}

/* ---- a whole target at once ---- */

static size_t gates_width(const struct decoder *d)
{
    return (size_t)d->cell.G * (size_t)d->H;
}

static void lay_out_attending(const struct decoder *d, struct decoder_run *run, struct arena *arena)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H, A = (size_t)d->attention.A;
    const size_t target = (size_t)run->T * B, source = (size_t)run->S * B;
    run->mask = run->dropout ? arena_array(arena, real, B * H) : NULL;
    run->alignment = arena_array(arena, real, target * (size_t)run->S);
    run->keys = arena_array(arena, real, source * A);
    run->folded = arena_array(arena, real, source * gates_width(d));
    run->fed = arena_array(arena, real, (target + B) * H);
    run->query = arena_array(arena, real, target * A);
    run->gates = arena_array(arena, real, target * gates_width(d));
    run->c = arena_array(arena, real, (target + B) * H);
    run->h = arena_array(arena, real, target * H);
    run->contexts = arena_array(arena, real, target * (size_t)d->M);
}

void decoder_lay_out(const struct decoder *d, struct decoder_run *run, struct arena *arena)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H;
    run->readout = arena_array(arena, real, (size_t)run->T * B * (size_t)d->E);
    run->start = arena_array(arena, real, (size_t)d->layers * B * H);
    if (d->attends)
        lay_out_attending(d, run, arena);
    const real *start_above = run->start && d->attends ? run->start + B * H : run->start;
    run->above = (struct stack_run){ .S = run->T,
                                     .B = run->B,
                                     .dropout = run->dropout,
                                     .len = run->target_len,
                                     .x = d->attends ? run->h : run->y,
                                     .context = d->attends ? run->contexts : NULL,
                                     .h0 = start_above };
    stack_lay_out(&d->above, &run->above, arena);
}

void decoder_draw_masks(const struct decoder *d, struct decoder_run *run, struct rng *rng, real p)
{
    if (d->attends)
        dropout_mask(rng, p, (size_t)run->B * (size_t)d->H, run->mask);
    stack_draw_masks(&d->above, &run->above, rng, p);
}

/* Behind the last sentence that has a step t: those in front are computed, whatever their length. */
static size_t rows_at(const struct decoder_run *run, size_t t)
{
    size_t rows = (size_t)run->B;
    while (rows > 0 && t >= (size_t)run->target_len[rows - 1])
        rows--;
    return rows;
}

/* Query, alignment and the context's share of the gates, for each sentence of a step. */
static void attend(const struct decoder *d, const struct weights *weights,
                   const struct decoder_run *run, size_t t)
{
    const struct kernels *k = weights->kernels;
    const size_t B = (size_t)run->B, rows = rows_at(run, t), A = (size_t)d->attention.A;
    const size_t G = gates_width(d), S = (size_t)run->S;
    const int part = stopwatch_enter(PART_ATTENTION);
    weights_product(weights, d->attention.query, (int)rows, run->fed + t * B * (size_t)d->H, d->H,
                    false, run->query + t * B * A, d->attention.A);
    for (size_t b = 0; b < rows; b++) {
        const int len = run->source_len[b];
        real *alignment = run->alignment + (t * B + b) * S;
        attention_forward(&d->attention, weights, len, run->keys + b * S * A, (int)A,
                          run->query + (t * B + b) * A, alignment);
        memset(alignment + len, 0, (S - (size_t)len) * sizeof(real));
        k->weighted_sums(1, len, (int)G, alignment, 0, run->folded + b * S * G, (int)G,
                         run->gates + (t * B + b) * G, 0);
    }
    stopwatch_enter(part);
}

/* The contexts themselves, which no step waits for: one matrix product a sentence. */
static void sum_contexts(const struct decoder *d, const struct weights *weights,
                         const struct decoder_run *run)
{
    const size_t B = (size_t)run->B, M = (size_t)d->M, S = (size_t)run->S;
    const int part = stopwatch_enter(PART_ATTENTION);
    for (size_t b = 0; b < B; b++)
        weights->kernels->gemm(GEMM_NN, run->T, d->M, run->source_len[b], run->alignment + b * S,
                               (int)(B * S), run->memory + b * S * M, d->M, false,
                               run->contexts + b * M, (int)(B * M));
    stopwatch_enter(part);
}

static void mask_rows(const struct weights *weights, const struct decoder_run *run, size_t H,
                      const real *x, real *y)
{
    dropout_apply(weights->kernels, (size_t)run->B * H, x, run->mask, y);
}

/* Step t of layer 0 as the cell sees it. */
static struct cell_step step_of(const struct decoder *d, const struct decoder_run *run, size_t t)
{
    const size_t BH = (size_t)run->B * (size_t)d->H;
    return (struct cell_step){
        .B = (int)rows_at(run, t),
        .gates = run->gates + t * (size_t)run->B * gates_width(d),
        .ld_gates = (int)gates_width(d),
        .h_previous = run->fed + t * BH,
        .c_previous = run->c + t * BH,
        .carried = t > 0 ? run->h + (t - 1) * BH : run->start,
        .ld_h_previous = d->H,
        .ld_c_previous = d->H,
        .ld_carried = d->H,
        .h = run->h + t * BH,
        .c = run->c + (t + 1) * BH,
        .ld_h = d->H,
        .ld_c = d->H,
    };
}

/* Zeros where a sentence has ended, and what the next step is fed. */
static void finish_step(const struct decoder *d, const struct weights *weights,
                        const struct decoder_run *run, size_t t)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H, rows = rows_at(run, t), ended = B - rows;
    const size_t row = t * B + rows, S = (size_t)run->S;
    clear(ended * (size_t)d->attention.A, run->query + row * (size_t)d->attention.A);
    clear(ended * S, run->alignment + row * S);
    clear(ended * H, run->h + row * H);
    clear(ended * H, run->c + (row + B) * H);
    mask_rows(weights, run, H, run->h + t * B * H, run->fed + (t + 1) * B * H);
}

static void attending_forward(const struct decoder *d, const struct weights *weights,
                              struct decoder_run *run)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H;
    const int source = run->S * run->B, target = run->T * run->B;
    const int part = stopwatch_enter(PART_ATTENTION);
    attention_keys(&d->attention, weights, source, run->memory, run->keys);
    weights_product(weights, d->cell.context, source, run->memory, d->M, false, run->folded,
                    d->cell.context.rows);
    stopwatch_enter(part);
    linear_forward(weights, d->cell.w, d->cell.bias, target, run->y, d->E, run->gates);
    memset(run->c, 0, B * H * sizeof(real));
    mask_rows(weights, run, H, run->start, run->fed);
    for (size_t t = 0; t < (size_t)run->T; t++) {
        const struct cell_step step = step_of(d, run, t);
        attend(d, weights, run, t);
        cell_forward(&d->cell, weights, &step);
        finish_step(d, weights, run, t);
    }
    sum_contexts(d, weights, run);
}

void decoder_forward(const struct decoder *d, const struct weights *weights,
                     struct decoder_run *run)
{
    const int target = run->T * run->B;
    const int part = stopwatch_enter(PART_RECURRENCE);
    for (int l = 0; l < d->layers; l++)
        decoder_start_layer(d, weights, l, run->B, run->summary,
                            run->start + (size_t)l * (size_t)run->B * (size_t)d->H, d->H);
    if (d->attends)
        attending_forward(d, weights, run);
    stack_forward(&d->above, weights, &run->above);

    stopwatch_enter(PART_OUTPUT);
    linear_forward(weights, d->readout_state, d->readout_bias, target, run->above.out, d->H,
                   run->readout);
    if (d->attends)
        weights_product(weights, d->readout_context, target, run->contexts, d->M, true,
                        run->readout, d->E);
    weights_product(weights, d->readout_previous, target, run->y, d->E, true, run->readout, d->E);
    weights->kernels->tanh_rows(target * d->E, run->readout, run->readout);
    stopwatch_enter(part);
}

struct backward_scratch {
    real *d_top;   // (T,B,H) from the readout
    real *d_start; // (L,B,H)
    /* Of layer 0, if it attends. */
    real *d_h;         // (T,B,H) from above; d_top if there is nothing above
    real *d_contexts;  // (T,B,M) from the readout and from above
    real *d_gates;     // (T,B,GH)
    real *d_query;     // (T,B,A)
    real *d_keys;      // (B,S,A)
    real *d_folded;    // (B,S,GH)
    real *d_alignment; // (T,B,S)
    real *d_fed;       // (B,H) what flows to the step before
    real *d_c;         // (B,H)
};

static void lay_out_backward(struct backward_scratch *k, const struct decoder *d, int T, int S,
                             int B, struct arena *arena)
{
    const size_t rows = (size_t)B, H = (size_t)d->H, M = (size_t)d->M, A = (size_t)d->attention.A;
    const size_t target = (size_t)T * rows, source = (size_t)S * rows;
    *k = (struct backward_scratch){ .d_top = arena_array(arena, real, target * H),
                                    .d_start =
                                        arena_array(arena, real, (size_t)d->layers * rows * H) };
    if (!d->attends)
        return;
    k->d_h = d->above.count > 0 ? arena_array(arena, real, target * H) : k->d_top;
    k->d_contexts = arena_array(arena, real, target * M);
    k->d_gates = arena_array(arena, real, target * gates_width(d));
    k->d_query = arena_array(arena, real, target * A);
    k->d_keys = arena_array(arena, real, source * A);
    k->d_folded = arena_array(arena, real, source * gates_width(d));
    k->d_alignment = arena_array(arena, real, target * (size_t)S);
    k->d_fed = arena_array(arena, real, rows * H);
    k->d_c = arena_array(arena, real, rows * H);
}

size_t decoder_backward_bytes(const struct decoder *decoder, int T, int S, int B)
{
    struct arena measure = arena_measure();
    struct backward_scratch scratch;
    lay_out_backward(&scratch, decoder, T, S, B, &measure);
    return measure.used + stack_backward_bytes(&decoder->above, T, B);
}

/* r = tanh(z): d_z = d_r (1 - r²), then to the weights, the states, the contexts and y. */
static void readout_backward(const struct decoder *d, const struct weights *weights,
                             const struct decoder_run *run, const struct backward_scratch *k,
                             real *d_readout, real *d_y, real *gradients)
{
    const int rows = run->T * run->B;
    const int part = stopwatch_enter(PART_OUTPUT);
    weights->kernels->tanh_backward(rows * d->E, run->readout, d_readout, d_readout);
    bias_backward(weights, d->readout_bias, rows, d_readout, gradients);
    clear((size_t)rows * (size_t)d->H, k->d_top);
    product_backward(weights, d->readout_state, rows, run->above.out, d->H, d_readout, k->d_top,
                     d->H, gradients);
    if (d->attends) {
        clear((size_t)rows * (size_t)d->M, k->d_contexts);
        product_backward(weights, d->readout_context, rows, run->contexts, d->M, d_readout,
                         k->d_contexts, d->M, gradients);
    }
    product_backward(weights, d->readout_previous, rows, run->y, d->E, d_readout, d_y, d->E,
                     gradients);
    stopwatch_enter(part);
}

/* The layers above layer 0, or all of them. */
static void above_backward(const struct decoder *d, const struct weights *weights,
                           const struct decoder_run *run, const struct decoder_gradients *to,
                           const struct backward_scratch *k, real *gradients, struct arena *scratch)
{
    const size_t BH = (size_t)run->B * (size_t)d->H;
    if (d->above.count == 0)
        return;
    struct stack_gradients back = { .d_out = k->d_top, .d_x = to->d_y, .d_h0 = k->d_start };
    if (d->attends) {
        clear((size_t)run->T * BH, k->d_h);
        back.d_x = k->d_h;
        back.d_context = k->d_contexts;
        back.d_h0 = k->d_start + BH;
    } else {
        back.squares = to->squares;
    }
    stack_backward(&d->above, weights, &run->above, &back, gradients, scratch);
}

/* What the alignments owe to the contexts, d_a_ts = d_c_t · h_s, one matrix product a sentence, and
 * to whoever wants them to be others. */
static void contexts_backward(const struct decoder *d, const struct weights *weights,
                              const struct decoder_run *run, const struct decoder_gradients *to,
                              const struct backward_scratch *k)
{
    const size_t B = (size_t)run->B, M = (size_t)d->M, S = (size_t)run->S;
    const int part = stopwatch_enter(PART_ATTENTION);
    if (to->d_alignment)
        memcpy(k->d_alignment, to->d_alignment, (size_t)run->T * B * S * sizeof(real));
    for (size_t b = 0; b < B; b++)
        weights->kernels->gemm(GEMM_NT, run->T, run->source_len[b], d->M, k->d_contexts + b * M,
                               (int)(B * M), run->memory + b * S * M, d->M, to->d_alignment != NULL,
                               k->d_alignment + b * S, (int)(B * S));
    stopwatch_enter(part);
}

/* Energies, keys and query of a step, when the alignment has what it owes to the gates too. What
 * the query owes to the state before is added to d_fed. */
static void attend_backward(const struct decoder *d, const struct weights *weights,
                            const struct decoder_run *run, const struct backward_scratch *k,
                            size_t t, real *gradients)
{
    const struct kernels *kernels = weights->kernels;
    const size_t B = (size_t)run->B, rows = rows_at(run, t), A = (size_t)d->attention.A;
    const size_t G = gates_width(d), S = (size_t)run->S;
    const int part = stopwatch_enter(PART_ATTENTION);
    clear(B * A, k->d_query + t * B * A);
    for (size_t b = 0; b < rows; b++) {
        const int len = run->source_len[b];
        const real *alignment = run->alignment + (t * B + b) * S;
        real *d_alignment = k->d_alignment + (t * B + b) * S;
        kernels->row_dots(len, (int)G, run->folded + b * S * G, (int)G,
                          k->d_gates + (t * B + b) * G, d_alignment);
        attention_backward(&d->attention, weights, len, run->keys + b * S * A, (int)A,
                           run->query + (t * B + b) * A, alignment, d_alignment,
                           k->d_keys + b * S * A, k->d_query + (t * B + b) * A, gradients);
    }
    weights_product_back(weights, d->attention.query, (int)rows, k->d_query + t * B * A,
                         d->attention.A, true, k->d_fed, d->H);
    stopwatch_enter(part);
}

/* Zeros behind each sentence's end in rows (B,S,n). */
static void clear_padding(const struct decoder_run *run, size_t n, real *rows)
{
    const size_t S = (size_t)run->S;
    for (size_t b = 0; b < (size_t)run->B; b++)
        clear((S - (size_t)run->source_len[b]) * n,
              rows + (b * S + (size_t)run->source_len[b]) * n);
}

/* d_rows_s = Σ_t a_ts d_sums_t, or +=, for the rows (B,S,n) that the alignments summed up to (T,B,n):
 * the steps' outer products, one matrix product a sentence. */
static void sums_backward(const struct weights *weights, const struct decoder_run *run, int n,
                          const real *d_sums, bool accumulate, real *d_rows)
{
    const size_t B = (size_t)run->B, S = (size_t)run->S, width = (size_t)n;
    for (size_t b = 0; b < B; b++)
        weights->kernels->gemm(GEMM_TN, run->source_len[b], n, run->T, run->alignment + b * S,
                               (int)(B * S), d_sums + b * width, (int)(B * width), accumulate,
                               d_rows + b * S * width, n);
}

/* The steps from the last to the first; leaves d s_0 in d_start. */
static void steps_backward(const struct decoder *d, const struct weights *weights,
                           const struct decoder_run *run, const struct decoder_gradients *to,
                           const struct backward_scratch *k, real *gradients)
{
    const size_t B = (size_t)run->B, H = (size_t)d->H;
    const bool carries = cell_carries(&d->cell);
    clear(B * H, k->d_fed);
    clear(B * H, k->d_c);
    for (size_t t = (size_t)run->T; t-- > 0;) {
        const struct cell_step step = step_of(d, run, t);
        real *d_h = k->d_h + t * B * H;
        mask_rows(weights, run, H, k->d_fed, k->d_fed);
        weights->kernels->add(B * H, k->d_fed, d_h, d_h);
        if (carries)
            weights->kernels->add(B * H, k->d_c, d_h, d_h);
        for (size_t b = 0; to->squares && b < B; b++)
            to->squares[t * B + b] = gradient_square(H, d_h + b * H);
        real *d_gates = k->d_gates + t * B * gates_width(d);
        const size_t live = (size_t)step.B * gates_width(d);
        clear(B * gates_width(d) - live, d_gates + live);
        cell_backward(&d->cell, weights, &step, d_h, k->d_c, d_gates, k->d_fed, gradients);
        attend_backward(d, weights, run, k, t, gradients);
    }
    mask_rows(weights, run, H, k->d_fed, k->d_start);
    if (carries)
        weights->kernels->add(B * H, k->d_c, k->d_start, k->d_start);
}

/* Layer 0 that attends, and through its alignments the memory. */
static void attending_backward(const struct decoder *d, const struct weights *weights,
                               const struct decoder_run *run, const struct decoder_gradients *to,
                               const struct backward_scratch *k, real *gradients)
{
    const int source = run->S * run->B, target = run->T * run->B;
    const struct cell *cell = &d->cell;
    clear((size_t)source * (size_t)d->attention.A, k->d_keys);
    contexts_backward(d, weights, run, to, k);
    steps_backward(d, weights, run, to, k, gradients);
    cell_recurrent_gradients(cell, weights, target, run->fed, d->H,
                             run->c + (size_t)run->B * (size_t)d->H, d->H, k->d_gates, gradients);
    bias_backward(weights, cell->bias, target, k->d_gates, gradients);
    product_backward(weights, cell->w, target, run->y, d->E, k->d_gates, to->d_y, d->E, gradients);

    const int part = stopwatch_enter(PART_ATTENTION);
    clear_padding(run, gates_width(d), k->d_folded);
    sums_backward(weights, run, (int)gates_width(d), k->d_gates, false, k->d_folded);
    sums_backward(weights, run, d->M, k->d_contexts, true, to->d_memory);
    product_backward(weights, cell->context, source, run->memory, d->M, k->d_folded, to->d_memory,
                     d->M, gradients);
    product_backward(weights, d->attention.query, target, run->fed, d->H, k->d_query, NULL, 0,
                     gradients);
    bias_backward(weights, d->attention.key_bias, source, k->d_keys, gradients);
    product_backward(weights, d->attention.key, source, run->memory, d->M, k->d_keys, to->d_memory,
                     d->M, gradients);
    stopwatch_enter(part);
}

/* s_0 = tanh(W_init summary + b). */
static void start_backward(const struct decoder *d, const struct weights *weights,
                           const struct decoder_run *run, const struct backward_scratch *k,
                           real *d_summary, real *gradients)
{
    const size_t BH = (size_t)run->B * (size_t)d->H;
    for (int l = 0; l < d->layers; l++) {
        real *d_start = k->d_start + (size_t)l * BH;
        const real *start = run->start + (size_t)l * BH;
        weights->kernels->tanh_backward((int)BH, start, d_start, d_start);
        bias_backward(weights, d->bridge_bias[l], run->B, d_start, gradients);
        product_backward(weights, d->bridge[l], run->B, run->summary, d->M, d_start, d_summary,
                         d->M, gradients);
    }
}

void decoder_backward(const struct decoder *d, const struct weights *weights,
                      const struct decoder_run *run, const struct decoder_gradients *back,
                      real *gradients, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct backward_scratch k;
    lay_out_backward(&k, d, run->T, run->S, run->B, scratch);
    assert(k.d_start);
    const int part = stopwatch_enter(PART_RECURRENCE);
    readout_backward(d, weights, run, &k, back->d_readout, back->d_y, gradients);
    above_backward(d, weights, run, back, &k, gradients, scratch);
    if (d->attends)
        attending_backward(d, weights, run, back, &k, gradients);
    start_backward(d, weights, run, &k, back->d_summary, gradients);
    stopwatch_enter(part);
    arena_rewind(scratch, mark);
}

/* ---- one step ---- */

void decoder_start(const struct decoder *d, const struct weights *weights, int N,
                   const real *summaries, real *states)
{
    const int width = decoder_state_width(d);
    clear((size_t)N * (size_t)width, states);
    for (int l = 0; l < d->layers; l++)
        decoder_start_layer(d, weights, l, N, summaries, states + 2 * l * d->H, width);
}

void decoder_memory(const struct decoder *d, const struct weights *weights, int S,
                    const real *states, real *rows)
{
    const size_t A = (size_t)d->attention.A, M = (size_t)d->M;
    const size_t width = (size_t)decoder_memory_width(d);
    if (d->attends)
        weights_product(weights, d->attention.key, S, states, d->M, false, rows, (int)width);
    for (size_t s = 0; s < (size_t)S; s++) {
        if (d->attends)
            add_bias(weights, d->attention.key_bias, 1, rows + s * width);
        memcpy(rows + s * width + A, states + s * M, M * sizeof(real));
    }
}

struct step_scratch {
    real *query;   // (N,A)
    real *context; // (N,M)
    real *gates;   // (N,GH)
    real *lowest;  // (N,H) of layer 0, if it attends
    real *top;     // (N,H)
};

static void lay_out_step(struct step_scratch *k, const struct decoder *d, int N,
                         struct arena *arena)
{
    const size_t rows = (size_t)N, H = (size_t)d->H;
    k->query = arena_array(arena, real, rows * (size_t)d->attention.A);
    k->context = arena_array(arena, real, rows * (size_t)d->M);
    k->gates = arena_array(arena, real, rows * gates_width(d));
    k->lowest = arena_array(arena, real, rows * H);
    k->top = arena_array(arena, real, rows * H);
}

size_t decoder_step_bytes(const struct decoder *decoder, int N)
{
    struct arena measure = arena_measure();
    struct step_scratch scratch;
    lay_out_step(&scratch, decoder, N, &measure);
    return measure.used + stack_step_bytes(&decoder->above, N);
}

/* Layer 0 of one that attends: alignments, contexts, the next state. */
static void attending_step(const struct decoder *d, const struct weights *weights,
                           const struct decoder_step *step, const struct step_scratch *k)
{
    const int N = step->N, H = d->H, A = d->attention.A, ld = decoder_state_width(d);
    const int width = decoder_memory_width(d);
    weights_product(weights, d->attention.query, N, step->state, ld, false, k->query, A);
    clear((size_t)N * (size_t)d->M, k->context);
    for (int n = 0; n < N; n++) {
        real *alignment = step->alignment + (size_t)n * (size_t)step->ld_alignment;
        attention_forward(&d->attention, weights, step->S[n], step->memory[n], width,
                          k->query + (size_t)n * (size_t)A, alignment);
        weights->kernels->weighted_sums(1, step->S[n], d->M, alignment, 0, step->memory[n] + A,
                                        width, k->context + (size_t)n * (size_t)d->M, 0);
    }
    linear_forward(weights, d->cell.w, d->cell.bias, N, step->y, d->E, k->gates);
    weights_product(weights, d->cell.context, N, k->context, d->M, true, k->gates,
                    d->cell.context.rows);
    const struct cell_step inner = {
        .B = N,
        .gates = k->gates,
        .ld_gates = (int)gates_width(d),
        .h_previous = step->state,
        .c_previous = step->state + H,
        .carried = step->state,
        .ld_h_previous = ld,
        .ld_c_previous = ld,
        .ld_carried = ld,
        .h = step->next_state,
        .c = step->next_state + H,
        .ld_h = ld,
        .ld_c = ld,
    };
    cell_forward(&d->cell, weights, &inner);
    for (size_t n = 0; n < (size_t)N; n++)
        memcpy(k->lowest + n * (size_t)H, step->next_state + n * (size_t)ld,
               (size_t)H * sizeof(real));
}

void decoder_step(const struct decoder *d, const struct weights *weights,
                  const struct decoder_step *step, struct arena *scratch)
{
    const int N = step->N;
    const size_t done = d->attends ? 2 * (size_t)d->H : 0; // of the state, by layer 0
    struct arena_mark mark = arena_mark(scratch);
    struct step_scratch k;
    lay_out_step(&k, d, N, scratch);
    assert(k.top);
    if (d->attends)
        attending_step(d, weights, step, &k);
    else
        for (int n = 0; n < N; n++)
            clear((size_t)step->S[n], step->alignment + (size_t)n * (size_t)step->ld_alignment);
    const struct stack_step above = { .N = N,
                                      .x = d->attends ? k.lowest : step->y,
                                      .context = k.context,
                                      .state = step->state + done,
                                      .next_state = step->next_state + done,
                                      .ld_state = decoder_state_width(d),
                                      .out = k.top };
    stack_step(&d->above, weights, &above, scratch);

    linear_forward(weights, d->readout_previous, d->readout_bias, N, step->y, d->E, step->readout);
    weights_product(weights, d->readout_state, N, k.top, d->H, true, step->readout, d->E);
    if (d->attends)
        weights_product(weights, d->readout_context, N, k.context, d->M, true, step->readout, d->E);
    weights->kernels->tanh_rows(N * d->E, step->readout, step->readout);
    arena_rewind(scratch, mark);
}
