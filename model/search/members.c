/*
 * members.c - every model steps all rows; what they say is put together a sentence at a time.
 */
#include "model/search/members.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/stopwatch.h"
#include "model/parts.h"
#include "model/search/beam.h"

#define CACHED_ROWS 1024 // pieces whose input rows are kept, of each model

static void lay_out_member(struct member *m, const struct model *model, size_t N, size_t S,
                           struct arena *a)
{
    m->shape = model_seq2seq(model);
    m->weights = model_weights(model);
    const size_t width = (size_t)seq2seq_state_width(m->shape);
    m->memory = arena_array(a, const struct memory *, N);
    m->state = arena_array(a, const real *, N);
    m->states[0] = arena_array(a, real, N * width);
    m->states[1] = arena_array(a, real, N * width);
    m->alignment = arena_array(a, real, N * S);
    m->readout = arena_array(a, real, N * (size_t)m->shape->config.embedding);
    m->products = arena_array(a, real, N * (size_t)m->shape->config.vocabulary);
    row_cache_lay_out(&m->cache, &m->shape->decoder, m->weights, CACHED_ROWS, a);
}

static void lay_out_fused(struct fused_lm *f, const struct ensemble *ensemble, size_t N,
                          struct arena *a)
{
    f->lm = ensemble->lm ? model_lm(ensemble->lm) : NULL;
    if (!f->lm)
        return;
    const size_t width = (size_t)lm_state_width(f->lm);
    f->weights = model_weights(ensemble->lm);
    f->weight = ensemble->lm_weight;
    f->ids = arena_array(a, int32_t, N);
    f->state = arena_array(a, real, N * width);
    f->next = arena_array(a, real, N * width);
    f->log_probs = arena_array(a, real, N * (size_t)f->lm->config.vocabulary);
}

void members_lay_out(struct members *members, const struct ensemble *ensemble,
                     const struct search_limits *limits, struct arena *arena)
{
    const size_t N = (size_t)limits->sentences * (size_t)limits->beam;
    members->count = ensemble->count;
    members->source_len = limits->source_len;
    members->V = model_config(ensemble->models[0])->vocabulary;
    for (int i = 0; i < ensemble->count; i++)
        lay_out_member(&members->list[i], ensemble->models[i], N, (size_t)limits->source_len,
                       arena);
    lay_out_fused(&members->fused, ensemble, N, arena);
    members->sentence = arena_array(arena, struct memory *, limits->sentences);
    members->previous = arena_array(arena, int32_t, N);
    members->own = arena_array(arena, real, (size_t)limits->beam * (size_t)members->V);
    members->row = arena_array(arena, real, members->V);
}

void members_clear(struct members *members)
{
    for (int i = 0; i < members->count; i++)
        row_cache_clear(&members->list[i].cache);
}

size_t members_scratch_bytes(const struct ensemble *ensemble, const struct search_limits *limits)
{
    const int sentences = limits->sentences, N = sentences * limits->beam;
    size_t most = ensemble->lm ? lm_step_bytes(model_lm(ensemble->lm), N) : 0;
    for (int i = 0; i < ensemble->count; i++) {
        const struct seq2seq *shape = model_seq2seq(ensemble->models[i]);
        const size_t encode = seq2seq_encode_bytes(shape, sentences, limits->source_len);
        const size_t step = seq2seq_step_bytes(shape, N);
        most = encode > most ? encode : most;
        most = step > most ? step : most;
    }
    return most;
}

/* ---- sentences ---- */

void members_sentence_lay_out(const struct members *members, int S, struct arena *arena,
                              struct memory *memories)
{
    for (int i = 0; i < members->count; i++) {
        const struct member *m = &members->list[i];
        seq2seq_memory_lay_out(m->shape, m->weights, S, arena, &memories[i]);
    }
}

