/*
 * database.h - what tests ask a database file: numbers, whether it is sound, what happens while
 * another process holds it.
 */
#ifndef TESTS_SERVER_STORE_DATABASE_H
#define TESTS_SERVER_STORE_DATABASE_H

#include "server/store/care.h"
#include "server/store/sql.h"
#include "tests/helpers.h"

/* The first column of the first row. */
static inline long long database_number(struct db *db, const char *sql)
{
    struct error err;
    bool has_row;
    sqlite3_stmt *s;
    assert_ok(sql_prepare(db, &s, sql, &err), err);
    assert_ok(sql_step(db, s, &has_row, &err), err);
    ck_assert(has_row);
    const long long value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

static inline void database_problem(void *context, const char *problem)
{
    (void)context;
    ck_abort_msg("%s", problem);
}

static inline void assert_sound(struct db *db)
{
    struct error err;
    int problems;
    assert_ok(db_check(db, database_problem, NULL, &problems, &err), err);
}

/* A child that has run `sql` on the file, and holds the lock that this took until *release is
 * closed. */
static inline pid_t lock_in_child(const char *path, const char *sql, int *release)
{
    int ready[2], done[2];
    char c;
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(done), 0);
    const pid_t child = fork();
    if (child == 0) {
        sqlite3 *other;
        close(done[1]);
        if (sqlite3_open(path, &other) != SQLITE_OK || sqlite3_exec(other, sql, 0, 0, 0))
            _exit(1);
        if (write(ready[1], "x", 1) != 1 || read(done[0], &c, 1) != 0)
            _exit(1);
        _exit(0);
    }
    close(done[0]);
    ck_assert_int_eq(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    *release = done[1];
    return child;
}

#endif
