/*
 * optimizer.c - two passes of the team over the blocks: sum, then step.
 */
#include "model/train/optimizer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define ALIGNMENT_SLACK 64 // an arena aligns each array

struct step_job {
    struct optimizer *optimizer;
    real *values;
    real *const *gradients;
    int count;
    double clip, rate; // of this step
};

struct optimizer_options optimizer_options_default(void)
{
    return (struct optimizer_options){ .clip = 1, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9 };
}

static size_t chunk_count(const struct optimizer *o)
{
    return (o->total + OPTIMIZER_CHUNK - 1) / OPTIMIZER_CHUNK;
}

enum status optimizer_init(struct optimizer *o, struct optimizer_options options, struct team *team,
                           const struct kernels *kernels, size_t total, struct error *err)
{
    *o = (struct optimizer){ .options = options, .team = team, .kernels = kernels, .total = total };
    size_t bytes = 2 * total * sizeof(real) + chunk_count(o) * sizeof(double) + 4 * ALIGNMENT_SLACK;
    if (!arena_init_huge(&o->arena, bytes))
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for the optimiser's moments of %zu weights: make the model "
                         "smaller",
                         total);
    o->m = arena_array(&o->arena, real, total);
    o->v = arena_array(&o->arena, real, total);
    o->squares = arena_array(&o->arena, double, chunk_count(o));
    memset(o->m, 0, total * sizeof(real));
    memset(o->v, 0, total * sizeof(real));
    return STATUS_OK;
}

void optimizer_release(struct optimizer *o)
{
    arena_release(&o->arena);
    *o = (struct optimizer){ 0 };
}

/* The chunks of one member, as elements [*from, *to). */
static void member_range(const struct optimizer *o, int member, size_t *from, size_t *to)
{
    size_t members = (size_t)team_size(o->team), chunks = chunk_count(o);
    *from = chunks * (size_t)member / members * OPTIMIZER_CHUNK;
    *to = chunks * ((size_t)member + 1) / members * OPTIMIZER_CHUNK;
    if (*to > o->total)
        *to = o->total;
}

#define LANES 8 // sums side by side, so that one addition need not wait for the last

static double sum_of_squares(const real *g, size_t n)
{
    double lanes[LANES] = { 0 }, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += (double)g[i + l] * (double)g[i + l];
    for (; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    for (size_t l = 0; l < LANES; l++)
        sum += lanes[l];
    return sum;
}

static void sum_gradients(void *context, int member)
{
    const struct step_job *job = context;
    const struct optimizer *o = job->optimizer;
    size_t from, to;
    member_range(o, member, &from, &to);
    for (size_t at = from; at < to; at += OPTIMIZER_CHUNK) {
        size_t n = to - at < OPTIMIZER_CHUNK ? to - at : OPTIMIZER_CHUNK;
        for (int k = 1; k < job->count; k++) {
            o->kernels->add(n, job->gradients[k] + at, job->gradients[0] + at,
                            job->gradients[0] + at);
            memset(job->gradients[k] + at, 0, n * sizeof(real));
        }
        o->squares[at / OPTIMIZER_CHUNK] = sum_of_squares(job->gradients[0] + at, n);
    }
}

static void step_weights(void *context, int member)
{
    const struct step_job *job = context;
    const struct optimizer *o = job->optimizer;
    const double t = (double)o->steps;
    const real correction1 = (real)(1 - pow(o->options.beta1, t));
    const real correction2 = (real)(1 - pow(o->options.beta2, t));
    size_t from, to;
    member_range(o, member, &from, &to);
    for (size_t at = from; at < to; at += OPTIMIZER_CHUNK) {
        size_t n = to - at < OPTIMIZER_CHUNK ? to - at : OPTIMIZER_CHUNK;
        real *g = job->gradients[0] + at;
        o->kernels->adam(n, job->values + at, g, o->m + at, o->v + at, (real)job->clip,
                         (real)job->rate, (real)o->options.beta1, (real)o->options.beta2,
                         (real)o->options.epsilon, correction1, correction2);
        memset(g, 0, n * sizeof *g);
    }
}

double optimizer_sum(struct optimizer *o, real *const *gradients, int count)
{
    struct step_job job = { .optimizer = o, .gradients = gradients, .count = count };
    double squares = 0;
    team_run(o->team, sum_gradients, &job);
    for (size_t i = 0; i < chunk_count(o); i++)
        squares += o->squares[i];
    return sqrt(squares);
}

void optimizer_step(struct optimizer *o, real *values, real *gradients, double norm, double rate)
{
    struct step_job job = { .optimizer = o,
                            .values = values,
                            .gradients = &gradients,
                            .count = 1,
                            .clip = 1,
                            .rate = rate };
    assert(isfinite(norm));
    if (o->options.clip > 0 && norm > o->options.clip)
        job.clip = o->options.clip / norm;
    o->steps++;
    team_run(o->team, step_weights, &job);
}

static void clear_gradients(void *context, int member)
{
    const struct step_job *job = context;
    size_t from, to;
    member_range(job->optimizer, member, &from, &to);
    for (int k = 0; k < job->count; k++)
        memset(job->gradients[k] + from, 0, (to - from) * sizeof(real));
}

void optimizer_discard(struct optimizer *o, real *const *gradients, int count)
{
    struct step_job job = { .optimizer = o, .gradients = gradients, .count = count };
    team_run(o->team, clear_gradients, &job);
}