void members_encode(struct members *members, const int32_t *const *ids, const int *lens, int count,
                    struct memory *const *memories, struct arena *scratch)
{
    struct error err;
    for (int m = 0; m < members->count; m++) {
        for (int i = 0; i < count; i++)
            members->sentence[i] = &memories[i][m];
        const enum status status =
            seq2seq_encode(members->list[m].shape, members->list[m].weights, ids, lens, count,
                           scratch, members->sentence, &err);
        assert(status == STATUS_OK); // the scratch is sized for the limits
        (void)status;
    }
}

/* ---- a step ---- */

static void fuse_row(struct fused_lm *f, int n, int32_t previous, int parent)
{
    const size_t width = (size_t)lm_state_width(f->lm);
    real *state = f->state + (size_t)n * width;
    f->ids[n] = parent < 0 ? BEAM_EOS : previous; // a line begins as the one before it ended
    if (parent < 0)
        memset(state, 0, width * sizeof *state);
    else
        memcpy(state, f->next + (size_t)parent * width, width * sizeof *state);
}

void members_row(struct members *members, int n, const struct memory *memories, int32_t previous,
                 int parent)
{
    members->previous[n] = previous;
    for (int i = 0; i < members->count; i++) {
        struct member *m = &members->list[i];
        const size_t width = (size_t)seq2seq_state_width(m->shape);
        m->memory[n] = &memories[i];
        m->state[n] = parent < 0 ? memories[i].start : m->states[0] + (size_t)parent * width;
    }
    if (members->fused.lm)
        fuse_row(&members->fused, n, previous, parent);
}

static void step_member(struct member *m, int N, const int32_t *previous, int source_len,
                        struct arena *scratch)
{
    struct error err;
    const struct step step = { .N = N,
                               .memory = m->memory,
                               .previous = previous,
                               .state = m->state,
                               .next_state = m->states[1],
                               .alignment = m->alignment,
                               .ld_alignment = source_len,
                               .readout = m->readout };
    const enum status status = seq2seq_step(m->shape, m->weights, &step, &m->cache, scratch, &err);
    assert(status == STATUS_OK); // as above
    (void)status;
    real *last = m->states[1];
    m->states[1] = m->states[0];
    m->states[0] = last;
}

static void step_fused(struct fused_lm *f, int N, struct arena *scratch)
{
    struct error err;
    const struct lm_step step = {
        .N = N, .ids = f->ids, .state = f->state, .next_state = f->next, .log_probs = f->log_probs
    };
    const enum status status = lm_step(f->lm, f->weights, &step, scratch, &err);
    assert(status == STATUS_OK); // as above
    (void)status;
}

/* The mean of all models' weights, in the place of the first one's. */
static void average_alignment(struct members *members, int N)
{
    for (int n = 0; n < N; n++) {
        const int S = members->list[0].memory[n]->S;
        const size_t at = (size_t)n * (size_t)members->source_len;
        real *mean = members->list[0].alignment + at;
        for (int i = 1; i < members->count; i++)
            for (int s = 0; s < S; s++)
                mean[s] += members->list[i].alignment[at + (size_t)s];
        for (int s = 0; s < S; s++)
            mean[s] /= (real)members->count;
    }
}

void members_step(struct members *members, int N, struct arena *scratch)
{
    for (int i = 0; i < members->count; i++)
        step_member(&members->list[i], N, members->previous, members->source_len, scratch);
    if (members->count > 1)
        average_alignment(members, N);
    if (members->fused.lm)
        step_fused(&members->fused, N, scratch);
}

/* ---- what they say ---- */

void members_products(struct members *members, int first, int rows)
{
    const int part = stopwatch_enter(PART_OUTPUT);
    for (int i = 0; i < members->count; i++) {
        const struct member *m = &members->list[i];
        const struct tensor embedding = m->shape->output.embedding;
        weights_product(m->weights, embedding, rows,
                        m->readout + (size_t)first * (size_t)embedding.cols, embedding.cols, false,
                        m->products + (size_t)first * (size_t)members->V, members->V);
    }
    stopwatch_enter(part);
}

