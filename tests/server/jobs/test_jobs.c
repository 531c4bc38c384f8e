/* test_jobs.c - requests through real threads and tiny models, on a real loop. */
#include "server/jobs/jobs.h"

#include <unistd.h>

#include "tests/server/hold.h"
#include "tests/server/live.h"

#define REQUESTS 40

static struct live live;
static uv_loop_t loop;
static struct jobs *jobs;
static int done_count;

static void open_jobs(int threads, int queue, int deadline_ms)
{
    struct error err;
    struct jobs_limits limits = {
        .threads = threads,
        .queue = queue,
        .deadline_ms = deadline_ms,
        .worker = { .beam = 5, .n_best = 3, .pieces = 64, .sentences = 50, .batch = 8 },
    };
    done_count = 0;
    live_open(&live, (const char *const[]){ "en-fr", "fr-en", NULL });
    uv_loop_init(&loop);
    assert_ok(jobs_open(&jobs, &loop, live.registry, &limits, &err), err);
}

static void close_jobs(void)
{
    jobs_stop(jobs);
    uv_run(&loop, UV_RUN_DEFAULT);
    jobs_free(jobs);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    live_close(&live);
}

static void on_done(struct request *r)
{
    (void)r;
    done_count++;
}

static struct request *make_request(const char *text)
{
    struct request *r = jobs_request_new(jobs);
    ck_assert_ptr_nonnull(r);
    r->texts = arena_array(&r->arena, struct engine_text, 1);
    r->texts[0] = (struct engine_text){ .text = text, .len = strlen(text) };
    r->text_count = 1;
    r->n_best = 1;
    r->hops[0] = live_find(live.registry, "en", "fr");
    r->hop_count = 1;
    r->on_done = on_done;
    return r;
}

static void submit(struct request *r)
{
    struct error err;
    assert_ok(jobs_submit(jobs, r, &err), err);
}

static void run_until(int count)
{
    while (done_count < count)
        uv_run(&loop, UV_RUN_ONCE);
}

static void make_long_text(char *text, size_t size, int sentences)
{
    size_t len = 0;
    for (int i = 0; i < sentences && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "the thin ant is in it. The ant. ");
}

/* A request of many sentences which its worker has taken, and does not go on with. */
static struct request *submit_held(struct hold *hold)
{
    static char text[4096];
    make_long_text(text, sizeof text, 20);
    struct request *r = make_request(text);
    hold_open(hold);
    r->listener = &hold->listener;
    submit(r);
    hold_wait(hold);
    return r;
}

START_TEST(answers_are_those_of_one_thread_however_they_were_batched)
{
    static char texts[REQUESTS][64], alone[REQUESTS][4096];
    struct request *requests[REQUESTS];
    open_jobs(2, REQUESTS, 60000);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(texts[i], sizeof texts[i], "the %d thin ants. In it", i);
        struct request *r = make_request(texts[i]);
        submit(r);
        run_until(i + 1);
        ck_assert_int_eq(r->status, STATUS_OK);
        snprintf(alone[i], sizeof alone[i], "%s", r->answers[0].text);
        jobs_request_free(jobs, r);
    }
    for (int i = 0; i < REQUESTS; i++) {
        requests[i] = make_request(texts[i]);
        submit(requests[i]);
    }
    run_until(2 * REQUESTS);
    for (int i = 0; i < REQUESTS; i++) {
        ck_assert_int_eq(requests[i]->status, STATUS_OK);
        ck_assert_str_eq(requests[i]->answers[0].text, alone[i]);
        jobs_request_free(jobs, requests[i]);
    }
    close_jobs();
}
END_TEST

START_TEST(requests_in_flight_keep_the_model_they_began_with)
{
    static char text[2000];
    struct error err;
    open_jobs(2, 8, 60000);
    make_long_text(text, sizeof text, 20);
    struct request *alone = make_request(text);
    submit(alone);
    run_until(1);
    struct request *before = make_request(text);
    submit(before);
    char path[128];
    snprintf(path, sizeof path, "%s/en-fr.safetensors", live.folder);
    ck_assert_int_eq(unlink(path), 0);
    write_tiny_model(path, "en", "fr", 99);
    assert_ok(registry_reload(live.registry, NULL, &err), err);
    struct request *after = make_request(text);
    submit(after);
    run_until(3);
    ck_assert_str_eq(before->answers[0].text, alone->answers[0].text);
    ck_assert_str_ne(after->answers[0].text, alone->answers[0].text);
    jobs_request_free(jobs, alone);
    jobs_request_free(jobs, before);
    jobs_request_free(jobs, after);
    close_jobs();
}
END_TEST

