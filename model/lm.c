/*
 * lm.c - the language model: loss and gradients of a chunk, one step.
 */
#include "model/lm.h"

#include <string.h>

#include "model/layers/dropout.h"
#include "model/layers/embedding.h"
#include "model/layers/linear.h"

void lm_init(struct lm *lm, const struct config *config)
{
    lm->config = *config;
    params_init(&lm->params);
    lm->embedding =
        params_add(&lm->params, INIT_EMBEDDING, config->vocabulary, config->embedding, "embedding");
    params_set_use(&lm->params, lm->embedding, USE_BOTH);
    stack_declare(&lm->layers, &lm->params, config->cell, "layer", 0, config->decoder_layers,
                  config->embedding, config->hidden, 0);
    lm->readout =
        params_add(&lm->params, INIT_GLOROT, config->embedding, config->hidden, "readout.w");
    lm->readout_bias = params_add(&lm->params, INIT_ZERO, config->embedding, 1, "readout.bias");
    output_declare(&lm->output, &lm->params, lm->embedding);
}

/* ---- training: what one chunk needs, in the order the forward pass fills it ---- */

struct pass {
    int32_t *read;     // (T,B) time-major ids
    int32_t *gold;     // (n) predicted pieces without padding
    int32_t *gold_row; // (n) their rows in (T,B)
    int gold_count;    // n <= T B
    real *x_mask;      // (T,B,E) dropout, NULL without
    real *output_mask; // (n,E)
    real *x;           // (T,B,E)
    real *h0, *c0;     // (layers,B,H), NULL if it starts from zeros
    struct stack_run run;
    real *top;     // (n,H) rows of gold
    real *readout; // (n,E)
    real *dropped; // (n,E) the readout after dropout
    real *d_readout;
    real *d_top;
    real *d_out; // (T,B,H)
    real *d_x;
    double *squares; // (T,B) for a trace
};

static void lay_out(struct pass *p, const struct lm *lm, const struct lm_batch *batch, bool dropout,
                    struct arena *a)
{
    const size_t E = (size_t)lm->config.embedding, H = (size_t)lm->config.hidden;
    const size_t rows = (size_t)batch->T * (size_t)batch->B;
    const size_t states = (size_t)lm->layers.count * (size_t)batch->B * H;

    memset(p, 0, sizeof *p);
    p->read = arena_array(a, int32_t, rows);
    p->gold = arena_array(a, int32_t, rows);
    p->gold_row = arena_array(a, int32_t, rows);
    if (dropout) {
        p->x_mask = arena_array(a, real, rows * E);
        p->output_mask = arena_array(a, real, rows * E);
    }
    p->x = arena_array(a, real, rows * E);
    if (batch->state) {
        p->h0 = arena_array(a, real, states);
        p->c0 = arena_array(a, real, states);
    }
    p->run = (struct stack_run){ .S = batch->T,
                                 .B = batch->B,
                                 .dropout = dropout,
                                 .len = batch->len,
                                 .x = p->x,
                                 .h0 = p->h0,
                                 .c0 = p->c0 };
    stack_lay_out(&lm->layers, &p->run, a);
    p->top = arena_array(a, real, rows * H);
    p->readout = arena_array(a, real, rows * E);
    p->dropped = arena_array(a, real, rows * E);
    p->d_readout = arena_array(a, real, rows * E);
    p->d_top = arena_array(a, real, rows * H);
    p->d_out = arena_array(a, real, rows * H);
    p->d_x = arena_array(a, real, rows * E);
    p->squares = arena_array(a, double, rows);
}

size_t lm_loss_bytes(const struct lm *lm, int B, int T)
{
    const real some = 0;
    const struct lm_batch sizes = { .B = B, .T = T, .state = &some };
    struct arena measure = arena_measure();
    struct pass pass;
    lay_out(&pass, lm, &sizes, true, &measure);
    const size_t layers = stack_backward_bytes(&lm->layers, T, B);
    const size_t output = output_loss_bytes(&lm->output);
    return measure.used + (layers > output ? layers : output);
}

/* Ids to time-major; the rows that count, which are the last ones if `last_alone`. */
static void arrange_ids(struct pass *p, const struct lm_batch *batch, bool last_alone)
{
    const int B = batch->B;
    p->gold_count = 0;
    for (int t = 0; t < batch->T; t++) {
        for (int b = 0; b < B; b++) {
            const int32_t *ids = batch->ids + (size_t)b * ((size_t)batch->T + 1);
            const bool is_there = t < batch->len[b];
            p->read[t * B + b] = is_there ? ids[t] : 0;
            if (is_there && (!last_alone || t == batch->len[b] - 1)) {
                p->gold[p->gold_count] = ids[t + 1];
                p->gold_row[p->gold_count++] = t * B + b;
            }
        }
    }
}

