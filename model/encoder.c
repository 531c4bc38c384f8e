/*
 * encoder.c - source embeddings to memory.
 */
#include "model/encoder.h"

void encoder_declare(struct encoder *encoder, struct params *params, int E, int H)
{
    encoder->E = E;
    encoder->H = H;
    cell_declare(&encoder->forward, params, "encoder.0.forward", E, H);
    cell_declare(&encoder->backward, params, "encoder.0.backward", E, H);
}

/* Each direction writes its half of a state's row. */
static struct recurrent_run half(const struct encoder_run *run, int H, bool reverse)
{
    return (struct recurrent_run){
        .S = run->S,
        .B = run->B,
        .reverse = reverse,
        .len = run->len,
        .x = run->x,
        .mask = reverse ? run->backward_mask : run->forward_mask,
        .h = run->states ? run->states + (reverse ? H : 0) : NULL,
        .ld_h = 2 * H,
    };
}

void encoder_lay_out(const struct encoder *encoder, struct encoder_run *run, struct arena *arena)
{
    run->states =
        arena_array(arena, real, (size_t)run->S * (size_t)run->B * 2 * (size_t)encoder->H);
    run->forward = half(run, encoder->H, false);
    run->backward = half(run, encoder->H, true);
    recurrent_lay_out(&encoder->forward, &run->forward, arena);
    recurrent_lay_out(&encoder->backward, &run->backward, arena);
}

void encoder_forward(const struct encoder *encoder, const struct weights *weights,
                     struct encoder_run *run)
{
    recurrent_forward(&encoder->forward, weights, &run->forward);
    recurrent_forward(&encoder->backward, weights, &run->backward);
}

void encoder_backward(const struct encoder *encoder, const struct weights *weights,
                      const struct encoder_run *run, const real *d_states, real *d_x,
                      real *gradients, struct arena *scratch)
{
    recurrent_backward(&encoder->forward, weights, &run->forward, d_states, d_x, NULL, NULL,
                       gradients, scratch);
    recurrent_backward(&encoder->backward, weights, &run->backward, d_states + encoder->H, d_x,
                       NULL, NULL, gradients, scratch);
}
