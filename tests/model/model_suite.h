/*
 * model_suite.h - the layers and the whole model against the reference values,
 * by gradient checks, and with and without padding. Included by two programs:
 * one with the model in double, one in float with the fast kernels.
 */
#ifndef TESTS_MODEL_MODEL_SUITE_H
#define TESTS_MODEL_MODEL_SUITE_H

#include "base/arena.h"
#include "base/rng.h"
#include "model/layers/dropout.h"
#include "model/layers/embedding.h"
#include "model/layers/linear.h"
#include "model/seq2seq.h"
#include "tests/model/reference_file.h"

static struct arena arena, results;

static void open_arena(void)
{
    ck_assert(arena_init(&arena, 256 << 20));
    ck_assert(arena_init(&results, 16 << 20));
}

static void close_arena(void)
{
    arena_release(&arena);
    arena_release(&results);
}

/* ---- attention ---- */

static void set(real *values, struct tensor t, json_t *root, const char *path)
{
    real *from = reference_reals(root, path);
    memcpy(values + t.offset, from, (size_t)t.rows * (size_t)t.cols * sizeof *from);
    free(from);
}

START_TEST(attention_equals_the_reference)
{
    open_arena();
    json_t *root = reference_open("attention_additive.json");
    const int S = reference_int(root, "S"), B = reference_int(root, "B");
    const int M = reference_int(root, "D"), A = reference_int(root, "A");
    const int H = reference_int(root, "H");
    struct params params;
    struct attention attention;
    params_init(&params);
    attention_declare(&attention, &params, A, H, M);
    real *values = calloc(params.total, sizeof *values);
    real *gradients = calloc(params.total, sizeof *gradients);
    set(values, attention.query, root, "Wq");
    set(values, attention.key, root, "Wk");
    set(values, attention.key_bias, root, "bk");
    set(values, attention.v, root, "v");
    const struct weights weights = { .params = &params, .kernels = KERNELS, .values = values };

    /* The file is time-major too: memory (S,B,M), alignment and its loss weights (B,S). */
    int *len = reference_ints(root, "lengths");
    real *memory = reference_reals(root, "M"), *state = reference_reals(root, "s");
    real *gl = reference_reals(root, "gl"), *ga = reference_reals(root, "ga");
    real *keys = calloc((size_t)(S * B * A), sizeof *keys);
    real *query = calloc((size_t)(B * A), sizeof *query);
    real *alignment = calloc((size_t)(B * S), sizeof *alignment);
    real *context = calloc((size_t)(B * M), sizeof *context);
    real *d_memory = calloc((size_t)(S * B * M), sizeof *d_memory);
    real *d_keys = calloc((size_t)(S * B * A), sizeof *d_keys);
    real *d_query = calloc((size_t)(B * A), sizeof *d_query);
    real *d_state = calloc((size_t)(B * H), sizeof *d_state);
    attention_keys(&attention, &weights, S * B, memory, keys);
    weights_product(&weights, attention.query, B, state, H, false, query, A);
    for (int b = 0; b < B; b++) {
        attention_forward(&attention, &weights, len[b], keys + b * A, B * A, query + b * A,
                          alignment + b * S);
        KERNELS->weighted_sums(1, len[b], M, alignment + b * S, 0, memory + b * M, B * M,
                               context + b * M, 0);
    }
    assert_like_reference(alignment, root, "weights");
    assert_like_reference(context, root, "context");

    for (int b = 0; b < B; b++) {
        real *d_alignment = ga + b * S;
        KERNELS->row_dots(len[b], M, memory + b * M, B * M, gl + b * M, d_alignment);
        KERNELS->gemm(GEMM_TN, len[b], M, 1, alignment + b * S, S, gl + b * M, M, true,
                      d_memory + b * M, B * M);
        attention_backward(&attention, &weights, len[b], keys + b * A, B * A, query + b * A,
                           alignment + b * S, d_alignment, d_keys + b * A, d_query + b * A,
                           gradients);
    }
    product_backward(&weights, attention.query, B, state, H, d_query, d_state, H, gradients);
    product_backward(&weights, attention.key, S * B, memory, M, d_keys, d_memory, M, gradients);
    bias_backward(&weights, attention.key_bias, S * B, d_keys, gradients);
    assert_like_reference(gradients + attention.query.offset, root, "grads/Wq");
    assert_like_reference(gradients + attention.key.offset, root, "grads/Wk");
    assert_like_reference(gradients + attention.key_bias.offset, root, "grads/bk");
    assert_like_reference(gradients + attention.v.offset, root, "grads/v");
    assert_like_reference(d_memory, root, "grads/M");
    assert_like_reference(d_state, root, "grads/s");

    free(values), free(gradients), free(len), free(memory), free(state), free(gl), free(ga);
    free(keys), free(query), free(alignment), free(context), free(d_memory), free(d_keys);
    free(d_query), free(d_state);
    json_decref(root);
    close_arena();
}
END_TEST

