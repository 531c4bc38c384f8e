/*
 * sql.h - SQLite for the files of this folder: one connection, statements, errors with advice.
 *
 *     sqlite3_stmt *s;
 *     status = sql_prepare(db, &s, "SELECT id FROM models WHERE digest = ?1", err);
 *     if (status == STATUS_OK)
 *         status = sql_bind_text(db, s, 1, digest, err);
 *     if (status == STATUS_OK)
 *         status = sql_step(db, s, &has_row, err);
 *     sqlite3_finalize(s);                                  // NULL is fine
 *
 * Private to server/store: nothing else includes it, and nothing else includes
 * sqlite3.h.
 */
#ifndef SERVER_STORE_SQL_H
#define SERVER_STORE_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/status.h"
#include "migrations/migrations.h"
#include "server/store/db.h"

struct db {
    sqlite3 *handle;
    char *path;                           // as given, for messages
    struct kept_vocabulary *vocabularies; // that were borrowed, until it is closed
};

/* db_open with its parts named, for tests: another history, another patience. */
MUST_CHECK enum status db_open_as(struct db **out, const char *path,
                                  const struct migration *history, int busy_ms, struct error *err);

/* What SQLite's last failure on this connection means, as a status and with advice. */
enum status sql_failed(const struct db *db, struct error *err);

MUST_CHECK enum status sql_run(struct db *db, const char *sql, struct error *err);
MUST_CHECK enum status sql_prepare(struct db *db, sqlite3_stmt **out, const char *sql,
                                   struct error *err);
MUST_CHECK enum status sql_step(struct db *db, sqlite3_stmt *statement, bool *has_row,
                                struct error *err);
/* One that gives no rows; ready to be bound and run again afterwards. */
MUST_CHECK enum status sql_step_once(struct db *db, sqlite3_stmt *statement, struct error *err);

/* The first number of a query's one row. */
MUST_CHECK enum status sql_number(struct db *db, const char *sql, long long *out,
                                  struct error *err);
/* A text of the row at hand, borrowed until the next step; a column that is never NULL. */
MUST_CHECK enum status sql_text(struct db *db, sqlite3_stmt *statement, int column,
                                const char **text, struct error *err);

/* Parameters from 1. Texts are borrowed until the statement is stepped; NULL is NULL. */
MUST_CHECK enum status sql_bind_text(struct db *db, sqlite3_stmt *statement, int parameter,
                                     const char *text, struct error *err);
MUST_CHECK enum status sql_bind_number(struct db *db, sqlite3_stmt *statement, int parameter,
                                       long long value, struct error *err);

/* A transaction that may write, from the start: a later wait for the lock cannot deadlock. */
MUST_CHECK enum status sql_begin(struct db *db, struct error *err);
/* Commits if `status` is OK, else rolls back and returns `status` as it came. */
MUST_CHECK enum status sql_end(struct db *db, enum status status, struct error *err);
/* A transaction of its own: a statement whose parameters are two numbers. *changes: rows. */
MUST_CHECK enum status sql_change(struct db *db, const char *sql, long long first, long long second,
                                  int *changes, struct error *err);

#endif
