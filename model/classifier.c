/*
 * classifier.c - from ids to a class: loss and gradients of a batch, and the classes' probabilities.
 */
#include "model/classifier.h"

#include <string.h>

#include "model/layers/dropout.h"
#include "model/layers/embedding.h"

#define SUMMARY ATTENTION_BAHDANAU // the encoder's mean, not its last state

void classifier_init(struct classifier *classifier, const struct config *config)
{
    struct params *params = &classifier->params;
    classifier->config = *config;
    params_init(params);
    classifier->embedding =
        params_add(params, INIT_EMBEDDING, config->vocabulary, config->embedding, "embedding");
    params_set_use(params, classifier->embedding, USE_VALUES);
    encoder_declare(&classifier->encoder, params, config);
    const struct tensor classes =
        params_add(params, INIT_GLOROT, config->classes, classifier->encoder.M, "output.w");
    output_declare(&classifier->output, params, classes);
}

/* ---- what both need, in the order the forward pass fills it ---- */

struct reading {
    int32_t *ids; // (S,B) time-major
    real *x;      // (S,B,E)
    struct encoder_run encoder;
    real *summary; // (B,M)
};

static void lay_out_reading(struct reading *r, const struct classifier *classifier, int S, int B,
                            const int *len, bool dropout, struct arena *a)
{
    const size_t rows = (size_t)S * (size_t)B;
    r->ids = arena_array(a, int32_t, rows);
    r->x = arena_array(a, real, rows * (size_t)classifier->config.embedding);
    r->encoder = (struct encoder_run){ .S = S, .B = B, .dropout = dropout, .len = len, .x = r->x };
    encoder_lay_out(&classifier->encoder, &r->encoder, a);
    r->summary = arena_array(a, real, (size_t)B * (size_t)classifier->encoder.M);
}

/* x_mask (S,B,E) and summary_mask (B,M) may be NULL. */
static void read_sequences(const struct classifier *classifier, const struct weights *weights,
                           struct reading *r, const real *x_mask, const real *summary_mask)
{
    const int S = r->encoder.S, B = r->encoder.B;
    const size_t rows = (size_t)S * (size_t)B;
    embedding_forward(weights, classifier->embedding, rows, r->ids, r->x);
    dropout_apply(weights->kernels, rows * (size_t)classifier->config.embedding, r->x, x_mask,
                  r->x);
    encoder_forward(&classifier->encoder, weights, &r->encoder);
    encoder_summary(&classifier->encoder, SUMMARY, S, B, r->encoder.len, r->encoder.memory,
                    r->summary);
    dropout_apply(weights->kernels, (size_t)B * (size_t)classifier->encoder.M, r->summary,
                  summary_mask, r->summary);
}

/* ---- training ---- */

struct pass {
    struct reading reading;
    real *x_mask, *summary_mask; // dropout, NULL without
    real *d_x;                   // (S,B,E)
    real *d_memory;              // (S,B,M)
    real *d_summary;             // (B,M)
};

static void lay_out(struct pass *p, const struct classifier *classifier,
                    const struct labelled_batch *batch, bool dropout, struct arena *a)
{
    const size_t B = (size_t)batch->B, rows = (size_t)batch->S * B;
    const size_t E = (size_t)classifier->config.embedding, M = (size_t)classifier->encoder.M;
    memset(p, 0, sizeof *p);
    lay_out_reading(&p->reading, classifier, batch->S, batch->B, batch->len, dropout, a);
    if (dropout) {
        p->x_mask = arena_array(a, real, rows * E);
        p->summary_mask = arena_array(a, real, B * M);
    }
    p->d_x = arena_array(a, real, rows * E);
    p->d_memory = arena_array(a, real, rows * M);
    p->d_summary = arena_array(a, real, B * M);
}

size_t classifier_loss_bytes(const struct classifier *classifier, int B, int S)
{
    const struct labelled_batch sizes = { .B = B, .S = S };
    const size_t encoder = encoder_backward_bytes(&classifier->encoder, S, B);
    const size_t output = output_loss_bytes(&classifier->output);
    struct arena measure = arena_measure();
    struct pass pass;
    lay_out(&pass, classifier, &sizes, true, &measure);
    return measure.used + (encoder > output ? encoder : output);
}

