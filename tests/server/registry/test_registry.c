/*
 * test_registry.c - folders of tiny models: found by pair, refused with the file's name.
 */
#include "tests/server/store/database.h"

#include <pthread.h>
#include <sys/stat.h>

#include "server/registry/registry.h"
#include "tests/server/live.h"
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

static struct registry *must_open(void)
{
    struct registry *r;
    assert_ok(registry_open(&r, models, WEIGHT_F32, SHORTLIST_WHOLE, db, &err), err);
    return r;
}

/* The live models, in order. */
static void assert_names(struct registry *r, const char *expected)
{
    char names[256] = "";
    struct live_models *list = registry_models(r);
    for (int i = 0; i < list->count; i++) {
        strcat(names, i ? " " : "");
        strcat(names, live_model_name(list->at[i]));
    }
    live_models_release(list);
    ck_assert_str_eq(names, expected);
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
    assert_names(r, "en-de en-fr fr-en");
    struct live_model *m = live_find(r, "en", "de");
    ck_assert_ptr_nonnull(m);
    ck_assert_str_eq(live_model_source(m), "en");
    ck_assert_str_eq(live_model_target(m), "de");
    ck_assert_ptr_nonnull(live_model_engine(m));
    live_model_release(m);
    ck_assert_ptr_null(live_find(r, "de", "en"));
    ck_assert_ptr_null(live_find(r, "", ""));
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
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM models"), 2);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM vocabularies"),
                     1); // both have the same
    ck_assert_int_eq(
        database_number(db, "SELECT count(*) FROM models WHERE source = 'en' AND target = 'fr' "
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
    struct live_model *m = live_find(r, "en", "fr");
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
    struct live_model *m = live_find(r, "en", "fr");
    struct live_model *again = live_find(r, "en", "fr");
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
    assert_names(r, "en-fr");
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
    assert_names(r, "en-fr");
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM models"), 1);
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
        struct live_model *m = live_find(registry, "en", "fr");
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

/* ---- reloading ---- */

/* The file is replaced as a careful operator does it. */
static void replace(const char *file, const char *source, const char *target, uint64_t seed)
{
    char from[160], to[160];
    add("new.tmp-1", source, target, seed);
    snprintf(from, sizeof from, "%s/new.tmp-1", models);
    snprintf(to, sizeof to, "%s/%s", models, file);
    ck_assert_int_eq(rename(from, to), 0);
}

static void spoil(const char *file)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", models, file);
    ck_assert_int_eq(unlink(path), 0);
    FILE *out = fopen(path, "w");
    fputs("not a model\n", out);
    fclose(out);
}

static void drop(const char *file)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", models, file);
    ck_assert_int_eq(unlink(path), 0);
}

static void must_reload(struct registry *r, const char *name)
{
    assert_ok(registry_reload(r, name, &err), err);
}

static void must_not_reload(struct registry *r, const char *name, enum status status,
                            const char *says)
{
    assert_status(registry_reload(r, name, &err), status);
    ck_assert_msg(strstr(err.text, says), "\"%s\" lacks \"%s\"", err.text, says);
}

