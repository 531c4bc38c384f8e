/*
 * seq2seq.c - the whole model: loss and gradients of a batch, encoding, one step.
 */
#include "model/seq2seq.h"

#include <assert.h>
#include <string.h>

#include "model/layers/dropout.h"
#include "model/layers/embedding.h"
#include "model/layers/linear.h"

#define ID_START 2     // <s>, in front of every target
#define LOGIT_ROWS 256 // target pieces whose logits are held at once

void seq2seq_init(struct seq2seq *model, const struct config *config)
{
    const int E = config->embedding, H = config->hidden;
    model->config = *config;
    params_init(&model->params);
    model->embedding =
        params_add(&model->params, INIT_EMBEDDING, config->vocabulary, E, "embedding");
    encoder_declare(&model->encoder, &model->params, E, H);
    decoder_declare(&model->decoder, &model->params, E, H, 2 * H, config->attention);
    model->output_bias =
        params_add(&model->params, INIT_ZERO, config->vocabulary, 1, "output.bias");
}

/* ---- training: what one batch needs, in the order the forward pass fills it ---- */

struct masks {                // dropout, NULL without
    real *x;                  // (S,B,E) source embeddings
    real *y;                  // (T,B,E) target embeddings
    real *states;             // (S,B,M) encoder states
    real *forward, *backward; // (B,H) recurrent, encoder
    real *decoder;            // (B,H) recurrent, decoder
    real *readout;            // (n,E)
};

struct pass {
    int32_t *source;   // (S,B) time-major ids
    int32_t *previous; // (T,B) <s> y_1 ... y_{T-1}
    int32_t *gold;     // (n) target pieces without padding
    int32_t *gold_row; // (n) their rows in (T,B)
    int gold_count;    // n <= T B
    struct masks masks;
    real *x; // (S,B,E)
    real *y; // (T,B,E)
    struct encoder_run encoder;
    real *memory; // (S,B,M) encoder states after dropout
    struct decoder_run decoder;
    real *readout;   // (n,E) rows of gold, after dropout
    real *logits;    // (LOGIT_ROWS,V)
    real *d_gold;    // (n,E)
    real *d_readout; // (T,B,E)
    real *d_memory;  // (S,B,M)
    real *d_x, *d_y; // as x and y
};

static void lay_out_masks(struct masks *m, const struct seq2seq *model, size_t source,
                          size_t target, size_t B, struct arena *a)
{
    const size_t E = (size_t)model->config.embedding, H = (size_t)model->config.hidden;
    m->x = arena_array(a, real, source * E);
    m->y = arena_array(a, real, target * E);
    m->states = arena_array(a, real, source * (size_t)model->decoder.M);
    m->forward = arena_array(a, real, B * H);
    m->backward = arena_array(a, real, B * H);
    m->decoder = arena_array(a, real, B * H);
    m->readout = arena_array(a, real, target * E);
}

/* Masks and gradients are laid out for every pass: they are a third of the memory, and one list
 * stays one list. */
static void lay_out(struct pass *p, const struct seq2seq *model, const struct batch *batch,
                    bool dropout, struct arena *a)
{
    const size_t B = (size_t)batch->B, E = (size_t)model->config.embedding;
    const size_t source = (size_t)batch->S * B, target = (size_t)batch->T * B;
    const size_t M = (size_t)model->decoder.M;

    memset(p, 0, sizeof *p);
    p->source = arena_array(a, int32_t, source);
    p->previous = arena_array(a, int32_t, target);
    p->gold = arena_array(a, int32_t, target);
    p->gold_row = arena_array(a, int32_t, target);
    struct masks masks;
    lay_out_masks(&masks, model, source, target, B, a);
    if (dropout)
        p->masks = masks;
    p->x = arena_array(a, real, source * E);
    p->y = arena_array(a, real, target * E);

    p->encoder = (struct encoder_run){ .S = batch->S,
                                       .B = batch->B,
                                       .len = batch->source_len,
                                       .x = p->x,
                                       .forward_mask = p->masks.forward,
                                       .backward_mask = p->masks.backward };
    encoder_lay_out(&model->encoder, &p->encoder, a);
    p->memory = arena_array(a, real, source * M);
    p->decoder = (struct decoder_run){ .T = batch->T,
                                       .S = batch->S,
                                       .B = batch->B,
                                       .source_len = batch->source_len,
                                       .memory = p->memory,
                                       .y = p->y,
                                       .mask = p->masks.decoder };
    decoder_lay_out(&model->decoder, &p->decoder, a);
    p->readout = arena_array(a, real, target * E);
    p->logits = arena_array(a, real, (size_t)LOGIT_ROWS * (size_t)model->config.vocabulary);
    p->d_gold = arena_array(a, real, target * E);
    p->d_readout = arena_array(a, real, target * E);
    p->d_memory = arena_array(a, real, source * M);
    p->d_x = arena_array(a, real, source * E);
    p->d_y = arena_array(a, real, target * E);
}

