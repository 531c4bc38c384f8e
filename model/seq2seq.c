/*
 * seq2seq.c - the whole model: loss and gradients of a batch, encoding, one step.
 */
#include "model/seq2seq.h"

#include <assert.h>
#include <string.h>

#include "base/stopwatch.h"
#include "model/layers/dropout.h"
#include "model/layers/embedding.h"
#include "model/parts.h"

#define ID_START 2 // <s>, in front of every target

void seq2seq_init(struct seq2seq *model, const struct config *config)
{
    model->config = *config;
    params_init(&model->params);
    model->embedding = params_add(&model->params, INIT_EMBEDDING, config->vocabulary,
                                  config->embedding, "embedding");
    params_set_use(&model->params, model->embedding, USE_BOTH);
    encoder_declare(&model->encoder, &model->params, config);
    decoder_declare(&model->decoder, &model->params, config, model->encoder.M);
    output_declare(&model->output, &model->params, model->embedding);
}

/* ---- training: what one batch needs, in the order the forward pass fills it ---- */

struct masks {     // dropout, NULL without
    real *x;       // (S,B,E) source embeddings
    real *y;       // (T,B,E) target embeddings
    real *memory;  // (S,B,M)
    real *readout; // (n,E)
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
    real *memory;    // (S,B,M) the encoder's after dropout
    real *sentences; // (B,S,M) the same
    real *summary;   // (B,M)
    struct decoder_run decoder;
    real *readout;     // (n,E) rows of gold, after dropout
    real *d_gold;      // (n,E)
    real *d_readout;   // (T,B,E)
    real *d_memory;    // (S,B,M)
    real *d_sentences; // (B,S,M)
    real *d_summary;   // (B,M)
    real *d_x, *d_y;   // as x and y
    real *d_alignment; // (T,B,S) from the links
    double *squares;   // (T,B) for a trace
};

/* Gradients are laid out for every pass: they are a third of the memory, and one list stays one
 * list. */
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
    if (dropout) {
        p->masks.x = arena_array(a, real, source * E);
        p->masks.y = arena_array(a, real, target * E);
        p->masks.memory = arena_array(a, real, source * M);
        p->masks.readout = arena_array(a, real, target * E);
    }
    p->x = arena_array(a, real, source * E);
    p->y = arena_array(a, real, target * E);
    p->encoder = (struct encoder_run){
        .S = batch->S, .B = batch->B, .dropout = dropout, .len = batch->source_len, .x = p->x
    };
    encoder_lay_out(&model->encoder, &p->encoder, a);
    p->memory = arena_array(a, real, source * M);
    p->sentences = arena_array(a, real, source * M);
    p->summary = arena_array(a, real, B * M);
    p->decoder = (struct decoder_run){ .T = batch->T,
                                       .S = batch->S,
                                       .B = batch->B,
                                       .dropout = dropout,
                                       .source_len = batch->source_len,
                                       .target_len = batch->target_len,
                                       .memory = p->sentences,
                                       .summary = p->summary,
                                       .y = p->y };
    decoder_lay_out(&model->decoder, &p->decoder, a);
    p->readout = arena_array(a, real, target * E);
    p->d_gold = arena_array(a, real, target * E);
    p->d_readout = arena_array(a, real, target * E);
    p->d_memory = arena_array(a, real, source * M);
    p->d_sentences = arena_array(a, real, source * M);
    p->d_summary = arena_array(a, real, B * M);
    p->d_x = arena_array(a, real, source * E);
    p->d_y = arena_array(a, real, target * E);
    p->d_alignment = arena_array(a, real, model->decoder.attends ? target * (size_t)batch->S : 0);
    p->squares = arena_array(a, double, target);
}

