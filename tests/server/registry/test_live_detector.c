/*
 * test_live_detector.c - a detector's file is read anew, and whoever uses the one before it is not
 * disturbed.
 */
#include "server/registry/live_detector.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/helpers.h"
#include "tests/tiny_detector.h"

#define ENGLISH "[\"en\",\"fr\",\"und\"]"
#define GERMAN "[\"de\",\"es\",\"und\"]"
#define THREADS 3
#define RELOADS 6

static char folder[64], path[96], beside[96];
static struct error err;
static struct live_detector *live;

static void setup(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/" DETECTOR_FILE, folder);
    snprintf(beside, sizeof beside, "%s/beside", folder);
}

static void teardown(void)
{
    live_detector_close(live);
    remove_folder(folder);
}

/* Written beside it, then renamed, as an operator should. */
static void put(const char *labels)
{
    write_tiny_detector(beside, labels, 3);
    ck_assert_int_eq(rename(beside, path), 0);
}

static void put_text(const char *text)
{
    FILE *file = fopen(beside, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(rename(beside, path), 0);
}

static void assert_first_language(const char *expected)
{
    const struct detector *detector = live_detector_borrow(live);
    ck_assert_ptr_nonnull(detector);
    ck_assert_str_eq(detector_language(detector, 0), expected);
    live_detector_give_back(live, detector);
}

START_TEST(a_file_comes_is_replaced_and_leaves)
{
    setup();
    assert_ok(live_detector_open(&live, folder, &err), err);
    ck_assert(!live_detector_is_there(live));
    ck_assert_ptr_null(live_detector_borrow(live));

    put(ENGLISH);
    ck_assert(!live_detector_is_there(live));
    assert_ok(live_detector_reload(live, &err), err);
    assert_first_language("en");

    put(GERMAN);
    assert_first_language("en");
    assert_ok(live_detector_reload(live, &err), err);
    assert_first_language("de");

    ck_assert_int_eq(unlink(path), 0);
    assert_ok(live_detector_reload(live, &err), err);
    ck_assert(!live_detector_is_there(live));
    teardown();
}
END_TEST

START_TEST(a_file_that_is_as_it_was_is_not_read_again)
{
    setup();
    put(ENGLISH);
    assert_ok(live_detector_open(&live, folder, &err), err);
    const struct detector *before = live_detector_borrow(live);
    assert_ok(live_detector_reload(live, &err), err);
    const struct detector *after = live_detector_borrow(live);
    ck_assert_ptr_eq(before, after);
    live_detector_give_back(live, before);
    live_detector_give_back(live, after);
    teardown();
}
END_TEST

START_TEST(a_broken_file_leaves_the_detector_and_says_so)
{
    setup();
    put(ENGLISH);
    assert_ok(live_detector_open(&live, folder, &err), err);
    put_text("not a model");
    for (int i = 0; i < 2; i++) { // said each time that it is asked for
        assert_status(live_detector_reload(live, &err), STATUS_BAD_FILE);
        ck_assert_ptr_nonnull(strstr(err.text, DETECTOR_FILE));
        ck_assert_ptr_nonnull(strstr(err.text, "the detector before it stays"));
        assert_first_language("en");
    }
    put(GERMAN);
    assert_ok(live_detector_reload(live, &err), err);
    assert_first_language("de");
    teardown();
}
END_TEST

START_TEST(a_broken_file_is_refused_at_start)
{
    setup();
    put_text("not a model");
    assert_status(live_detector_open(&live, folder, &err), STATUS_BAD_FILE);
    ck_assert_ptr_null(live);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    teardown();
}
END_TEST

START_TEST(one_that_is_used_outlives_its_file_and_its_successors)
{
    struct arena arena;
    struct detection before, after;
    setup();
    put(ENGLISH);
    assert_ok(live_detector_open(&live, folder, &err), err);
    const struct detector *used = live_detector_borrow(live);
    ck_assert(arena_init(&arena, detector_arena_bytes(used)));
    assert_ok(detector_detect(used, "the cat", 7, &arena, &before, &err), err);
    put(GERMAN);
    assert_ok(live_detector_reload(live, &err), err);
    ck_assert_int_eq(unlink(path), 0);
    assert_ok(live_detector_reload(live, &err), err);
    assert_ok(detector_detect(used, "the cat", 7, &arena, &after, &err), err);
    ck_assert_str_eq(before.language, after.language);
    ck_assert(before.confidence == after.confidence);
    live_detector_give_back(live, used);
    arena_release(&arena);
    teardown();
}
END_TEST

static atomic_bool is_over;
static atomic_int detected;

static void *keep_detecting(void *unused)
{
    struct arena arena;
    struct error mine;
    if (!arena_init(&arena, (size_t)16 << 20))
        abort();
    do {
        struct detection found;
        const struct detector *detector = live_detector_borrow(live);
        if (!detector ||
            detector_detect(detector, "the cat", 7, &arena, &found, &mine) != STATUS_OK)
            abort();
        live_detector_give_back(live, detector);
        atomic_fetch_add(&detected, 1);
    } while (!atomic_load(&is_over));
    arena_release(&arena);
    return unused;
}

START_TEST(threads_that_detect_are_not_disturbed_by_reloads)
{
    pthread_t threads[THREADS];
    setup();
    put(ENGLISH);
    assert_ok(live_detector_open(&live, folder, &err), err);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_detecting, NULL), 0);
    for (int i = 0; i < RELOADS; i++) {
        const int before = atomic_load(&detected);
        put(i % 2 ? ENGLISH : GERMAN);
        assert_ok(live_detector_reload(live, &err), err);
        while (atomic_load(&detected) < before + THREADS)
            usleep(100);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_file_comes_is_replaced_and_leaves),
    TEST(a_file_that_is_as_it_was_is_not_read_again),
    TEST(a_broken_file_leaves_the_detector_and_says_so),
    TEST(a_broken_file_is_refused_at_start),
    TEST(one_that_is_used_outlives_its_file_and_its_successors),
    TEST(threads_that_detect_are_not_disturbed_by_reloads),
};
TEST_MAIN("server/registry/live_detector", cases)
