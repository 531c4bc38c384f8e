/* test_service.c - the whole service with a client that is no socket. */
#include "server/http/access.h"
#include "server/http/background.h"
#include "server/http/service.h"
#include "server/http/suggested.h"
#include "tests/server/hold.h"
#include "tests/server/live.h"

static struct live live;
static uv_loop_t loop;
static struct jobs *jobs;
static struct background *background;
static struct access *access_rules;
static struct suggested *suggested;
static struct service *service;
static bool has_stopped; // the jobs

/* A client that remembers what it was told. */
static struct client client;
static int reply_count, last_code;
static bool last_was_silent;
static char last_headers[256], last_body[8192];

static void on_reply(struct client *c, const struct reply *reply)
{
    (void)c;
    reply_count++;
    last_code = reply->code;
    last_was_silent = reply->silent;
    snprintf(last_headers, sizeof last_headers, "%s", reply->headers ? reply->headers : "");
    snprintf(last_body, sizeof last_body, "%.*s", (int)reply->len, reply->body);
}

/* Answers in parts: how many came, and the last. */
static int part_count;
static bool has_ended;

static void on_part(struct client *c, uint64_t number, struct slice bytes, bool is_last)
{
    (void)c;
    (void)number;
    part_count++;
    has_ended = is_last;
    snprintf(last_body, sizeof last_body, "%.*s", (int)bytes.len, bytes.at ? bytes.at : "");
}

static const struct jobs_limits usual = {
    .threads = 1,
    .queue = 4,
    .deadline_ms = 60000,
    .worker = { .beam = 2, .n_best = 3, .pieces = 64, .sentences = 50, .batch = 8 },
};

/* One request at a time, and that takes long. */
static const struct jobs_limits slow = {
    .threads = 1,
    .queue = 4,
    .deadline_ms = 60000,
    .worker = { .beam = 32, .n_best = 1, .pieces = 64, .sentences = 50, .batch = 1 },
};

static void open_service_of(const char *const *pairs, const struct jobs_limits *limits)
{
    struct error err;
    struct service_limits service_limits = {
        .characters = 2000, .batch_items = 5, .alternatives = 2, .beam = 2, .deadline_ms = 60000
    };
    client = (struct client){ .reply = on_reply, .part = on_part };
    reply_count = part_count = 0;
    has_ended = false;
    live_open(&live, pairs);
    uv_loop_init(&loop);
    assert_ok(jobs_open(&jobs, &loop, live.registry, limits, &err), err);
    assert_ok(background_open(&background, &loop, live.database, &err), err);
    assert_ok(access_open(&access_rules, &(struct access_options){ 0 }, live.db, &err), err);
    assert_ok(suggested_open(&suggested, live.db, &err), err);
    const struct service_parts parts = { .registry = live.registry,
                                         .jobs = jobs,
                                         .background = background,
                                         .access = access_rules,
                                         .suggested = suggested };
    assert_ok(service_new(&service, &parts, &service_limits, &err), err);
}

static void open_service(const char *const *pairs)
{
    open_service_of(pairs, &usual);
}

static void stop_jobs(void)
{
    jobs_stop(jobs);
    has_stopped = true;
}

static void close_service(void)
{
    if (!has_stopped)
        jobs_stop(jobs);
    has_stopped = false;
    background_stop(background);
    uv_run(&loop, UV_RUN_DEFAULT);
    service_free(service);
    background_free(background);
    access_free(access_rules);
    suggested_free(suggested);
    jobs_free(jobs);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    live_close(&live);
}

static struct slice slice(const char *text)
{
    return text ? (struct slice){ text, strlen(text) } : (struct slice){ 0 };
}

static void deliver(const struct message *message)
{
    struct handler *handler = service_handler(service);
    handler->message(handler, &client, message);
}

static void send_line(const char *pair, const char *text)
{
    deliver(&(struct message){ .kind = MESSAGE_LINE,
                               .number = 1,
                               .id = "c1-1",
                               .pair = slice(pair),
                               .body = slice(text) });
}

static void send_json(const char *path, const char *json)
{
    deliver(&(struct message){ .kind = MESSAGE_HTTP,
                               .number = 1,
                               .id = "c1-1",
                               .method = slice("POST"),
                               .path = slice(path),
                               .content_type = slice("application/json"),
                               .body = slice(json) });
}

static void send_translate(const char *json)
{
    send_json("/translate", json);
}

static void run_until(int count)
{
    while (reply_count < count)
        uv_run(&loop, UV_RUN_ONCE);
}

static const char *const en_fr[] = { "en-fr", NULL };