static void draw_masks(struct pass *p, const struct classifier *classifier,
                       const struct labelled_batch *batch, const struct loss_options *options)
{
    const size_t B = (size_t)batch->B, rows = (size_t)batch->S * B;
    const real dropout = options->dropout;
    struct rng rng = options->rng;
    dropout_mask(&rng, dropout, rows * (size_t)classifier->config.embedding, p->x_mask);
    encoder_draw_masks(&classifier->encoder, &p->reading.encoder, &rng, dropout);
    dropout_mask(&rng, dropout, B * (size_t)classifier->encoder.M, p->summary_mask);
}

static void backward(const struct classifier *classifier, const struct weights *weights,
                     const struct labelled_batch *batch, struct pass *p, real *gradients,
                     struct arena *scratch)
{
    const size_t B = (size_t)batch->B, rows = (size_t)batch->S * B;
    const size_t E = (size_t)classifier->config.embedding, M = (size_t)classifier->encoder.M;
    memset(p->d_memory, 0, rows * M * sizeof(real));
    memset(p->d_x, 0, rows * E * sizeof(real));
    dropout_apply(weights->kernels, B * M, p->d_summary, p->summary_mask, p->d_summary);
    encoder_summary_backward(&classifier->encoder, SUMMARY, batch->B, batch->len, p->d_summary,
                             p->d_memory);
    encoder_backward(&classifier->encoder, weights, &p->reading.encoder, p->d_memory, p->d_x,
                     gradients, scratch);
    dropout_apply(weights->kernels, rows * E, p->d_x, p->x_mask, p->d_x);
    embedding_backward(classifier->embedding, rows, p->reading.ids, p->d_x, gradients);
}

static enum status check_room(const struct arena *scratch, size_t needed, int B, int S,
                              struct error *err)
{
    if (scratch->size - scratch->used >= needed)
        return STATUS_OK;
    return error_set(err, STATUS_NO_MEMORY,
                     "classifying %d sequences of up to %d ids needs %zu bytes of scratch", B, S,
                     needed);
}

enum status classifier_loss(const struct classifier *classifier, const struct weights *weights,
                            const struct labelled_batch *batch, const struct loss_options *options,
                            struct arena *scratch, real *gradients, struct loss *out,
                            struct error *err)
{
    const int B = batch->B, S = batch->S;
    const bool dropout = options->dropout > 0;
    enum status status = check_room(scratch, classifier_loss_bytes(classifier, B, S), B, S, err);
    if (status != STATUS_OK)
        return status;
    const struct arena_mark mark = arena_mark(scratch);
    struct pass pass;
    lay_out(&pass, classifier, batch, dropout, scratch);
    for (int s = 0; s < S; s++)
        for (int b = 0; b < B; b++)
            pass.reading.ids[s * B + b] =
                s < batch->len[b] ? batch->ids[(size_t)b * (size_t)S + (size_t)s] : 0;
    if (dropout)
        draw_masks(&pass, classifier, batch, options);
    read_sequences(classifier, weights, &pass.reading, pass.x_mask, pass.summary_mask);
    *out = output_loss(&classifier->output, weights, B, pass.reading.summary, batch->labels,
                       options, pass.d_summary, gradients, scratch);
    if (gradients)
        backward(classifier, weights, batch, &pass, gradients, scratch);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}

/* ---- inference ---- */

static int longest(const int *len, int count)
{
    int S = 1;
    for (int b = 0; b < count; b++)
        S = len[b] > S ? len[b] : S;
    return S;
}

size_t classifier_log_probs_bytes(const struct classifier *classifier, int count, int S)
{
    struct arena measure = arena_measure();
    struct reading reading;
    lay_out_reading(&reading, classifier, S, count, NULL, false, &measure);
    return measure.used;
}

enum status classifier_log_probs(const struct classifier *classifier, const struct weights *weights,
                                 const int32_t *const *ids, const int *len, int count,
                                 struct arena *scratch, real *log_probs, struct error *err)
{
    const int S = longest(len, count);
    enum status status =
        check_room(scratch, classifier_log_probs_bytes(classifier, count, S), count, S, err);
    if (status != STATUS_OK)
        return status;
    const struct arena_mark mark = arena_mark(scratch);
    struct reading reading;
    lay_out_reading(&reading, classifier, S, count, len, false, scratch);
    for (int s = 0; s < S; s++)
        for (int b = 0; b < count; b++)
            reading.ids[s * count + b] = s < len[b] ? ids[b][s] : 0;
    read_sequences(classifier, weights, &reading, NULL, NULL);
    output_log_probs(&classifier->output, weights, count, reading.summary, log_probs);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}
