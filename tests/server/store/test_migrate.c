/*
 * test_migrate.c - histories that grow, change, lose something, fail or are killed in the middle.
 */
#include "tests/helpers.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "server/store/sql.h"

#define PATIENCE_MS 2000

static const struct migration books = { "0001_books", "CREATE TABLE books (title TEXT) STRICT;" };
static const struct migration pages = {
    "0002_pages", "CREATE TABLE pages (n INTEGER) STRICT; INSERT INTO pages VALUES (1), (2);"
};
static const struct migration words = { "0003_words", "CREATE TABLE words (w TEXT) STRICT;" };

static char folder[64];
static char path[128];
static struct error err;

static void fresh_path(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/verso.db", folder);
}

static enum status open_with(struct db **db, const struct migration *history)
{
    return db_open_as(db, path, history, PATIENCE_MS, &err);
}

static void make_with(const struct migration *history)
{
    struct db *db;
    assert_ok(open_with(&db, history), err);
    db_close(db);
}

static void refuse(const struct migration *history, const char *says, const char *names)
{
    struct db *db;
    assert_status(open_with(&db, history), STATUS_BAD_FILE);
    ck_assert_ptr_null(db);
    ck_assert_msg(strstr(err.text, says) && strstr(err.text, names), "\"%s\" lacks %s or %s",
                  err.text, says, names);
}

static bool has_table(const char *name)
{
    sqlite3 *raw;
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", name);
    ck_assert_int_eq(sqlite3_open(path, &raw), SQLITE_OK);
    int code = sqlite3_exec(raw, sql, 0, 0, 0);
    sqlite3_close(raw);
    return code == SQLITE_OK;
}

START_TEST(a_history_that_grew_is_applied_from_where_it_stopped)
{
    fresh_path();
    make_with((struct migration[]){ books, { 0 } });
    ck_assert(!has_table("pages"));
    make_with((struct migration[]){ books, pages, words, { 0 } }); // books twice would fail
    ck_assert(has_table("pages"));
    ck_assert(has_table("words"));
    remove_folder(folder);
}
END_TEST

START_TEST(a_changed_migration_is_refused_even_if_only_a_comment_changed)
{
    struct migration changed = books;
    changed.sql = "CREATE TABLE books (title TEXT) STRICT; -- now with a comment";
    fresh_path();
    make_with((struct migration[]){ books, { 0 } });
    refuse((struct migration[]){ changed, pages, { 0 } }, "was changed", "0001_books");
    ck_assert(!has_table("pages"));
    remove_folder(folder);
}
END_TEST

START_TEST(a_newer_database_is_refused)
{
    fresh_path();
    make_with((struct migration[]){ books, pages, words, { 0 } });
    refuse((struct migration[]){ books, pages, { 0 } }, "use the newer verso", "0003_words");
    remove_folder(folder);
}
END_TEST

START_TEST(a_migration_that_the_program_lost_is_refused)
{
    fresh_path();
    make_with((struct migration[]){ books, pages, words, { 0 } });
    refuse((struct migration[]){ books, words, { 0 } }, "does not have", "0002_pages");
    remove_folder(folder);
}
END_TEST

START_TEST(a_migration_put_in_before_later_ones_is_refused)
{
    fresh_path();
    make_with((struct migration[]){ books, words, { 0 } });
    refuse((struct migration[]){ books, pages, words, { 0 } }, "but not 0002_pages", "0003_words");
    ck_assert(!has_table("pages"));
    remove_folder(folder);
}
END_TEST

START_TEST(nothing_remains_of_a_migration_that_fails)
{
    struct db *db;
    const struct migration broken = { "0002_pages", "CREATE TABLE pages (n INTEGER) STRICT;"
                                                    "INSERT INTO pages VALUES ('not a number');" };
    fresh_path();
    ck_assert_int_ne(open_with(&db, (struct migration[]){ books, broken, { 0 } }), STATUS_OK);
    ck_assert_ptr_null(db);
    ck_assert_ptr_nonnull(strstr(err.text, "0002_pages"));
    ck_assert(has_table("books"));
    ck_assert(!has_table("pages"));
    make_with((struct migration[]){ books, pages, words, { 0 } }); // put right, it goes on
    ck_assert(has_table("words"));
    remove_folder(folder);
}
END_TEST

/* A migration that writes for minutes: more than the page cache holds, so the log grows. */
static const struct migration endless = {
    "0002_pages",
    "CREATE TABLE pages (n INTEGER) STRICT;"
    "CREATE TABLE half (text TEXT) STRICT;"
    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000000000)"
    "INSERT INTO half SELECT hex(zeroblob(500)) FROM c;"
};

static void wait_until_the_log_grows(void)
{
    char log[160];
    struct stat info;
    snprintf(log, sizeof log, "%s-wal", path);
    for (int tries = 0; tries < 6000; tries++) {
        if (stat(log, &info) == 0 && info.st_size > 1 << 20)
            return;
        usleep(10000);
    }
    ck_abort_msg("the migration never wrote anything");
}

START_TEST(nothing_remains_of_a_migration_killed_in_the_middle)
{
    fresh_path();
    pid_t child = fork();
    if (child == 0) {
        struct db *db;
        _exit(open_with(&db, (struct migration[]){ books, endless, { 0 } }) == STATUS_OK ? 0 : 1);
    }
    wait_until_the_log_grows();
    int exit_status;
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &exit_status, 0), child);
    ck_assert(WIFSIGNALED(exit_status));

    ck_assert(has_table("books"));
    ck_assert(!has_table("half"));
    make_with((struct migration[]){ books, pages, words, { 0 } });
    ck_assert(has_table("pages"));
    ck_assert(!has_table("half"));
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_history_that_grew_is_applied_from_where_it_stopped),
    TEST(a_changed_migration_is_refused_even_if_only_a_comment_changed),
    TEST(a_newer_database_is_refused),
    TEST(a_migration_that_the_program_lost_is_refused),
    TEST(a_migration_put_in_before_later_ones_is_refused),
    TEST(nothing_remains_of_a_migration_that_fails),
    TEST(nothing_remains_of_a_migration_killed_in_the_middle),
};
TEST_MAIN("server/store/migrate", cases)
