/* test_metrics.c - numbers that any thread adds to, and their text. */
#include "server/http/metrics.h"
#include "tests/helpers.h"

#include <pthread.h>

#define THREADS 4
#define TIMES 10000

static struct error err;

/* The text of all metrics, until the next call. */
static const char *written(void)
{
    static struct bytes out;
    bytes_release(&out);
    bytes_init(&out, 1 << 20);
    assert_ok(metrics_write(&out, &err), err);
    return out.data;
}

static void assert_has_line(const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    ck_assert_msg(strstr(written(), whole), "no line \"%s\" in\n%s", line, written());
}

static void *add_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < TIMES; i++) {
        metric_add(METRIC_RECEIVED_BYTES, 3);
        metric_limit(LIMIT_RATE);
        metric_observe(STAGE_JOURNAL, 1000000);
    }
    return NULL;
}

START_TEST(no_addition_of_any_thread_is_lost)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_often, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(metric_value(METRIC_RECEIVED_BYTES), 3 * THREADS * TIMES);
    ck_assert_int_eq(metric_limit_count(LIMIT_RATE), THREADS * TIMES);
    assert_has_line("verso_received_bytes_total 120000");
    assert_has_line("verso_limit_hits_total{limit=\"rate\"} 40000");
    assert_has_line("verso_stage_seconds_count{stage=\"journal\"} 40000");
    assert_has_line("verso_stage_seconds_sum{stage=\"journal\"} 40");
}
END_TEST

START_TEST(a_level_goes_both_ways)
{
    metric_add(METRIC_CONNECTIONS, 3);
    metric_add(METRIC_CONNECTIONS, -1);
    metric_set(METRIC_MODELS, 7);
    assert_has_line("# TYPE verso_connections gauge");
    assert_has_line("verso_connections 2");
    assert_has_line("verso_models 7");
}
END_TEST

START_TEST(a_bucket_counts_all_that_took_no_longer)
{
    metric_observe(STAGE_DECODE, 0);
    metric_observe(STAGE_DECODE, 100000); // just the first edge
    metric_observe(STAGE_DECODE, 20000000);
    metric_observe(STAGE_DECODE, 90000000000);
    assert_has_line("verso_stage_seconds_bucket{stage=\"decode\",le=\"0.0001\"} 2");
    assert_has_line("verso_stage_seconds_bucket{stage=\"decode\",le=\"0.01\"} 2");
    assert_has_line("verso_stage_seconds_bucket{stage=\"decode\",le=\"0.025\"} 3");
    assert_has_line("verso_stage_seconds_bucket{stage=\"decode\",le=\"60\"} 3");
    assert_has_line("verso_stage_seconds_bucket{stage=\"decode\",le=\"+Inf\"} 4");
    assert_has_line("verso_stage_seconds_count{stage=\"decode\"} 4");
    assert_has_line("verso_stage_seconds_sum{stage=\"decode\"} 90.0201");
}
END_TEST

START_TEST(answers_are_counted_by_route_and_status)
{
    static const char *const post = "POST", *const path = "/translate";
    metric_request(post, path, 200, 2000000);
    metric_request(post, path, 503, 1000);
    metric_request(post, path, 200, 2000000);
    assert_has_line("verso_requests_total{method=\"POST\",route=\"/translate\",status=\"200\"} 2");
    assert_has_line("verso_requests_total{method=\"POST\",route=\"/translate\",status=\"503\"} 1");
    assert_has_line("verso_request_seconds_count{method=\"POST\",route=\"/translate\"} 3");
}
END_TEST

START_TEST(many_routes_and_statuses_take_no_more_room)
{
    static const char paths[200][2];
    for (int i = 0; i < 200; i++)
        for (int status = 100; status < 600; status += 10)
            metric_request("GET", paths[i], status, 0);
    ck_assert_uint_lt(strlen(written()), 300000);
}
END_TEST

START_TEST(text_that_does_not_fit_is_an_error)
{
    struct bytes out;
    bytes_init(&out, 1000);
    assert_status(metrics_write(&out, &err), STATUS_TOO_LARGE);
    bytes_release(&out);
}
END_TEST

static const struct test_case cases[] = {
    TEST(no_addition_of_any_thread_is_lost),          TEST(a_level_goes_both_ways),
    TEST(a_bucket_counts_all_that_took_no_longer),    TEST(answers_are_counted_by_route_and_status),
    TEST(many_routes_and_statuses_take_no_more_room), TEST(text_that_does_not_fit_is_an_error),
};
TEST_MAIN("server/http/metrics", cases)
