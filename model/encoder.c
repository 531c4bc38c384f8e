/*
 * encoder.c - source embeddings to memory, and what the decoder starts from.
 */
#include "model/encoder.h"

#include <assert.h>
#include <string.h>

#include "base/stopwatch.h"
#include "model/layers/dropout.h"
#include "model/parts.h"

static bool reads_forward(const struct encoder *encoder)
{
    return encoder->kind != ENCODER_REVERSED;
}

static bool reads_backward(const struct encoder *encoder)
{
    return encoder->kind != ENCODER_UNIDIRECTIONAL;
}

/* Width of layer 0's states. */
static int lowest_width(const struct encoder *encoder)
{
    return encoder->kind == ENCODER_BIDIRECTIONAL ? 2 * encoder->H : encoder->H;
}

void encoder_declare(struct encoder *encoder, struct params *params, const struct config *config)
{
    const int E = config->embedding, H = config->hidden;
    *encoder = (struct encoder){ .kind = config->encoder, .E = E, .H = H };
    if (reads_forward(encoder))
        cell_declare(&encoder->forward, params, config->cell, "encoder.0.forward", E, H, 0);
    if (reads_backward(encoder))
        cell_declare(&encoder->backward, params, config->cell, "encoder.0.backward", E, H, 0);
    stack_declare(&encoder->above, params, config->cell, "encoder", 1, config->encoder_layers - 1,
                  lowest_width(encoder), H, 0);
    encoder->M = encoder->above.count > 0 ? H : lowest_width(encoder);
}

/* Each direction writes its part of a state's row. */
static struct recurrent_run direction(const struct encoder *encoder, const struct encoder_run *run,
                                      bool reverse)
{
    const int at = reverse && reads_forward(encoder) ? encoder->H : 0;
    return (struct recurrent_run){
        .S = run->S,
        .B = run->B,
        .reverse = reverse,
        .len = run->len,
        .first = run->first,
        .x = run->x,
        .mask = reverse ? run->backward_mask : run->forward_mask,
        .h = run->states ? run->states + at : NULL,
        .ld_h = lowest_width(encoder),
    };
}

void encoder_lay_out(const struct encoder *encoder, struct encoder_run *run, struct arena *arena)
{
    const size_t rows = (size_t)run->S * (size_t)run->B;
    const size_t state = run->dropout ? (size_t)run->B * (size_t)encoder->H : 0;
    run->states = arena_array(arena, real, rows * (size_t)lowest_width(encoder));
    run->forward_mask = state ? arena_array(arena, real, state) : NULL;
    run->backward_mask = state ? arena_array(arena, real, state) : NULL;
    run->forward = direction(encoder, run, false);
    run->backward = direction(encoder, run, true);
    if (reads_forward(encoder))
        recurrent_lay_out(&encoder->forward, &run->forward, arena);
    if (reads_backward(encoder))
        recurrent_lay_out(&encoder->backward, &run->backward, arena);
    run->above = (struct stack_run){ .S = run->S,
                                     .B = run->B,
                                     .reverse = encoder->kind == ENCODER_REVERSED,
                                     .dropout = run->dropout,
                                     .len = run->len,
                                     .x = run->states };
    stack_lay_out(&encoder->above, &run->above, arena);
    run->memory = run->above.out;
}

void encoder_draw_masks(const struct encoder *encoder, struct encoder_run *run, struct rng *rng,
                        real p)
{
    const size_t state = (size_t)run->B * (size_t)encoder->H;
    if (reads_forward(encoder))
        dropout_mask(rng, p, state, run->forward_mask);
    if (reads_backward(encoder))
        dropout_mask(rng, p, state, run->backward_mask);
    stack_draw_masks(&encoder->above, &run->above, rng, p);
}

void encoder_forward(const struct encoder *encoder, const struct weights *weights,
                     struct encoder_run *run)
{
    const int part = stopwatch_enter(PART_ENCODER);
    if (reads_forward(encoder))
        recurrent_forward(&encoder->forward, weights, &run->forward);
    if (reads_backward(encoder))
        recurrent_forward(&encoder->backward, weights, &run->backward);
    stack_forward(&encoder->above, weights, &run->above);
    stopwatch_enter(part);
}

static real *lay_out_backward(const struct encoder *encoder, int S, int B, struct arena *arena)
{
    return arena_array(arena, real, (size_t)S * (size_t)B * (size_t)lowest_width(encoder));
}