START_TEST(equal_keys_share_the_weight)
{
    real keys[4 * 3] = { 0 }, query[3] = { 1, -2, 3 }, v[3] = { 1, 1, 1 }, e[4];
    KERNELS->energies(4, 3, keys, 3, query, v, e);
    KERNELS->softmax(4, e);
    for (size_t s = 0; s < 4; s++)
        assert_near(e[s], 0.25, 1e-6, "weight", s);
}
END_TEST

/* ---- loss ---- */

START_TEST(cross_entropy_equals_the_reference)
{
    json_t *root = reference_open(_i ? "cross_entropy_ls1.json" : "cross_entropy_ls0.json");
    real *logits = reference_reals(root, "logits");
    int *targets = reference_ints(root, "targets");
    const int V = 11, rows = 9;
    const double smoothing = json_number_value(reference_at(root, "smoothing"));
    int count = 0;
    for (int i = 0; i < rows; i++)
        count += targets[i] != 0;
    double loss = 0;
    for (int i = 0; i < rows; i++) {
        real plain, *row = logits + i * V;
        if (targets[i] != 0)
            loss += (double)KERNELS->cross_entropy(V, row, targets[i], (real)smoothing,
                                                   1 / (real)count, &plain, row);
        else
            memset(row, 0, (size_t)V * sizeof *row);
    }
    assert_near((real)(loss / count), json_number_value(reference_at(root, "loss")), TOLERANCE,
                "loss", 0);
    assert_like_reference(logits, root, "grad");
    free(logits), free(targets);
    json_decref(root);
}
END_TEST

/* ---- the whole model ---- */

struct whole {
    struct seq2seq model;
    real *values, *gradients;
    struct weights weights;
};

static void whole_open(struct whole *w, const struct config *config, uint64_t seed)
{
    open_arena();
    seq2seq_init(&w->model, config);
    w->values = calloc(w->model.params.total, sizeof *w->values);
    w->gradients = calloc(w->model.params.total, sizeof *w->gradients);
    ck_assert(params_initialise(&w->model.params, w->values, seed));
    w->weights =
        (struct weights){ .params = &w->model.params, .kernels = KERNELS, .values = w->values };
}

static void whole_close(struct whole *w)
{
    free(w->values);
    free(w->gradients);
    close_arena();
}

/* A column slice of a reference matrix into a tensor of its own, or back against it. */
static void each_slice(struct whole *w, json_t *root, const char *path, const char *name, int from,
                       bool compare)
{
    const struct param *p = params_find(&w->model.params, name);
    ck_assert_msg(p, "no tensor %s", name);
    json_t *data = reference_data(root, path);
    const size_t rows = (size_t)p->tensor.rows, cols = (size_t)p->tensor.cols;
    const size_t all = json_array_size(data) / rows;
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++) {
            const double value =
                json_number_value(json_array_get(data, r * all + (size_t)from + c));
            const size_t at = p->tensor.offset + r * cols + c;
            if (compare)
                assert_near(w->gradients[at], value, TOLERANCE, name, r * cols + c);
            else
                w->values[at] = (real)value;
        }
    }
}

