/*
 * test_run_log.c - the log of a training: its lines, and going on with one.
 */
#include "server/cmd/run_log.c"

#include "base/bytes.h"
#include "tests/helpers.h"

static char folder[64], path[96];

static void begin(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/run.jsonl", folder);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void assert_text(const char *wanted)
{
    struct bytes text;
    struct error err;
    bytes_init(&text, 1 << 20);
    assert_ok(bytes_read_file(&text, path, &err), err);
    ck_assert_str_eq(text.data ? text.data : "", wanted);
    bytes_release(&text);
}

static struct run_log *open_log(int64_t updates, int64_t validated_at)
{
    const struct training_state state = { .updates = updates, .validated_at = validated_at };
    struct run_log *log;
    struct error err;
    assert_ok(run_log_open(&log, path, &state, &err), err);
    return log;
}

START_TEST(an_update_and_a_validation_are_a_line_each)
{
    const struct training_state state = { .updates = 12 };
    const struct training_progress progress = {
        .state = &state, .epochs = 0.25, .loss = 3.5, .norm = 0.125, .rate = 0.001, .pieces = 40
    };
    const struct training_validation validation = { .state = &state, .loss = 3.25 };
    struct error err;
    begin();
    struct run_log *log = open_log(0, -1);
    assert_ok(run_log_update(log, &progress, 4000, &err), err);
    assert_ok(run_log_validation(log, &validation, NAN, &err), err);
    assert_ok(run_log_validation(log, &validation, 12.5, &err), err);
    run_log_close(log);
    assert_text("{\"update\":12,\"epoch\":0.25,\"loss\":3.5,\"rate\":0.001,\"norm\":0.125,"
                "\"speed\":4000.0,\"skipped\":false}\n"
                "{\"update\":12,\"validation_loss\":3.25}\n"
                "{\"update\":12,\"validation_loss\":3.25,\"bleu\":12.5}\n");
    remove_folder(folder);
}
END_TEST

START_TEST(a_trace_is_the_root_mean_square_by_distance)
{
    struct gradient_trace trace = { .squares = { 8, 1, 0.5 }, .counts = { 2, 2, 1 } };
    struct error err;
    begin();
    struct run_log *log = open_log(0, -1);
    assert_ok(run_log_trace(log, 101, &trace, &err), err);
    run_log_close(log);
    assert_text("{\"update\":101,\"gradient_norms\":[2.0,0.70711,0.70711]}\n");
    remove_folder(folder);
}
END_TEST

/* Each of the most steps, each as long as a number can be. */
START_TEST(the_longest_trace_fits_a_line)
{
    struct gradient_trace trace;
    struct error err;
    begin();
    for (int k = 0; k < TRACE_STEPS; k++) {
        trace.squares[k] = 1.23456e-201;
        trace.counts[k] = 3;
    }
    struct run_log *log = open_log(0, -1);
    assert_ok(run_log_trace(log, INT64_MAX, &trace, &err), err);
    run_log_close(log);
    remove_folder(folder);
}
END_TEST

START_TEST(what_is_not_finite_is_null)
{
    const struct training_state state = { .updates = 1 };
    const struct training_progress progress = {
        .state = &state, .loss = INFINITY, .norm = NAN, .skipped = true
    };
    struct error err;
    begin();
    struct run_log *log = open_log(0, -1);
    assert_ok(run_log_update(log, &progress, 10, &err), err);
    run_log_close(log);
    assert_text("{\"update\":1,\"epoch\":0.0,\"loss\":null,\"rate\":0.0,\"norm\":null,"
                "\"speed\":10.0,\"skipped\":true}\n");
    remove_folder(folder);
}
END_TEST

#define LINES_1_2 "{\"update\":1,\"loss\":3}\n{\"update\":2,\"loss\":2}\n"
#define VALIDATION_2 "{\"update\":2,\"validation_loss\":2.5}\n"

/* What is kept when a training goes on from update `updates`, validated at `validated_at`. */
static const struct {
    const char *before;
    int updates, validated_at;
    const char *kept;
} resumed[] = {
    { LINES_1_2 VALIDATION_2, 2, 2, LINES_1_2 VALIDATION_2 },
    { LINES_1_2 VALIDATION_2 "{\"update\":3,\"loss\":1}\n", 2, 2, LINES_1_2 VALIDATION_2 },
    { LINES_1_2 VALIDATION_2, 2, -1, LINES_1_2 }, // saved between the update and its validation
    { LINES_1_2 "{\"update\":3,\"lo", 5, -1, LINES_1_2 },
    { LINES_1_2 VALIDATION_2, 0, -1, "" }, // afresh
    { "{\"upd", 0, -1, "" },
    { "", 7, 7, "" },
};

START_TEST(lines_that_will_be_written_again_are_cut_off)
{
    begin();
    write_text(resumed[_i].before);
    run_log_close(open_log(resumed[_i].updates, resumed[_i].validated_at));
    assert_text(resumed[_i].kept);
    remove_folder(folder);
}
END_TEST

static const char *const others[] = {
    "one\tun\ntwo\tdeux\n",
    "{\"update\":\"one\"}\n",
    "no line end",
    "[1]\n",
};

START_TEST(a_file_that_is_no_log_is_refused_and_left_alone)
{
    const struct training_state state = { .validated_at = -1 };
    struct run_log *log;
    struct error err;
    begin();
    write_text(others[_i]);
    assert_status(run_log_open(&log, path, &state, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_null(log);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    assert_text(others[_i]);
    remove_folder(folder);
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_is_said)
{
    const struct training_state state = { .validated_at = -1 };
    struct run_log *log;
    struct error err;
    assert_status(run_log_open(&log, "/nowhere/at/all/run.jsonl", &state, &err), STATUS_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all/run.jsonl"));
}
END_TEST

static const struct test_case cases[] = {
    TEST(an_update_and_a_validation_are_a_line_each),
    TEST(a_trace_is_the_root_mean_square_by_distance),
    TEST(the_longest_trace_fits_a_line),
    TEST(what_is_not_finite_is_null),
    TEST_LOOP(lines_that_will_be_written_again_are_cut_off, 7),
    TEST_LOOP(a_file_that_is_no_log_is_refused_and_left_alone, 4),
    TEST(a_log_that_cannot_be_opened_is_said),
};
TEST_MAIN("server/cmd/run_log", cases)