START_TEST(a_reload_takes_up_what_is_new_and_leaves_what_is_gone)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    add("b.safetensors", "fr", "en", 2);
    struct registry *r = must_open();
    add("c.safetensors", "en", "de", 3);
    drop("b.safetensors");
    must_reload(r, NULL);
    assert_names(r, "en-de en-fr");
    ck_assert_ptr_null(live_find(r, "fr", "en"));
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM models"), 3);
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(a_reload_of_all_leaves_alone_what_has_not_changed)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    add("b.safetensors", "fr", "en", 2);
    struct registry *r = must_open();
    struct live_model *same = live_find(r, "en", "fr"), *other = live_find(r, "fr", "en");
    replace("b.safetensors", "fr", "en", 7);
    must_reload(r, NULL);
    struct live_model *after = live_find(r, "en", "fr");
    ck_assert_ptr_eq(after, same);
    live_model_release(after);
    after = live_find(r, "fr", "en");
    ck_assert_ptr_ne(after, other);
    live_model_release(after);
    must_reload(r, "en-fr"); // by its name it is loaded whatever the file says
    after = live_find(r, "en", "fr");
    ck_assert_ptr_ne(after, same);
    live_model_release(after);
    live_model_release(same);
    live_model_release(other);
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(a_bad_file_leaves_the_old_model_and_does_not_stop_the_others)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    add("b.safetensors", "fr", "en", 2);
    struct registry *r = must_open();
    struct live_model *before = live_find(r, "en", "fr");
    spoil("a.safetensors");
    add("c.safetensors", "en", "de", 3);
    must_not_reload(r, NULL, STATUS_BAD_FILE, "a.safetensors");
    assert_names(r, "en-de en-fr fr-en");
    struct live_model *after = live_find(r, "en", "fr");
    ck_assert_ptr_eq(before, after);
    must_not_reload(r, "en-fr", STATUS_BAD_FILE, "a.safetensors");
    assert_names(r, "en-de en-fr fr-en");
    live_model_release(before);
    live_model_release(after);
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(a_new_file_does_not_take_a_pair_from_the_one_that_has_it)
{
    setup();
    add("b.safetensors", "en", "fr", 1);
    struct registry *r = must_open();
    struct live_model *before = live_find(r, "en", "fr");
    add("a.safetensors", "en", "fr", 2);
    must_not_reload(r, NULL, STATUS_BAD_INPUT, "both translate en to fr");
    struct live_model *after = live_find(r, "en", "fr");
    ck_assert_ptr_eq(before, after);
    live_model_release(before);
    live_model_release(after);
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(two_files_may_change_their_pairs)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    add("b.safetensors", "fr", "en", 2);
    struct registry *r = must_open();
    replace("a.safetensors", "fr", "en", 3);
    replace("b.safetensors", "en", "fr", 4);
    must_reload(r, NULL);
    assert_names(r, "en-fr fr-en");
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(the_last_model_does_not_leave)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    struct registry *r = must_open();
    const unsigned generation = registry_generation(r);
    drop("a.safetensors");
    must_not_reload(r, NULL, STATUS_NOT_FOUND, "has no models");
    assert_names(r, "en-fr");
    ck_assert_uint_eq(registry_generation(r), generation);
    must_not_reload(r, "en-fr", STATUS_NOT_FOUND, "a.safetensors");
    must_not_reload(r, "en-de", STATUS_NOT_FOUND, "no model is named en-de");
    assert_names(r, "en-fr");
    registry_close(r);
    teardown();
}
END_TEST

START_TEST(whatever_fails_in_a_reload_the_old_models_stay_and_nothing_leaks)
{
    setup();
    add("a.safetensors", "en", "fr", 1);
    struct registry *r = must_open();
    must_reload(r, "en-fr"); // what SQLite keeps is there now
    for (long nth = 1;; nth++) {
        const long before = memory_live();
        memory_fail_at(nth);
        const enum status status = registry_reload(r, "en-fr", &err);
        const bool failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(memory_live(), before);
        assert_names(r, "en-fr");
        if (!failed)
            break;
        ck_assert_int_ne(status, STATUS_OK);
    }
    registry_close(r);
    teardown();
}
END_TEST

static atomic_int changes;

static void count_change(void *context)
{
    (void)context;
    atomic_fetch_add(&changes, 1);
}

static void *reload_often(void *registry)
{
    struct error failure;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(registry_reload(registry, "en-fr", &failure), STATUS_OK);
    return NULL;
}

START_TEST(finding_and_reloading_do_not_get_in_each_others_way)
{
    pthread_t threads[2];
    setup();
    add("a.safetensors", "en", "fr", 1);
    add("b.safetensors", "fr", "en", 2);
    struct registry *r = must_open();
    atomic_store(&changes, 0);
    registry_on_change(r, count_change, NULL);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, reload_often, r), 0);
    while (atomic_load(&changes) < 20) {
        struct live_model *m = live_find(r, "en", "fr");
        struct live_models *list = registry_models(r);
        ck_assert_int_eq(list->count, 2);
        ck_assert_str_eq(live_model_name(m), "en-fr");
        live_model_release(m);
        live_models_release(list);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(registry_generation(r), 20);
    registry_close(r);
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
    TEST(a_reload_takes_up_what_is_new_and_leaves_what_is_gone),
    TEST(a_reload_of_all_leaves_alone_what_has_not_changed),
    TEST(a_bad_file_leaves_the_old_model_and_does_not_stop_the_others),
    TEST(a_new_file_does_not_take_a_pair_from_the_one_that_has_it),
    TEST(two_files_may_change_their_pairs),
    TEST(the_last_model_does_not_leave),
    TEST(whatever_fails_in_a_reload_the_old_models_stay_and_nothing_leaks),
    TEST(finding_and_reloading_do_not_get_in_each_others_way),
};
TEST_MAIN("server/registry/registry", cases)