static void each_tensor(struct whole *w, json_t *root, const char *folder, bool compare)
{
    const struct config *c = &w->model.config;
    const struct {
        const char *key, *name;
        int from;
    } slices[] = {
        { "emb", "embedding", 0 },
        { "fW", "encoder.0.forward.w", 0 },
        { "fU", "encoder.0.forward.u", 0 },
        { "fb", "encoder.0.forward.bias", 0 },
        { "bW", "encoder.0.backward.w", 0 },
        { "bU", "encoder.0.backward.u", 0 },
        { "bb", "encoder.0.backward.bias", 0 },
        { "Winit", "bridge.w", 0 },
        { "binit", "bridge.bias", 0 },
        { "Wq", "attention.query", 0 },
        { "Wk", "attention.key", 0 },
        { "bk", "attention.key_bias", 0 },
        { "v", "attention.v", 0 },
        { "dW", "decoder.0.w", 0 },
        { "dW", "decoder.0.context", c->embedding },
        { "dU", "decoder.0.u", 0 },
        { "db", "decoder.0.bias", 0 },
        { "Wr", "readout.state", 0 },
        { "Wr", "readout.context", c->hidden },
        { "Wr", "readout.previous", c->hidden + w->model.decoder.M },
        { "br", "readout.bias", 0 },
        { "bo", "output.bias", 0 },
    };
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", folder, slices[i].key);
        each_slice(w, root, path, slices[i].name, slices[i].from, compare);
    }
}

/* Lengths up to the first padding. */
static void lengths_of(const int32_t *ids, int B, int n, int *len)
{
    for (int b = 0; b < B; b++)
        for (len[b] = 0; len[b] < n && ids[b * n + len[b]] != 0; len[b]++)
            ;
}

/* Memory width 6 and decoder state 5 in the file: the decoder's width is not the encoder's there,
 * so this builds the model by hand. */
static void whole_open_reference(struct whole *w, json_t *root)
{
    open_arena();
    memset(w, 0, sizeof *w);
    struct seq2seq *m = &w->model;
    m->config = config_default(KIND_TRANSLATE);
    m->config.vocabulary = 13;
    m->config.embedding = m->config.attention = 4;
    m->config.hidden = 5;
    struct config encoder = m->config;
    encoder.hidden = 3;
    params_init(&m->params);
    m->embedding = params_add(&m->params, INIT_EMBEDDING, 13, 4, "embedding");
    encoder_declare(&m->encoder, &m->params, &encoder);
    decoder_declare(&m->decoder, &m->params, &m->config, m->encoder.M);
    output_declare(&m->output, &m->params, m->embedding);
    w->values = calloc(m->params.total, sizeof *w->values);
    w->gradients = calloc(m->params.total, sizeof *w->gradients);
    w->weights = (struct weights){ .params = &m->params, .kernels = KERNELS, .values = w->values };
    each_tensor(w, root, "params", false);
}

START_TEST(whole_model_equals_the_reference)
{
    struct whole w;
    struct error err;
    json_t *root = reference_open("seq2seq.json");
    whole_open_reference(&w, root);
    int32_t *source = reference_ints(root, "src"), *target = reference_ints(root, "tgt_out");
    int source_len[2], target_len[2];
    const int B = 2, S = 4, T = 5;
    lengths_of(source, B, S, source_len);
    lengths_of(target, B, T, target_len);
    const struct batch batch = { .source = source,
                                 .source_len = source_len,
                                 .target = target,
                                 .target_len = target_len,
                                 .B = B,
                                 .S = S,
                                 .T = T };
    struct loss_options options = { .scale = 1 / (real)(target_len[0] + target_len[1]) };
    struct loss loss;
    assert_ok(
        seq2seq_loss(&w.model, &w.weights, &batch, &options, &arena, w.gradients, &loss, &err),
        err);
    ck_assert_int_eq(loss.pieces, target_len[0] + target_len[1]);
    assert_near((real)(loss.nats / (double)loss.pieces),
                json_number_value(reference_at(root, "loss")), TOLERANCE, "loss", 0);
    each_tensor(&w, root, "grads", true);
    free(source), free(target);
    json_decref(root);
    whole_close(&w);
}
END_TEST

