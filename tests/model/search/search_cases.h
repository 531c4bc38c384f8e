/*
 * search_cases.h - what tests of searching share: random sources, runs of a translator, the same
 * step by step, and whether two translations are the same to the bit.
 */
#ifndef TESTS_MODEL_SEARCH_SEARCH_CASES_H
#define TESTS_MODEL_SEARCH_SEARCH_CASES_H

#include "tests/model/random_model.h"

#include "base/rng.h"
#include "model/search/translator.h"

enum { EOS = 3, FIRST_PIECE = 4, SOURCE_LEN = 16, SENTENCES = 200 };

__attribute__((unused)) static const struct random_model usual = {
    .V = 60, .width = 16, .seed = 5, .sharpness = 4, .ending = 3
};
__attribute__((unused)) static const struct search_limits limits = { .sentences = 64,
                                                                     .beam = 4,
                                                                     .source_len = SOURCE_LEN };
__attribute__((unused)) static const struct search_options four = {
    .beam = 4, .n_best = 3, .length_power = 0.8f, .length_ratio = 1
};

static int32_t source_ids[SENTENCES][SOURCE_LEN];
static struct source sources[SENTENCES];

/* Sentences of 1 to SOURCE_LEN pieces with </s>. */
static inline void make_sources(int V, uint64_t seed)
{
    struct rng rng = rng_make(seed, 0);
    for (int i = 0; i < SENTENCES; i++) {
        const int len = 1 + (int)rng_below(&rng, SOURCE_LEN);
        for (int s = 0; s < len - 1; s++)
            source_ids[i][s] = FIRST_PIECE + (int32_t)rng_below(&rng, (uint64_t)(V - FIRST_PIECE));
        source_ids[i][len - 1] = EOS;
        sources[i] = (struct source){ .ids = source_ids[i], .len = len };
    }
}

static inline struct translator *new_translator(const struct model *model,
                                                const struct search_limits *wanted)
{
    struct error err;
    struct translator *tr;
    assert_ok(translator_new(&tr, model, wanted, &err), err);
    return tr;
}

static inline void new_results(struct arena *results)
{
    ck_assert(arena_init(results, (size_t)64 << 20));
}

static inline void run(struct translator *tr, const struct source *from, int count,
                       const struct search_options *options, struct arena *results,
                       struct translation *out)
{
    struct error err;
    assert_ok(translator_run(tr, from, count, options, results, out, &err), err);
}

static inline int rows_of(const struct hypothesis *h)
{
    return h->T + h->finished;
}

static inline void assert_same(const struct translation *a, const struct translation *b)
{
    ck_assert_int_eq(a->count, b->count);
    for (int i = 0; i < a->count; i++) {
        const struct hypothesis *x = &a->best[i], *y = &b->best[i];
        const size_t rows = (size_t)rows_of(x);
        ck_assert_int_eq(x->T, y->T);
        ck_assert_int_eq(x->S, y->S);
        ck_assert_int_eq(x->finished, y->finished);
        ck_assert_int_eq(memcmp(&x->log_prob, &y->log_prob, sizeof x->log_prob), 0);
        ck_assert_int_eq(memcmp(&x->score, &y->score, sizeof x->score), 0);
        ck_assert_int_eq(memcmp(x->ids, y->ids, (size_t)x->T * sizeof *x->ids), 0);
        ck_assert_int_eq(memcmp(x->log_probs, y->log_probs, rows * sizeof(float)), 0);
        ck_assert_int_eq(memcmp(x->alignment, y->alignment, rows * (size_t)x->S * sizeof(float)),
                         0);
    }
}

/* ---- one sentence ---- */

static inline struct memory encode_one(const struct model *model, const struct source *source,
                                       struct arena *keep, struct arena *scratch)
{
    struct error err;
    struct memory memory, *const out = &memory;
    seq2seq_memory_lay_out(model_seq2seq(model), model_weights(model), source->len, keep, &memory);
    assert_ok(seq2seq_encode(model_seq2seq(model), model_weights(model), &source->ids, &source->len,
                             1, scratch, &out, &err),
              err);
    return memory;
}

/* One step of one row; log_probs (V) and alignment (S) may be read until the next. */
static inline void step_one(const struct model *model, const struct memory *memory,
                            int32_t previous, const float *state, float *next_state,
                            float *alignment, float *log_probs, struct arena *scratch)
{
    struct error err;
    const struct seq2seq *shape = model_seq2seq(model);
    const struct arena_mark mark = arena_mark(scratch);
    struct row_cache cache;
    float *readout = arena_array(scratch, float, shape->config.embedding);
    row_cache_lay_out(&cache, &shape->decoder, model_weights(model), 4, scratch);
    row_cache_clear(&cache);
    struct step step = { .N = 1,
                         .memory = &memory,
                         .previous = &previous,
                         .state = &state,
                         .next_state = next_state,
                         .alignment = alignment,
                         .ld_alignment = memory->S,
                         .readout = readout };
    assert_ok(seq2seq_step(shape, model_weights(model), &step, &cache, scratch, &err), err);
    output_log_probs(&shape->output, model_weights(model), 1, readout, log_probs);
    arena_rewind(scratch, mark);
}

#endif