static void draw_masks(struct pass *p, const struct lm *lm, const struct lm_batch *batch,
                       const struct loss_options *options)
{
    const size_t E = (size_t)lm->config.embedding;
    struct rng rng = options->rng;
    dropout_mask(&rng, options->dropout, (size_t)batch->T * (size_t)batch->B * E, p->x_mask);
    stack_draw_masks(&lm->layers, &p->run, &rng, options->dropout);
    dropout_mask(&rng, options->dropout, (size_t)p->gold_count * E, p->output_mask);
}

/* Rows of the callers' states to (layers,B,H), h as a step of the chunk would be fed it. */
static void load_states(struct pass *p, const struct lm *lm, const struct weights *weights,
                        const struct lm_batch *batch)
{
    const size_t B = (size_t)batch->B, H = (size_t)lm->layers.H;
    const size_t width = (size_t)lm_state_width(lm);
    for (size_t l = 0; l < (size_t)lm->layers.count; l++) {
        const real *mask = p->run.layers[l].recurrent;
        for (size_t b = 0; b < B; b++) {
            const real *state = batch->state + b * width + l * 2 * H;
            const size_t at = (l * B + b) * H;
            dropout_apply(weights->kernels, H, state, mask ? mask + b * H : NULL, p->h0 + at);
            memcpy(p->c0 + at, state + H, H * sizeof(real));
        }
    }
}

/* Where each row's last step left the layers; a row without steps stays where it was. */
static void store_states(const struct pass *p, const struct lm *lm, const struct lm_batch *batch)
{
    const size_t B = (size_t)batch->B, H = (size_t)lm->layers.H;
    const size_t width = (size_t)lm_state_width(lm);
    for (size_t b = 0; b < B; b++) {
        real *state = batch->last_state + b * width;
        if (batch->len[b] == 0) {
            if (batch->state)
                memcpy(state, batch->state + b * width, width * sizeof(real));
            else
                memset(state, 0, width * sizeof(real));
            continue;
        }
        const size_t at = ((size_t)(batch->len[b] - 1) * B + b) * H;
        for (int l = 0; l < lm->layers.count; l++, state += 2 * H) {
            memcpy(state, p->run.layers[l].run.h + at, H * sizeof(real));
            memcpy(state + H, p->run.layers[l].run.c + at, H * sizeof(real));
        }
    }
}

static void forward(const struct lm *lm, const struct weights *weights,
                    const struct lm_batch *batch, struct pass *p)
{
    const size_t E = (size_t)lm->config.embedding, H = (size_t)lm->config.hidden;
    const size_t rows = (size_t)batch->T * (size_t)batch->B, gold = (size_t)p->gold_count;
    if (batch->state)
        load_states(p, lm, weights, batch);
    embedding_forward(weights, lm->embedding, rows, p->read, p->x);
    dropout_apply(weights->kernels, rows * E, p->x, p->x_mask, p->x);
    stack_forward(&lm->layers, weights, &p->run);
    for (size_t i = 0; i < gold; i++)
        memcpy(p->top + i * H, p->run.out + (size_t)p->gold_row[i] * H, H * sizeof(real));
    linear_forward(weights, lm->readout, lm->readout_bias, p->gold_count, p->top, lm->config.hidden,
                   p->readout);
    weights->kernels->tanh_rows((int)(gold * E), p->readout, p->readout);
    dropout_apply(weights->kernels, gold * E, p->readout, p->output_mask, p->dropped);
}

static void backward(const struct lm *lm, const struct weights *weights,
                     const struct lm_batch *batch, struct pass *p, bool traced, real *gradients,
                     struct arena *scratch)
{
    const size_t E = (size_t)lm->config.embedding, H = (size_t)lm->config.hidden;
    const size_t rows = (size_t)batch->T * (size_t)batch->B, gold = (size_t)p->gold_count;
    memset(p->d_top, 0, gold * H * sizeof(real));
    memset(p->d_out, 0, rows * H * sizeof(real));
    memset(p->d_x, 0, rows * E * sizeof(real));