/* The same numbers again through the functions that search uses. */
/* One sentence's search state: its memory and the row that is on its way. */
struct walk {
    struct memory memory;
    struct row_cache cache;
    real *state, *next; // (state width)
    real *alignment;    // (S)
    real *readout;      // (E)
    real *log_probs;    // (V)
};

static void walk_begin(struct walk *walk, struct whole *w, const int32_t *source, int S)
{
    struct error err;
    struct memory *const out = &walk->memory;
    const size_t width = (size_t)seq2seq_state_width(&w->model);
    seq2seq_memory_lay_out(&w->model, &w->weights, S, &results, &walk->memory);
    assert_ok(seq2seq_encode(&w->model, &w->weights, &source, &S, 1, &arena, &out, &err), err);
    row_cache_lay_out(&walk->cache, &w->model.decoder, &w->weights, 8, &results);
    row_cache_clear(&walk->cache);
    walk->state = arena_array(&results, real, width);
    walk->next = arena_array(&results, real, width);
    walk->alignment = arena_array(&results, real, S);
    walk->readout = arena_array(&results, real, w->model.config.embedding);
    walk->log_probs = arena_array(&results, real, w->model.config.vocabulary);
    memcpy(walk->state, walk->memory.start, width * sizeof(real));
}

static void walk_step(struct walk *walk, struct whole *w, int32_t previous)
{
    struct error err;
    const struct memory *const memory = &walk->memory;
    const real *const state = walk->state;
    const struct step step = { .N = 1,
                               .memory = &memory,
                               .previous = &previous,
                               .state = &state,
                               .next_state = walk->next,
                               .alignment = walk->alignment,
                               .ld_alignment = walk->memory.S,
                               .readout = walk->readout };
    assert_ok(seq2seq_step(&w->model, &w->weights, &step, &walk->cache, &arena, &err), err);
    output_log_probs(&w->model.output, &w->weights, 1, walk->readout, walk->log_probs);
    real *done = walk->state;
    walk->state = walk->next;
    walk->next = done;
}

START_TEST(memory_equals_the_reference)
{
    struct whole w;
    json_t *root = reference_open("seq2seq.json");
    whole_open_reference(&w, root);
    int32_t *source = reference_ints(root, "src");
    real *wanted = reference_reals(root, "memory");
    const int B = 2, S = 4, E = 4, M = 6;
    int len[2];
    lengths_of(source, B, S, len);
    real *x = arena_array(&results, real, S * E);
    for (int b = 0; b < B; b++) {
        struct encoder_run run = { .S = len[b], .B = 1, .len = &len[b], .x = x };
        embedding_forward(&w.weights, w.model.embedding, (size_t)len[b], source + b * S, x);
        encoder_lay_out(&w.model.encoder, &run, &results);
        encoder_forward(&w.model.encoder, &w.weights, &run);
        for (int i = 0; i < len[b] * M; i++)
            assert_near(run.memory[i], (double)wanted[b * S * M + i], TOLERANCE, "memory",
                        (size_t)i);
    }
    free(source), free(wanted);
    json_decref(root);
    whole_close(&w);
}
END_TEST

