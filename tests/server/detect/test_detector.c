/*
 * test_detector.c - a detector answers what it can tell, the same on any thread, and is honest
 * about the rest.
 */
#include "server/detect/detector.h"

#include <pthread.h>

#include "tests/helpers.h"
#include "tests/tiny_detector.h"

#define LABELS "[\"en\",\"fr\",\"und\"]"

static char folder[64], path[96];
static struct arena arena;
static struct error err;
static struct detector *detector;

static void setup_labels(const char *labels, int classes)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/detect.safetensors", folder);
    write_tiny_detector(path, labels, classes);
}

static void setup(void)
{
    setup_labels(LABELS, 3);
    assert_ok(detector_load(&detector, path, &err), err);
    ck_assert(arena_init(&arena, detector_arena_bytes(detector)));
}

static void teardown(void)
{
    detector_free(detector);
    detector = NULL;
    arena_release(&arena);
    remove_folder(folder);
}

static struct detection detect(const char *text, size_t len)
{
    struct detection found;
    assert_ok(detector_detect(detector, text, len, &arena, &found, &err), err);
    ck_assert_uint_eq(arena.used, 0);
    return found;
}

START_TEST(its_languages_are_its_labels)
{
    setup();
    ck_assert_int_eq(detector_language_count(detector), 2);
    ck_assert_str_eq(detector_language(detector, 0), "en");
    ck_assert_str_eq(detector_language(detector, 1), "fr");
    teardown();
    setup_labels("[\"und\",\"de\",\"es\"]", 3);
    assert_ok(detector_load(&detector, path, &err), err);
    ck_assert_str_eq(detector_language(detector, 0), "de");
    ck_assert_str_eq(detector_language(detector, 1), "es");
    teardown();
}
END_TEST

START_TEST(languages_come_best_first_with_what_is_sure)
{
    setup();
    const struct detection found = detect("some words of a text", 20);
    ck_assert_int_eq(found.count, 2);
    ck_assert_float_ge(found.languages[0].confidence, found.languages[1].confidence);
    ck_assert_float_gt(found.languages[1].confidence, 0);
    ck_assert_float_lt(found.languages[0].confidence + found.languages[1].confidence, 1);
    if (strcmp(found.language, DETECTOR_UNKNOWN) == 0) {
        ck_assert_float_eq(found.confidence, 0);
    } else {
        ck_assert_str_eq(found.language, found.languages[0].language);
        ck_assert_float_eq(found.confidence, found.languages[0].confidence);
    }
    teardown();
}
END_TEST

START_TEST(without_letters_nothing_is_said)
{
    static const char *const texts[] = { "", " \n", "42", "3.14 % -- !?", "😀 👍", "https://x.org" };
    setup();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct detection found = detect(texts[i], strlen(texts[i]));
        ck_assert_str_eq(found.language, DETECTOR_UNKNOWN);
        ck_assert_float_eq(found.confidence, 0);
        ck_assert_float_eq(found.languages[0].confidence, 0);
    }
    teardown();
}
END_TEST

START_TEST(what_stands_between_words_changes_nothing)
{
    setup();
    const struct detection plain = detect("one two three", 13);
    static const char decorated[] = "\tONE, two 42 (three)! 😀 http://x.org/a";
    const struct detection same = detect(decorated, sizeof decorated - 1);
    ck_assert_mem_eq(&plain.languages, &same.languages, sizeof plain.languages);
    teardown();
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused_wherever_it_is)
{
    struct detection found;
    char text[2 * LETTERS_BYTES_MAX];
    setup();
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = (char)0xC3;
    assert_status(detector_detect(detector, text, sizeof text, &arena, &found, &err),
                  STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "UTF-8"), "%s", err.text);
    ck_assert_uint_eq(arena.used, 0);
    teardown();
}
END_TEST

START_TEST(an_arena_too_small_is_said)
{
    struct detection found;
    struct arena small;
    setup();
    for (size_t bytes = 64; bytes <= 4096; bytes *= 4) {
        ck_assert(arena_init(&small, bytes));
        assert_status(detector_detect(detector, "some words of a text", 20, &small, &found, &err),
                      STATUS_NO_MEMORY);
        ck_assert_uint_eq(small.used, 0);
        arena_release(&small);
    }
    teardown();
}
END_TEST

/* ---- long texts ---- */

