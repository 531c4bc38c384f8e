/*
 * test_worker.c - one inference thread and its queue, without a loop.
 *
 * What is done is noticed on the worker's own thread, between two steps: there a test adds and
 * cancels requests at a moment when it knows what is in flight.
 */
#include "base/memory.h"
#include "server/jobs/worker.h"
#include "tests/server/live.h"

#define REQUESTS 12
#define LONG_SENTENCES 200

static struct live live;
static struct queue queue;
static struct worker *worker;
static struct request requests[REQUESTS];
static struct request *done[REQUESTS]; // in the order in which they came back
static int done_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of done, done_count
static pthread_cond_t more_done = PTHREAD_COND_INITIALIZER;
static void (*on_first_done)(void); // on the worker's thread, once

static void add(struct request *r)
{
    struct error err;
    assert_ok(queue_add(&queue, r, &err), err);
}

static void on_notify(void *context)
{
    (void)context;
    struct request *r = queue_done(&queue);
    if (!r)
        return; // one that goes to its next hop
    pthread_mutex_lock(&lock);
    const bool is_first = done_count == 0;
    for (; r; r = r->next)
        done[done_count++] = r;
    pthread_cond_signal(&more_done);
    pthread_mutex_unlock(&lock);
    if (is_first && on_first_done)
        on_first_done();
}

static struct worker_limits limits_of(int batch)
{
    return (struct worker_limits){
        .beam = 4, .n_best = 3, .pieces = 48, .sentences = LONG_SENTENCES, .batch = batch
    };
}

static void setup(void)
{
    done_count = 0;
    on_first_done = NULL;
    live_open(&live, (const char *const[]){ "en-fr", "fr-en", NULL });
    queue_init(&queue, REQUESTS, 1, on_notify, NULL);
}

/* What has been added before comes to the worker together. */
static void start(int batch)
{
    struct error err;
    const struct worker_limits limits = limits_of(batch);
    assert_ok(worker_start(&worker, &queue, live.registry, &limits, &err), err);
}

static void wait_for(int count)
{
    pthread_mutex_lock(&lock);
    while (done_count < count)
        pthread_cond_wait(&more_done, &lock);
    pthread_mutex_unlock(&lock);
}

static void release_request(struct request *r)
{
    for (int i = 0; i < r->hop_count; i++)
        live_model_release(r->hops[i]);
    arena_release(&r->arena);
    *r = (struct request){ 0 };
}

static void teardown(void)
{
    queue_stop(&queue);
    worker_join(worker);
    for (int i = 0; i < REQUESTS; i++)
        release_request(&requests[i]);
    queue_release(&queue);
    live_close(&live);
}

static struct request *make(int i, const char *text, int n_best)
{
    struct request *r = &requests[i];
    *r = (struct request){ .text_count = 1, .n_best = n_best, .hop_count = 1 };
    ck_assert(arena_init(&r->arena, REQUEST_ARENA_BYTES));
    r->texts = arena_array(&r->arena, struct engine_text, 1);
    r->texts[0] = (struct engine_text){ .text = text, .len = strlen(text) };
    r->hops[0] = live_find(live.registry, "en", "fr");
    return r;
}

static const char *long_text(void)
{
    static char text[LONG_SENTENCES * 40];
    size_t len = 0;
    for (int i = 0; i < LONG_SENTENCES; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "the %d thin ants sit in it.\n", i);
    return text;
}

static void assert_done(int place, int request)
{
    ck_assert_msg(done[place] == &requests[request], "place %d has request %d", place,
                  (int)(done[place] - requests));
}

/* ---- bits ---- */

static void assert_same_hypothesis(const struct hypothesis *a, const struct hypothesis *b)
{
    ck_assert_int_eq(a->T, b->T);
    ck_assert_int_eq(a->S, b->S);
    ck_assert_int_eq(a->finished, b->finished);
    const size_t rows = (size_t)a->T + (a->finished ? 1 : 0);
    ck_assert_mem_eq(&a->score, &b->score, sizeof a->score);
    if (a->T > 0)
        ck_assert_mem_eq(a->ids, b->ids, (size_t)a->T * sizeof *a->ids);
    ck_assert_mem_eq(a->log_probs, b->log_probs, rows * sizeof *a->log_probs);
    ck_assert_mem_eq(a->alignment, b->alignment, rows * (size_t)a->S * sizeof *a->alignment);
}