START_TEST(single_steps_equal_the_reference)
{
    struct whole w;
    json_t *root = reference_open("seq2seq.json");
    whole_open_reference(&w, root);
    int32_t *source = reference_ints(root, "src"), *input = reference_ints(root, "tgt_in");
    int32_t *target = reference_ints(root, "tgt_out");
    real *alignment = reference_reals(root, "weights"), *logits = reference_reals(root, "logits");
    const int B = 2, S = 4, T = 5, V = 13;
    int source_len[2], target_len[2];
    lengths_of(source, B, S, source_len);
    lengths_of(target, B, T, target_len);
    for (int b = 0; b < B; b++) {
        struct walk walk;
        walk_begin(&walk, &w, source + b * S, source_len[b]);
        for (int t = 0; t < target_len[b]; t++) {
            walk_step(&walk, &w, input[b * T + t]);
            for (int s = 0; s < source_len[b]; s++)
                assert_near(walk.alignment[s], (double)alignment[(b * T + t) * S + s], TOLERANCE,
                            "alignment", (size_t)s);
            real *wanted = logits + (b * T + t) * V;
            KERNELS->log_softmax(V, wanted);
            for (int v = 0; v < V; v++)
                assert_near(walk.log_probs[v], (double)wanted[v], TOLERANCE, "log_prob", (size_t)v);
        }
    }
    free(source), free(input), free(target), free(alignment), free(logits);
    json_decref(root);
    whole_close(&w);
}
END_TEST

/* ---- random batches ---- */

#define RANDOM_B 5
#define RANDOM_S 7
#define RANDOM_T 6

struct random_batch {
    int32_t source[RANDOM_B * RANDOM_S], target[RANDOM_B * RANDOM_T];
    int source_len[RANDOM_B], target_len[RANDOM_B];
    struct batch batch;
};

static void random_batch(struct random_batch *r, int V, uint64_t seed)
{
    struct rng rng = rng_make(seed, 7);
    memset(r, 0, sizeof *r);
    for (int b = 0; b < RANDOM_B; b++) {
        r->source_len[b] = b == 0 ? RANDOM_S : 1 + (int)rng_below(&rng, RANDOM_S);
        r->target_len[b] = b == 0 ? RANDOM_T : 1 + (int)rng_below(&rng, RANDOM_T);
        for (int s = 0; s < r->source_len[b]; s++)
            r->source[b * RANDOM_S + s] = 3 + (int32_t)rng_below(&rng, (uint64_t)V - 3);
        for (int t = 0; t < r->target_len[b]; t++)
            r->target[b * RANDOM_T + t] = 3 + (int32_t)rng_below(&rng, (uint64_t)V - 3);
    }
    r->batch = (struct batch){ .source = r->source,
                               .source_len = r->source_len,
                               .target = r->target,
                               .target_len = r->target_len,
                               .B = RANDOM_B,
                               .S = RANDOM_S,
                               .T = RANDOM_T };
}

/* Every system: cells, encoders, depths, with and without attention. */
static const struct system {
    enum cell_kind cell;
    enum encoder_kind encoder;
    enum attention_kind attention;
    int encoder_layers, decoder_layers;
} systems[] = {
    { CELL_LSTM, ENCODER_BIDIRECTIONAL, ATTENTION_BAHDANAU, 1, 1 },
    { CELL_LSTM, ENCODER_BIDIRECTIONAL, ATTENTION_BAHDANAU, 4, 4 }, // as GNMT: residuals above 2
    { CELL_LSTM, ENCODER_REVERSED, ATTENTION_NONE, 2, 2 },          // as Sutskever 2014
    { CELL_LSTM, ENCODER_BIDIRECTIONAL, ATTENTION_NONE, 1, 3 },
    { CELL_GRU, ENCODER_BIDIRECTIONAL, ATTENTION_BAHDANAU, 1, 1 }, // as Bahdanau 2015
    { CELL_GRU_UNBIASED, ENCODER_UNIDIRECTIONAL, ATTENTION_NONE, 1, 1 },
    { CELL_PEEPHOLE, ENCODER_REVERSED, ATTENTION_BAHDANAU, 3, 2 },
    { CELL_RNN, ENCODER_UNIDIRECTIONAL, ATTENTION_BAHDANAU, 1, 2 },
    { CELL_RNN_LOGISTIC, ENCODER_BIDIRECTIONAL, ATTENTION_BAHDANAU, 2, 1 },
};
#define SYSTEM_COUNT ((int)(sizeof systems / sizeof systems[0]))

