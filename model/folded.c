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

/* ---- widths ---- */

static int gates_width(const struct decoder *d)
{
    return d->cell.G * d->H;
}

/* Rows whose gates stay in the nearest cache from their sum to their cell: one, unless the cell
 * multiplies once more. */
static int block_rows(const struct decoder *d)
{
    return cell_carries(&d->cell) ? 32 : 1;
}

static int input_width(const struct decoder *d)
{
    return gates_width(d) + d->E;
}

int folded_row_width(const struct decoder *d)
{
    return d->attention.A + input_width(d);
}

/* ---- values and input rows, in float32 or bfloat16 ---- */

static bool is_rounded(const struct decoder *d, const struct weights *weights)
{
    return weights_fused_type(weights, &d->fused_memory) == WEIGHT_I8;
}

static size_t value_bytes(const struct decoder *d, const struct weights *weights)
{
    return is_rounded(d, weights) ? sizeof(uint16_t) : sizeof(real);
}

static void keep_values(const struct decoder *d, const struct weights *weights, size_t n,
                        const real *values, void *to)
{
    if (is_rounded(d, weights))
        weights->kernels->to_bf16(n, values, to);
    else
        memcpy(to, values, n * sizeof *values);
}

/* ---- input rows ---- */

void row_cache_lay_out(struct row_cache *cache, const struct decoder *d,
                       const struct weights *weights, int rows, struct arena *arena)
{
    *cache = (struct row_cache){ .sets = 0 };
    if (!decoder_folds(d))
        return;
    cache->sets = rows / ROW_CACHE_WAYS;
    const size_t places = (size_t)cache->sets * ROW_CACHE_WAYS;
    cache->row_bytes = (size_t)input_width(d) * value_bytes(d, weights);
    cache->ids = arena_array(arena, int32_t, places);
    cache->used = arena_array(arena, uint32_t, places);
    cache->rows = arena_array(arena, char, places * cache->row_bytes);
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
static void *row_cache_find(struct row_cache *cache, int32_t id)
{
    const size_t first = first_place(cache, id);
    for (size_t i = first; i < first + ROW_CACHE_WAYS; i++) {
        if (cache->ids[i] == id) {
            cache->used[i] = ++cache->clock;
            return cache->rows + i * cache->row_bytes;
        }
    }
    return NULL;
}

/* In the place of the one of its set that was used longest ago. */
static void row_cache_put(struct row_cache *cache, int32_t id, const void *row)
{
    const size_t first = first_place(cache, id);
    size_t oldest = first;
    for (size_t i = first; i < first + ROW_CACHE_WAYS; i++)
        if (cache->used[i] < cache->used[oldest])
            oldest = i;
    cache->ids[oldest] = id;
    cache->used[oldest] = ++cache->clock;
    memcpy(cache->rows + oldest * cache->row_bytes, row, cache->row_bytes);
}

/* ---- once a sentence ---- */

void folded_rows(const struct decoder *d, const struct weights *weights, int S, const real *states,
                 real *rows)
{
    weights_fused(weights, &d->fused_memory, S, states, d->M, rows, folded_row_width(d));
}

/* Reals that a panel of S rows takes. */
static size_t panel_size(const struct decoder *d, const struct weights *weights, int S)
{
    return (size_t)S * FOLDED_PANEL * value_bytes(d, weights) / sizeof(real);
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
        for (size_t s = 0; s < (size_t)S; s++)
            keep_values(d, weights, (size_t)panel_width(d, from),
                        rows + s * width + A + (size_t)from,
                        (char *)panel + s * FOLDED_PANEL * value_bytes(d, weights));
        panel += panel_size(d, weights, S);
    }
}

/* ---- one step ---- */

struct step_scratch {
    int parents;        // different ones, in the order of the rows: P
    int *parent;        // (N) that of a row
    int *row;           // (P) the first row that has it
    real *parent_h;     // (P,H)
    real *given;        // (P,given width) [U h ; query], then [U h ; 0] + Σ_s a_s values_s
    real *gates;        // (block rows,GH) a
    real *h;            // (block rows,H) of the rows' parents
    const void **input; // (N) -> input row
    real *y, *computed; // (N,E) (N,GH+E) of input rows that are not in the cache
    char *missing;      // (N) those rows
    int *missing_of;    // (N) whose row they are
};

