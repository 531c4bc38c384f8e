/*
 * stack.c - recurrent layers on top of each other: over sequences, back, and one step.
 */
#include "model/layers/stack.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "model/layers/dropout.h"
#include "model/layers/linear.h"

#define RESIDUAL_FROM 2 // the third layer, counted from 0

void stack_declare(struct stack *stack, struct params *params, enum cell_kind kind,
                   const char *prefix, int first, int count, int I, int H, int M)
{
    assert(first + count <= STACK_LAYERS_MAX);
    *stack = (struct stack){ .first = first, .count = count, .H = H };
    for (int l = 0; l < count; l++) {
        char name[PARAM_NAME_BYTES];
        snprintf(name, sizeof name, "%s.%d", prefix, first + l);
        cell_declare(&stack->cells[l], params, kind, name, l == 0 ? I : H, H, M);
    }
}

/* Whether what enters layer l (counted in the stack) is added to what leaves it. */
static bool is_residual(const struct stack *stack, int l)
{
    return l > 0 && stack->first + l >= RESIDUAL_FROM;
}

/* ---- sequences ---- */

void stack_lay_out(const struct stack *stack, struct stack_run *run, struct arena *arena)
{
    const size_t rows = (size_t)run->S * (size_t)run->B, H = (size_t)stack->H;
    const size_t state = (size_t)run->B * H;
    const real *below = run->x;
    for (int l = 0; l < stack->count; l++) {
        const struct cell *cell = &stack->cells[l];
        struct recurrent_run *r = &run->layers[l].run;
        const size_t input = rows * (size_t)cell->I;
        const bool masked = run->dropout && stack->first + l > 0;
        run->layers[l].mask = masked ? arena_array(arena, real, input) : NULL;
        run->layers[l].recurrent = run->dropout ? arena_array(arena, real, state) : NULL;
        run->layers[l].x = masked ? arena_array(arena, real, input) : NULL;
        real *h = arena_array(arena, real, rows * H);
        run->layers[l].out = is_residual(stack, l) ? arena_array(arena, real, rows * H) : h;
        *r = (struct recurrent_run){
            .S = run->S,
            .B = run->B,
            .reverse = run->reverse,
            .len = run->len,
            .x = masked ? run->layers[l].x : below,
            .context = run->context,
            .h0 = run->h0 ? run->h0 + (size_t)l * state : NULL,
            .c0 = run->c0 ? run->c0 + (size_t)l * state : NULL,
            .mask = run->layers[l].recurrent,
            .h = h,
            .ld_h = stack->H,
        };
        recurrent_lay_out(cell, r, arena);
        below = run->layers[l].out;
    }
    run->out = below;
}

void stack_draw_masks(const struct stack *stack, struct stack_run *run, struct rng *rng, real p)
{
    const size_t rows = (size_t)run->S * (size_t)run->B;
    for (int l = 0; l < stack->count; l++) {
        if (run->layers[l].mask)
            dropout_mask(rng, p, rows * (size_t)stack->cells[l].I, run->layers[l].mask);
        dropout_mask(rng, p, (size_t)run->B * (size_t)stack->H, run->layers[l].recurrent);
    }
}

void stack_forward(const struct stack *stack, const struct weights *weights, struct stack_run *run)
{
    const size_t rows = (size_t)run->S * (size_t)run->B, n = rows * (size_t)stack->H;
    const real *below = run->x;
    for (int l = 0; l < stack->count; l++) {
        struct recurrent_run *r = &run->layers[l].run;
        if (run->layers[l].mask)
            dropout_apply(weights->kernels, rows * (size_t)stack->cells[l].I, below,
                          run->layers[l].mask, run->layers[l].x);
        recurrent_forward(&stack->cells[l], weights, r);
        real *out = run->layers[l].out;
        for (size_t i = 0; is_residual(stack, l) && i < n; i++)
            out[i] = r->h[i] + below[i];
        below = out;
    }
}

struct backward_scratch {
    real *d_out[2]; // (S,B,H) of the layer at hand and of the one below
    real *d_x;      // (S,B,its input) through the mask
};

static int widest_input(const struct stack *stack)
{
    int widest = 0;
    for (int l = 0; l < stack->count; l++)
        widest = stack->cells[l].I > widest ? stack->cells[l].I : widest;
    return widest;
}

static void lay_out_backward(struct backward_scratch *k, const struct stack *stack, int S, int B,
                             struct arena *arena)
{
    const size_t rows = (size_t)S * (size_t)B;
    k->d_out[0] = arena_array(arena, real, rows * (size_t)stack->H);
    k->d_out[1] = arena_array(arena, real, rows * (size_t)stack->H);
    k->d_x = arena_array(arena, real, rows * (size_t)widest_input(stack));
}

size_t stack_backward_bytes(const struct stack *stack, int S, int B)
{
    struct arena measure = arena_measure();
    struct backward_scratch scratch;
    size_t most = 0;
    lay_out_backward(&scratch, stack, S, B, &measure);
    for (int l = 0; l < stack->count; l++) {
        const size_t bytes = recurrent_backward_bytes(&stack->cells[l], S, B);
        most = bytes > most ? bytes : most;
    }
    return measure.used + most;
}

