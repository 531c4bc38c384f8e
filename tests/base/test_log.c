/*
 * test_log.c - each event is one line of JSON, whatever is in it and whoever else logs.
 */
#include "tests/helpers.h"

#include <pthread.h>

#include "base/json.h"
#include "base/log.h"

static char *written; // what the log wrote
static size_t written_len;
static FILE *stream;

static void begin(void)
{
    stream = open_memstream(&written, &written_len);
    fflush(stream); // only now are the two variables set
    log_set_file(stream);
    log_set_level(LOG_INFO);
}

static void end(void)
{
    log_set_file(stderr);
    fclose(stream);
    free(written);
}

/* The one line written so far, parsed. */
static json_t *only_line(void)
{
    struct error err;
    json_t *line;
    ck_assert_uint_gt(written_len, 0);
    ck_assert_ptr_eq(strchr(written, '\n'), written + written_len - 1);
    assert_ok(json_parse(&line, written, written_len, &err), err);
    return line;
}

static const char *text_of(const json_t *line, const char *name)
{
    return json_string_value(json_object_get(line, name));
}

START_TEST(a_line_has_time_level_event_and_fields_in_order)
{
    begin();
    log_event(LOG_WARNING, "model_loaded", "name", LOG_TEXT("en-fr"), "ms", LOG_NUMBER(31), NULL);
    ck_assert_ptr_eq(strstr(written, "{\"time\":\"20"), written);
    ck_assert_str_eq(strstr(written, "Z\","),
                     "Z\",\"level\":\"warning\",\"event\":\"model_loaded\",\"name\":\"en-fr\","
                     "\"ms\":31}\n");
    json_decref(only_line());
    end();
}
END_TEST

START_TEST(numbers_are_written_as_short_as_they_are)
{
    begin();
    log_event(LOG_INFO, "n", "a", LOG_NUMBER(0.1), "b", LOG_NUMBER(-3), "c",
              LOG_NUMBER(9007199254740991.0), "d", LOG_NUMBER(1e300), "e", LOG_NUMBER(0.0 / 0.0),
              "f", LOG_NUMBER(1.0 / 0.0), "g", LOG_NUMBER(12.25), NULL);
    ck_assert_str_eq(strstr(written, "\"a\""),
                     "\"a\":0.1,\"b\":-3,\"c\":9007199254740991,\"d\":1e+300,\"e\":null,"
                     "\"f\":null,\"g\":12.25}\n");
    json_decref(only_line());
    end();
}
END_TEST

START_TEST(every_byte_may_be_in_a_text)
{
    begin();
    char text[256];
    for (int i = 0; i < 255; i++)
        text[i] = (char)(i + 1);
    text[255] = '\0';
    log_event(LOG_INFO, "bytes", "all", LOG_TEXT(text), NULL);
    json_t *line = only_line();
    const char *read = text_of(line, "all");
    ck_assert_mem_eq(read, text, 127);
    for (int i = 0; i < 128; i++)
        ck_assert_mem_eq(read + 127 + 3 * i, "\xEF\xBF\xBD", 3);
    json_decref(line);
    end();
}
END_TEST