/* Only four windows of many are looked at: the answer is theirs, and it changes with them. */
START_TEST(long_texts_are_heard_in_several_places)
{
    static char text[LETTERS_BYTES_MAX + 1], other[LETTERS_BYTES_MAX + 1];
    setup();
    for (size_t i = 0; i < LETTERS_BYTES_MAX; i++)
        text[i] = i % 8 == 7 ? ' ' : (char)('a' + i % 8);
    const struct detection uniform = detect(text, LETTERS_BYTES_MAX);
    const struct detection window = detect(text, LETTERS_WINDOW);
    for (int i = 0; i < 2; i++) // each window alone says the same
        ck_assert_float_eq_tol(uniform.languages[i].confidence, window.languages[i].confidence,
                               1e-6f);
    memcpy(other, text, sizeof text);
    memset(other + LETTERS_BYTES_MAX / 2, 'z', LETTERS_BYTES_MAX / 2);
    const struct detection mixed = detect(other, LETTERS_BYTES_MAX);
    ck_assert_float_ne(mixed.languages[0].confidence, uniform.languages[0].confidence);
    memset(other, 'q', sizeof other); // behind the limit nothing counts
    memcpy(other, text, LETTERS_BYTES_MAX);
    const struct detection same = detect(other, sizeof other);
    ck_assert_mem_eq(&same.languages, &uniform.languages, sizeof same.languages);
    teardown();
}
END_TEST

/* ---- threads ---- */

static void *detect_often(void *context)
{
    const struct detection *wanted = context;
    struct detection found;
    struct arena own;
    struct error why;
    bool same = arena_init(&own, detector_arena_bytes(detector));
    for (int i = 0; same && i < 50; i++)
        same =
            detector_detect(detector, "whatever the thread", 19, &own, &found, &why) == STATUS_OK &&
            memcmp(found.languages, wanted->languages, sizeof found.languages) == 0;
    arena_release(&own);
    return same ? context : NULL;
}

START_TEST(threads_share_a_detector)
{
    pthread_t threads[4];
    setup();
    struct detection wanted = detect("whatever the thread", 19);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, detect_often, &wanted), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        ck_assert_ptr_nonnull(result);
    }
    teardown();
}
END_TEST

/* ---- files ---- */

static void assert_refused(const char *labels, int classes, const char *reason)
{
    setup_labels(labels, classes);
    assert_status(detector_load(&detector, path, &err), STATUS_BAD_FILE);
    ck_assert_ptr_null(detector);
    ck_assert_msg(strstr(err.text, reason) && strstr(err.text, path), "%s", err.text);
    remove_folder(folder);
}

START_TEST(files_without_fitting_labels_are_refused)
{
    assert_refused(NULL, 3, "JSON list of 3 names");
    assert_refused("[\"en\",\"fr\"]", 3, "JSON list of 3 names");
    assert_refused("[\"en\",\"fr\",3]", 3, "must all be texts");
    assert_refused("{\"en\":1}", 3, "JSON list");
    assert_refused("[", 3, "JSON list");
    assert_refused("[]", DETECTOR_LANGUAGES_MAX + 2, "the limit is");
}
END_TEST

START_TEST(a_translator_is_no_detector)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/en-fr.safetensors", folder);
    write_tiny_model(path, "en", "fr", 1);
    assert_status(detector_load(&detector, path, &err), STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "it translates"), "%s", err.text);
    remove_folder(folder);
}
END_TEST

START_TEST(loading_survives_every_failed_allocation)
{
    setup_labels(LABELS, 3);
    for (long nth = 1;; nth++) {
        const long live = memory_live();
        memory_fail_at(nth);
        const enum status status = detector_load(&detector, path, &err);
        const bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_ok(status, err);
            break;
        }
        ck_assert_int_ne(status, STATUS_OK);
        ck_assert_ptr_null(detector);
        ck_assert_int_eq(memory_live(), live);
    }
    detector_free(detector);
    detector = NULL;
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(its_languages_are_its_labels),
    TEST(languages_come_best_first_with_what_is_sure),
    TEST(without_letters_nothing_is_said),
    TEST(what_stands_between_words_changes_nothing),
    TEST(text_that_is_not_utf8_is_refused_wherever_it_is),
    TEST(an_arena_too_small_is_said),
    TEST(long_texts_are_heard_in_several_places),
    TEST(threads_share_a_detector),
    TEST(files_without_fitting_labels_are_refused),
    TEST(a_translator_is_no_detector),
    TEST(loading_survives_every_failed_allocation),
};
TEST_MAIN("server/detect/detector", cases)