/* What is left of a model that nobody asks for any more would be seen in the count. */
START_TEST(workers_let_go_of_old_models_without_being_asked_for_anything)
{
    struct error err;
    open_jobs(3, 4, 60000);
    const long expected = memory_live();
    long now = 0;
    for (int i = 0; i < 4; i++)
        assert_ok(registry_reload(live.registry, "en-fr", &err), err);
    for (int i = 0; i < 20000 && now != expected; i++) {
        usleep(5000);
        now = memory_live();
    }
    ck_assert_int_eq(now, expected);
    close_jobs();
}
END_TEST

START_TEST(what_is_given_up_comes_home_as_busy_and_so_does_what_comes_then)
{
    struct error err;
    struct hold hold;
    struct request *requests[3];
    open_jobs(1, 4, 60000);
    requests[0] = submit_held(&hold);
    for (int i = 1; i < 3; i++)
        submit(requests[i] = make_request("the ant"));
    jobs_give_up(jobs);
    hold_end(&hold);
    ck_assert_int_eq(done_count, 0); // never from inside the call
    run_until(3);
    for (int i = 0; i < 3; i++) {
        assert_status(requests[i]->status, STATUS_BUSY);
        ck_assert_str_eq(requests[i]->err.text, "the server stops: try again in a while");
        jobs_request_free(jobs, requests[i]);
    }
    struct request *late = make_request("the ant");
    assert_status(jobs_submit(jobs, late, &err), STATUS_BUSY);
    jobs_request_free(jobs, late);
    close_jobs();
    hold_close(&hold);
}
END_TEST

START_TEST(two_hops_are_two_translations)
{
    char between[4096];
    open_jobs(1, 4, 60000);
    struct request *r = make_request("the ant in it");
    submit(r);
    run_until(1);
    snprintf(between, sizeof between, "%s", r->answers[0].text);
    jobs_request_free(jobs, r);

    struct request *second = make_request(between);
    live_model_release(second->hops[0]);
    second->hops[0] = live_find(live.registry, "fr", "en");
    submit(second);
    struct request *both = make_request("the ant in it");
    both->hops[1] = live_find(live.registry, "fr", "en");
    both->hop_count = 2;
    both->n_best = 3;
    submit(both);
    run_until(3);
    ck_assert_str_eq(both->answers[0].text, second->answers[0].text);
    ck_assert_int_le(both->answers[0].alternative_count, 2);
    jobs_request_free(jobs, second);
    jobs_request_free(jobs, both);
    close_jobs();
}
END_TEST

/* One over the limit of sentences, and one whose text cannot be translated at all. */
START_TEST(a_request_over_a_limit_does_not_fail_its_neighbours)
{
    static char text[4096];
    struct request *requests[3];
    open_jobs(1, 8, 60000);
    make_long_text(text, sizeof text, 60);
    requests[0] = make_request("the ant");
    requests[1] = make_request(text);
    requests[2] = make_request("ab\xff");
    for (int i = 0; i < 3; i++)
        submit(requests[i]);
    run_until(3);
    ck_assert_int_eq(requests[0]->status, STATUS_OK);
    ck_assert_int_eq(requests[1]->status, STATUS_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(requests[1]->err.text, "more than 50 sentences"));
    ck_assert_int_eq(requests[2]->status, STATUS_BAD_INPUT);
    for (int i = 0; i < 3; i++)
        jobs_request_free(jobs, requests[i]);
    close_jobs();
}
END_TEST

START_TEST(an_answer_larger_than_the_arena_is_refused)
{
    open_jobs(1, 8, 60000);
    struct request *r = make_request("the ant");
    while (arena_alloc(&r->arena, 1))
        continue;
    submit(r);
    run_until(1);
    ck_assert_int_eq(r->status, STATUS_TOO_LARGE);
    jobs_request_free(jobs, r);
    close_jobs();
}
END_TEST

