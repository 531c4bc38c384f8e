/*
 * helpers.h - what every test file uses: its main(), the case table, temporary
 * folders, and where the shared material is.
 *
 *     static const struct test_case cases[] = {
 *         TEST(an_absent_key_is_null),
 *         TEST(keys_keep_their_order),
 *     };
 *     TEST_MAIN("base/map", cases)
 *
 * Test functions are START_TEST/END_TEST as Check has them.
 */
#ifndef TESTS_HELPERS_H
#define TESTS_HELPERS_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/status.h"

/* Check writes down where each assertion that holds stands, which takes longer than most of what is
 * asserted here: a million of them, minutes. */
#define _mark_point(file, line) ((void)0)

struct test_case {
    const char *name;
    const TTest **test;
    int loops; // 1, or how often with _i = 0, 1, ...
};

#define TEST(function)                                                                             \
    {                                                                                              \
#function, &function, 1                                                                    \
    }
#define TEST_LOOP(function, times)                                                                 \
    {                                                                                              \
#function, &function, times                                                                \
    }

#define TEST_SKIPPED 77 // exit code that ctest shows as skipped

static inline int test_run(const char *suite_name, const struct test_case *cases, size_t count)
{
    Suite *suite = suite_create(suite_name);
    for (size_t i = 0; i < count; i++) {
        TCase *tc = tcase_create(cases[i].name);
        tcase_set_timeout(tc, 120);
        tcase_add_loop_test(tc, *cases[i].test, 0, cases[i].loops);
        suite_add_tcase(suite, tc);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TEST_MAIN(suite_name, cases)                                                               \
    int main(void)                                                                                 \
    {                                                                                              \
        return test_run(suite_name, cases, sizeof(cases) / sizeof((cases)[0]));                    \
    }

/* For a file whose every test needs the shared folder: first thing in main(). */
#define SKIP_WITHOUT_SHARED()                                                                      \
    do {                                                                                           \
        if (access(SHARED_DIR "/models", R_OK) != 0) {                                             \
            puts("skipped: there is no shared folder beside the checkout");                        \
            exit(TEST_SKIPPED);                                                                    \
        }                                                                                          \
    } while (0)

/* A fresh folder below $TMPDIR or /tmp; the caller removes it with remove_folder. */
static inline char *make_folder(char path[64])
{
    snprintf(path, 64, "%s", "/tmp/verso-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
    return path;
}

static inline void remove_folder(const char *path)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    ck_assert_int_eq(system(command), 0);
}

#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        enum status assert_ok_status = (call);                                                     \
        ck_assert_msg(assert_ok_status == STATUS_OK, "%s: %s: %s", #call,                          \
                      status_name(assert_ok_status), (err).text);                                  \
    } while (0)

#define assert_status(call, wanted)                                                                \
    do {                                                                                           \
        enum status assert_status_got = (call);                                                    \
        ck_assert_msg(assert_status_got == (wanted), "%s: %s, expected %s", #call,                 \
                      status_name(assert_status_got), status_name(wanted));                        \
    } while (0)

#endif