START_TEST(a_plain_answer_that_looks_like_a_command_or_json_is_sent_as_json)
{
    open_service(en_fr);
    send_line("fr-fr", "#!error it is not");
    ck_assert_str_eq(last_body, "{\"translations\":[{\"text\":\"#!error it is not\"}]}");
    send_line("fr-fr", "{a");
    ck_assert_str_eq(last_body, "{\"translations\":[{\"text\":\"{a\"}]}");
    send_line("fr-fr", "#");
    ck_assert_str_eq(last_body, "#");
    close_service();
}
END_TEST

START_TEST(a_chosen_pair_is_answered_by_silence)
{
    open_service(en_fr);
    struct message choose = { .kind = MESSAGE_PAIR, .number = 1, .id = "c1-1" };
    choose.pair = slice("en-fr");
    deliver(&choose);
    ck_assert_int_eq(reply_count, 1);
    ck_assert(last_was_silent);
    choose.pair = slice("fr-en");
    deliver(&choose);
    ck_assert(!last_was_silent);
    ck_assert_int_eq(strncmp(last_body, "#!error NOT_FOUND ", 18), 0);
    choose.pair = slice("\xff\xff-en");
    deliver(&choose);
    ck_assert_int_eq(strncmp(last_body, "#!error BAD_INPUT ", 18), 0);
    close_service();
}
END_TEST

START_TEST(a_translation_comes_when_the_loop_runs)
{
    open_service(en_fr);
    send_translate("{\"q\":\"the ant\",\"source\":\"en\",\"target\":\"fr\"}");
    ck_assert_int_eq(reply_count, 0);
    ck_assert_ptr_nonnull(client.tickets);
    run_until(1);
    ck_assert_int_eq(last_code, 200);
    ck_assert_int_eq(strncmp(last_body, "{\"translatedText\":\"", 19), 0);
    ck_assert_ptr_null(client.tickets);
    close_service();
}
END_TEST