/* Logits (rows,count) of a sentence's rows, over the pieces `ids`, or over all, ids NULL; the products
 * that those are made of may lie in their place. */
static void make_logits(const struct member *m, int first, int rows, const int32_t *ids, int count,
                        real *out)
{
    const struct output *output = &m->shape->output;
    const size_t from = (size_t)first, ld = (size_t)count;
    const int R = output->embedding.cols;
    if (ids) {
        const int part = stopwatch_enter(PART_OUTPUT);
        weights_product_of_rows(m->weights, output->embedding, output->bias, rows,
                                m->readout + from * (size_t)R, R, ids, count, out, count);
        stopwatch_enter(part);
        return;
    }
    for (size_t row = 0; row < (size_t)rows; row++)
        m->weights->kernels->add(ld, m->products + (from + row) * ld,
                                 weight(m->weights, output->bias), out + row * ld);
}

/* The probability of all pieces of a list together, told from their probabilities among themselves:
 * as if each of the others had the mean of the logits that are known. */
static real share_of_list(const struct members *members, const real *log_probs, int count)
{
    enum { SUMS = 16 }; // side by side, as each addition waits for the one before
    const int others = members->V - count;
    real sums[SUMS] = { 0 };
    if (others == 0)
        return 1;
    int i = 0;
    for (; i + SUMS <= count; i += SUMS)
        for (int j = 0; j < SUMS; j++)
            sums[j] += log_probs[i + j];
    for (; i < count; i++)
        sums[0] += log_probs[i];
    for (int j = 1; j < SUMS; j++)
        sums[0] += sums[j];
    return 1 / (1 + (real)others * expf(sums[0] / (real)count));
}

/* log of the mean of the models' probabilities. */
static void mix_row(struct members *members, int row, const int32_t *ids, int count, real *out)
{
    real *one = members->row;
    memset(out, 0, (size_t)count * sizeof *out);
    for (int i = 0; i < members->count; i++) {
        const struct member *m = &members->list[i];
        make_logits(m, row, 1, ids, count, one);
        real share = 1;
        if (ids) {
            m->weights->kernels->log_softmax(count, one);
            share = share_of_list(members, one, count);
        }
        m->weights->kernels->softmax(count, one);
        for (int v = 0; v < count; v++)
            out[v] += share * one[v];
    }
    for (int v = 0; v < count; v++)
        out[v] = logf(out[v] / (real)members->count);
}

/* A row of logits becomes log-probabilities. */
static void normalise(const struct members *members, int count, real *out)
{
    members->list[0].weights->kernels->log_softmax(count, out);
    const real less = logf(share_of_list(members, out, count));
    for (int v = 0; less < 0 && v < count; v++)
        out[v] += less;
}

static void add_fused(const struct fused_lm *f, int row, const int32_t *ids, int count, real *out)
{
    const real *log_probs = f->log_probs + (size_t)row * (size_t)f->lm->config.vocabulary;
    for (int v = 0; v < count; v++)
        out[v] += f->weight * log_probs[ids ? ids[v] : v];
}

const real *members_log_probs(struct members *members, int first, int rows, const int32_t *ids,
                              int count)
{
    const struct member *m = &members->list[0];
    const size_t ld = (size_t)count;
    const bool in_place = !ids && members->count == 1;
    real *own = in_place ? m->products + (size_t)first * ld : members->own;
    if (members->count == 1)
        make_logits(m, first, rows, ids, count, own);
    for (int row = 0; row < rows; row++) {
        real *out = own + (size_t)row * ld;
        if (members->count > 1)
            mix_row(members, first + row, ids, count, out);
        else
            normalise(members, count, out);
        if (members->fused.lm)
            add_fused(&members->fused, first + row, ids, count, out);
    }
    return own;
}

const real *members_alignment(const struct members *members, int row)
{
    return members->list[0].alignment + (size_t)row * (size_t)members->source_len;
}