static size_t largest(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What a pass needs beside its layout, one after the other. */
static size_t scratch_bytes(const struct seq2seq *model, int B, int S, int T)
{
    const size_t encoder = encoder_backward_bytes(&model->encoder, S, B);
    const size_t decoder = decoder_backward_bytes(&model->decoder, T, S, B);
    return largest(output_loss_bytes(&model->output), largest(encoder, decoder));
}

size_t seq2seq_loss_bytes(const struct seq2seq *model, int B, int S, int T)
{
    const struct batch sizes = { .B = B, .S = S, .T = T };
    struct arena measure = arena_measure();
    struct pass pass;
    lay_out(&pass, model, &sizes, true, &measure);
    return measure.used + scratch_bytes(model, B, S, T);
}

/* Ids to time-major; targets shifted by one; the rows that count, which are the last ones if
 * `last_alone`. */
static void arrange_ids(struct pass *p, const struct batch *batch, bool last_alone)
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
            if (real_piece && (!last_alone || t == batch->target_len[b] - 1)) {
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
    const real dropout = options->dropout;
    struct rng rng = options->rng;
    dropout_mask(&rng, dropout, (size_t)batch->S * B * E, p->masks.x);
    dropout_mask(&rng, dropout, (size_t)batch->T * B * E, p->masks.y);
    dropout_mask(&rng, dropout, (size_t)batch->S * B * (size_t)model->decoder.M, p->masks.memory);
    encoder_draw_masks(&model->encoder, &p->encoder, &rng, dropout);
    decoder_draw_masks(&model->decoder, &p->decoder, &rng, dropout);
    dropout_mask(&rng, dropout, (size_t)p->gold_count * E, p->masks.readout);
}

/* Rows (outer,inner,n) to (inner,outer,n): from steps to sentences, or back. */
static void swap_order(size_t outer, size_t inner, size_t n, const real *from, real *to)
{
    for (size_t i = 0; i < inner; i++)
        for (size_t o = 0; o < outer; o++)
            memcpy(to + (i * outer + o) * n, from + (o * inner + i) * n, n * sizeof *to);
}

static void forward(const struct seq2seq *model, const struct weights *weights,
                    const struct batch *batch, struct pass *p)
{
    const size_t B = (size_t)batch->B, E = (size_t)model->config.embedding;
    const size_t source = (size_t)batch->S * B, target = (size_t)batch->T * B;
    embedding_forward(weights, model->embedding, source, p->source, p->x);
    dropout_apply(weights->kernels, source * E, p->x, p->masks.x, p->x);
    encoder_forward(&model->encoder, weights, &p->encoder);
    dropout_apply(weights->kernels, source * (size_t)model->decoder.M, p->encoder.memory,
                  p->masks.memory, p->memory);
    encoder_summary(&model->encoder, model->config.attention_kind, batch->S, batch->B,
                    batch->source_len, p->memory, p->summary);
    swap_order((size_t)batch->S, B, (size_t)model->decoder.M, p->memory, p->sentences);
    embedding_forward(weights, model->embedding, target, p->previous, p->y);
    dropout_apply(weights->kernels, target * E, p->y, p->masks.y, p->y);
    decoder_forward(&model->decoder, weights, &p->decoder);
    for (size_t i = 0; i < (size_t)p->gold_count; i++)
        memcpy(p->readout + i * E, p->decoder.readout + (size_t)p->gold_row[i] * E,
               E * sizeof(real));
    dropout_apply(weights->kernels, (size_t)p->gold_count * E, p->readout, p->masks.readout,
                  p->readout);
}

/* The loss of the links, and what the alignments owe to it. */
static double guide(const struct batch *batch, struct pass *p, const struct loss_options *options)
{
    memset(p->d_alignment, 0,
           (size_t)batch->T * (size_t)batch->B * (size_t)batch->S * sizeof(real));
    return guidance_loss(batch->links, batch->link_count, batch->B, batch->S, p->decoder.alignment,
                         options->guidance * options->scale, p->d_alignment);
}

/* d_gold to the rows it belongs to, back through the decoder and the start. */
static void decoder_and_start_backward(const struct seq2seq *model, const struct weights *weights,
                                       const struct batch *batch, struct pass *p, bool traced,
                                       bool guided, real *gradients, struct arena *scratch)
{
    const size_t E = (size_t)model->config.embedding;
    const struct decoder_gradients back = { .d_readout = p->d_readout,
                                            .d_memory = p->d_sentences,
                                            .d_summary = p->d_summary,
                                            .d_y = p->d_y,
                                            .squares = traced ? p->squares : NULL,
                                            .d_alignment = guided ? p->d_alignment : NULL };
    dropout_apply(weights->kernels, (size_t)p->gold_count * E, p->d_gold, p->masks.readout,
                  p->d_gold);
    for (size_t i = 0; i < (size_t)p->gold_count; i++)
        memcpy(p->d_readout + (size_t)p->gold_row[i] * E, p->d_gold + i * E, E * sizeof(real));
    decoder_backward(&model->decoder, weights, &p->decoder, &back, gradients, scratch);
    swap_order((size_t)batch->B, (size_t)batch->S, (size_t)model->decoder.M, p->d_sentences,
               p->d_memory);
    encoder_summary_backward(&model->encoder, model->config.attention_kind, batch->B,
                             batch->source_len, p->d_summary, p->d_memory);
}

static void backward(const struct seq2seq *model, const struct weights *weights,
                     const struct batch *batch, struct pass *p, bool traced, bool guided,
                     real *gradients, struct arena *scratch)
{
    const size_t B = (size_t)batch->B, E = (size_t)model->config.embedding;
    const size_t source = (size_t)batch->S * B, target = (size_t)batch->T * B;
    const size_t M = (size_t)model->decoder.M;
    memset(p->d_readout, 0, target * E * sizeof(real));
    memset(p->d_sentences, 0, source * M * sizeof(real));
    memset(p->d_summary, 0, B * M * sizeof(real));
    memset(p->d_x, 0, source * E * sizeof(real));
    memset(p->d_y, 0, target * E * sizeof(real));

    decoder_and_start_backward(model, weights, batch, p, traced, guided, gradients, scratch);
    dropout_apply(weights->kernels, target * E, p->d_y, p->masks.y, p->d_y);
    embedding_backward(model->embedding, target, p->previous, p->d_y, gradients);
    dropout_apply(weights->kernels, source * M, p->d_memory, p->masks.memory, p->d_memory);
    encoder_backward(&model->encoder, weights, &p->encoder, p->d_memory, p->d_x, gradients,
                     scratch);
    dropout_apply(weights->kernels, source * E, p->d_x, p->masks.x, p->d_x);
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
    const int part = stopwatch_enter(PART_INPUT);
    const bool dropout = options->dropout > 0;
    const bool guided = options->guidance > 0 && batch->link_count > 0 && model->decoder.attends;
    struct pass pass;
    lay_out(&pass, model, batch, dropout, scratch);
    arrange_ids(&pass, batch, options->trace != NULL);
    if (dropout)
        draw_masks(&pass, model, batch, options);
    forward(model, weights, batch, &pass);
    *out = output_loss(&model->output, weights, pass.gold_count, pass.readout, pass.gold, options,
                       pass.d_gold, gradients, scratch);
    if (guided)
        out->smoothed += (double)options->guidance * guide(batch, &pass, options);
    if (gradients)
        backward(model, weights, batch, &pass, options->trace != NULL, guided, gradients, scratch);
    for (int b = 0; gradients && options->trace && b < batch->B; b++)
        gradient_trace_add(options->trace, pass.squares + b, batch->target_len[b], batch->B);
    stopwatch_enter(part);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}

/* ---- inference ---- */

int seq2seq_state_width(const struct seq2seq *model)
{
    return decoder_state_width(&model->decoder);
}

/* Reals of a row that is made of a state of the encoder. */
static int row_width(const struct seq2seq *model)
{
    return decoder_folds(&model->decoder) ? folded_row_width(&model->decoder)
                                          : decoder_memory_width(&model->decoder);
}

static size_t memory_size(const struct seq2seq *model, const struct weights *weights, int S)
{
    if (decoder_folds(&model->decoder))
        return folded_memory_size(&model->decoder, weights, S);
    return (size_t)S * (size_t)row_width(model);
}

void seq2seq_memory_lay_out(const struct seq2seq *model, const struct weights *weights, int S,
                            struct arena *arena, struct memory *memory)
{
    memory->rows = arena_array(arena, real, memory_size(model, weights, S));
    memory->start = arena_array(arena, real, seq2seq_state_width(model));
}

#define ENCODE_CELLS 256 // sentences x pieces of the longest, at once; or one sentence

/* Sentences in falling order of length, so that those of a step are the first ones. */
struct encode_scratch {
    const int *order; // (B) whose place it was among those given
    int *len;         // (B)
    int *first;       // (S+1) as of a recurrent_run
    int32_t *ids;     // (pieces) time-major
    real *x;          // (pieces,E)
    struct encoder_run run;
    real *summary; // (B,M)
    real *starts;  // (B,state width)
    real *states;  // (pieces,M) of the sentences, one behind the other
    real *rows;    // (pieces,row width)
};

static void lay_out_encode(struct encode_scratch *k, const struct seq2seq *model, int S, int B,
                           struct arena *a)
{
    const size_t rows = (size_t)S * (size_t)B, M = (size_t)model->decoder.M;
    k->len = arena_array(a, int, B);
    k->first = arena_array(a, int, S + 1);
    k->ids = arena_array(a, int32_t, rows);
    k->x = arena_array(a, real, rows * (size_t)model->config.embedding);
    k->run = (struct encoder_run){ .S = S, .B = B, .len = k->len, .first = k->first, .x = k->x };
    encoder_lay_out(&model->encoder, &k->run, a);
    k->summary = arena_array(a, real, (size_t)B * M);
    k->starts = arena_array(a, real, (size_t)B * (size_t)seq2seq_state_width(model));
    k->states = arena_array(a, real, rows * M);
    k->rows = arena_array(a, real, rows * (size_t)row_width(model));
}

static size_t encode_bytes(const struct seq2seq *model, int S, int B)
{
    struct arena measure = arena_measure();
    struct encode_scratch scratch;
    lay_out_encode(&scratch, model, S, B, &measure);
    return measure.used;
}

/* How many of `count` sentences of at most S pieces are encoded at once. */
static int encoded_at_once(int count, int S)
{
    const int most = S < ENCODE_CELLS ? ENCODE_CELLS / S : 1;
    return count < most ? count : most;
}

static int *lay_out_order(int count, struct arena *arena)
{
    return arena_array(arena, int, count);
}

size_t seq2seq_encode_bytes(const struct seq2seq *model, int count, int S)
{
    struct arena measure = arena_measure();
    size_t most = 0;
    (void)lay_out_order(count, &measure);
    for (int s = 1; s <= S; s++) {
        const size_t bytes = encode_bytes(model, s, encoded_at_once(count, s));
        most = bytes > most ? bytes : most;
    }
    return measure.used + most;
}

/* The longest first; equals stay in their order. */
static void sort_by_length(const int *len, int count, int *order)
{
    for (int b = 0; b < count; b++) {
        int at = b;
        for (; at > 0 && len[order[at - 1]] < len[b]; at--)
            order[at] = order[at - 1];
        order[at] = b;
    }
}

/* Embeddings of all pieces, step by step. */
static void embed(const struct seq2seq *model, const struct weights *weights,
                  const int32_t *const *ids, const struct encode_scratch *k)
{
    int rows = 0;
    for (int s = 0; s < k->run.S; s++) {
        k->first[s] = rows;
        for (int b = 0; b < k->run.B && s < k->len[b]; b++)
            k->ids[rows++] = ids[k->order[b]][s];
    }
    k->first[k->run.S] = rows;
    embedding_forward(weights, model->embedding, (size_t)rows, k->ids, k->x);
}

/* The states of all sentences without padding; returns how many pieces they have. */
static int gather_states(const struct seq2seq *model, const struct encode_scratch *k)
{
    const size_t M = (size_t)model->decoder.M, B = (size_t)k->run.B;
    size_t row = 0;
    for (size_t b = 0; b < B; b++)
        for (size_t s = 0; s < (size_t)k->len[b]; s++, row++)
            memcpy(k->states + row * M, k->run.memory + (s * B + b) * M, M * sizeof(real));
    return (int)row;
}

/* Rows and starts of the memories, by one product for all sentences. */
static void make_memories(const struct seq2seq *model, const struct weights *weights,
                          const struct encode_scratch *k, struct memory *const *out)
{
    const struct decoder *d = &model->decoder;
    const size_t width = (size_t)row_width(model);
    const size_t state = (size_t)seq2seq_state_width(model);
    const int part = stopwatch_enter(PART_ATTENTION), B = k->run.B;
    const int pieces = gather_states(model, k);
    const real *row = k->rows;
    if (decoder_folds(d))
        folded_rows(d, weights, pieces, k->states, k->rows);
    else
        decoder_memory(d, weights, pieces, k->states, k->rows);
    decoder_start(d, weights, B, k->summary, k->starts);
    for (int b = 0; b < B; b++) {
        struct memory *memory = out[k->order[b]];
        const size_t elements = (size_t)k->len[b] * width;
        if (decoder_folds(d))
            folded_memory(d, weights, k->len[b], row, memory->rows);
        else
            memcpy(memory->rows, row, elements * sizeof(real));
        memcpy(memory->start, k->starts + (size_t)b * state, state * sizeof(real));
        memory->S = k->len[b];
        row += elements;
    }
    stopwatch_enter(part);
}

/* The B sentences that come first in `order`. */
static enum status encode_some(const struct seq2seq *model, const struct weights *weights,
                               const int32_t *const *ids, const int *len, const int *order, int B,
                               struct arena *scratch, struct memory *const *out, struct error *err)
{
    const int S = len[order[0]];
    const size_t needed = encode_bytes(model, S, B);
    if (scratch->size - scratch->used < needed)
        return error_set(err, STATUS_NO_MEMORY,
                         "encoding %d sentences of %d pieces needs %zu bytes", B, S, needed);
    const struct arena_mark mark = arena_mark(scratch);
    struct encode_scratch k;
    lay_out_encode(&k, model, S, B, scratch);
    k.order = order;
    for (int b = 0; b < B; b++)
        k.len[b] = len[order[b]];
    embed(model, weights, ids, &k);
    encoder_forward(&model->encoder, weights, &k.run);
    encoder_summary(&model->encoder, model->config.attention_kind, S, B, k.len, k.run.memory,
                    k.summary);
    make_memories(model, weights, &k, out);
    arena_rewind(scratch, mark);
    return STATUS_OK;
}

enum status seq2seq_encode(const struct seq2seq *model, const struct weights *weights,
                           const int32_t *const *ids, const int *len, int count,
                           struct arena *scratch, struct memory *const *out, struct error *err)
{
    const struct arena_mark mark = arena_mark(scratch);
    int *order = lay_out_order(count, scratch);
    if (!order)
        return error_set(err, STATUS_NO_MEMORY, "no scratch to encode %d sentences", count);
    sort_by_length(len, count, order);
    enum status status = STATUS_OK;
    for (int from = 0, some; status == STATUS_OK && from < count; from += some) {
        some = encoded_at_once(count - from, len[order[from]]);
        status = encode_some(model, weights, ids, len, order + from, some, scratch, out, err);
    }
    arena_rewind(scratch, mark);
    return status;
}

/* What decoder_step wants beside the step. */
struct step_scratch {
    real *y;           // (N,E)
    real *state;       // (N,state width)
    const real **rows; // (N)
    int *S;            // (N)
};

static void lay_out_step(struct step_scratch *k, const struct seq2seq *model, int N,
                         struct arena *a)
{
    const size_t rows = (size_t)N;
    const bool folds = decoder_folds(&model->decoder);
    k->rows = arena_array(a, const real *, rows);
    k->S = arena_array(a, int, rows);
    k->y = folds ? NULL : arena_array(a, real, rows * (size_t)model->config.embedding);
    k->state = folds ? NULL : arena_array(a, real, rows * (size_t)seq2seq_state_width(model));
}

size_t seq2seq_step_bytes(const struct seq2seq *model, int N)
{
    struct arena measure = arena_measure();
    struct step_scratch scratch;
    lay_out_step(&scratch, model, N, &measure);
    return measure.used + (decoder_folds(&model->decoder) ? folded_step_bytes(&model->decoder, N)
                                                          : decoder_step_bytes(&model->decoder, N));
}

static void unfolded_step(const struct seq2seq *model, const struct weights *weights,
                          const struct step *step, const struct step_scratch *k,
                          struct arena *scratch)
{
    const size_t width = (size_t)seq2seq_state_width(model);
    embedding_forward(weights, model->embedding, (size_t)step->N, step->previous, k->y);
    for (size_t n = 0; n < (size_t)step->N; n++)
        memcpy(k->state + n * width, step->state[n], width * sizeof(real));
    const struct decoder_step inner = { .N = step->N,
                                        .y = k->y,
                                        .memory = k->rows,
                                        .S = k->S,
                                        .state = k->state,
                                        .next_state = step->next_state,
                                        .alignment = step->alignment,
                                        .ld_alignment = step->ld_alignment,
                                        .readout = step->readout };
    decoder_step(&model->decoder, weights, &inner, scratch);
}

enum status seq2seq_step(const struct seq2seq *model, const struct weights *weights,
                         const struct step *step, struct row_cache *cache, struct arena *scratch,
                         struct error *err)
{
    const int N = step->N;
    if (scratch->size - scratch->used < seq2seq_step_bytes(model, N))
        return error_set(err, STATUS_NO_MEMORY, "a step of %d rows needs %zu bytes", N,
                         seq2seq_step_bytes(model, N));
    const struct arena_mark mark = arena_mark(scratch);
    struct step_scratch k;
    lay_out_step(&k, model, N, scratch);
    for (int n = 0; n < N; n++) {
        k.rows[n] = step->memory[n]->rows;
        k.S[n] = step->memory[n]->S;
    }
    if (decoder_folds(&model->decoder)) {
        const struct folded_step inner = { .N = N,
                                           .previous = step->previous,
                                           .embedding = model->embedding,
                                           .memory = k.rows,
                                           .S = k.S,
                                           .state = step->state,
                                           .next_state = step->next_state,
                                           .alignment = step->alignment,
                                           .ld_alignment = step->ld_alignment,
                                           .readout = step->readout };
        folded_step(&model->decoder, weights, &inner, cache, scratch);
    } else {
        unfolded_step(model, weights, step, &k, scratch);
    }
    arena_rewind(scratch, mark);
    return STATUS_OK;
}
