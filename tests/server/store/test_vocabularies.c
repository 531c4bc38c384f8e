/*
 * test_vocabularies.c - vocabularies and models go into rows and come back the same.
 */
#include "tests/server/store/database.h"

#include "base/bytes.h"
#include "server/store/vocabularies.h"
#include "tests/tiny_model.h"

#define SHARED_VOCABULARY SHARED_DIR "/models/en-fr.vocab.tsv"

static char folder[64];
static struct db *db;
static struct error err;
static struct bytes tsv;

static void setup(void)
{
    char path[128];
    make_folder(folder);
    snprintf(path, sizeof path, "%s/verso.db", folder);
    assert_ok(db_open(&db, path, &err), err);
    struct vocabulary *v = tiny_vocabulary();
    bytes_init(&tsv, 1 << 24);
    assert_ok(vocabulary_write_tsv(v, &tsv, &err), err);
    vocabulary_free(v);
}

static void teardown(void)
{
    bytes_release(&tsv);
    db_close(db);
    remove_folder(folder);
}

static void assert_same_vocabulary(const struct vocabulary *a, const struct vocabulary *b)
{
    ck_assert_int_eq(vocabulary_size(a), vocabulary_size(b));
    ck_assert_int_eq(vocabulary_options(a).form, vocabulary_options(b).form);
    ck_assert_int_eq(vocabulary_options(a).casefold, vocabulary_options(b).casefold);
    for (int i = 0; i < vocabulary_size(a); i++) {
        const struct piece *p = vocabulary_piece(a, i), *q = vocabulary_piece(b, i);
        ck_assert_str_eq(p->text, q->text);
        ck_assert_int_eq(p->len, q->len);
        ck_assert_int_eq(p->kind, q->kind);
        ck_assert_int_eq(p->byte, q->byte);
        ck_assert(p->score == q->score);
    }
}

START_TEST(what_comes_back_is_what_went_in)
{
    long long id;
    struct vocabulary *parsed, *stored;
    setup();
    assert_ok(vocabulary_parse_tsv(&parsed, tsv.data, tsv.len, &err), err);
    assert_ok(vocabularies_import(db, tsv.data, &id, &stored, &err), err);
    assert_same_vocabulary(parsed, stored);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM pieces"), vocabulary_size(parsed));
    vocabulary_free(stored);
    vocabulary_free(parsed);
    teardown();
}
END_TEST

START_TEST(importing_again_stores_nothing)
{
    long long first, second;
    struct vocabulary *v;
    setup();
    assert_ok(vocabularies_import(db, tsv.data, &first, &v, &err), err);
    vocabulary_free(v);
    long long pieces = database_number(db, "SELECT count(*) FROM pieces");
    assert_ok(vocabularies_import(db, tsv.data, &second, &v, &err), err);
    vocabulary_free(v);
    ck_assert_int_eq(first, second);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM pieces"), pieces);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM vocabularies"), 1);
    teardown();
}
END_TEST

START_TEST(another_text_is_another_vocabulary_with_its_own_options)
{
    long long first, second;
    struct vocabulary *v;
    setup();
    assert_ok(vocabularies_import(db, tsv.data, &first, &v, &err), err);
    vocabulary_free(v);
    char *cased = strstr(tsv.data, "\tcased\n");
    ck_assert_ptr_nonnull(cased);
    struct bytes other;
    bytes_init(&other, 1 << 24);
    bytes_append_text(&other, "#verso-vocabulary\tnfc\tcasefold\n");
    bytes_append_text(&other, strchr(tsv.data, '\n') + 1);
    assert_ok(vocabularies_import(db, other.data, &second, &v, &err), err);
    ck_assert_int_ne(first, second);
    ck_assert_int_eq(vocabulary_options(v).form, FORM_NFC);
    ck_assert(vocabulary_options(v).casefold);
    vocabulary_free(v);
    bytes_release(&other);
    teardown();
}
END_TEST

START_TEST(a_text_that_is_no_vocabulary_leaves_no_row)
{
    long long id = 7;
    struct vocabulary *v;
    setup();
    ck_assert_int_ne(vocabularies_import(db, "0\t<pad>\tzero\n", &id, &v, &err), STATUS_OK);
    ck_assert_ptr_null(v);
    ck_assert_int_eq(id, 7);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM vocabularies"), 0);
    teardown();
}
END_TEST