size_t encoder_backward_bytes(const struct encoder *encoder, int S, int B)
{
    const struct cell *cell = reads_forward(encoder) ? &encoder->forward : &encoder->backward;
    const size_t lowest = recurrent_backward_bytes(cell, S, B);
    const size_t above = stack_backward_bytes(&encoder->above, S, B);
    struct arena measure = arena_measure();
    (void)lay_out_backward(encoder, S, B, &measure);
    return measure.used + (lowest > above ? lowest : above);
}

void encoder_backward(const struct encoder *encoder, const struct weights *weights,
                      const struct encoder_run *run, const real *d_memory, real *d_x,
                      real *gradients, struct arena *scratch)
{
    const size_t width = (size_t)lowest_width(encoder);
    struct arena_mark mark = arena_mark(scratch);
    const int part = stopwatch_enter(PART_ENCODER);
    const real *d_states = d_memory;
    if (encoder->above.count > 0) {
        real *below = lay_out_backward(encoder, run->S, run->B, scratch);
        assert(below);
        memset(below, 0, (size_t)run->S * (size_t)run->B * width * sizeof(real));
        const struct stack_gradients back = { .d_out = d_memory, .d_x = below };
        stack_backward(&encoder->above, weights, &run->above, &back, gradients, scratch);
        d_states = below;
    }
    if (reads_forward(encoder)) {
        const struct recurrent_gradients back = { .d_h = d_states, .d_x = d_x };
        recurrent_backward(&encoder->forward, weights, &run->forward, &back, gradients, scratch);
    }
    if (reads_backward(encoder)) {
        const struct recurrent_gradients back = {
            .d_h = d_states + (reads_forward(encoder) ? encoder->H : 0), .d_x = d_x
        };
        recurrent_backward(&encoder->backward, weights, &run->backward, &back, gradients, scratch);
    }
    stopwatch_enter(part);
    arena_rewind(scratch, mark);
}

/* ---- what the decoder starts from ---- */

/* Where the state that has read everything stands: of the first and of the second half of a row. */
static void last_states(const struct encoder *encoder, int len, size_t at[2])
{
    const size_t end = (size_t)len - 1;
    const bool both = encoder->kind == ENCODER_BIDIRECTIONAL && encoder->above.count == 0;
    at[0] = encoder->kind == ENCODER_REVERSED ? 0 : end;
    at[1] = both ? 0 : at[0];
}

void encoder_summary(const struct encoder *encoder, enum attention_kind attention, int S, int B,
                     const int *len, const real *memory, real *summary)
{
    const size_t rows = (size_t)B, M = (size_t)encoder->M, half = M / 2;
    if (attention == ATTENTION_NONE) {
        for (size_t b = 0; b < rows; b++) {
            size_t at[2];
            last_states(encoder, len[b], at);
            memcpy(summary + b * M, memory + (at[0] * rows + b) * M, half * sizeof(real));
            memcpy(summary + b * M + half, memory + (at[1] * rows + b) * M + half,
                   (M - half) * sizeof(real));
        }
        return;
    }
    memset(summary, 0, rows * M * sizeof(real));
    for (size_t s = 0; s < (size_t)S; s++)
        for (size_t i = 0; i < rows * M; i++)
            summary[i] += memory[s * rows * M + i];
    for (size_t b = 0; b < rows; b++)
        for (size_t i = 0; i < M; i++)
            summary[b * M + i] /= (real)len[b];
}

void encoder_summary_backward(const struct encoder *encoder, enum attention_kind attention, int B,
                              const int *len, const real *d_summary, real *d_memory)
{
    const size_t rows = (size_t)B, M = (size_t)encoder->M, half = M / 2;
    for (size_t b = 0; b < rows; b++) {
        const real *d = d_summary + b * M;
        if (attention == ATTENTION_NONE) {
            size_t at[2];
            last_states(encoder, len[b], at);
            for (size_t i = 0; i < M; i++)
                d_memory[(at[i >= half] * rows + b) * M + i] += d[i];
            continue;
        }
        for (size_t s = 0; s < (size_t)len[b]; s++)
            for (size_t i = 0; i < M; i++)
                d_memory[(s * rows + b) * M + i] += d[i] / (real)len[b];
    }
}