static struct config small_config(int system)
{
    struct config config = config_default(KIND_TRANSLATE);
    config.vocabulary = 23;
    config.embedding = 9;
    config.hidden = 11;
    config.attention = 7;
    config.cell = systems[system].cell;
    config.encoder = systems[system].encoder;
    config.attention_kind = systems[system].attention;
    config.encoder_layers = systems[system].encoder_layers;
    config.decoder_layers = systems[system].decoder_layers;
    return config;
}

static struct loss loss_of(struct whole *w, const struct batch *batch,
                           const struct loss_options *options, real *gradients)
{
    struct loss loss;
    struct error err;
    assert_ok(seq2seq_loss(&w->model, &w->weights, batch, options, &arena, gradients, &loss, &err),
              err);
    return loss;
}

/* One row of a batch as a batch of its own, without padding. */
static struct batch row_of(const struct random_batch *r, int b)
{
    return (struct batch){ .source = r->source + b * RANDOM_S,
                           .source_len = r->source_len + b,
                           .target = r->target + b * RANDOM_T,
                           .target_len = r->target_len + b,
                           .B = 1,
                           .S = r->source_len[b],
                           .T = r->target_len[b] };
}

START_TEST(padding_changes_nothing)
{
    struct whole w;
    struct random_batch r;
    const struct config small = small_config(_i);
    whole_open(&w, &small, 3);
    random_batch(&r, small.vocabulary, (uint64_t)_i + 1);
    const struct loss_options options = { .smoothing = (real)0.1, .scale = 1 };
    const struct loss together = loss_of(&w, &r.batch, &options, w.gradients);
    real *apart = calloc(w.model.params.total, sizeof *apart);
    double nats = 0, smoothed = 0;
    for (int b = 0; b < RANDOM_B; b++) {
        const struct batch row = row_of(&r, b);
        const struct loss loss = loss_of(&w, &row, &options, apart);
        nats += loss.nats;
        smoothed += loss.smoothed;
    }
    assert_near((real)together.nats, nats, TOLERANCE, "nats", 0);
    assert_near((real)together.smoothed, smoothed, TOLERANCE, "smoothed", 0);
    for (size_t i = 0; i < w.model.params.total; i++)
        assert_near(w.gradients[i], (double)apart[i], TOLERANCE, "gradient", i);
    free(apart);
    whole_close(&w);
}
END_TEST

/* What lies behind a sentence's end is never read: other ids there, same bits. */
START_TEST(padding_is_never_read)
{
    struct whole w;
    struct random_batch r;
    const struct config small = small_config(_i);
    whole_open(&w, &small, 3);
    random_batch(&r, small.vocabulary, 11);
    const struct loss_options options = { .scale = 1 };
    const double before = loss_of(&w, &r.batch, &options, NULL).nats;
    for (int b = 0; b < RANDOM_B; b++) {
        for (int s = r.source_len[b]; s < RANDOM_S; s++)
            r.source[b * RANDOM_S + s] = 5;
        for (int t = r.target_len[b]; t < RANDOM_T; t++)
            r.target[b * RANDOM_T + t] = 5;
    }
    ck_assert(loss_of(&w, &r.batch, &options, NULL).nats == before);
    whole_close(&w);
}
END_TEST