/* Layer l back: d_below gets what flows to its input. */
static void layer_backward(const struct stack *stack, const struct weights *weights,
                           const struct stack_run *run, const struct stack_gradients *back, int l,
                           const real *d_out, real *d_below, const struct backward_scratch *k,
                           real *gradients, struct arena *scratch)
{
    const size_t rows = (size_t)run->S * (size_t)run->B, input = (size_t)stack->cells[l].I;
    const size_t state = (size_t)run->B * (size_t)stack->H;
    const struct recurrent_gradients of_run = {
        .d_h = d_out,
        .d_x = k->d_x,
        .d_context = back->d_context,
        .d_h0 = back->d_h0 ? back->d_h0 + (size_t)l * state : NULL,
        .d_c0 = back->d_c0 ? back->d_c0 + (size_t)l * state : NULL,
        .squares = l == 0 ? back->squares : NULL,
    };
    memset(k->d_x, 0, rows * input * sizeof(real));
    recurrent_backward(&stack->cells[l], weights, &run->layers[l].run, &of_run, gradients, scratch);
    dropout_apply(weights->kernels, rows * input, k->d_x, run->layers[l].mask, k->d_x);
    weights->kernels->add(rows * input, k->d_x, d_below, d_below);
    if (is_residual(stack, l))
        weights->kernels->add(rows * input, d_out, d_below, d_below);
}

void stack_backward(const struct stack *stack, const struct weights *weights,
                    const struct stack_run *run, const struct stack_gradients *back,
                    real *gradients, struct arena *scratch)
{
    const size_t n = (size_t)run->S * (size_t)run->B * (size_t)stack->H;
    if (stack->count == 0) {
        weights->kernels->add(n, back->d_out, back->d_x, back->d_x);
        return;
    }
    struct arena_mark mark = arena_mark(scratch);
    struct backward_scratch k;
    lay_out_backward(&k, stack, run->S, run->B, scratch);
    assert(k.d_x);
    const real *d_out = back->d_out;
    for (int l = stack->count - 1; l >= 0; l--) {
        real *d_below = back->d_x;
        if (l > 0) {
            d_below = k.d_out[l % 2];
            memset(d_below, 0, n * sizeof(real));
        }
        layer_backward(stack, weights, run, back, l, d_out, d_below, &k, gradients, scratch);
        d_out = d_below;
    }
    arena_rewind(scratch, mark);
}

/* ---- one step ---- */

struct step_scratch {
    real *gates; // (N,GH)
    real *below; // (N,H) what enters a layer that is not the lowest
};

static void lay_out_step(struct step_scratch *k, const struct stack *stack, int N,
                         struct arena *arena)
{
    const size_t rows = (size_t)N, H = (size_t)stack->H;
    const size_t G = stack->count > 0 ? (size_t)stack->cells[0].G : 0;
    k->gates = arena_array(arena, real, rows * G * H);
    k->below = arena_array(arena, real, rows * H);
}

size_t stack_step_bytes(const struct stack *stack, int N)
{
    struct arena measure = arena_measure();
    struct step_scratch scratch;
    lay_out_step(&scratch, stack, N, &measure);
    return measure.used;
}

void stack_step(const struct stack *stack, const struct weights *weights,
                const struct stack_step *step, struct arena *scratch)
{
    const size_t N = (size_t)step->N, H = (size_t)stack->H, ld = (size_t)step->ld_state;
    struct arena_mark mark = arena_mark(scratch);
    struct step_scratch k;
    lay_out_step(&k, stack, step->N, scratch);
    assert(stack->count == 0 || k.below);
    const real *x = step->x;
    for (int l = 0; l < stack->count; l++) {
        const struct cell *cell = &stack->cells[l];
        const real *state = step->state + (size_t)l * 2 * H;
        real *next = step->next_state + (size_t)l * 2 * H;
        linear_forward(weights, cell->w, cell->bias, step->N, x, cell->I, k.gates);
        if (cell->M > 0)
            weights_product(weights, cell->context, step->N, step->context, cell->M, true, k.gates,
                            cell->G * cell->H);
        const struct cell_step inner = {
            .B = step->N,
            .gates = k.gates,
            .ld_gates = cell->G * cell->H,
            .h_previous = state,
            .c_previous = state + H,
            .carried = state,
            .ld_h_previous = step->ld_state,
            .ld_c_previous = step->ld_state,
            .ld_carried = step->ld_state,
            .h = next,
            .c = next + H,
            .ld_h = step->ld_state,
            .ld_c = step->ld_state,
        };
        cell_forward(cell, weights, &inner);
        for (size_t n = 0; n < N; n++)
            for (size_t j = 0; j < H; j++)
                k.below[n * H + j] = next[n * ld + j] + (is_residual(stack, l) ? x[n * H + j] : 0);
        x = k.below;
    }
    memcpy(step->out, x, N * H * sizeof(real));
    arena_rewind(scratch, mark);
}
