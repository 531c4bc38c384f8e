/*
 * test_hostile.c - whatever a server says is an answer or an error.
 */
#include "tests/server/client/allocations.h"
#include "tests/server/client/fake_server.h"
#include "tests/server/client/follow.h"
#include "tests/server/client/replies.h"

#include "server/client/error.h"
#include "server/client/reply.h"
#include "server/client/results.h"
#include "server/client/stream.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
#define REPLY_MAX 8192
#define WHOLE_BYTES 8192

/* So long that there must be more memory for it. */
#define TERM "a term of some length, a term of some length, a term of some length, a term of some "
static const struct verso_term glossary[] = { { TERM TERM TERM TERM, "un terme" } };

static const struct verso_request request = { .texts = asked,
                                              .text_count = 1,
                                              .source = "en",
                                              .target = "fr",
                                              .alignment = true,
                                              .glossary = glossary,
                                              .glossary_count = 1 };

static struct fake fake;
static struct verso_client *client;
static struct verso_error err;

static void start(int timeout_ms)
{
    const struct verso_options options = { .timeout_ms = timeout_ms, .reply_bytes_max = REPLY_MAX };
    fake_start(&fake);
    ck_assert_int_eq(verso_client_new(&client, "127.0.0.1", fake.port, &options, &err), VERSO_OK);
}

static void stop(void)
{
    verso_client_free(client);
    fake_stop(&fake);
}

static void say(const char *text, bool closes)
{
    fake_say(&fake, text, strlen(text), closes);
}