    dropout_apply(weights->kernels, gold * E, p->d_readout, p->output_mask, p->d_readout);
    weights->kernels->tanh_backward((int)(gold * E), p->readout, p->d_readout, p->d_readout);
    bias_backward(weights, lm->readout_bias, p->gold_count, p->d_readout, gradients);
    product_backward(weights, lm->readout, p->gold_count, p->top, lm->config.hidden, p->d_readout,
                     p->d_top, lm->config.hidden, gradients);
    for (size_t i = 0; i < gold; i++)
        memcpy(p->d_out + (size_t)p->gold_row[i] * H, p->d_top + i * H, H * sizeof(real));
    const struct stack_gradients back = { .d_out = p->d_out,
                                          .d_x = p->d_x,
                                          .squares = traced ? p->squares : NULL };
    stack_backward(&lm->layers, weights, &p->run, &back, gradients, scratch);
    dropout_apply(weights->kernels, rows * E, p->d_x, p->x_mask, p->d_x);
    embedding_backward(lm->embedding, rows, p->read, p->d_x, gradients);
}

enum status lm_loss(const struct lm *lm, const struct weights *weights,
                    const struct lm_batch *batch, const struct loss_options *options,
                    struct arena *scratch, real *gradients, struct loss *out, struct error *err)
{
    const size_t needed = lm_loss_bytes(lm, batch->B, batch->T);
    if (scratch->size - scratch->used < needed)
        return error_set(err, STATUS_NO_MEMORY,
                         "a chunk of %d rows of %d pieces needs %zu bytes of scratch", batch->B,
                         batch->T, needed);
    const struct arena_mark mark = arena_mark(scratch);
    const bool dropout = options->dropout > 0;
    struct pass pass;
    lay_out(&pass, lm, batch, dropout, scratch);
    arrange_ids(&pass, batch, options->trace != NULL);
    if (dropout)
        draw_masks(&pass, lm, batch, options);
    forward(lm, weights, batch, &pass);
    if (batch->last_state)
        store_states(&pass, lm, batch);
    *out = output_loss(&lm->output, weights, pass.gold_count, pass.dropped, pass.gold, options,
                       pass.d_readout, gradients, scratch);
    if (gradients)
        backward(lm, weights, batch, &pass, options->trace != NULL, gradients, scratch);
    for (int b = 0; gradients && options->trace && b < batch->B; b++)
        gradient_trace_add(options->trace, pass.squares + b, batch->len[b], batch->B);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}

/* ---- inference ---- */

struct step_scratch {
    real *x;       // (N,E)
    real *top;     // (N,H)
    real *readout; // (N,E)
};

static void lay_out_step(struct step_scratch *k, const struct lm *lm, int N, struct arena *a)
{
    const size_t rows = (size_t)N;
    k->x = arena_array(a, real, rows * (size_t)lm->config.embedding);
    k->top = arena_array(a, real, rows * (size_t)lm->config.hidden);
    k->readout = arena_array(a, real, rows * (size_t)lm->config.embedding);
}

size_t lm_step_bytes(const struct lm *lm, int N)
{
    struct arena measure = arena_measure();
    struct step_scratch scratch;
    lay_out_step(&scratch, lm, N, &measure);
    return measure.used + stack_step_bytes(&lm->layers, N);
}

enum status lm_step(const struct lm *lm, const struct weights *weights, const struct lm_step *step,
                    struct arena *scratch, struct error *err)
{
    const int N = step->N;
    if (scratch->size - scratch->used < lm_step_bytes(lm, N))
        return error_set(err, STATUS_NO_MEMORY, "a step of %d rows needs %zu bytes", N,
                         lm_step_bytes(lm, N));
    const struct arena_mark mark = arena_mark(scratch);
    struct step_scratch k;
    lay_out_step(&k, lm, N, scratch);
    embedding_forward(weights, lm->embedding, (size_t)N, step->ids, k.x);
    const struct stack_step layers = { .N = N,
                                       .x = k.x,
                                       .state = step->state,
                                       .next_state = step->next_state,
                                       .ld_state = lm_state_width(lm),
                                       .out = k.top };
    stack_step(&lm->layers, weights, &layers, scratch);
    linear_forward(weights, lm->readout, lm->readout_bias, N, k.top, lm->config.hidden, k.readout);
    weights->kernels->tanh_rows(N * lm->config.embedding, k.readout, k.readout);
    output_log_probs(&lm->output, weights, N, k.readout, step->log_probs);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}
