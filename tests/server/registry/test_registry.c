/*
 * test_registry.c - folders of tiny models: found by pair, refused with the file's name.
 */
#include "tests/helpers.h"

#include <pthread.h>
#include <sys/stat.h>

#include "server/registry/registry.h"
#include "server/store/sql.h"
#include "tests/tiny_detector.h"

static struct error err;
static char folder[64], models[96], database[128];
static struct db *db;

static void setup(void)
{
    make_folder(folder);
    snprintf(models, sizeof models, "%s/models", folder);
    snprintf(database, sizeof database, "%s/verso.db", folder);
    ck_assert_int_eq(mkdir(models, 0700), 0);
    assert_ok(db_open(&db, database, &err), err);
}

static void teardown(void)
{
    db_close(db);
    remove_folder(folder);
}

static void add(const char *file, const char *source, const char *target, uint64_t seed)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", models, file);
    write_tiny_model(path, source, target, seed);
}

static long long number(const char *sql)
{
    bool has_row;
    sqlite3_stmt *s;
    assert_ok(sql_prepare(db, &s, sql, &err), err);
    assert_ok(sql_step(db, s, &has_row, &err), err);
    long long value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

static struct registry *must_open(void)
{
    struct registry *r;
    assert_ok(registry_open(&r, models, WEIGHT_F32, SHORTLIST_WHOLE, db, &err), err);
    return r;
}

static void must_refuse(enum status status, const char *says)
{
    struct registry *r;
    assert_status(registry_open(&r, models, WEIGHT_F32, SHORTLIST_WHOLE, db, &err), status);
    ck_assert_ptr_null(r);
    ck_assert_msg(strstr(err.text, says), "\"%s\" lacks \"%s\"", err.text, says);
}

START_TEST(every_model_of_the_folder_is_found_by_its_pair)
{
    setup();
    add("b.safetensors", "fr", "en", 1);
    add("a.safetensors", "en", "fr", 2);
    add("c.safetensors", "en", "de", 3);
    struct registry *r = must_open();
    ck_assert_int_eq(registry_count(r), 3);
    ck_assert_str_eq(live_model_name(registry_at(r, 0)), "en-de");
    ck_assert_str_eq(live_model_name(registry_at(r, 1)), "en-fr");
    ck_assert_str_eq(live_model_name(registry_at(r, 2)), "fr-en");
    struct live_model *m = registry_find(r, "en", "de");
    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(live_model_source(m), "en");
    ck_assert_str_eq(live_model_target(m), "de");
    ck_assert_ptr_nonnull(live_model_engine(m));
    live_model_release(m);
    ck_assert_ptr_null(registry_find(r, "de", "en"));
    ck_assert_ptr_null(registry_find(r, "", ""));
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(models_and_vocabularies_are_recorded_once)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    add("b.safetensors", "fr", "en", 2);
    for (int i = 0; i < 2; i++)
        registry_close(must_open());
    ck_assert_int_eq(number("SELECT count(*) FROM models"), 2);
    ck_assert_int_eq(number("SELECT count(*) FROM vocabularies"), 1); // both have the same
    ck_assert_int_eq(number("SELECT count(*) FROM models WHERE source = 'en' AND target = 'fr' "
                            "AND name = 'en-fr' AND json_extract(card, '$.source') = 'en'"),
                     1);
    teardown();
}
END_TEST

START_TEST(the_serving_vocabulary_is_the_one_of_the_database)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    registry_close(must_open());
    assert_ok(sql_run(db,
                      "UPDATE pieces SET text = 'ŵ' WHERE number = "
                      "(SELECT max(number) FROM pieces)",
                      &err),
              err);
    struct registry *r = must_open();
    struct live_model *m = registry_find(r, "en", "fr");
    const struct vocabulary *v = engine_vocabulary(live_model_engine(m));
    ck_assert_str_eq(vocabulary_piece(v, vocabulary_size(v) - 1)->text, "ŵ");
    live_model_release(m);
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(a_model_outlives_the_registry_while_it_is_held)
{
    struct engine_worker *worker;
    struct engine_limits limits = { .sentences = 2, .beam = 2, .pieces = 32, .text_sentences = 4 };
    setup();
    add("a.safetensors", "en", "fr", 1);
    struct registry *r = must_open();
    struct live_model *m = registry_find(r, "en", "fr");
    struct live_model *again = registry_find(r, "en", "fr");
    ck_assert_ptr_eq(m, again);
    registry_close(r);
    live_model_release(again);
    assert_ok(engine_worker_new(&worker, live_model_engine(m), &limits, &err), err);
    engine_worker_free(worker);
    live_model_release(m);
    live_model_release(NULL);
    registry_close(NULL);
    teardown();
}
END_TEST

START_TEST(other_files_are_not_looked_at)
{
    char path[160];
    setup();
    add("a.safetensors", "en", "fr", 1);
    add(".hidden.safetensors", "en", "fr", 2);
    add("b.safetensors.tmp-1", "en", "fr", 3);
    snprintf(path, sizeof path, "%s/README.md", models);
    FILE *file = fopen(path, "w");
    fputs("not a model\n", file);
    fclose(file);
    struct registry *r = must_open();
    ck_assert_int_eq(registry_count(r), 1);
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(models_that_do_not_translate_are_left_alone)
{
    char path[160];
    setup();
    snprintf(path, sizeof path, "%s/a-detect.safetensors", models);
    write_tiny_detector(path, "[\"en\",\"fr\"]", 2);
    must_refuse(STATUS_NOT_FOUND, "none of them translates");
    add("b.safetensors", "en", "fr", 1);
    struct registry *r = must_open();
    ck_assert_int_eq(registry_count(r), 1);
    ck_assert_str_eq(live_model_name(registry_at(r, 0)), "en-fr");
    ck_assert_int_eq(number("SELECT count(*) FROM models"), 1);
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(a_folder_that_is_absent_or_empty_is_named)
{
    setup();
    must_refuse(STATUS_NOT_FOUND, models);
    ck_assert_ptr_nonnull(strstr(err.text, ".safetensors"));
    strcat(models, "/none");
    must_refuse(STATUS_NOT_FOUND, models);
    teardown();
}
END_TEST

START_TEST(a_file_that_cannot_be_loaded_is_named)
{
    char path[160];
    setup();
    add("good.safetensors", "en", "fr", 1);
    snprintf(path, sizeof path, "%s/torn.safetensors", models);
    write_tiny_model(path, "fr", "en", 2);
    ck_assert_int_eq(truncate(path, 5000), 0);
    must_refuse(STATUS_BAD_FILE, "torn.safetensors");
    teardown();
}
END_TEST

START_TEST(a_model_without_languages_is_named)
{
    setup();
    add("mute.safetensors", "", "fr", 1);
    must_refuse(STATUS_BAD_FILE, "mute.safetensors");
    ck_assert_ptr_nonnull(strstr(err.text, "card"));
    teardown();
}
END_TEST

START_TEST(two_models_of_one_pair_are_both_named)
{
    setup();
    add("old.safetensors", "en", "fr", 1);
    add("new.safetensors", "en", "fr", 2);
    must_refuse(STATUS_BAD_INPUT, "old.safetensors");
    ck_assert_ptr_nonnull(strstr(err.text, "new.safetensors"));
    teardown();
}
END_TEST

static void *find_and_release(void *registry)
{
    for (int i = 0; i < 10000; i++) {
        struct live_model *m = registry_find(registry, "en", "fr");
        if (!m)
            return NULL;
        live_model_release(m);
    }
    return registry;
}

START_TEST(any_thread_may_find_and_release)
{
    pthread_t threads[4];
    void *result;
    setup();
    add("a.safetensors", "en", "fr", 1);
    struct registry *r = must_open();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, find_and_release, r), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        ck_assert_ptr_eq(result, r);
    }
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(opening_survives_every_failed_allocation)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    for (long nth = 1;; nth++) {
        struct registry *r;
        long live = memory_live();
        memory_fail_at(nth);
        enum status status = registry_open(&r, models, WEIGHT_F32, SHORTLIST_WHOLE, db, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_ok(status, err);
            registry_close(r);
            break;
        }
        ck_assert_int_ne(status, STATUS_OK);
        ck_assert_ptr_null(r);
        ck_assert_int_eq(memory_live(), live);
    }
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(every_model_of_the_folder_is_found_by_its_pair),
    TEST(models_and_vocabularies_are_recorded_once),
    TEST(the_serving_vocabulary_is_the_one_of_the_database),
    TEST(a_model_outlives_the_registry_while_it_is_held),
    TEST(other_files_are_not_looked_at),
    TEST(models_that_do_not_translate_are_left_alone),
    TEST(a_folder_that_is_absent_or_empty_is_named),
    TEST(a_file_that_cannot_be_loaded_is_named),
    TEST(a_model_without_languages_is_named),
    TEST(two_models_of_one_pair_are_both_named),
    TEST(any_thread_may_find_and_release),
    TEST(opening_survives_every_failed_allocation),
};
TEST_MAIN("server/registry/registry", cases)
