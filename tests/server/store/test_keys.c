/* test_keys.c - keys given out, recognised and revoked. */
#include "server/store/keys.h"

#include "server/store/sql.h"
#include "tests/helpers.h"

static char folder[64], path[128];
static struct db *db;
static struct error err;

static void open_db(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/verso.db", folder);
    assert_ok(db_open(&db, path, &err), err);
}

static void close_db(void)
{
    db_close(db);
    remove_folder(folder);
}

static const struct known_key *find(const struct key_set *set, const char *key)
{
    return key_set_find(set, key, strlen(key));
}

START_TEST(a_key_is_recognised_with_its_scopes_and_rate)
{
    char anna[KEY_BYTES], bert[KEY_BYTES];
    struct key_set *set;
    open_db();
    assert_ok(keys_add(db, "anna", 1 | 2, 0, anna, &err), err);
    assert_ok(keys_add(db, "bert", 4, 30, bert, &err), err);
    ck_assert_int_eq(strncmp(anna, "verso_1_", 8), 0);
    ck_assert_uint_eq(strlen(anna), 8 + 32);
    assert_ok(key_set_load(&set, db, &err), err);
    ck_assert_int_eq(key_set_count(set), 2);
    ck_assert_uint_eq(find(set, anna)->scopes, 3);
    ck_assert_int_eq(find(set, anna)->rate, 0);
    ck_assert_int_eq(find(set, bert)->id, 2);
    ck_assert_int_eq(find(set, bert)->rate, 30);
    key_set_free(set);
    close_db();
}
END_TEST

START_TEST(what_is_not_the_key_is_not_recognised)
{
    char key[KEY_BYTES], other[KEY_BYTES * 2];
    struct key_set *set;
    open_db();
    assert_ok(key_set_load(&set, db, &err), err);
    ck_assert_ptr_null(find(set, "verso_1_"));
    key_set_free(set);
    assert_ok(keys_add(db, "anna", 1, 0, key, &err), err);
    assert_ok(key_set_load(&set, db, &err), err);
    for (size_t i = 0; i < strlen(key); i++) { // every other letter, and every beginning
        snprintf(other, sizeof other, "%s", key);
        other[i] = other[i] == 'z' ? 'y' : 'z';
        ck_assert_ptr_null(find(set, other));
        ck_assert_ptr_null(key_set_find(set, key, i));
    }
    static const char *const nonsense[] = { "",           "verso_",
                                            "verso_1",    "verso_99999999999999999999_a",
                                            "verso_-1_a", "verso_0_" };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        ck_assert_ptr_null(find(set, nonsense[i]));
    snprintf(other, sizeof other, "%s%s", key, key);
    ck_assert_ptr_null(find(set, other));
    key_set_free(set);
    close_db();
}
END_TEST

START_TEST(the_key_itself_is_not_in_the_file)
{
    char key[KEY_BYTES], command[256];
    open_db();
    assert_ok(keys_add(db, "anna", 1, 0, key, &err), err);
    snprintf(command, sizeof command, "cat '%s'* | grep -aq '%s'", path, key + 8);
    ck_assert_int_ne(system(command), 0);
    snprintf(command, sizeof command, "cat '%s'* | grep -aq anna", path);
    ck_assert_int_eq(system(command), 0); // the search would have found it
    close_db();
}
END_TEST

START_TEST(a_revoked_key_is_recognised_no_more_and_keeps_its_name)
{
    char key[KEY_BYTES];
    struct key_set *set;
    long long before, after;
    open_db();
    assert_ok(keys_add(db, "anna", 1, 0, key, &err), err);
    assert_ok(keys_stamp(db, &before, &err), err);
    assert_ok(keys_revoke(db, "anna", &err), err);
    assert_ok(keys_stamp(db, &after, &err), err);
    ck_assert(before != after);
    assert_ok(key_set_load(&set, db, &err), err);
    ck_assert_ptr_null(find(set, key));
    key_set_free(set);
    assert_status(keys_revoke(db, "anna", &err), STATUS_NOT_FOUND);
    assert_status(keys_add(db, "anna", 1, 0, key, &err), STATUS_BAD_INPUT);
    close_db();
}
END_TEST

START_TEST(the_stamp_changes_with_each_key)
{
    char key[KEY_BYTES], name[8];
    long long stamps[20];
    open_db();
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_ok(keys_add(db, name, 1, 0, key, &err), err);
        assert_ok(keys_stamp(db, &stamps[i], &err), err);
        for (int j = 0; j < i; j++)
            ck_assert(stamps[i] != stamps[j]);
    }
    close_db();
}
END_TEST

START_TEST(names_are_a_line_of_text)
{
    char key[KEY_BYTES], name[KEY_NAME_MAX + 2];
    open_db();
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_status(keys_add(db, name, 1, 0, key, &err), STATUS_BAD_INPUT);
    assert_status(keys_add(db, "", 1, 0, key, &err), STATUS_BAD_INPUT);
    assert_status(keys_add(db, "a\tb", 1, 0, key, &err), STATUS_BAD_INPUT);
    name[KEY_NAME_MAX] = '\0';
    assert_ok(keys_add(db, name, 1, 0, key, &err), err);
    close_db();
}
END_TEST

START_TEST(loading_gives_back_what_it_took)
{
    char key[KEY_BYTES];
    open_db();
    assert_ok(keys_add(db, "anna", 1, 0, key, &err), err);
    for (long nth = 1;; nth++) {
        struct key_set *set;
        const long before = memory_live();
        memory_fail_at(nth);
        const enum status status = key_set_load(&set, db, &err);
        const bool failed = memory_failed();
        memory_fail_at(0);
        key_set_free(set);
        ck_assert_int_eq(memory_live(), before);
        if (!failed)
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
    }
    close_db();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_key_is_recognised_with_its_scopes_and_rate),
    TEST(what_is_not_the_key_is_not_recognised),
    TEST(the_key_itself_is_not_in_the_file),
    TEST(a_revoked_key_is_recognised_no_more_and_keeps_its_name),
    TEST(the_stamp_changes_with_each_key),
    TEST(names_are_a_line_of_text),
    TEST(loading_gives_back_what_it_took),
};
TEST_MAIN("server/store/keys", cases)
