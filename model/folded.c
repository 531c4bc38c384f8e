/*
 * folded.c - the decoder's step for search, with all that is not of this step moved out of it.
 */
#include "model/folded.h"

#include <assert.h>
#include <string.h>

#include "base/stopwatch.h"
#include "model/layers/embedding.h"
#include "model/layers/linear.h"
#include "model/parts.h"

#define ROW_CACHE_WAYS 4
#define FOLDED_PANEL 64 // columns of values
#define STRIP (4 * FOLDED_PANEL)

/* ---- widths ---- */

static int gates_width(const struct decoder *d)
{
    return d->cell.G * d->H;
}

static int input_width(const struct decoder *d)
{
    return gates_width(d) + d->E;
}

int folded_row_width(const struct decoder *d)
{
    return d->attention.A + input_width(d);
}

/* ---- input rows ---- */

void row_cache_lay_out(struct row_cache *cache, const struct decoder *d, int rows,
                       struct arena *arena)
{
    const size_t places = (size_t)(cache->sets = rows / ROW_CACHE_WAYS) * ROW_CACHE_WAYS;
    cache->width = input_width(d);
    cache->clock = 0;
    cache->ids = arena_array(arena, int32_t, places);
    cache->used = arena_array(arena, uint32_t, places);
    cache->rows = arena_array(arena, real, places * (size_t)cache->width);
}

void row_cache_clear(struct row_cache *cache)
{
    for (int i = 0; i < cache->sets * ROW_CACHE_WAYS; i++) {
        cache->ids[i] = -1;
        cache->used[i] = 0;
    }
}

static size_t first_place(const struct row_cache *cache, int32_t id)
{
    return (size_t)((uint32_t)id * 2654435761u >> 8) % (size_t)cache->sets * ROW_CACHE_WAYS;
}

/* NULL: it is not there. */
static real *row_cache_find(struct row_cache *cache, int32_t id)
{
    const size_t first = first_place(cache, id);
    for (size_t i = first; i < first + ROW_CACHE_WAYS; i++) {
        if (cache->ids[i] == id) {
            cache->used[i] = ++cache->clock;
            return cache->rows + i * (size_t)cache->width;
        }
    }
    return NULL;
}

/* In the place of the one of its set that was used longest ago. */
static void row_cache_put(struct row_cache *cache, int32_t id, const real *row)
{
    const size_t first = first_place(cache, id);
    size_t oldest = first;
    for (size_t i = first; i < first + ROW_CACHE_WAYS; i++)
        if (cache->used[i] < cache->used[oldest])
            oldest = i;
    cache->ids[oldest] = id;
    cache->used[oldest] = ++cache->clock;
    memcpy(cache->rows + oldest * (size_t)cache->width, row, (size_t)cache->width * sizeof(real));
}

/* ---- once a sentence ---- */

void folded_rows(const struct decoder *d, const struct weights *weights, int S, const real *states,
                 real *rows)
{
    weights_fused(weights, &d->fused_memory, S, states, d->M, rows, folded_row_width(d));
}

static bool has_bf16_values(const struct decoder *d, const struct weights *weights)
{
    return weights_fused_type(weights, &d->fused_memory) == WEIGHT_I8;
}

/* Reals that a panel of S rows takes. */
static size_t panel_size(const struct decoder *d, const struct weights *weights, int S)
{
    return (size_t)S * FOLDED_PANEL / (has_bf16_values(d, weights) ? 2 : 1);
}

size_t folded_memory_size(const struct decoder *d, const struct weights *weights, int S)
{
    const int panels = (input_width(d) + FOLDED_PANEL - 1) / FOLDED_PANEL;
    return (size_t)S * (size_t)d->attention.A + (size_t)panels * panel_size(d, weights, S);
}

static int panel_width(const struct decoder *d, int from)
{
    const int left = input_width(d) - from;
    return left < FOLDED_PANEL ? left : FOLDED_PANEL;
}

void folded_memory(const struct decoder *d, const struct weights *weights, int S, const real *rows,
                   real *memory)
{
    const struct kernels *kernels = weights->kernels;
    const size_t width = (size_t)folded_row_width(d), A = (size_t)d->attention.A;
    const real *bias = weight(weights, d->attention.key_bias);
    for (size_t s = 0; s < (size_t)S; s++) {
        kernels->add(A, rows + s * width, bias, memory + s * A);
        kernels->exp_twice((int)A, memory + s * A, memory + s * A);
    }
    real *panel = memory + (size_t)S * A;
    for (int from = 0; from < input_width(d); from += FOLDED_PANEL) {
        const size_t n = (size_t)panel_width(d, from);
        for (size_t s = 0; s < (size_t)S; s++) {
            const real *values = rows + s * width + A + (size_t)from;
            if (has_bf16_values(d, weights))
                kernels->to_bf16(n, values, (uint16_t *)panel + s * FOLDED_PANEL);
            else
                memcpy(panel + s * FOLDED_PANEL, values, n * sizeof *panel);
        }
        panel += panel_size(d, weights, S);
    }
}