static int given_width(const struct decoder *d)
{
    const int asked = d->fused_state.rows, summed = input_width(d);
    return asked > summed ? asked : summed;
}

static void lay_out(struct step_scratch *k, const struct decoder *d, int N, struct arena *arena)
{
    const size_t rows = (size_t)N, H = (size_t)d->H, input = (size_t)input_width(d);
    const size_t block = (size_t)block_rows(d);
    k->parent = arena_array(arena, int, rows);
    k->row = arena_array(arena, int, rows);
    k->parent_h = arena_array(arena, real, rows * H);
    k->given = arena_array(arena, real, rows * (size_t)given_width(d));
    k->gates = arena_array(arena, real, block * (size_t)gates_width(d));
    k->h = arena_array(arena, real, block * H);
    k->input = arena_array(arena, const void *, rows);
    k->y = arena_array(arena, real, rows * (size_t)d->E);
    k->computed = arena_array(arena, real, rows * input);
    k->missing = arena_array(arena, char, sizeof(real) * rows * input);
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
        k->input[n] = k->missing + (size_t)missing * cache->row_bytes;
        k->missing_of[missing++] = n;
    }
    for (int i = 0; i < missing; i++)
        embedding_forward(weights, step->embedding, 1, &step->previous[k->missing_of[i]],
                          k->y + (size_t)i * (size_t)d->E);
    if (missing > 0)
        compute_inputs(d, weights, missing, k->y, k->computed);
    for (size_t i = 0; i < (size_t)missing; i++)
        keep_values(d, weights, width, k->computed + i * width, k->missing + i * cache->row_bytes);
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

static void find_parents(const struct decoder *d, const struct folded_step *step,
                         struct step_scratch *k)
{
    const size_t H = (size_t)d->H;
    k->parents = 0;
    for (int n = 0; n < step->N; n++) {
        const int same = sibling(step, n);
        k->parent[n] = same < n ? k->parent[same] : k->parents;
        if (same < n)
            continue;
        memcpy(k->parent_h + (size_t)k->parents * H, step->state[n], H * sizeof(real));
        k->row[k->parents++] = n;
    }
}

/* Weights of `count` parents of one sentence from p on, in the rows p of the alignment. */
static void align(const struct decoder *d, const struct weights *weights,
                  const struct folded_step *step, const struct step_scratch *k, int p, int count)
{
    const struct kernels *kernels = weights->kernels;
    const int row = k->row[p], S = step->S[row], A = d->attention.A;
    const real *v = weight(weights, d->attention.v);
    for (int i = p; i < p + count; i++) {
        real *query = k->given + (size_t)i * (size_t)given_width(d) + d->cell.u.rows;
        real *alignment = step->alignment + (size_t)i * (size_t)step->ld_alignment;
        kernels->exp_twice(A, query, query);
        kernels->energies_of_exponentials(S, A, step->memory[row], A, query, v, alignment);
        kernels->softmax(S, alignment);
    }
}

/* Σ_s a_s values_s of the same parents, on top of U h; their queries are not needed any more. */
static void sum_values(const struct decoder *d, const struct weights *weights,
                       const struct folded_step *step, const struct step_scratch *k, int p,
                       int count)
{
    const int row = k->row[p], S = step->S[row], ld = given_width(d), ld_w = step->ld_alignment;
    const int U = d->cell.u.rows, width = input_width(d);
    const real *alignments = step->alignment + (size_t)p * (size_t)ld_w;
    const real *panel = step->memory[row] + (size_t)S * (size_t)d->attention.A;
    real *given = k->given + (size_t)p * (size_t)ld;
    for (int i = 0; i < count; i++)
        memset(given + i * ld + U, 0, (size_t)(width - U) * sizeof *given);
    for (int from = 0; from < width; from += FOLDED_PANEL) {
        if (is_rounded(d, weights))
            weights->kernels->weighted_sums_bf16(count, S, panel_width(d, from), alignments, ld_w,
                                                 (const uint16_t *)panel, FOLDED_PANEL,
                                                 given + from, ld);
        else
            weights->kernels->weighted_sums(count, S, panel_width(d, from), alignments, ld_w, panel,
                                            FOLDED_PANEL, given + from, ld);
        panel += panel_size(d, weights, S);
    }
}

