/*
 * negative_sampling.c - scores, loss and gradients of one place.
 */
#include "model/layers/negative_sampling.h"

#include <stdbool.h>
#include <string.h>
#include <tgmath.h>

void negative_sampling_init(struct negative_sampling *s, struct arena *arena, enum context_use use,
                            int context_max, int target_max, int D)
{
    *s = (struct negative_sampling){ .use = use, .D = D };
    const size_t width = (size_t)D, context = (size_t)context_max * width;
    const size_t targets = (size_t)target_max * width;
    s->context = arena_array(arena, real, context);
    s->d_context = arena_array(arena, real, context);
    s->targets = arena_array(arena, real, targets);
    s->d_targets = arena_array(arena, real, targets);
    s->mean = arena_array(arena, real, width);
    s->d_mean = arena_array(arena, real, width);
    s->scores = arena_array(arena, real, (size_t)context_max * (size_t)target_max);
    s->g = arena_array(arena, real, (size_t)context_max * (size_t)target_max);
}

static void take_mean(struct negative_sampling *s, const struct kernels *kernels, int count)
{
    const real share = 1 / (real)count;
    memset(s->mean, 0, (size_t)s->D * sizeof(real));
    for (int c = 0; c < count; c++)
        kernels->weighted_sums(1, 1, s->D, &share, 0, s->context + (size_t)c * (size_t)s->D, s->D,
                               s->mean, 0);
}

/* u = Σ_c u_c / C:  d_u_c = d_u / C */
static void spread_mean(struct negative_sampling *s, const struct kernels *kernels, int count)
{
    const real share = 1 / (real)count;
    memset(s->d_context, 0, (size_t)s->D * sizeof(real));
    kernels->weighted_sums(1, 1, s->D, &share, 0, s->d_mean, s->D, s->d_context, 0);
    for (int c = 1; c < count; c++)
        memcpy(s->d_context + (size_t)c * (size_t)s->D, s->d_context, (size_t)s->D * sizeof(real));
}

void negative_sampling_gradients(struct negative_sampling *s, const struct kernels *kernels,
                                 int context_count, int target_count)
{
    const bool is_mean = s->use == CONTEXT_MEAN;
    s->inputs = is_mean ? 1 : context_count;
    s->target_count = target_count;
    if (is_mean)
        take_mean(s, kernels, context_count);
    kernels->negative_sampling(s->inputs, target_count, s->D, is_mean ? s->mean : s->context,
                               s->targets, s->scores, s->g, is_mean ? s->d_mean : s->d_context,
                               s->d_targets);
    if (is_mean)
        spread_mean(s, kernels, context_count);
}

/* -log σ(x) = log(1 + e^-x), the exponent never positive. */
static real minus_log_sigmoid(real x)
{
    return (x < 0 ? -x : 0) + log1p(exp(-fabs(x)));
}

real negative_sampling_loss(const struct negative_sampling *s)
{
    real loss = 0;
    for (int i = 0; i < s->inputs * s->target_count; i++)
        loss += minus_log_sigmoid(i % s->target_count == 0 ? s->scores[i] : -s->scores[i]);
    return loss;
}