/* ---- one step ---- */

struct step_scratch {
    int *parent;        // (N) whose state a row's is among the P different ones
    real *h;            // (P,H) of those, then (N,H) of each row's
    real *c;            // (N,H) of each row's
    real *given;        // (P,U+A) [U h ; query] of the P
    real *inputs;       // (N,GH+E) [a ; z]
    const real **input; // (N) -> input row
    real *y, *missing;  // (N,E) (N,GH+E) input rows to be computed
    int *missing_of;    // (N) whose row they are
};

static void lay_out(struct step_scratch *k, const struct decoder *d, int N, struct arena *arena)
{
    const size_t rows = (size_t)N, H = (size_t)d->H, input = (size_t)input_width(d);
    k->parent = arena_array(arena, int, rows);
    k->h = arena_array(arena, real, rows * H);
    k->c = arena_array(arena, real, rows * H);
    k->given = arena_array(arena, real, rows * (size_t)d->fused_state.rows);
    k->inputs = arena_array(arena, real, rows * input);
    k->input = arena_array(arena, const real *, rows);
    k->y = arena_array(arena, real, rows * (size_t)d->E);
    k->missing = arena_array(arena, real, rows * input);
    k->missing_of = arena_array(arena, int, rows);
}

size_t folded_step_bytes(const struct decoder *decoder, int N)
{
    struct arena measure = arena_measure();
    struct step_scratch scratch;
    lay_out(&scratch, decoder, N, &measure);
    return measure.used;
}

/* Input rows of `count` pieces by one product. */
static void compute_inputs(const struct decoder *d, const struct weights *weights, int count,
                           const real *y, real *rows)
{
    const int width = input_width(d), gates = gates_width(d);
    weights_fused(weights, &d->fused_input, count, y, d->E, rows, width);
    for (int i = 0; i < count; i++, rows += width) {
        if (d->cell.bias.rows)
            add_bias(weights, d->cell.bias, 1, rows);
        add_bias(weights, d->readout_bias, 1, rows + gates);
    }
}

/* In the cache, and what is not there together; returns how many those are. */
static int find_inputs(const struct decoder *d, const struct weights *weights,
                       const struct folded_step *step, struct row_cache *cache,
                       const struct step_scratch *k)
{
    const size_t width = (size_t)input_width(d);
    int missing = 0;
    for (int n = 0; n < step->N; n++) {
        k->input[n] = row_cache_find(cache, step->previous[n]);
        if (k->input[n])
            continue;
        k->input[n] = k->missing + (size_t)missing * width;
        k->missing_of[missing++] = n;
    }
    for (int i = 0; i < missing; i++)
        embedding_forward(weights, step->embedding, 1, &step->previous[k->missing_of[i]],
                          k->y + (size_t)i * (size_t)d->E);
    if (missing > 0)
        compute_inputs(d, weights, missing, k->y, k->missing);
    return missing;
}

/* Once no row of the cache is looked at any more. */
static void keep_inputs(const struct folded_step *step, struct row_cache *cache,
                        const struct step_scratch *k, int missing)
{
    for (int i = 0; i < missing; i++) {
        const int n = k->missing_of[i];
        if (!row_cache_find(cache, step->previous[n]))
            row_cache_put(cache, step->previous[n], k->input[n]);
    }
}

/* The row before n, of the same sentence, that has the same parent; n: there is none. */
static int sibling(const struct folded_step *step, int n)
{
    for (int i = n - 1; i >= 0 && step->memory[i] == step->memory[n]; i--)
        if (step->state[i] == step->state[n])
            return i;
    return n;
}

/* What the states of the parents give, once each. */
static void ask_parents(const struct decoder *d, const struct weights *weights,
                        const struct folded_step *step, const struct step_scratch *k)
{
    const size_t H = (size_t)d->H;
    const int width = d->fused_state.rows;
    int count = 0;
    for (int n = 0; n < step->N; n++) {
        const int same = sibling(step, n);
        k->parent[n] = same < n ? k->parent[same] : count;
        if (same == n)
            memcpy(k->h + (size_t)count++ * H, step->state[n], H * sizeof(real));
    }
    weights_fused(weights, &d->fused_state, count, k->h, d->H, k->given, width);
    for (int p = 0; p < count; p++) {
        real *query = k->given + (size_t)p * (size_t)width + d->cell.u.rows;
        weights->kernels->exp_twice(d->attention.A, query, query);
    }
}

/* Columns `from` to `to` of an input: what the row's piece gives, and what its parent does. */
static void start_input(const struct decoder *d, const struct weights *weights, const real *row,
                        const real *given, int from, int to, real *input)
{
    const int U = d->cell.u.rows, both = to < U ? to : U > from ? U : from;
    weights->kernels->add((size_t)(both - from), row + from, given + from, input + from);
    memcpy(input + both, row + both, (size_t)(to - both) * sizeof *input);
}

/* Inputs of `count` rows of one sentence from row n on. They come into being STRIP columns at a time,
 * which stay in the nearest cache until the sums are added. */