static void assert_same_answer(const struct engine_answer *a, const struct engine_answer *b)
{
    ck_assert_str_eq(a->text, b->text);
    ck_assert_int_eq(a->alternative_count, b->alternative_count);
    for (int k = 0; k < a->alternative_count; k++)
        ck_assert_str_eq(a->alternatives[k], b->alternatives[k]);
    ck_assert_int_eq(a->sentence_count, b->sentence_count);
    for (int i = 0; i < a->sentence_count; i++) {
        const struct translation *x = &a->sentences[i].translation;
        const struct translation *y = &b->sentences[i].translation;
        ck_assert_int_eq(x->count, y->count);
        for (int k = 0; k < x->count; k++)
            assert_same_hypothesis(&x->best[k], &y->best[k]);
    }
}

/* A request against its text as a document of its own, with nothing else in flight. */
static void assert_as_alone(const struct request *r, const char *text)
{
    struct error err;
    struct arena arena;
    struct engine_worker *alone;
    struct engine_answer answer;
    const struct engine_limits limits = {
        .sentences = 1, .beam = 4, .pieces = 48, .text_sentences = LONG_SENTENCES
    };
    struct search_options options = search_options_default();
    const struct document_options format = { .format = r->format, .glossary = r->glossary };
    struct document document;
    options.beam = 4;
    options.n_best = r->n_best;
    ck_assert_int_eq(r->status, STATUS_OK);
    ck_assert(arena_init(&arena, REQUEST_ARENA_BYTES));
    assert_ok(engine_worker_new(&alone, live_model_engine(r->hops[0]), &limits, &err), err);
    assert_ok(document_open(&document, &format, text, strlen(text), &arena, &err), err);
    assert_ok(engine_translate(alone, &document.engine_text, 1, &options, &arena, &answer, &err),
              err);
    assert_ok(document_answer(&document, engine_vocabulary(live_model_engine(r->hops[0])), &answer,
                              &arena, &answer, &err),
              err);
    assert_same_answer(&r->answers[0], &answer);
    engine_worker_free(alone);
    arena_release(&arena);
}

START_TEST(requests_of_every_kind_in_flight_get_the_bits_they_get_alone)
{
    static char texts[REQUESTS][400];
    setup();
    for (int i = 0; i < REQUESTS; i++) {
        texts[i][0] = '\0';
        for (int k = 0; k <= i % 5; k++)
            snprintf(texts[i] + strlen(texts[i]), 80, "the %d <b>thin</b> ants%s. In it?\n", i * k,
                     k % 2 ? " sit, and the cat too" : "");
        make(i, texts[i], 1 + i % 3)->format = i % 2 ? FORMAT_HTML : FORMAT_TEXT;
        if (i % 4 == 3) { // of another model
            live_model_release(requests[i].hops[0]);
            requests[i].hops[0] = live_find(live.registry, "fr", "en");
        }
        add(&requests[i]);
    }
    start(5);
    wait_for(REQUESTS);
    for (int i = 0; i < REQUESTS; i++)
        assert_as_alone(&requests[i], texts[i]);
    teardown();
}
END_TEST

/* ---- who waits for whom ---- */

START_TEST(a_short_request_behind_a_long_one_is_done_first)
{
    setup();
    add(make(0, long_text(), 1));
    add(make(1, "the ant", 1));
    start(4);
    wait_for(2);
    assert_done(0, 1);
    assert_done(1, 0);
    ck_assert_ptr_eq(requests[0].texts[0].text, long_text());
    assert_as_alone(&requests[0], long_text());
    teardown();
}
END_TEST