static const char *with_length(char out[WHOLE_BYTES], const char *head, const char *body)
{
    snprintf(out, WHOLE_BYTES, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    return out;
}

/* Chunks of 1, 2, 3 ... bytes, with an extension and a trailer. */
static const char *in_chunks(char out[WHOLE_BYTES], const char *head, const char *body)
{
    size_t len = (size_t)snprintf(out, WHOLE_BYTES, "%sTransfer-Encoding: chunked\r\n\r\n", head);
    for (size_t at = 0, size = 1; at < strlen(body); at += size++) {
        const size_t left = strlen(body) - at, now = left < size ? left : size;
        len += (size_t)snprintf(out + len, WHOLE_BYTES - len, "%zx;a=b\r\n%.*s\r\n", now, (int)now,
                                body + at);
    }
    snprintf(out + len, WHOLE_BYTES - len, "0\r\nContent-Type: text/html\r\n\r\n");
    return out;
}

static enum verso_status translate(void)
{
    struct verso_translations *got;
    const enum verso_status status = verso_translate(client, &request, &got, &err);
    ck_assert_int_eq(status == VERSO_OK, got != NULL);
    if (got)
        follow_translations(got, asked);
    ck_assert_msg(status == VERSO_OK || err.text[0], "no sentence for %d", (int)status);
    verso_free(got);
    return status;
}

static void assert_said(const char *text, enum verso_status wanted)
{
    say(text, true);
    const enum verso_status status = translate();
    ck_assert_msg(status == wanted, "%.100s: %s: %s", text, verso_status_name(status), err.text);
}

/* ---- the connection ---- */

START_TEST(a_connection_is_kept_and_made_anew_when_the_server_has_closed_it)
{
    char whole[WHOLE_BYTES];
    start(0);
    say(with_length(whole, HEAD, translations_reply), false);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(translate(), VERSO_OK);
    ck_assert_int_eq(fake_connections(&fake), 1);
    say("", true); // it closes instead of answering, on the kept connection and then on a new one
    ck_assert_int_eq(translate(), VERSO_UNREACHABLE);
    ck_assert_int_eq(fake_connections(&fake), 2);
    say(whole, true); // it answers and closes
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(translate(), VERSO_OK);
    ck_assert_int_eq(fake_connections(&fake), 5);
    stop();
}
END_TEST

START_TEST(what_follows_an_answer_is_not_taken_for_the_next)
{
    char whole[WHOLE_BYTES], twice[2 * WHOLE_BYTES];
    start(0);
    with_length(whole, HEAD, "{\"error\":\"no\"}");
    snprintf(twice, sizeof twice, "%s%s", with_length(whole, HEAD, translations_reply),
             "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
    say(twice, false);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(translate(), VERSO_OK);
    ck_assert_int_eq(fake_connections(&fake), 3);
    stop();
}
END_TEST

START_TEST(a_server_that_says_nothing_is_left_in_time)
{
    start(20);
    say("", false);
    ck_assert_int_eq(translate(), VERSO_TIMED_OUT);
    say(HEAD "Content-Length: 100\r\n\r\n{", false);
    ck_assert_int_eq(translate(), VERSO_TIMED_OUT);
    stop();
}
END_TEST

START_TEST(a_reply_that_is_cut_anywhere_is_an_error)
{
    char whole[WHOLE_BYTES], chunked[WHOLE_BYTES];
    start(0);
    const char *const replies[] = { with_length(whole, HEAD, translations_reply),
                                    in_chunks(chunked, HEAD, translations_reply) };
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_lt(strlen(replies[i]), WHOLE_BYTES - 1);
        for (size_t len = 0; len < strlen(replies[i]); len++) {
            fake_say(&fake, replies[i], len, true);
            ck_assert_int_eq(translate(), VERSO_UNREACHABLE);
        }
        say(replies[i], true);
        ck_assert_int_eq(translate(), VERSO_OK);
    }
    stop();
}
END_TEST

START_TEST(what_is_no_http_is_refused)
{
    start(0);
    assert_said("SSH-2.0-OpenSSH_9.2\r\n", VERSO_BAD_REPLY);
    assert_said("HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", VERSO_BAD_REPLY);
    assert_said("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
                VERSO_BAD_REPLY);
    assert_said("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
                VERSO_BAD_REPLY);
    assert_said("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
                VERSO_BAD_REPLY);
    assert_said("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
                VERSO_BAD_REPLY);
    assert_said("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}", VERSO_BAD_REPLY);
    assert_said("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                VERSO_BAD_REPLY);
    stop();
}
END_TEST

START_TEST(what_comes_before_the_answer_is_passed_over)
{
    char whole[WHOLE_BYTES];
    start(0);
    assert_said(
        with_length(whole,
                    "HTTP/1.1 100 Continue\r\n\r\n"
                    "HTTP/1.1 103 Early Hints\r\nContent-Type: text/event-stream\r\n\r\n" HEAD,
                    translations_reply),
        VERSO_OK);
    snprintf(whole, sizeof whole, "HTTP/1.0 200 OK\r\n\r\n%s", translations_reply);
    assert_said(whole, VERSO_OK); // up to the end of the connection
    stop();
}
END_TEST

START_TEST(limits_hold_whatever_the_server_sends)
{
    const size_t size = VERSO_HEAD_BYTES_MAX + 4096;
    char *head = memory_alloc(size, 1), whole[WHOLE_BYTES];
    start(0);
    memset(head, 'a', size);
    memcpy(head, "HTTP/1.1 200 OK\r\nA: ", 20);
    head[size - 1] = '\0';
    assert_said(head, VERSO_TOO_LARGE);
    snprintf(whole, sizeof whole, HEAD "Content-Length: %d\r\n\r\n{\"text\":\"", REPLY_MAX + 1);
    memset(head, 'b', size);
    memcpy(head, whole, strlen(whole));
    head[size - 1] = '\0';
    assert_said(head, VERSO_TOO_LARGE);
    ck_assert_ptr_nonnull(strstr(err.text, "8192"));
    memory_free(head);
    stop();
}
END_TEST

START_TEST(a_refusal_has_its_status_and_a_clean_sentence)
{
    static const struct {
        const char *reply;
        enum verso_status status;
        const char *text;
    } cases[] = {
        { "HTTP/1.1 400 X\r\n\r\n{\"detail\":\"beam\\nmust \\u001b[2J\"}", VERSO_REFUSED,
          "beam must  [2J" },
        { "HTTP/1.1 401 X\r\n\r\n{\"title\":\"Unauthorized\"}", VERSO_DENIED, "Unauthorized" },
        { "HTTP/1.1 403 X\r\n\r\n{\"error\":\"Invalid API key\"}", VERSO_DENIED,
          "Invalid API key" },
        { "HTTP/1.1 404 X\r\n\r\n[]", VERSO_NOT_FOUND,
          "the server answered 404 and did not say why" },
        { "HTTP/1.1 413 X\r\n\r\n{\"detail\":1}", VERSO_TOO_LARGE,
          "the server answered 413 and did not say why" },
        { "HTTP/1.1 500 X\r\n\r\n<html>", VERSO_SERVER_FAILED,
          "the server answered 500 and did not say why" },
        { "HTTP/1.1 503 X\r\nRetry-After: 7\r\n\r\n", VERSO_BUSY,
          "the server answered 503 and did not say why" },
        { "HTTP/1.1 504 X\r\n\r\n", VERSO_TIMED_OUT,
          "the server answered 504 and did not say why" },
        { "HTTP/1.1 302 X\r\nLocation: /\r\n\r\n", VERSO_BAD_REPLY,
          "the server answered 302 and did not say why" },
        { "HTTP/1.1 204 X\r\n\r\n", VERSO_BAD_REPLY,
          "the server answered 204 and did not say why" },
    };
    start(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_said(cases[i].reply, cases[i].status);
        ck_assert_str_eq(err.text, cases[i].text);
        ck_assert_int_eq(err.http_status, atoi(cases[i].reply + strlen("HTTP/1.1 ")));
        ck_assert_int_eq(err.retry_after_s, err.http_status == 503 ? 7 : 0);
    }
    stop();
}
END_TEST

START_TEST(a_long_sentence_is_cut_between_characters)
{
    char text[2000];
    for (int shift = 0; shift < 4; shift++) {
        size_t len = (size_t)snprintf(text, sizeof text, "{\"detail\":\"%.*s", shift, "aaa");
        while (len + 6 < sizeof text)
            len += (size_t)snprintf(text + len, sizeof text - len, "€");
        snprintf(text + len, sizeof text - len, "\"}");
        ck_assert_int_eq(verso_error_of_reply(&err, 400, 0, text, strlen(text)), VERSO_REFUSED);
        ck_assert_uint_gt(strlen(err.text), VERSO_ERROR_BYTES - 5);
        json_t *is_utf8 = json_string(err.text);
        ck_assert_ptr_nonnull(is_utf8);
        json_decref(is_utf8);
    }
}
END_TEST

START_TEST(a_server_that_stops_is_healthy_and_not_ready)
{
    struct verso_health health;
    start(0);
    say("HTTP/1.1 503 X\r\n\r\n{\"status\":\"stopping\",\"models\":2,\"storing\":false}", true);
    ck_assert_int_eq(verso_health(client, &health, &err), VERSO_OK);
    ck_assert(!health.is_ready && !health.is_storing && health.models == 2);
    say("HTTP/1.1 503 X\r\n\r\n{\"detail\":\"too many connections\"}", true);
    ck_assert_int_eq(verso_health(client, &health, &err), VERSO_BUSY);
    ck_assert_str_eq(err.text, "too many connections");
    stop();
}
END_TEST

/* ---- every split of the bytes ---- */

struct taken { // what came of a reply
    enum verso_status status;
    char text[2 * REPLY_MAX];
    struct verso_translations *translations;
};

static int take_token(void *context, const struct verso_streamed_token *token)
{
    struct taken *taken = context;
    follow_streamed(token);
    strcat(taken->text, token->text);
    return 0;
}

/* A copy of its own for each piece, so that reading past it is found. */
static enum verso_status feed(struct verso_reply *reply, const char *bytes, size_t len)
{
    char *copy = malloc(len);
    memcpy(copy, bytes, len);
    const enum verso_status status = verso_reply_feed(reply, copy, len, &err);
    free(copy);
    return status;
}

static void take(struct taken *taken, const char *whole, size_t split, size_t step)
{
    const size_t len = strlen(whole);
    struct verso_reply reply;
    struct verso_stream stream;
    *taken = (struct taken){ 0 };
    verso_stream_init(&stream, &request, take_token, taken, REPLY_MAX, &err);
    verso_reply_init(&reply, REPLY_MAX, &stream.events);
    for (size_t at = 0, now; at < len && taken->status == VERSO_OK; at += now) {
        now = at < split ? split - at : step;
        now = now < len - at ? now : len - at;
        taken->status = feed(&reply, whole + at, now);
    }
    ck_assert(taken->status != VERSO_OK || reply.is_complete);
    if (taken->status == VERSO_OK && reply.body.len > 0)
        memcpy(taken->text, reply.body.data, reply.body.len);
    else if (taken->status == VERSO_OK)
        taken->status = verso_stream_end(&stream, &taken->translations);
    ck_assert_int_eq(reply.stays_open, taken->status == VERSO_OK);
    ck_assert(taken->status != VERSO_OK ||
              strcmp(reply.content_type, "text/html") != 0); // a trailer is no header
    verso_reply_release(&reply);
    verso_stream_release(&stream);
}

static void assert_splits(const char *whole, const char *text)
{
    struct taken taken;
    ck_assert_uint_lt(strlen(whole), WHOLE_BYTES - 1);
    for (size_t split = 0; split <= strlen(whole); split++) {
        take(&taken, whole, split, split == 0 ? 1 : strlen(whole));
        ck_assert_msg(taken.status == VERSO_OK, "split at %zu: %s", split, err.text);
        ck_assert_str_eq(taken.text, text);
        if (taken.translations)
            follow_translations(taken.translations, asked);
        verso_free(taken.translations);
    }
}

START_TEST(a_reply_is_the_same_however_its_bytes_arrive)
{
    char whole[WHOLE_BYTES];
    assert_splits(with_length(whole, HEAD, translations_reply), translations_reply);
    assert_splits(in_chunks(whole, HEAD, translations_reply), translations_reply);
    assert_splits(with_length(whole, STREAM_HEAD, STREAM), "Le chat é.");
    assert_splits(in_chunks(whole, STREAM_HEAD, STREAM), "Le chat é.");
}
END_TEST

/* ---- streams ---- */

static enum verso_status stream_said(const char *body)
{
    char whole[WHOLE_BYTES];
    struct taken taken = { 0 };
    struct verso_translations *got;
    say(with_length(whole, STREAM_HEAD, body), true);
    const enum verso_status status =
        verso_translate_stream(client, &request, take_token, &taken, &got, &err);
    ck_assert_int_eq(status == VERSO_OK, got != NULL);
    verso_free(got);
    return status;
}

START_TEST(a_stream_that_is_none_is_refused)
{
    static const char without_end[] = "event: translation\ndata: " TRANSLATION "\n\n";
    static const char without_text[] = "event: done\ndata: {\"model\":null}\n\n";
    static const char no_object[] = "event: done\ndata: []\n\n";
    static const char of_another[] = "event: token\ndata: {\"index\":1,\"text\":\"a\"}\n\n";
    static const char no_json[] = "event: token\ndata: {\n\n";
    static const char twice[] =
        "event: translation\ndata: " TRANSLATION "\n\nevent: translation\ndata: " TRANSLATION
        "\n\nevent: done\ndata: {\"model\":null}\n\n";
    static const char problem[] =
        "event: error\ndata: {\"status\":413,\"detail\":\"the answer is too large\"}\n\n";
    static const char odd_problem[] = "event: error\ndata: {\"status\":\"200\"}\n\n";
    start(0);
    ck_assert_int_eq(stream_said(STREAM), VERSO_OK);
    ck_assert_int_eq(stream_said(""), VERSO_BAD_REPLY);
    ck_assert_int_eq(stream_said(without_end), VERSO_BAD_REPLY);
    ck_assert_int_eq(stream_said(without_text), VERSO_BAD_REPLY);
    ck_assert_int_eq(stream_said(no_object), VERSO_BAD_REPLY);
    ck_assert_int_eq(stream_said(of_another), VERSO_BAD_REPLY);
    ck_assert_int_eq(stream_said(no_json), VERSO_BAD_REPLY);
    ck_assert_int_eq(stream_said(twice), VERSO_BAD_REPLY);
    ck_assert_int_eq(stream_said(problem), VERSO_TOO_LARGE);
    ck_assert_str_eq(err.text, "the answer is too large");
    ck_assert_int_eq(err.http_status, 413);
    ck_assert_int_eq(stream_said(odd_problem), VERSO_SERVER_FAILED);
    stop();
}
END_TEST

/* ---- JSON ---- */

static const char *const replies[] = { translations_reply, detections_reply, languages_reply,
                                       models_reply,       stored_reply,     token_reply,
                                       health_reply };
#define KINDS ((int)(sizeof replies / sizeof replies[0]))

static const char others[] = "[null,true,-1,0,1,99,1.5,1e300,9007199254740993,\"\",\"x\",[],{},"
                             "[[]],[0,99],[5,1],[{}],[null],[\"x\"],[[0.5]]]";

static int refused; // replacements that made a reply a bad one

static void try_others(int kind, const json_t *root, json_t *parent, const char *key, size_t index,
                       json_t *choice)
{
    size_t i;
    json_t *old = key ? json_object_get(parent, key) : json_array_get(parent, index), *other;
    json_incref(old);
    json_array_foreach (choice, i, other) {
        ck_assert_int_eq(
            key ? json_object_set(parent, key, other) : json_array_set(parent, index, other), 0);
        const enum verso_status status = follow_json(kind, root, asked, &err);
        ck_assert(status == VERSO_OK || status == VERSO_BAD_REPLY);
        refused += status == VERSO_BAD_REPLY;
    }
    ck_assert_int_eq(key ? json_object_set(parent, key, old) : json_array_set(parent, index, old),
                     0);
    json_decref(old);
}

/* Every value of the tree, one at a time. */
static void change_each(int kind, const json_t *root, json_t *value, json_t *choice)
{
    const char *key;
    json_t *child;
    size_t i;
    void *next;
    json_object_foreach_safe(value, next, key, child)
    {
        try_others(kind, root, value, key, 0, choice);
        change_each(kind, root, child, choice);
    }
    json_array_foreach (value, i, child) {
        try_others(kind, root, value, NULL, i, choice);
        change_each(kind, root, child, choice);
    }
}

START_TEST(any_other_value_in_its_place_is_read_or_refused)
{
    json_t *json, *choice;
    ck_assert_int_eq(verso_parse(&choice, others, strlen(others), &err), VERSO_OK);
    refused = 0;
    ck_assert_int_eq(verso_parse(&json, replies[_i], strlen(replies[_i]), &err), VERSO_OK);
    ck_assert_msg(follow_json(_i, json, asked, &err) == VERSO_OK, "%s", err.text);
    change_each(_i, json, json, choice);
    ck_assert_msg(follow_json(_i, json, asked, &err) == VERSO_OK, "%s", err.text);
    ck_assert_int_gt(refused, 10);
    json_decref(json);
    json_decref(choice);
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
    char whole[WHOLE_BYTES], deep[4096];
    static const char *const bodies[] = {
        "",
        "{",
        "null",
        "\"x\"",
        "[]",
        "{}",
        "{\"model\":NaN,\"translations\":[]}",
        "{\"model\":\"\\u0000\",\"translations\":[]}",
        "{\"model\":\"\xff\",\"translations\":[]}",
        "{\"score\":1e999}",
        "{\"model\":null,\"model\":null,\"translations\":[]}",
    };
    start(0);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_said(with_length(whole, HEAD, bodies[i]), VERSO_BAD_REPLY);
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_said(with_length(whole, HEAD, deep), VERSO_BAD_REPLY);
    stop();
}
END_TEST

/* ---- memory ---- */

static enum verso_status call_everything(int which)
{
    struct verso_client *other;
    struct taken taken = { 0 };
    void *got = NULL;
    enum verso_status status;
    const struct verso_pair pair = {
        .source_text = ASKED, .target_text = "Le chat é.", .source = "en", .target = "fr"
    };
    const struct verso_options options = { .api_key = "key" };
    switch (which) {
    case 0:
        status = verso_translate(client, &request, (struct verso_translations **)&got, &err);
        break;
    case 1:
        status = verso_translate_stream(client, &request, take_token, &taken,
                                        (struct verso_translations **)&got, &err);
        break;
    case 2:
        status = verso_align(client, &pair, (struct verso_translations **)&got, &err);
        break;
    case 3:
        status = verso_detect(client, asked, 1, (struct verso_detections **)&got, &err);
        break;
    case 4:
        status = verso_models(client, (struct verso_models **)&got, &err);
        break;
    case 5:
        status = verso_languages(client, (struct verso_languages **)&got, &err);
        break;
    case 6:
        status = verso_stored(client, "a1", VERSO_LEVEL_WORD, (struct verso_stored **)&got, &err);
        break;
    case 7:
        status = verso_alignment_file(client, "a1", &(struct verso_picture){ .form = "svg" },
                                      (struct verso_file **)&got, &err);
        break;
    default:
        status = verso_client_new(&other, "localhost", 5000, &options, &err);
        verso_client_free(other);
        return status;
    }
    ck_assert_int_eq(status == VERSO_OK, got != NULL);
    verso_free(got);
    return status;
}

START_TEST(each_allocation_may_fail)
{
    static const char *const bodies[] = { translations_reply, STREAM,       translations_reply,
                                          detections_reply,   models_reply, languages_reply,
                                          stored_reply,       health_reply, "{}" };
    char whole[WHOLE_BYTES];
    long nth = 0;
    enum verso_status status;
    start(0);
    say(with_length(whole, _i == 1 ? STREAM_HEAD : HEAD, bodies[_i]), false);
    do {
        allocations_fail_at(++nth);
        status = call_everything(_i);
        const bool has_failed = allocations_left == 0;
        allocations_fail_at(0);
        ck_assert_msg(status == (has_failed ? VERSO_NO_MEMORY : VERSO_OK), "allocation %ld: %s: %s",
                      nth, verso_status_name(status), err.text);
    } while (status != VERSO_OK);
    ck_assert_int_gt(nth, 2);
    stop();
}
END_TEST

START_TEST(every_status_has_a_name)
{
    for (int i = VERSO_OK; i <= VERSO_SERVER_FAILED; i++)
        ck_assert_str_ne(verso_status_name((enum verso_status)i), "unknown");
    ck_assert_str_eq(verso_status_name((enum verso_status)99), "unknown");
    verso_free(NULL);
    verso_client_free(NULL);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_connection_is_kept_and_made_anew_when_the_server_has_closed_it),
    TEST(what_follows_an_answer_is_not_taken_for_the_next),
    TEST(a_server_that_says_nothing_is_left_in_time),
    TEST(a_reply_that_is_cut_anywhere_is_an_error),
    TEST(what_is_no_http_is_refused),
    TEST(what_comes_before_the_answer_is_passed_over),
    TEST(limits_hold_whatever_the_server_sends),
    TEST(a_refusal_has_its_status_and_a_clean_sentence),
    TEST(a_long_sentence_is_cut_between_characters),
    TEST(a_server_that_stops_is_healthy_and_not_ready),
    TEST(a_reply_is_the_same_however_its_bytes_arrive),
    TEST(a_stream_that_is_none_is_refused),
    TEST_LOOP(any_other_value_in_its_place_is_read_or_refused, KINDS),
    TEST(what_is_no_json_is_refused),
    TEST_LOOP(each_allocation_may_fail, 9),
    TEST(every_status_has_a_name),
};
TEST_MAIN("server/client/hostile", cases)
