/*
 * test_db.c - opening real database files: new, old, locked, foreign, damaged.
 */
#include "tests/server/store/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "server/store/db.h"

#define PATIENCE_MS 100

static char folder[64];
static char path[128];
static struct error err;

static void fresh_path(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/verso.db", folder);
}

static void write_file(const char *name, const char *bytes, size_t len)
{
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

START_TEST(a_new_database_has_every_migration)
{
    struct db *db;
    fresh_path();
    assert_ok(db_open(&db, path, &err), err);
    int count = 0;
    while (migrations[count].name)
        count++;
    ck_assert_int_ge(count, 2);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM migrations"), count);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM vocabularies"), 0);
    ck_assert_int_eq(database_number(db, "SELECT count(*) FROM models"), 0);
    db_close(db);
    remove_folder(folder);
}
END_TEST

START_TEST(it_is_safe_wal_and_its_owners_alone)
{
    struct db *db;
    struct stat info;
    fresh_path();
    assert_ok(db_open(&db, path, &err), err);
    ck_assert_int_eq(database_number(db, "PRAGMA synchronous"), 2);
    ck_assert_int_eq(database_number(db, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(database_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
                     1);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0600);
    db_close(db);
    remove_folder(folder);
}
END_TEST

START_TEST(opening_again_changes_nothing)
{
    struct db *db;
    fresh_path();
    assert_ok(db_open(&db, path, &err), err);
    long long first = database_number(db, "SELECT sum(applied_ms) FROM migrations");
    long long changes = database_number(db, "PRAGMA data_version");
    struct db *second;
    assert_ok(db_open(&second, path, &err), err);
    ck_assert_int_eq(database_number(db, "PRAGMA data_version"), changes);
    ck_assert_int_eq(database_number(second, "SELECT sum(applied_ms) FROM migrations"), first);
    db_close(second);
    db_close(db);
    remove_folder(folder);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
    struct db *db;
    fresh_path();
    snprintf(path, sizeof path, "%s/none/verso.db", folder);
    assert_status(db_open(&db, path, &err), STATUS_IO);
    ck_assert_ptr_null(db);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    ck_assert_ptr_nonnull(strstr(err.text, "check that its folder exists"));
    remove_folder(folder);
}
END_TEST

START_TEST(a_folder_in_place_of_the_file_is_refused)
{
    struct db *db;
    fresh_path();
    ck_assert_int_eq(mkdir(path, 0700), 0);
    assert_status(db_open(&db, path, &err), STATUS_IO);
    ck_assert_ptr_null(db);
    remove_folder(folder);
}
END_TEST

START_TEST(a_text_file_is_refused_with_advice_and_left_alone)
{
    static const char text[] = "This is a letter to my mother, not a database. It is long enough "
                               "to hold what SQLite takes for a header, and a little more.\n";
    struct db *db;
    struct stat info;
    fresh_path();
    write_file(path, text, sizeof text - 1);
    assert_status(db_open(&db, path, &err), STATUS_BAD_FILE);
    ck_assert_ptr_null(db);
    ck_assert_ptr_nonnull(strstr(err.text, "is not a verso database"));
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_size, sizeof text - 1);
    remove_folder(folder);
}
END_TEST

START_TEST(a_damaged_database_is_refused_with_advice)
{
    struct db *db;
    char garbage[4096];
    fresh_path();
    assert_ok(db_open(&db, path, &err), err);
    assert_ok(sql_run(db, "PRAGMA wal_checkpoint(TRUNCATE)", &err), err);
    db_close(db);
    memset(garbage, 0xA5, sizeof garbage);
    int fd = open(path, O_WRONLY); // the header stays, the table of tables goes
    ck_assert_int_eq(pwrite(fd, garbage, 3996, 100), 3996);
    close(fd);
    assert_status(db_open(&db, path, &err), STATUS_BAD_FILE);
    ck_assert_ptr_null(db);
    ck_assert_ptr_nonnull(strstr(err.text, "restore a backup"));
    remove_folder(folder);
}
END_TEST

START_TEST(another_programs_database_is_refused_and_left_alone)
{
    sqlite3 *other;
    struct db *db;
    fresh_path();
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "CREATE TABLE bookmarks (url)", 0, 0, 0), SQLITE_OK);
    sqlite3_close(other);
    assert_status(db_open(&db, path, &err), STATUS_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(err.text, "another program"));
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "SELECT 1 FROM migrations", 0, 0, 0), SQLITE_ERROR);
    sqlite3_close(other);
    remove_folder(folder);
}
END_TEST

START_TEST(a_lock_of_another_process_is_waited_for_and_then_named)
{
    int release, exit_status;
    struct db *db;
    fresh_path();
    pid_t child =
        lock_in_child(path, "CREATE TABLE IF NOT EXISTS t (x); BEGIN EXCLUSIVE", &release);
    assert_status(db_open_as(&db, path, migrations, PATIENCE_MS, &err), STATUS_BUSY);
    ck_assert_ptr_null(db);
    ck_assert_ptr_nonnull(strstr(err.text, "another process"));
    close(release);
    ck_assert_int_eq(waitpid(child, &exit_status, 0), child);
    ck_assert_int_eq(exit_status, 0);
    remove_folder(folder);
}
END_TEST

START_TEST(processes_that_start_together_migrate_once)
{
    enum { CHILDREN = 8 };
    pid_t children[CHILDREN];
    int exit_status;
    struct db *db;
    fresh_path();
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct db *mine;
            struct error why = { .text = "" };
            if (db_open(&mine, path, &why) != STATUS_OK) {
                fprintf(stderr, "child: %s\n", why.text);
                _exit(1);
            }
            db_close(mine);
            _exit(0);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        ck_assert_int_eq(waitpid(children[i], &exit_status, 0), children[i]);
        ck_assert_int_eq(exit_status, 0);
    }
    assert_ok(db_open(&db, path, &err), err);
    db_close(db);
    remove_folder(folder);
}
END_TEST

START_TEST(opening_survives_every_failed_allocation)
{
    fresh_path();
    for (long nth = 1;; nth++) {
        struct db *db;
        long live = memory_live();
        memory_fail_at(nth);
        enum status status = db_open(&db, path, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_ok(status, err);
            db_close(db);
            break;
        }
        assert_status(status, STATUS_NO_MEMORY);
        ck_assert_ptr_null(db);
        ck_assert_int_eq(memory_live(), live);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_new_database_has_every_migration),
    TEST(it_is_safe_wal_and_its_owners_alone),
    TEST(opening_again_changes_nothing),
    TEST(a_folder_that_is_not_there_is_named),
    TEST(a_folder_in_place_of_the_file_is_refused),
    TEST(a_text_file_is_refused_with_advice_and_left_alone),
    TEST(a_damaged_database_is_refused_with_advice),
    TEST(another_programs_database_is_refused_and_left_alone),
    TEST(a_lock_of_another_process_is_waited_for_and_then_named),
    TEST(processes_that_start_together_migrate_once),
    TEST(opening_survives_every_failed_allocation),
};
TEST_MAIN("server/store/db", cases)