static void add_third(void)
{
    add(&requests[2]);
}

START_TEST(a_short_request_that_comes_in_the_midst_of_a_long_one_is_done_first)
{
    setup();
    add(make(0, long_text(), 1));
    add(make(1, "the ant", 1));
    make(2, "the thin ant in it", 3);
    on_first_done = add_third; // the long one is in flight
    start(4);
    wait_for(3);
    assert_done(0, 1);
    assert_done(1, 2);
    assert_done(2, 0);
    assert_as_alone(&requests[2], "the thin ant in it");
    teardown();
}
END_TEST

static void cancel_the_long_one(void)
{
    queue_cancel(&queue, &requests[0]);
}

/* With room for two, the third waits until the long one has left. */
START_TEST(a_cancelled_request_leaves_its_place_to_one_that_waits)
{
    setup();
    add(make(0, long_text(), 1));
    add(make(1, "the ant", 1));
    add(make(2, long_text(), 1));
    add(make(3, "the thin ant in it", 1));
    on_first_done = cancel_the_long_one;
    start(2);
    wait_for(4);
    assert_done(0, 1);
    assert_done(1, 0);
    ck_assert_int_eq(requests[0].status, STATUS_CANCELLED);
    assert_done(2, 3);
    assert_done(3, 2);
    assert_as_alone(&requests[3], "the thin ant in it");
    teardown();
}
END_TEST

START_TEST(a_request_between_two_models_does_not_wait_for_a_long_one)
{
    setup();
    add(make(0, long_text(), 1));
    struct request *r = make(1, "the ant in it", 1);
    r->hops[1] = live_find(live.registry, "fr", "en");
    r->hop_count = 2;
    add(r);
    start(4);
    wait_for(2);
    assert_done(0, 1);
    ck_assert_int_eq(r->hop, 1);
    ck_assert_int_eq(r->status, STATUS_OK);
    ck_assert_str_ne(r->texts[0].text, "the ant in it"); // what the second model was given
    ck_assert_uint_eq(r->answers[0].sentences[0].source.to, r->texts[0].len);
    teardown();
}
END_TEST

/* ---- failures ---- */

START_TEST(a_request_that_overflows_its_arena_costs_nobody_else_anything)
{
    setup();
    add(make(0, "the thin ant in it. The ant.", 3));
    struct request *large = make(1, long_text(), 3);
    while (large->arena.size - large->arena.used > 600000) // enough to begin, not to end
        ck_assert_ptr_nonnull(arena_alloc(&large->arena, 1000));
    add(large);
    add(make(2, "ab\xff", 1));
    add(make(3, "the ant sits", 2));
    start(4);
    wait_for(4);
    ck_assert_int_eq(large->status, STATUS_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(large->err.text, "send it in parts"));
    ck_assert_int_eq(requests[2].status, STATUS_BAD_INPUT);
    assert_as_alone(&requests[0], "the thin ant in it. The ant.");
    assert_as_alone(&requests[3], "the ant sits");
    teardown();
}
END_TEST

START_TEST(texts_without_letters_go_home_at_once)
{
    setup();
    add(make(0, long_text(), 1));
    add(make(1, "12", 1));
    add(make(2, "", 1));
    start(1); // one after the other, and yet none is left behind
    wait_for(3);
    ck_assert_str_eq(requests[1].answers[0].text, "12");
    ck_assert_str_eq(requests[2].answers[0].text, "");
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(requests_of_every_kind_in_flight_get_the_bits_they_get_alone),
    TEST(a_short_request_behind_a_long_one_is_done_first),
    TEST(a_short_request_that_comes_in_the_midst_of_a_long_one_is_done_first),
    TEST(a_cancelled_request_leaves_its_place_to_one_that_waits),
    TEST(a_request_between_two_models_does_not_wait_for_a_long_one),
    TEST(a_request_that_overflows_its_arena_costs_nobody_else_anything),
    TEST(texts_without_letters_go_home_at_once),
};
TEST_MAIN("server/jobs/worker", cases)
