/*
 * sql.c - statements and transactions; what SQLite's error codes mean to whoever runs verso.
 */
#include "server/store/sql.h"

struct advice {
    int code; // SQLite's primary result code
    enum status status;
    const char *text; // follows "PATH: what SQLite says: "
};

static const struct advice advices[] = {
    { SQLITE_NOTADB, STATUS_BAD_FILE,
      "the file is not a verso database; give another path, or move the file away and a new "
      "database is made" },
    { SQLITE_CORRUPT, STATUS_BAD_FILE,
      "the file is damaged; restore a backup, or move it away (with its -wal and -shm files) and a "
      "new database is made" },
    { SQLITE_BUSY, STATUS_BUSY,
      "another process is writing to it; stop that process or try again when it is done" },
    { SQLITE_LOCKED, STATUS_BUSY, "another connection holds it; try again when that is done" },
    { SQLITE_FULL, STATUS_IO, "the disk is full; make room and try again" },
    { SQLITE_READONLY, STATUS_IO,
      "it cannot be written; check the rights of the file and of its folder" },
    { SQLITE_CANTOPEN, STATUS_IO,
      "it cannot be opened; check that its folder exists and that you may write there" },
    { SQLITE_PERM, STATUS_IO, "access is denied; check the rights of the file" },
    { SQLITE_IOERR, STATUS_IO, "the disk failed; check it, and restore a backup if need be" },
    { SQLITE_INTERRUPT, STATUS_CANCELLED, "nobody waits for it any more" },
    { SQLITE_NOMEM, STATUS_NO_MEMORY, "give the program more memory" },
    { SQLITE_TOOBIG, STATUS_TOO_LARGE, "a text is too long to be stored" },
};

enum status sql_failed(const struct db *db, struct error *err)
{
    const char *said = sqlite3_errmsg(db->handle);
    int code = sqlite3_errcode(db->handle) & 0xff;
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (advices[i].code == code)
            return error_set(err, advices[i].status, "%s: %s: %s", db->path, said, advices[i].text);
    return error_set(err, STATUS_BAD_FILE,
                     "%s: %s: the tables are not as this program left them; restore a backup",
                     db->path, said);
}

enum status sql_run(struct db *db, const char *sql, struct error *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sql_failed(db, err);
    return STATUS_OK;
}

enum status sql_prepare(struct db *db, sqlite3_stmt **out, const char *sql, struct error *err)
{
    *out = NULL;
    if (sqlite3_prepare_v2(db->handle, sql, -1, out, NULL) != SQLITE_OK)
        return sql_failed(db, err);
    return STATUS_OK;
}

enum status sql_step(struct db *db, sqlite3_stmt *statement, bool *has_row, struct error *err)
{
    int code = sqlite3_step(statement);
    *has_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? STATUS_OK : sql_failed(db, err);
}

enum status sql_step_once(struct db *db, sqlite3_stmt *statement, struct error *err)
{
    bool has_row;
    enum status status = sql_step(db, statement, &has_row, err);
    sqlite3_reset(statement); // reports the same failure once more
    return status;
}

enum status sql_number(struct db *db, const char *sql, long long *out, struct error *err)
{
    bool has_row;
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, sql, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK)
        *out = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return status;
}

enum status sql_text(struct db *db, sqlite3_stmt *statement, int column, const char **text,
                     struct error *err)
{
    *text = (const char *)sqlite3_column_text(statement, column);
    return *text ? STATUS_OK : sql_failed(db, err);
}

enum status sql_bind_text(struct db *db, sqlite3_stmt *statement, int parameter, const char *text,
                          struct error *err)
{
    if (sqlite3_bind_text(statement, parameter, text, -1, SQLITE_STATIC) != SQLITE_OK)
        return sql_failed(db, err);
    return STATUS_OK;
}

enum status sql_bind_number(struct db *db, sqlite3_stmt *statement, int parameter, long long value,
                            struct error *err)
{
    if (sqlite3_bind_int64(statement, parameter, value) != SQLITE_OK)
        return sql_failed(db, err);
    return STATUS_OK;
}

enum status sql_begin(struct db *db, struct error *err)
{
    return sql_run(db, "BEGIN IMMEDIATE", err);
}

enum status sql_end(struct db *db, enum status status, struct error *err)
{
    if (status == STATUS_OK)
        status = sql_run(db, "COMMIT", err);
    if (status != STATUS_OK) // some failures have rolled back by themselves
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

enum status sql_change(struct db *db, const char *sql, long long first, long long second,
                       int *changes, struct error *err)
{
    sqlite3_stmt *s = NULL;
    enum status status = sql_begin(db, err);
    if (status != STATUS_OK)
        return status;
    status = sql_prepare(db, &s, sql, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 1, first, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 2, second, err);
    if (status == STATUS_OK)
        status = sql_step_once(db, s, err);
    const int rows = sqlite3_changes(db->handle);
    sqlite3_finalize(s);
    status = sql_end(db, status, err);
    if (status == STATUS_OK)
        *changes = rows;
    return status;
}
