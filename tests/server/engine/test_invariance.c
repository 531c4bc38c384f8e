/*
 * test_invariance.c - a thousand sentences through a shipped model: the same bits alone and in any
 * company, on one thread and on two, in float32 and in int8.
 */
#include "tests/helpers.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/threads.h"
#include "server/engine/engine.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SENTENCES 60
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SENTENCES 60
#endif
#endif
#ifndef SENTENCES
#define SENTENCES 1000
#endif

#define WORDS_MOST 8
#define TEXT_BYTES 256
#define THREADS 2
#define ARENA_BYTES ((size_t)1 << 30)

static const char *const words[] = {
    "the",       "a",     "house", "river", "old",    "small",  "dog",   "sees",
    "never",     "opens", "door",  "who",   "and",    "but",    "train", "late",
    "yesterday", "Paris", "ten",   "books", "green",  "under",  "my",    "sister",
    "writes",    "would", "have",  "file",  "window", "select",
};

static char texts[SENTENCES][TEXT_BYTES];

static void write_texts(void)
{
    struct rng rng = rng_make(7, 0);
    for (int i = 0; i < SENTENCES; i++) {
        const int count = 1 + (int)rng_below(&rng, WORDS_MOST);
        size_t used = 0;
        for (int w = 0; w < count; w++)
            used += (size_t)snprintf(texts[i] + used, TEXT_BYTES - used, "%s%s", w ? " " : "",
                                     words[rng_below(&rng, sizeof words / sizeof *words)]);
        snprintf(texts[i] + used, TEXT_BYTES - used, "%c", ".?!"[i % 3]);
    }
}

/* A thread's sentences, order[first, end), `batch` of them in flight. */
struct share {
    const struct engine *engine;
    const int *order;
    int first, end, batch;
    struct arena arena;
    struct engine_answer *answers; // (SENTENCES) all threads', by sentence
    enum status status;
    struct error err;
};

static enum status translate(struct share *s)
{
    const struct engine_limits limits = {
        .sentences = s->batch, .beam = 2, .pieces = 64, .text_sentences = 2 * SENTENCES
    };
    struct search_options options = search_options_default();
    struct engine_text list[SENTENCES];
    struct engine_answer answers[SENTENCES];
    struct engine_worker *worker;
    options.beam = 2;
    enum status status = engine_worker_new(&worker, s->engine, &limits, &s->err);
    if (status != STATUS_OK)
        return status;
    for (int i = s->first; i < s->end; i++) {
        const char *text = texts[s->order[i]];
        list[i - s->first] = (struct engine_text){ .text = text, .len = strlen(text) };
    }
    status =
        engine_translate(worker, list, s->end - s->first, &options, &s->arena, answers, &s->err);
    for (int i = s->first; status == STATUS_OK && i < s->end; i++)
        s->answers[s->order[i]] = answers[i - s->first];
    engine_worker_free(worker);
    return status;
}

static void work(void *context, int member)
{
    struct share *share = (struct share *)context + member;
    share->status = translate(share);
}

struct outcome {
    struct engine_answer answers[SENTENCES];
    struct share shares[THREADS];
};

static void shuffle(int *order, uint64_t seed)
{
    struct rng rng = rng_make(seed, 1);
    for (int i = 0; i < SENTENCES; i++)
        order[i] = i;
    for (int i = SENTENCES - 1; i > 0 && seed; i--) {
        const int j = (int)rng_below(&rng, (uint64_t)i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/* Seed 0: in their order. */
static struct outcome *translate_all(const struct engine *engine, int batch, int threads,
                                     uint64_t seed)
{
    static int order[SENTENCES];
    struct outcome *o = calloc(1, sizeof *o);
    struct team *team = team_new(threads);
    ck_assert(o && team);
    shuffle(order, seed);
    for (int t = 0; t < threads; t++) {
        struct share *s = &o->shares[t];
        *s = (struct share){ .engine = engine,
                             .order = order,
                             .first = SENTENCES * t / threads,
                             .end = SENTENCES * (t + 1) / threads,
                             .batch = batch,
                             .answers = o->answers };
        ck_assert(arena_init(&s->arena, ARENA_BYTES));
    }
    team_run(team, work, o->shares);
    for (int t = 0; t < threads; t++)
        assert_ok(o->shares[t].status, o->shares[t].err);
    team_free(team);
    return o;
}

static void outcome_free(struct outcome *o)
{
    for (int t = 0; t < THREADS; t++)
        arena_release(&o->shares[t].arena);
    free(o);
}

static void assert_same_hypotheses(const struct translation *a, const struct translation *b, int i)
{
    ck_assert_int_eq(a->count, b->count);
    for (int k = 0; k < a->count; k++) {
        const struct hypothesis *x = &a->best[k], *y = &b->best[k];
        const size_t rows = (size_t)x->T + x->finished;
        ck_assert_msg(x->T == y->T && x->S == y->S && x->finished == y->finished &&
                          memcmp(&x->score, &y->score, sizeof x->score) == 0,
                      "sentence %d has other lengths or another score", i);
        ck_assert_mem_eq(x->ids, y->ids, (size_t)x->T * sizeof *x->ids);
        ck_assert_mem_eq(x->log_probs, y->log_probs, rows * sizeof(float));
        ck_assert_mem_eq(x->alignment, y->alignment, rows * (size_t)x->S * sizeof(float));
    }
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    for (int i = 0; i < SENTENCES; i++) {
        const struct engine_answer *x = &a->answers[i], *y = &b->answers[i];
        ck_assert_str_eq(x->text, y->text);
        ck_assert_int_eq(x->sentence_count, y->sentence_count);
        for (int s = 0; s < x->sentence_count; s++)
            assert_same_hypotheses(&x->sentences[s].translation, &y->sentences[s].translation, i);
    }
}

static const enum weight_type types[] = { WEIGHT_F32, WEIGHT_I8 };

START_TEST(company_and_threads_change_no_bit)
{
    static const struct {
        int batch, threads;
        uint64_t seed;
    } others[] = { { 2, 1, 1 }, { 7, 1, 2 }, { 64, 1, 3 }, { 2, 2, 4 }, { 64, 2, 5 } };
    char path[512];
    struct engine *engine;
    struct error err;
    snprintf(path, sizeof path, "%s/../deploy/models/en-fr.safetensors", TESTS_DIR);
    assert_ok(engine_load(&engine, path, types[_i], &err), err);
    write_texts();
    struct outcome *alone = translate_all(engine, 1, 1, 0);
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        struct outcome *other =
            translate_all(engine, others[k].batch, others[k].threads, others[k].seed);
        assert_same(alone, other);
        outcome_free(other);
    }
    outcome_free(alone);
    engine_free(engine);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(company_and_threads_change_no_bit, 2),
};

TEST_MAIN("server/engine/invariance", cases)
