/*
 * test_translator_threads.c - one model, a translator a thread, and a
 * cancellation that comes from another thread.
 */
#include "tests/model/random_model.h"

#include <sched.h>
#include <stdatomic.h>
#include "base/threads.h"
#include "model/search/translator.h"

enum { EOS = 3, FIRST_PIECE = 4, THREADS = 3, SENTENCES = 12, SOURCE_LEN = 8, LONG_SOURCE = 1000 };

/* Pieces that repeat, so that no two sentences are the same, and </s>. */
static void make_source(int32_t *ids, int len, int first)
{
    for (int s = 0; s < len - 1; s++)
        ids[s] = FIRST_PIECE + (first * 7 + s) % 30;
    ids[len - 1] = EOS;
}

struct share {
    struct translator *tr;
    struct arena results;
    struct translation out[SENTENCES];
};

struct shared_job {
    struct source sources[SENTENCES];
    struct share shares[THREADS];
};

static const struct search_options options = {
    .beam = 3, .n_best = 1, .length_power = 0.8f, .length_ratio = 1
};

static void search_share(void *job, int member)
{
    struct shared_job *shared = job;
    struct share *mine = &shared->shares[member];
    struct error err;
    assert_ok(translator_run(mine->tr, shared->sources, SENTENCES, &options, &mine->results,
                             mine->out, &err),
              err);
}

START_TEST(threads_share_a_model_and_find_the_same)
{
    static int32_t ids[SENTENCES][SOURCE_LEN];
    static struct shared_job job;
    const struct random_model r = { .V = 40, .width = 12, .seed = 1, .sharpness = 4, .ending = 2 };
    const struct search_limits limits = { .sentences = 5, .beam = 3, .source_len = SOURCE_LEN };
    struct error err;

    struct model *model = random_model_load(&r);
    for (int i = 0; i < SENTENCES; i++) {
        make_source(ids[i], SOURCE_LEN, i);
        job.sources[i] = (struct source){ .ids = ids[i], .len = SOURCE_LEN };
    }
    for (int t = 0; t < THREADS; t++) {
        assert_ok(translator_new(&job.shares[t].tr, model, &limits, &err), err);
        ck_assert(arena_init(&job.shares[t].results, 1 << 20));
    }
    struct team *team = team_new(THREADS);
    ck_assert_ptr_nonnull(team);
    team_run(team, search_share, &job);
    team_free(team);
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < SENTENCES; i++) {
            const struct hypothesis *a = job.shares[0].out[i].best, *b = job.shares[t].out[i].best;
            ck_assert_int_eq(a->T, b->T);
            ck_assert_mem_eq(a->ids, b->ids, (size_t)a->T * sizeof *a->ids);
            ck_assert_float_eq(a->score, b->score);
        }
    }
    for (int t = 0; t < THREADS; t++) {
        translator_free(job.shares[t].tr);
        arena_release(&job.shares[t].results);
    }
    model_free(model);
}
END_TEST

struct interruption {
    struct translator *tr;
    struct search search;
    atomic_bool has_begun, cancelled;
};

/* Member 0 searches, and goes on when member 1 has cancelled what it is in the midst of. */
static void search_and_interrupt(void *job, int member)
{
    struct interruption *x = job;
    struct error err;
    if (member == 1) {
        while (!atomic_load(&x->has_begun))
            sched_yield();
        atomic_store(&x->cancelled, true);
        return;
    }
    assert_ok(translator_add(x->tr, &x->search, &err), err);
    for (int i = 0; i < 5; i++)
        translator_step(x->tr);
    ck_assert(!x->search.done);
    atomic_store(&x->has_begun, true);
    while (!atomic_load(&x->cancelled))
        sched_yield();
    translator_step(x->tr);
}

START_TEST(a_sentence_can_be_cancelled_in_the_middle_of_its_search)
{
    static int32_t ids[LONG_SOURCE];
    static struct interruption x;
    const struct random_model endless = {
        .V = 60, .width = 24, .seed = 1, .sharpness = 3, .ending = -100
    };
    const struct search_limits one = { .sentences = 1, .beam = 16, .source_len = LONG_SOURCE };
    const struct search_options longest = {
        .beam = 16, .n_best = 1, .length_power = 1, .length_ratio = LENGTH_RATIO_MAX
    };
    struct arena results;
    struct error err;

    struct model *model = random_model_load(&endless);
    assert_ok(translator_new(&x.tr, model, &one, &err), err);
    ck_assert(arena_init(&results, (size_t)64 << 20));
    make_source(ids, LONG_SOURCE, 0);
    x.search = (struct search){
        .source = { .ids = ids, .len = LONG_SOURCE, .cancelled = &x.cancelled },
        .options = longest,
        .results = &results,
    };
    struct team *team = team_new(2);
    ck_assert_ptr_nonnull(team);
    team_run(team, search_and_interrupt, &x);
    ck_assert(x.search.done);
    ck_assert_int_eq(x.search.translation.count, 0);
    ck_assert_int_eq(translator_in_flight(x.tr), 0);
    team_free(team);
    arena_release(&results);
    translator_free(x.tr);
    model_free(model);
}
END_TEST

static const struct test_case cases[] = {
    TEST(threads_share_a_model_and_find_the_same),
    TEST(a_sentence_can_be_cancelled_in_the_middle_of_its_search),
};

TEST_MAIN("model/search/translator_threads", cases)