/* The loss of a sentence is what its single steps say. */
START_TEST(single_steps_equal_the_whole)
{
    struct whole w;
    struct random_batch r;
    struct walk walk;
    const struct config small = small_config(_i);
    whole_open(&w, &small, 4);
    random_batch(&r, small.vocabulary, 31);
    const struct batch row = row_of(&r, 0);
    const struct loss_options options = { .scale = 1 };
    const double nats = loss_of(&w, &row, &options, NULL).nats;
    double total = 0;
    walk_begin(&walk, &w, row.source, row.S);
    for (int t = 0; t < row.T; t++) {
        double sum = 0;
        walk_step(&walk, &w, t == 0 ? 2 : row.target[t - 1]);
        for (int s = 0; s < row.S; s++)
            sum += (double)walk.alignment[s];
        assert_near((real)sum, small.attention_kind == ATTENTION_NONE ? 0 : 1, TOLERANCE,
                    "alignment", (size_t)t);
        total -= (double)walk.log_probs[row.target[t]];
    }
    assert_near((real)total, nats, 10 * TOLERANCE, "nats", 0);
    whole_close(&w);
}
END_TEST

/* The readable step, which multiplies W_c by each context, says what the folded one says. */
START_TEST(a_folded_step_equals_the_readable_one)
{
    struct whole w;
    struct random_batch r;
    struct walk walk;
    const struct config small = small_config(_i);
    whole_open(&w, &small, 4);
    const struct decoder *d = &w.model.decoder;
    random_batch(&r, small.vocabulary, 31);
    const struct batch row = row_of(&r, 0);
    walk_begin(&walk, &w, row.source, row.S);

    const size_t S = (size_t)row.S, E = (size_t)d->E, width = (size_t)decoder_state_width(d);
    real *x = arena_array(&results, real, S * E), *y = arena_array(&results, real, E);
    real *summary = arena_array(&results, real, d->M);
    real *memory = arena_array(&results, real, S * (size_t)decoder_memory_width(d));
    real *state = arena_array(&results, real, 2 * width);
    real *alignment = arena_array(&results, real, S), *readout = arena_array(&results, real, E);
    struct encoder_run run = { .S = row.S, .B = 1, .len = row.source_len, .x = x };
    embedding_forward(&w.weights, w.model.embedding, S, row.source, x);
    encoder_lay_out(&w.model.encoder, &run, &results);
    encoder_forward(&w.model.encoder, &w.weights, &run);
    encoder_summary(&w.model.encoder, small.attention_kind, row.S, 1, row.source_len, run.memory,
                    summary);
    decoder_memory(d, &w.weights, row.S, run.memory, memory);
    decoder_start(d, &w.weights, 1, summary, state);
    for (int t = 0; t < row.T; t++) {
        const int32_t previous = t == 0 ? 2 : row.target[t - 1];
        const real *rows = memory;
        const struct decoder_step step = { 1,         y,     &rows,  &row.S, state, state + width,
                                           alignment, row.S, readout };
        embedding_forward(&w.weights, w.model.embedding, 1, &previous, y);
        decoder_step(d, &w.weights, &step, &arena);
        walk_step(&walk, &w, previous);
        for (size_t s = 0; s < S; s++)
            assert_near(walk.alignment[s], (double)alignment[s], TOLERANCE, "alignment", s);
        for (size_t e = 0; e < E; e++)
            assert_near(walk.readout[e], (double)readout[e], TOLERANCE, "readout", e);
        memcpy(state, state + width, width * sizeof *state);
    }
    whole_close(&w);
}
END_TEST