size_t seq2seq_loss_bytes(const struct seq2seq *model, int B, int S, int T)
{
    const struct batch sizes = { .B = B, .S = S, .T = T };
    struct arena measure = arena_measure();
    struct pass pass;
    lay_out(&pass, model, &sizes, false, &measure);
    const size_t encoder = recurrent_backward_bytes(&model->encoder.forward, S, B);
    const size_t decoder = decoder_backward_bytes(&model->decoder, T, S, B);
    return measure.used + (encoder > decoder ? encoder : decoder);
}

/* Ids to time-major; targets shifted by one; the rows that count. */
static void arrange_ids(struct pass *p, const struct batch *batch)
{
    const int B = batch->B;
    for (int b = 0; b < B; b++)
        for (int s = 0; s < batch->S; s++)
            p->source[s * B + b] = s < batch->source_len[b]
                                       ? batch->source[(size_t)b * (size_t)batch->S + (size_t)s]
                                       : 0;
    p->gold_count = 0;
    for (int t = 0; t < batch->T; t++) {
        for (int b = 0; b < B; b++) {
            const int32_t *target = batch->target + (size_t)b * (size_t)batch->T;
            const bool real_piece = t < batch->target_len[b];
            p->previous[t * B + b] = !real_piece ? 0 : t == 0 ? ID_START : target[t - 1];
            if (real_piece) {
                p->gold[p->gold_count] = target[t];
                p->gold_row[p->gold_count++] = t * B + b;
            }
        }
    }
}

static void draw_masks(struct pass *p, const struct seq2seq *model, const struct batch *batch,
                       const struct loss_options *options)
{
    const size_t B = (size_t)batch->B, E = (size_t)model->config.embedding;
    const size_t H = (size_t)model->config.hidden;
    struct rng rng = options->rng;
    dropout_mask(&rng, options->dropout, (size_t)batch->S * B * E, p->masks.x);
    dropout_mask(&rng, options->dropout, (size_t)batch->T * B * E, p->masks.y);
    dropout_mask(&rng, options->dropout, (size_t)batch->S * B * (size_t)model->decoder.M,
                 p->masks.states);
    dropout_mask(&rng, options->dropout, B * H, p->masks.forward);
    dropout_mask(&rng, options->dropout, B * H, p->masks.backward);
    dropout_mask(&rng, options->dropout, B * H, p->masks.decoder);
    dropout_mask(&rng, options->dropout, (size_t)p->gold_count * E, p->masks.readout);
}

static void forward(const struct seq2seq *model, const struct weights *weights,
                    const struct batch *batch, struct pass *p)
{
    const size_t B = (size_t)batch->B, E = (size_t)model->config.embedding;
    const size_t source = (size_t)batch->S * B, target = (size_t)batch->T * B;
    embedding_forward(weights, model->embedding, source, p->source, p->x);
    dropout_apply(source * E, p->x, p->masks.x, p->x);
    encoder_forward(&model->encoder, weights, &p->encoder);
    dropout_apply(source * (size_t)model->decoder.M, p->encoder.states, p->masks.states, p->memory);
    embedding_forward(weights, model->embedding, target, p->previous, p->y);
    dropout_apply(target * E, p->y, p->masks.y, p->y);
    decoder_forward(&model->decoder, weights, &p->decoder);
    for (size_t i = 0; i < (size_t)p->gold_count; i++)
        memcpy(p->readout + i * E, p->decoder.readout + (size_t)p->gold_row[i] * E,
               E * sizeof(real));
    dropout_apply((size_t)p->gold_count * E, p->readout, p->masks.readout, p->readout);
}

/* Logits, loss and (unless gradients is NULL) d_gold, a block of rows at a time. */
static struct loss output_layer(const struct seq2seq *model, const struct weights *weights,
                                const struct loss_options *options, struct pass *p, real *gradients)
{
    const int V = model->config.vocabulary, E = model->config.embedding;
    struct loss loss = { .pieces = p->gold_count };
    if (gradients)
        memset(p->d_gold, 0, (size_t)p->gold_count * (size_t)E * sizeof(real));
    for (int from = 0; from < p->gold_count; from += LOGIT_ROWS) {
        const int rows = p->gold_count - from < LOGIT_ROWS ? p->gold_count - from : LOGIT_ROWS;
        const real *readout = p->readout + (size_t)from * (size_t)E;
        linear_forward(weights, model->embedding, model->output_bias, rows, readout, E, p->logits);
        for (int i = 0; i < rows; i++) {
            real plain, *logits = p->logits + (size_t)i * (size_t)V;
            loss.smoothed +=
                weights->kernels->cross_entropy(V, logits, p->gold[from + i], options->smoothing,
                                                options->scale, &plain, gradients ? logits : NULL);
            loss.nats += plain;
        }
        if (gradients) {
            bias_backward(model->output_bias, rows, p->logits, gradients);
            product_backward(weights, model->embedding, rows, readout, E, p->logits,
                             p->d_gold + (size_t)from * (size_t)E, E, gradients);
        }
    }
    return loss;
}