START_TEST(rows_that_were_tampered_with_are_refused)
{
    static const char *const harm[] = {
        "DELETE FROM pieces WHERE number = 300",
        "DELETE FROM pieces WHERE number = (SELECT max(number) FROM pieces)",
        "UPDATE pieces SET text = 'e' WHERE number = (SELECT max(number) FROM pieces)",
        "UPDATE pieces SET text = hex(zeroblob(100000)) WHERE number = 300",
        "UPDATE pieces SET kind = 'normal' WHERE number = 10",
        "INSERT INTO pieces SELECT vocabulary_id, 100000, 'x', 0, 'normal' FROM pieces LIMIT 1",
        "UPDATE vocabularies SET piece_count = 1000000000",
    };
    long long id;
    struct vocabulary *v;
    setup();
    assert_ok(vocabularies_import(db, tsv.data, &id, &v, &err), err);
    vocabulary_free(v);
    for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
        assert_ok(sql_run(db, "SAVEPOINT before", &err), err);
        assert_ok(sql_run(db, harm[i], &err), err);
        ck_assert_msg(vocabularies_import(db, tsv.data, &id, &v, &err) != STATUS_OK, "%s", harm[i]);
        ck_assert_ptr_null(v);
        ck_assert_ptr_nonnull(strstr(err.text, "vocabulary"));
        assert_ok(sql_run(db, "ROLLBACK TO before; RELEASE before", &err), err);
    }
    teardown();
}
END_TEST

START_TEST(import_survives_every_failed_allocation)
{
    setup();
    for (long nth = 1;; nth++) {
        long long id;
        struct vocabulary *v;
        long live = memory_live();
        assert_ok(sql_run(db, "DELETE FROM vocabularies", &err), err);
        memory_fail_at(nth);
        enum status status = vocabularies_import(db, tsv.data, &id, &v, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_ok(status, err);
            vocabulary_free(v);
            break;
        }
        assert_status(status, STATUS_NO_MEMORY);
        ck_assert_ptr_null(v);
        ck_assert_int_eq(memory_live(), live);
    }
    teardown();
}
END_TEST

START_TEST(a_model_is_recorded_once_a_digest)
{
    static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const char other[] = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
    long long id, models[3];
    struct vocabulary *v;
    setup();
    assert_ok(vocabularies_import(db, tsv.data, &id, &v, &err), err);
    vocabulary_free(v);
    for (int i = 0; i < 2; i++)
        assert_ok(models_record(db, "en-fr", "en", "fr", digest, "{\"name\":\"en-fr\"}", id,
                                &models[i], &err),
                  err);
    assert_ok(models_record(db, "en-fr", "en", "fr", other, NULL, id, &models[2], &err), err);
    ck_assert_int_eq(models[0], models[1]);
    ck_assert_int_ne(models[0], models[2]);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM models"), 2);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM models WHERE card IS NULL"), 1);
    ck_assert_int_eq(
        database_number(db, "SELECT count(*) FROM models WHERE last_loaded_ms < first_loaded_ms"),
        0);
    teardown();
}
END_TEST

START_TEST(a_model_of_no_vocabulary_is_refused)
{
    static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    long long id;
    setup();
    ck_assert_int_ne(models_record(db, "en-fr", "en", "fr", digest, NULL, 99, &id, &err),
                     STATUS_OK);
    teardown();
}
END_TEST

START_TEST(a_real_vocabulary_comes_back_the_same)
{
    long long id;
    struct bytes text;
    struct vocabulary *loaded, *stored;
    if (access(SHARED_VOCABULARY, R_OK) != 0) {
        puts("skipped: there is no shared folder beside the checkout");
        return;
    }
    setup();
    bytes_init(&text, 1 << 24);
    assert_ok(bytes_read_file(&text, SHARED_VOCABULARY, &err), err);
    assert_ok(vocabulary_load_tsv(&loaded, SHARED_VOCABULARY, &err), err);
    assert_ok(vocabularies_import(db, text.data, &id, &stored, &err), err);
    assert_same_vocabulary(loaded, stored);
    vocabulary_free(stored);
    vocabulary_free(loaded);
    bytes_release(&text);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(what_comes_back_is_what_went_in),
    TEST(importing_again_stores_nothing),
    TEST(another_text_is_another_vocabulary_with_its_own_options),
    TEST(a_text_that_is_no_vocabulary_leaves_no_row),
    TEST(rows_that_were_tampered_with_are_refused),
    TEST(import_survives_every_failed_allocation),
    TEST(a_model_is_recorded_once_a_digest),
    TEST(a_model_of_no_vocabulary_is_refused),
    TEST(a_real_vocabulary_comes_back_the_same),
};
TEST_MAIN("server/store/vocabularies", cases)