START_TEST(what_is_cancelled_comes_home_as_cancelled)
{
    struct hold hold;
    struct request *requests[4];
    open_jobs(1, 8, 60000);
    requests[0] = submit_held(&hold);
    for (int i = 1; i < 4; i++)
        submit(requests[i] = make_request("the ant"));
    for (int i = 0; i < 4; i++)
        jobs_cancel(jobs, requests[i]);
    hold_end(&hold);
    ck_assert_int_eq(done_count, 0); // never from inside the call
    run_until(4);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(requests[i]->status, STATUS_CANCELLED);
        jobs_request_free(jobs, requests[i]);
    }
    close_jobs();
    hold_close(&hold);
}
END_TEST

/* Those that wait come home at once, and then the one in flight, whose deadline was before theirs. */
START_TEST(what_is_late_comes_home_and_says_so)
{
    struct hold hold;
    struct request *requests[8];
    open_jobs(1, 8, 50);
    requests[0] = submit_held(&hold);
    for (int i = 1; i < 8; i++)
        submit(requests[i] = make_request("the ant"));
    run_until(7);
    hold_end(&hold);
    run_until(8);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(requests[i]->status, STATUS_CANCELLED);
        ck_assert_ptr_nonnull(strstr(requests[i]->err.text, "longer than 50 ms"));
        jobs_request_free(jobs, requests[i]);
    }
    close_jobs();
    hold_close(&hold);
}
END_TEST

START_TEST(a_full_queue_leaves_the_request_with_its_owner)
{
    struct error err;
    struct hold hold;
    open_jobs(1, 1, 60000);
    struct request *running = submit_held(&hold);
    struct request *waiting = make_request("the ant");
    submit(waiting);
    struct request *refused = make_request("the ant");
    assert_status(jobs_submit(jobs, refused, &err), STATUS_BUSY);
    jobs_request_free(jobs, refused);
    hold_end(&hold);
    run_until(2);
    ck_assert_int_eq(running->status, STATUS_OK);
    ck_assert_int_eq(waiting->status, STATUS_OK);
    jobs_request_free(jobs, running);
    jobs_request_free(jobs, waiting);
    close_jobs();
    hold_close(&hold);
}
END_TEST

static void free_when_done(struct request *r)
{
    done_count++;
    jobs_request_free(jobs, r);
}

START_TEST(stopping_brings_everything_home)
{
    static char text[4096];
    open_jobs(2, 16, 60000);
    make_long_text(text, sizeof text, 25);
    for (int i = 0; i < 16; i++) {
        struct request *r = make_request(text);
        r->on_done = free_when_done;
        submit(r);
    }
    close_jobs();
    ck_assert_int_eq(done_count, 16);
}
END_TEST

START_TEST(opening_survives_every_failed_allocation)
{
    struct error err;
    struct jobs_limits limits = {
        .threads = 2,
        .queue = 4,
        .deadline_ms = 1000,
        .worker = { .beam = 2, .n_best = 2, .pieces = 16, .sentences = 5, .batch = 2 },
    };
    live_open(&live, (const char *const[]){ "en-fr", NULL });
    uv_loop_init(&loop);
    for (long nth = 1;; nth++) {
        long before = memory_live();
        memory_fail_at(nth);
        enum status status = jobs_open(&jobs, &loop, live.registry, &limits, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            ck_assert_int_eq(status, STATUS_OK);
            break;
        }
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
        ck_assert_ptr_null(jobs);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(memory_live(), before);
    }
    close_jobs();
}
END_TEST

static const struct test_case cases[] = {
    TEST(answers_are_those_of_one_thread_however_they_were_batched),
    TEST(requests_in_flight_keep_the_model_they_began_with),
    TEST(workers_let_go_of_old_models_without_being_asked_for_anything),
    TEST(what_is_given_up_comes_home_as_busy_and_so_does_what_comes_then),
    TEST(two_hops_are_two_translations),
    TEST(a_request_over_a_limit_does_not_fail_its_neighbours),
    TEST(an_answer_larger_than_the_arena_is_refused),
    TEST(what_is_cancelled_comes_home_as_cancelled),
    TEST(what_is_late_comes_home_and_says_so),
    TEST(a_full_queue_leaves_the_request_with_its_owner),
    TEST(stopping_brings_everything_home),
    TEST(opening_survives_every_failed_allocation),
};
TEST_MAIN("server/jobs/jobs", cases)