static void backward(const struct seq2seq *model, const struct weights *weights,
                     const struct batch *batch, struct pass *p, real *gradients,
                     struct arena *scratch)
{
    const size_t B = (size_t)batch->B, E = (size_t)model->config.embedding;
    const size_t source = (size_t)batch->S * B, target = (size_t)batch->T * B;
    const size_t M = (size_t)model->decoder.M;
    memset(p->d_readout, 0, target * E * sizeof(real));
    memset(p->d_memory, 0, source * M * sizeof(real));
    memset(p->d_x, 0, source * E * sizeof(real));
    memset(p->d_y, 0, target * E * sizeof(real));

    dropout_apply((size_t)p->gold_count * E, p->d_gold, p->masks.readout, p->d_gold);
    for (size_t i = 0; i < (size_t)p->gold_count; i++)
        memcpy(p->d_readout + (size_t)p->gold_row[i] * E, p->d_gold + i * E, E * sizeof(real));
    decoder_backward(&model->decoder, weights, &p->decoder, p->d_readout, p->d_memory, p->d_y,
                     gradients, scratch);
    dropout_apply(target * E, p->d_y, p->masks.y, p->d_y);
    embedding_backward(model->embedding, target, p->previous, p->d_y, gradients);
    dropout_apply(source * M, p->d_memory, p->masks.states, p->d_memory);
    encoder_backward(&model->encoder, weights, &p->encoder, p->d_memory, p->d_x, gradients,
                     scratch);
    dropout_apply(source * E, p->d_x, p->masks.x, p->d_x);
    embedding_backward(model->embedding, source, p->source, p->d_x, gradients);
}

enum status seq2seq_loss(const struct seq2seq *model, const struct weights *weights,
                         const struct batch *batch, const struct loss_options *options,
                         struct arena *scratch, real *gradients, struct loss *out,
                         struct error *err)
{
    const size_t needed = seq2seq_loss_bytes(model, batch->B, batch->S, batch->T);
    if (scratch->size - scratch->used < needed)
        return error_set(err, STATUS_NO_MEMORY,
                         "a batch of %d sentences of %d and %d pieces needs %zu bytes of scratch",
                         batch->B, batch->S, batch->T, needed);
    const struct arena_mark mark = arena_mark(scratch);
    const bool dropout = options->dropout > 0;
    struct pass pass;
    lay_out(&pass, model, batch, dropout, scratch);
    arrange_ids(&pass, batch);
    if (dropout)
        draw_masks(&pass, model, batch, options);
    forward(model, weights, batch, &pass);
    *out = output_layer(model, weights, options, &pass, gradients);
    if (gradients)
        backward(model, weights, batch, &pass, gradients, scratch);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}

/* ---- inference ---- */

struct encode_scratch {
    int32_t *ids; // (S,B) time-major
    real *x;      // (S,B,E)
    struct encoder_run run;
    real *keys; // (S,B,A)
};

static void lay_out_encode(struct encode_scratch *k, const struct seq2seq *model, int S, int B,
                           const int *len, struct arena *a)
{
    const size_t rows = (size_t)S * (size_t)B;
    k->ids = arena_array(a, int32_t, rows);
    k->x = arena_array(a, real, rows * (size_t)model->config.embedding);
    k->run = (struct encoder_run){ .S = S, .B = B, .len = len, .x = k->x };
    encoder_lay_out(&model->encoder, &k->run, a);
    k->keys = arena_array(a, real, rows * (size_t)model->config.attention);
}

size_t seq2seq_encode_bytes(const struct seq2seq *model, int count, int S)
{
    struct arena measure = arena_measure();
    struct encode_scratch scratch;
    lay_out_encode(&scratch, model, S, count, NULL, &measure);
    return measure.used;
}

/* Row b of a time-major block (S,B,n) as a dense (len,n) block in the arena; NULL: full. */
static real *take_sentence(struct arena *results, const real *block, int b, int B, int len, int n)
{
    real *out = arena_array(results, real, (size_t)len * (size_t)n);
    for (size_t s = 0; out && s < (size_t)len; s++)
        memcpy(out + s * (size_t)n, block + (s * (size_t)B + (size_t)b) * (size_t)n,
               (size_t)n * sizeof(real));
    return out;
}