/* What all rows of a parent have in common: attention asks with the state before. */
static void ask_parents(const struct decoder *d, const struct weights *weights,
                        const struct folded_step *step, struct step_scratch *k)
{
    find_parents(d, step, k);
    weights_fused(weights, &d->fused_state, k->parents, k->parent_h, d->H, k->given,
                  given_width(d));
    const int part = stopwatch_enter(PART_ATTENTION);
    for (int p = 0, end; p < k->parents; p = end) {
        for (end = p + 1; end < k->parents; end++)
            if (step->memory[k->row[end]] != step->memory[k->row[p]])
                break;
        align(d, weights, step, k, p, end - p);
        sum_values(d, weights, step, k, p, end - p);
    }
    /* From the last row up, as no parent has a higher number than its rows. */
    for (int n = step->N - 1; n >= 0; n--)
        if (k->parent[n] < n)
            memcpy(step->alignment + (size_t)n * (size_t)step->ld_alignment,
                   step->alignment + (size_t)k->parent[n] * (size_t)step->ld_alignment,
                   (size_t)step->S[n] * sizeof(real));
    stopwatch_enter(part);
}

/* The cells of rows `first` to `end`, from their gates to the next states. A cell that carries h does
 * not read c; of others there is one row. */
static void run_cells(const struct decoder *d, const struct weights *weights,
                      const struct folded_step *step, const struct step_scratch *k, int first,
                      int end)
{
    const size_t H = (size_t)d->H;
    const int width = decoder_state_width(d);
    real *next = step->next_state + (size_t)first * (size_t)width;
    for (int n = first; n < end && cell_carries(&d->cell); n++)
        memcpy(k->h + (size_t)(n - first) * H, step->state[n], H * sizeof(real));
    const struct cell_step cells = {
        .B = end - first,
        .gates = k->gates,
        .ld_gates = gates_width(d),
        .h_previous = k->h,
        .c_previous = step->state[first] + H,
        .carried = k->h,
        .ld_h_previous = d->H,
        .ld_c_previous = 0,
        .ld_carried = d->H,
        .h = next,
        .c = next + H,
        .ld_h = width,
        .ld_c = width,
    };
    cell_finish(&d->cell, weights, &cells);
}

/* n columns of an input row from `from` on, and what the parent gives to them. */
static void add_input(const struct decoder *d, const struct weights *weights, const void *row,
                      const real *given, size_t from, size_t n, real *out)
{
    if (is_rounded(d, weights))
        weights->kernels->add_bf16(n, given + from, (const uint16_t *)row + from, out);
    else
        weights->kernels->add(n, given + from, (const real *)row + from, out);
}

/* Rows `first` to `end`, from what their pieces and their parents give; z is left as the readout. */
static void run_block(const struct decoder *d, const struct weights *weights,
                      const struct folded_step *step, const struct step_scratch *k, int first,
                      int end)
{
    const size_t width = (size_t)gates_width(d), E = (size_t)d->E;
    for (int n = first; n < end; n++) {
        const real *given = k->given + (size_t)k->parent[n] * (size_t)given_width(d);
        add_input(d, weights, k->input[n], given, 0, width, k->gates + (size_t)(n - first) * width);
        add_input(d, weights, k->input[n], given, width, E, step->readout + (size_t)n * E);
    }
    run_cells(d, weights, step, k, first, end);
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
    const int most = block_rows(d);
    for (int first = 0; first < step->N; first += most)
        run_block(d, weights, step, &k, first, step->N - first < most ? step->N : first + most);
    keep_inputs(step, cache, &k, missing);
    weights_product(weights, d->readout_state, step->N, step->next_state, decoder_state_width(d),
                    true, step->readout, d->E);
    weights->kernels->tanh_rows(step->N * d->E, step->readout, step->readout);
    stopwatch_enter(part);
    arena_rewind(scratch, mark);
}