static void sum_inputs(const struct decoder *d, const struct weights *weights,
                       const struct folded_step *step, const struct step_scratch *k, int n,
                       int count)
{
    const int S = step->S[n], ld = step->ld_alignment, width = input_width(d);
    const real *alignments = step->alignment + (size_t)n * (size_t)ld;
    const real *panel = step->memory[n] + (size_t)S * (size_t)d->attention.A;
    real *inputs = k->inputs + (size_t)n * (size_t)width;
    for (int from = 0; from < width; from += FOLDED_PANEL) {
        if (from % STRIP == 0)
            for (int i = 0; i < count; i++)
                start_input(d, weights, k->input[n + i],
                            k->given + (size_t)k->parent[n + i] * (size_t)d->fused_state.rows, from,
                            width - from < STRIP ? width : from + STRIP,
                            inputs + (size_t)i * (size_t)width);
        if (has_bf16_values(d, weights))
            weights->kernels->weighted_sums_bf16(count, S, panel_width(d, from), alignments, ld,
                                                 (const uint16_t *)panel, FOLDED_PANEL,
                                                 inputs + from, width);
        else
            weights->kernels->weighted_sums(count, S, panel_width(d, from), alignments, ld, panel,
                                            FOLDED_PANEL, inputs + from, width);
        panel += panel_size(d, weights, S);
    }
}

/* Of the same rows. */
static void align(const struct decoder *d, const struct weights *weights,
                  const struct folded_step *step, const struct step_scratch *k, int n, int count)
{
    const struct kernels *kernels = weights->kernels;
    const int S = step->S[n], A = d->attention.A;
    const real *v = weight(weights, d->attention.v);
    for (int i = n; i < n + count; i++) {
        const real *query =
            k->given + (size_t)k->parent[i] * (size_t)d->fused_state.rows + d->cell.u.rows;
        real *alignment = step->alignment + (size_t)i * (size_t)step->ld_alignment;
        kernels->energies_of_exponentials(S, A, step->memory[n], A, query, v, alignment);
        kernels->softmax(S, alignment);
    }
}

/* Rows from n on that look at the same memory. */
static int rows_together(const struct folded_step *step, int n)
{
    int count = 1;
    while (n + count < step->N && step->memory[n + count] == step->memory[n])
        count++;
    return count;
}

/* All rows' cells, from gates in the inputs to the next states. */
static void run_cells(const struct decoder *d, const struct weights *weights,
                      const struct folded_step *step, const struct step_scratch *k)
{
    const size_t H = (size_t)d->H;
    const int width = decoder_state_width(d);
    for (size_t n = 0; n < (size_t)step->N; n++) {
        if (cell_carries(&d->cell))
            memcpy(k->h + n * H, step->state[n], H * sizeof(real));
        memcpy(k->c + n * H, step->state[n] + H, H * sizeof(real));
    }
    const struct cell_step cells = {
        .B = step->N,
        .gates = k->inputs,
        .ld_gates = input_width(d),
        .h_previous = k->h,
        .c_previous = k->c,
        .carried = k->h,
        .ld_h_previous = d->H,
        .ld_c_previous = d->H,
        .ld_carried = d->H,
        .h = step->next_state,
        .c = step->next_state + H,
        .ld_h = width,
        .ld_c = width,
    };
    cell_finish(&d->cell, weights, &cells);
}

static void read_out(const struct decoder *d, const struct weights *weights,
                     const struct folded_step *step, const struct step_scratch *k)
{
    const size_t E = (size_t)d->E;
    weights_product(weights, d->readout_state, step->N, step->next_state, decoder_state_width(d),
                    false, step->readout, d->E);
    for (size_t n = 0; n < (size_t)step->N; n++) {
        const real *z = k->inputs + n * (size_t)input_width(d) + gates_width(d);
        weights->kernels->add(E, z, step->readout + n * E, step->readout + n * E);
    }
    weights->kernels->tanh_rows(step->N * d->E, step->readout, step->readout);
}

void folded_step(const struct decoder *d, const struct weights *weights,
                 const struct folded_step *step, struct row_cache *cache, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    struct step_scratch k;
    lay_out(&k, d, step->N, scratch);
    assert(k.missing_of);
    const int part = stopwatch_enter(PART_INPUT);
    const int missing = find_inputs(d, weights, step, cache, &k);
    stopwatch_enter(PART_RECURRENCE);
    ask_parents(d, weights, step, &k);
    stopwatch_enter(PART_ATTENTION);
    for (int n = 0, count; n < step->N; n += count) {
        count = rows_together(step, n);
        align(d, weights, step, &k, n, count);
        sum_inputs(d, weights, step, &k, n, count);
    }
    keep_inputs(step, cache, &k, missing);
    stopwatch_enter(PART_RECURRENCE);
    run_cells(d, weights, step, &k);
    read_out(d, weights, step, &k);
    stopwatch_enter(part);
    arena_rewind(scratch, mark);
}