enum status seq2seq_encode(const struct seq2seq *model, const struct weights *weights,
                           const int32_t *const *ids, const int *len, int count,
                           struct arena *results, struct arena *scratch, struct memory *out,
                           struct error *err)
{
    assert(results != scratch);
    int S = 1;
    for (int b = 0; b < count; b++)
        S = len[b] > S ? len[b] : S;
    if (scratch->size - scratch->used < seq2seq_encode_bytes(model, count, S))
        return error_set(err, STATUS_NO_MEMORY,
                         "encoding %d sentences of %d pieces needs %zu bytes", count, S,
                         seq2seq_encode_bytes(model, count, S));
    const struct arena_mark mark = arena_mark(scratch);
    struct encode_scratch k;
    lay_out_encode(&k, model, S, count, len, scratch);
    for (int s = 0; s < S; s++)
        for (int b = 0; b < count; b++)
            k.ids[s * count + b] = s < len[b] ? ids[b][s] : 0;
    embedding_forward(weights, model->embedding, (size_t)S * (size_t)count, k.ids, k.x);
    encoder_forward(&model->encoder, weights, &k.run);
    attention_keys(&model->decoder.attention, weights, S * count, k.run.states, k.keys);

    enum status status = STATUS_OK;
    for (int b = 0; b < count && status == STATUS_OK; b++) {
        out[b].S = len[b];
        out[b].states = take_sentence(results, k.run.states, b, count, len[b], model->decoder.M);
        out[b].keys = take_sentence(results, k.keys, b, count, len[b], model->config.attention);
        if (!out[b].states || !out[b].keys)
            status = error_set(err, STATUS_NO_MEMORY, "no room for %d encoded sentences", count);
    }
    arena_rewind(scratch, mark);
    return status;
}

enum status seq2seq_start(const struct seq2seq *model, const struct weights *weights,
                          const struct memory *memory, struct arena *scratch, real *state,
                          struct error *err)
{
    const size_t H = (size_t)model->config.hidden;
    const struct arena_mark mark = arena_mark(scratch);
    real *mean = arena_array(scratch, real, model->decoder.M);
    if (!mean)
        return error_set(err, STATUS_NO_MEMORY, "no scratch for a decoder's start");
    decoder_start(&model->decoder, weights, memory->S, 1, &memory->S, memory->states, mean, state);
    memset(state + H, 0, H * sizeof(real));
    arena_rewind(scratch, mark);
    return STATUS_OK;
}

struct step_scratch {
    real *y;                     // (N,E)
    real *readout;               // (N,E)
    const real **states, **keys; // (N)
    int *S;                      // (N)
};

static void lay_out_step(struct step_scratch *k, const struct seq2seq *model, int N,
                         struct arena *a)
{
    const size_t rows = (size_t)N;
    k->y = arena_array(a, real, rows * (size_t)model->config.embedding);
    k->readout = arena_array(a, real, rows * (size_t)model->config.embedding);
    k->states = arena_array(a, const real *, rows);
    k->keys = arena_array(a, const real *, rows);
    k->S = arena_array(a, int, rows);
}

size_t seq2seq_step_bytes(const struct seq2seq *model, int N)
{
    struct arena measure = arena_measure();
    struct step_scratch scratch;
    lay_out_step(&scratch, model, N, &measure);
    return measure.used + decoder_step_bytes(&model->decoder, N);
}

enum status seq2seq_step(const struct seq2seq *model, const struct weights *weights,
                         const struct step *step, struct arena *scratch, struct error *err)
{
    const int N = step->N, V = model->config.vocabulary;
    if (scratch->size - scratch->used < seq2seq_step_bytes(model, N))
        return error_set(err, STATUS_NO_MEMORY, "a step of %d rows needs %zu bytes", N,
                         seq2seq_step_bytes(model, N));
    const struct arena_mark mark = arena_mark(scratch);
    struct step_scratch k;
    lay_out_step(&k, model, N, scratch);
    embedding_forward(weights, model->embedding, (size_t)N, step->previous, k.y);
    for (int n = 0; n < N; n++) {
        k.states[n] = step->memory[n]->states;
        k.keys[n] = step->memory[n]->keys;
        k.S[n] = step->memory[n]->S;
    }
    const struct decoder_step inner = { .N = N,
                                        .y = k.y,
                                        .memory = k.states,
                                        .keys = k.keys,
                                        .S = k.S,
                                        .state = step->state,
                                        .next_state = step->next_state,
                                        .alignment = step->alignment,
                                        .ld_alignment = step->ld_alignment,
                                        .readout = k.readout };
    decoder_step(&model->decoder, weights, &inner, scratch);
    linear_forward(weights, model->embedding, model->output_bias, N, k.readout,
                   model->config.embedding, step->log_probs);
    for (int n = 0; n < N; n++)
        weights->kernels->log_softmax(V, step->log_probs + (size_t)n * (size_t)V);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}