/* Rows of two sentences, some of which continue the same hypothesis: the bits of each alone. */
START_TEST(rows_of_one_parent_are_as_if_each_had_its_own)
{
    enum { ROWS = 7 };
    static const int sentence[ROWS] = { 0, 0, 0, 0, 1, 1, 1 },
                     parent[ROWS] = { 1, 0, 1, 1, 2, 2, 3 };
    static const int32_t previous[ROWS] = { 5, 5, 6, 7, 5, 8, 6 };
    struct whole w;
    struct random_batch r;
    struct walk walks[2], alone;
    struct error err;
    const struct config small = small_config(_i);
    whole_open(&w, &small, 4);
    random_batch(&r, small.vocabulary, 31);
    const size_t width = (size_t)seq2seq_state_width(&w.model), E = (size_t)small.embedding;
    real *states = arena_array(&results, real, 4 * width);
    for (int i = 0; i < 2; i++) {
        const struct batch row = row_of(&r, i);
        walk_begin(&walks[i], &w, row.source, row.S);
        for (int j = 0; j < 2; j++) {
            walk_step(&walks[i], &w, 2 + j);
            memcpy(states + (size_t)(2 * i + j) * width, walks[i].state, width * sizeof(real));
        }
    }
    const struct memory *memory[ROWS];
    const real *state[ROWS];
    for (int n = 0; n < ROWS; n++) {
        memory[n] = &walks[sentence[n]].memory;
        state[n] = states + (size_t)parent[n] * width;
    }
    struct step step = { .N = ROWS,
                         .memory = memory,
                         .previous = previous,
                         .state = state,
                         .next_state = arena_array(&results, real, ROWS * width),
                         .alignment = arena_array(&results, real, ROWS * RANDOM_S),
                         .ld_alignment = RANDOM_S,
                         .readout = arena_array(&results, real, ROWS * E) };
    assert_ok(seq2seq_step(&w.model, &w.weights, &step, &walks[0].cache, &arena, &err), err);
    for (int n = 0; n < ROWS; n++) {
        alone = walks[sentence[n]];
        memcpy(alone.state, state[n], width * sizeof(real));
        walk_step(&alone, &w, previous[n]);
        ck_assert_mem_eq(alone.state, step.next_state + (size_t)n * width, width * sizeof(real));
        ck_assert_mem_eq(alone.readout, step.readout + (size_t)n * E, E * sizeof(real));
        if (small.attention_kind != ATTENTION_NONE)
            ck_assert_mem_eq(alone.alignment, step.alignment + n * RANDOM_S,
                             (size_t)alone.memory.S * sizeof(real));
    }
    whole_close(&w);
}
END_TEST

/* With the loss of the last piece alone, what reaches a state 0 steps back is there and, but for a
 * sentence of one piece, so is what reaches the one before it. */
START_TEST(a_trace_has_every_distance)
{
    struct whole w;
    struct random_batch r;
    struct gradient_trace trace = { 0 };
    const struct config small = small_config(_i);
    whole_open(&w, &small, 4);
    random_batch(&r, small.vocabulary, 31);
    const struct loss_options options = { .scale = 1, .trace = &trace };
    ck_assert_int_eq(loss_of(&w, &r.batch, &options, w.gradients).pieces, RANDOM_B);
    ck_assert_int_eq(trace.counts[0], RANDOM_B);
    int longest = 0;
    for (int b = 0; b < RANDOM_B; b++)
        longest += r.target_len[b] == RANDOM_T;
    ck_assert_int_eq(trace.counts[RANDOM_T - 1], longest);
    ck_assert_int_eq(trace.counts[RANDOM_T], 0);
    for (int k = 0; k < RANDOM_T; k++)
        ck_assert_msg(trace.squares[k] > 0, "nothing reaches %d steps back", k);
    whole_close(&w);
}
END_TEST

START_TEST(dropout_keeps_the_mean)
{
    struct rng rng = rng_make(1, 1);
    enum { N = 200000 };
    real *mask = malloc(N * sizeof *mask);
    dropout_mask(&rng, (real)0.3, N, mask);
    double sum = 0, zeros = 0;
    for (size_t i = 0; i < N; i++) {
        sum += (double)mask[i];
        zeros += mask[i] == 0;
    }
    ck_assert_double_eq_tol(sum / N, 1, 0.01);
    ck_assert_double_eq_tol(zeros / N, 0.3, 0.01);
    free(mask);
}
END_TEST

#endif