START_TEST(a_client_that_has_left_is_not_answered)
{
    open_service(en_fr);
    send_translate("{\"q\":\"the ant\",\"source\":\"en\",\"target\":\"fr\"}");
    client_gone(&client);
    send_translate("{\"q\":\"the ant\",\"source\":\"en\",\"target\":\"fr\"}");
    run_until(1);
    for (int i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(reply_count, 1);
    close_service();
}
END_TEST

static const char *long_text(const char *name)
{
    static char json[2048];
    snprintf(json, sizeof json, "{\"source\":\"en\",\"target\":\"fr\",\"%s\":\"", name);
    for (int i = 0; i < 45; i++)
        strcat(json, "the thin ant in it can see the ant. ");
    strcat(json, "\"}");
    return json;
}

static void run_until_parts(int count)
{
    while (part_count < count)
        uv_run(&loop, UV_RUN_ONCE);
}

static void free_request(struct request *r)
{
    jobs_request_free(jobs, r);
}

/* A request of nobody's which the only worker has taken, and does not go on with. */
static struct request *hold_worker(struct hold *hold)
{
    static char text[2048];
    struct error err;
    struct request *r = jobs_request_new(jobs);
    text[0] = '\0';
    for (int i = 0; i < 45; i++)
        strcat(text, "the thin ant in it can see the ant. ");
    r->texts = arena_array(&r->arena, struct engine_text, 1);
    r->texts[0] = (struct engine_text){ .text = text, .len = strlen(text) };
    r->text_count = r->n_best = r->hop_count = 1;
    r->hops[0] = live_find(live.registry, "en", "fr");
    r->listener = &hold->listener;
    r->on_done = free_request;
    hold_open(hold);
    assert_ok(jobs_submit(jobs, r, &err), err);
    hold_wait(hold);
    return r;
}

START_TEST(a_full_queue_is_503_and_a_busy_line)
{
    struct hold hold;
    open_service(en_fr);
    hold_worker(&hold);
    for (int i = 0; i < usual.queue; i++)
        send_line("en-fr", "the ant");
    ck_assert_int_eq(reply_count, 0);
    send_line("en-fr", "the ant");
    ck_assert_int_eq(reply_count, 1);
    ck_assert_int_eq(strncmp(last_body, "#!error BUSY ", 13), 0);
    send_translate("{\"q\":\"the ant\",\"source\":\"en\",\"target\":\"fr\"}");
    ck_assert_int_eq(reply_count, 2);
    ck_assert_int_eq(last_code, 503);
    hold_end(&hold);
    run_until(2 + usual.queue);
    close_service();
    hold_close(&hold);
}
END_TEST

/* The worker goes on step by step until the stream has begun, and then when it is cancelled. */
START_TEST(a_stream_that_is_cut_off_ends_with_a_problem)
{
    struct hold hold;
    open_service(en_fr);
    struct request *other = hold_worker(&hold);
    send_json("/v1/translate/stream", long_text("text"));
    while (part_count == 0) {
        hold_step(&hold);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    hold_end_when(&hold, &other->cancelled);
    ck_assert_int_eq(strncmp(last_body, "event: ", 7), 0);
    ck_assert(!has_ended);
    stop_jobs();
    ck_assert(has_ended);
    ck_assert_int_eq(reply_count, 1);
    ck_assert_int_eq(last_code, 200);
    ck_assert_int_eq(strncmp(last_body, "event: error\ndata: {\"type\":", 27), 0);
    ck_assert_ptr_null(client.tickets);
    close_service();
    hold_close(&hold);
}
END_TEST

START_TEST(a_stream_stops_when_its_client_leaves)
{
    open_service_of(en_fr, &slow);
    send_json("/v1/translate/stream", long_text("text"));
    run_until_parts(1);
    client_gone(&client);
    const int parts = part_count;
    send_translate("{\"q\":\"the ant\",\"source\":\"en\",\"target\":\"fr\"}");
    run_until(2);
    ck_assert_int_eq(part_count, parts);
    close_service();
}
END_TEST

/* Whichever allocation fails, each message gets one answer, and nothing is lost. */
START_TEST(a_request_survives_every_failed_allocation)
{
    open_service(en_fr);
    send_translate("{\"q\":\"the ant\",\"source\":\"en\",\"target\":\"fr\"}");
    run_until(1);
    long before = memory_live();
    for (long nth = 1; nth < 200; nth++) {
        reply_count = 0;
        memory_fail_at(nth);
        send_translate("{\"q\":[\"the ant\",\"12\"],\"source\":\"en\",\"target\":\"fr\"}");
        run_until(1);
        bool failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(reply_count, 1);
        ck_assert(last_code == 200 || last_code == 503 || last_code == 413);
        if (!failed) {
            ck_assert_int_eq(last_code, 200);
            break;
        }
    }
    ck_assert_int_le(memory_live(), before + 4); // what is kept for the next request
    close_service();
}
END_TEST

static const struct {
    const char *path; // of more bytes than a service has at once
    const char *body;
} large[] = {
    { "/spec", "{\"error\":\"there is no memory for the answer\"}" },
    { "/v1/openapi.json",
      "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
      "\"detail\":\"there is no memory for the answer\"}" },
};

START_TEST(an_answer_for_which_there_is_no_memory_is_503)
{
    open_service(en_fr);
    send_translate("{\"q\":\"the ant\",\"source\":\"en\",\"target\":\"fr\"}");
    run_until(1); // the worker has what it needs, and takes no further memory
    memory_fail_at(1);
    deliver(&(struct message){ .kind = MESSAGE_HTTP,
                               .number = 1,
                               .id = "c1-1",
                               .method = slice("GET"),
                               .path = slice(large[_i].path) });
    ck_assert(memory_failed());
    memory_fail_at(0);
    ck_assert_int_eq(last_code, 503);
    ck_assert_ptr_nonnull(strstr(last_headers, "Retry-After: 1\r\n"));
    ck_assert_str_eq(last_body, large[_i].body);
    close_service();
}
END_TEST

START_TEST(a_service_needs_no_more_memory_than_it_gives_back)
{
    struct error err;
    open_service(en_fr);
    for (long nth = 1;; nth++) {
        struct service *another;
        const struct service_parts parts = { .registry = live.registry,
                                             .jobs = jobs,
                                             .background = background,
                                             .access = access_rules,
                                             .suggested = suggested };
        long before = memory_live();
        memory_fail_at(nth);
        enum status status = service_new(&another, &parts, &service->limits, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        service_free(another);
        ck_assert_int_eq(memory_live(), before);
        if (!failed)
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
    }
    close_service();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_plain_answer_that_looks_like_a_command_or_json_is_sent_as_json),
    TEST(a_chosen_pair_is_answered_by_silence),
    TEST(a_translation_comes_when_the_loop_runs),
    TEST(a_client_that_has_left_is_not_answered),
    TEST(a_full_queue_is_503_and_a_busy_line),
    TEST(a_stream_that_is_cut_off_ends_with_a_problem),
    TEST(a_stream_stops_when_its_client_leaves),
    TEST(a_request_survives_every_failed_allocation),
    TEST_LOOP(an_answer_for_which_there_is_no_memory_is_503, sizeof large / sizeof large[0]),
    TEST(a_service_needs_no_more_memory_than_it_gives_back),
};
TEST_MAIN("server/http/service", cases)