static const struct {
    const char *text, *logged;
} texts[] = {
    { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
    { "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD" }, // overlong
    { "\xE0\x80\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
    { "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },                 // a surrogate
    { "\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" }, // too high
    { "x\xE2\x82", "x\xEF\xBF\xBD\xEF\xBF\xBD" },                               // cut
    { "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF" },                                 // the last one
    { "\x1F\x7F\"\\/", "\x1F\x7F\"\\/" },
};

START_TEST(what_is_no_utf8_becomes_the_replacement_character)
{
    begin();
    log_event(LOG_INFO, "text", "t", LOG_TEXT(texts[_i].text), NULL);
    json_t *line = only_line();
    ck_assert_str_eq(text_of(line, "t"), texts[_i].logged);
    json_decref(line);
    end();
}
END_TEST

START_TEST(a_line_too_long_loses_whole_fields_and_says_so)
{
    begin();
    char text[10000];
    memset(text, '"', sizeof text);
    text[sizeof text - 1] = '\0';
    log_event(LOG_INFO, "long", "a", LOG_NUMBER(1), "b", LOG_TEXT(text), "c", LOG_NUMBER(2), NULL);
    json_t *line = only_line();
    ck_assert_int_eq(json_integer_value(json_object_get(line, "a")), 1);
    ck_assert_ptr_null(json_object_get(line, "b"));
    ck_assert(json_is_true(json_object_get(line, "cut")));
    json_decref(line);
    end();
}
END_TEST

/* Texts of every length around the limit: the line is whole JSON for each. */
START_TEST(no_length_breaks_a_line)
{
    char text[4200];
    for (size_t len = 3900; len < 4200; len++) {
        begin();
        memset(text, 'x', len);
        text[len] = '\0';
        log_event(LOG_INFO, "long", "b", LOG_TEXT(text), NULL);
        ck_assert_uint_le(written_len, 4096);
        json_t *line = only_line();
        ck_assert((json_object_get(line, "b") == NULL) ==
                  json_is_true(json_object_get(line, "cut")));
        json_decref(line);
        end();
    }
}
END_TEST

START_TEST(below_the_level_nothing_is_written)
{
    begin();
    log_event(LOG_DEBUG, "quiet", NULL);
    log_set_level(LOG_ERROR);
    log_event(LOG_WARNING, "quiet", NULL);
    log_set_level(LOG_NOTHING);
    log_event(LOG_ERROR, "quiet", NULL);
    log_event(LOG_NOTHING, "quiet", NULL);
    ck_assert_uint_eq(written_len, 0);
    log_set_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "heard", NULL);
    json_decref(only_line());
    end();
}
END_TEST

START_TEST(a_log_that_cannot_be_written_stops_nothing)
{
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    log_set_file(full);
    for (int i = 0; i < 10; i++)
        log_event(LOG_ERROR, "disk_full", NULL);
    log_set_file(stderr);
    fclose(full);
}
END_TEST

START_TEST(logging_needs_no_memory)
{
    begin();
    memory_fail_at(1);
    log_event(LOG_ERROR, "no_memory", "for", LOG_TEXT("a request"), NULL);
    ck_assert(!memory_failed());
    memory_fail_at(0);
    json_decref(only_line());
    end();
}
END_TEST

#define THREADS 4
#define LINES_EACH 500

static void *log_many(void *argument)
{
    char text[256];
    int thread = *(int *)argument;
    memset(text, 'a' + thread, sizeof text);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < LINES_EACH; i++)
        log_event(LOG_INFO, "round", "thread", LOG_NUMBER(thread), "line", LOG_NUMBER(i), "text",
                  LOG_TEXT(text), NULL);
    return NULL;
}

/* Each line is whole, and each thread's lines are in its order. */
static void check_line(char *text, int next[THREADS])
{
    struct error err;
    json_t *line;
    assert_ok(json_parse(&line, text, strlen(text), &err), err);
    int thread = (int)json_integer_value(json_object_get(line, "thread"));
    ck_assert_int_eq(json_integer_value(json_object_get(line, "line")), next[thread]++);
    const char *letters = text_of(line, "text");
    ck_assert_uint_eq(strspn(letters, (char[]){ (char)('a' + thread), '\0' }), 255);
    json_decref(line);
}

START_TEST(lines_of_several_threads_never_mix)
{
    pthread_t threads[THREADS];
    int numbers[THREADS], next[THREADS] = { 0 };
    FILE *file = tmpfile();
    char text[4096];
    log_set_file(file);
    log_set_level(LOG_INFO);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_set_file(stderr);
    rewind(file);
    while (fgets(text, sizeof text, file))
        check_line(text, next);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(next[i], LINES_EACH);
    fclose(file);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_line_has_time_level_event_and_fields_in_order),
    TEST(numbers_are_written_as_short_as_they_are),
    TEST(every_byte_may_be_in_a_text),
    TEST_LOOP(what_is_no_utf8_becomes_the_replacement_character, sizeof texts / sizeof texts[0]),
    TEST(a_line_too_long_loses_whole_fields_and_says_so),
    TEST(no_length_breaks_a_line),
    TEST(below_the_level_nothing_is_written),
    TEST(a_log_that_cannot_be_written_stops_nothing),
    TEST(logging_needs_no_memory),
    TEST(lines_of_several_threads_never_mix),
};
TEST_MAIN("base/log", cases)
