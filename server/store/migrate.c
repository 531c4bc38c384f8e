/*
 * migrate.c - what a database has had, whether that fits, and applying the rest.
 */
#include "server/store/migrate.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

static const char record_table[] = "CREATE TABLE IF NOT EXISTS migrations ("
                                   "    name       TEXT    PRIMARY KEY,"
                                   "    sha256     TEXT    NOT NULL,"
                                   "    applied_ms INTEGER NOT NULL"
                                   ") STRICT, WITHOUT ROWID";

static enum status hash_of(const struct migration *m, char hex[SHA256_HEX_BYTES], struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    if (!sha256_of(m->sql, strlen(m->sql), digest))
        return error_set(err, STATUS_NO_MEMORY, "no memory to hash migration %s", m->name);
    sha256_to_hex(digest, hex);
    return STATUS_OK;
}

/* Whether the recorded migration of this row is the one that `history` has in its place. */
static enum status check_recorded(struct db *db, sqlite3_stmt *row,
                                  const struct migration *expected, struct error *err)
{
    char hex[SHA256_HEX_BYTES];
    const char *name, *sha256;
    enum status status = sql_text(db, row, 0, &name, err);
    if (status == STATUS_OK)
        status = sql_text(db, row, 1, &sha256, err);
    if (status != STATUS_OK)
        return status;
    if (!expected->name || strcmp(name, expected->name) < 0)
        return error_set(err, STATUS_BAD_FILE,
                         "%s has had migration %s, which this program does not have: use the newer "
                         "verso that made the database, or give another file",
                         db->path, name);
    if (strcmp(name, expected->name) > 0)
        return error_set(err, STATUS_BAD_FILE,
                         "%s has had migration %s but not %s, which comes before it: restore a "
                         "backup made by a released verso, or give another file",
                         db->path, name, expected->name);
    status = hash_of(expected, hex, err);
    if (status == STATUS_OK && strcmp(sha256, hex) != 0)
        status = error_set(err, STATUS_BAD_FILE,
                           "migration %s was changed after %s had it: put the file's old text "
                           "back, build again, and make the change in a new migration",
                           name, db->path);
    return status;
}

static enum status has_record(struct db *db, bool *has, struct error *err)
{
    long long own = 0, all = 0;
    enum status status =
        sql_number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'", &own, err);
    if (status == STATUS_OK)
        status = sql_number(db, "SELECT count(*) FROM sqlite_schema", &all, err);
    if (status == STATUS_OK && own == 0 && all > 0)
        status = error_set(err, STATUS_BAD_FILE,
                           "%s is a database of another program: give another path", db->path);
    *has = own > 0;
    return status;
}

/* How many of `history` the database has had, all of them checked. */
static enum status count_applied(struct db *db, const struct migration *history, int *applied,
                                 struct error *err)
{
    bool has_row;
    sqlite3_stmt *s = NULL;
    *applied = 0;
    enum status status = has_record(db, &has_row, err);
    if (status != STATUS_OK || !has_row)
        return status;
    status = sql_prepare(db, &s, "SELECT name, sha256 FROM migrations ORDER BY name", err);
    while (status == STATUS_OK) {
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        status = check_recorded(db, s, &history[*applied], err);
        if (status == STATUS_OK)
            ++*applied;
    }
    sqlite3_finalize(s);
    return status;
}

static enum status record(struct db *db, const struct migration *m, struct error *err)
{
    char hex[SHA256_HEX_BYTES];
    sqlite3_stmt *s = NULL;
    enum status status = hash_of(m, hex, err);
    if (status == STATUS_OK)
        status = sql_prepare(db, &s, "INSERT INTO migrations VALUES (?1, ?2, ?3)", err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 1, m->name, err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 2, hex, err);
    if (status == STATUS_OK)
        status = sql_bind_number(db, s, 3, clock_wall_ms(), err);
    if (status == STATUS_OK)
        status = sql_step_once(db, s, err);
    sqlite3_finalize(s);
    return status;
}

static enum status apply(struct db *db, const struct migration *m, struct error *err)
{
    enum status status = sql_run(db, record_table, err);
    if (status == STATUS_OK)
        status = sql_run(db, m->sql, err);
    if (status == STATUS_OK)
        status = record(db, m, err);
    if (status != STATUS_OK)
        error_while(err, "migration %s, of which nothing was kept: ", m->name);
    return status;
}

enum status migrate(struct db *db, const struct migration *history, struct error *err)
{
    int applied;
    enum status status = count_applied(db, history, &applied, err);
    while (status == STATUS_OK && history[applied].name) {
        status = sql_begin(db, err);
        if (status != STATUS_OK)
            break;
        status = count_applied(db, history, &applied, err); // another process may be faster
        if (status == STATUS_OK && history[applied].name)
            status = apply(db, &history[applied++], err);
        status = sql_end(db, status, err);
    }
    return status;
}
