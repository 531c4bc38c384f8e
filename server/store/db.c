/*
 * db.c - opening the database: its file, its settings, its migrations.
 */
#include "server/store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/store/migrate.h"
#include "server/store/sql.h"
#include "server/store/vocabularies.h"

#define BUSY_MS 5000 // how long to wait for another process' lock
#define AUTO_VACUUM_INCREMENTAL 2
#define WAL_RETRY_MS 10  // between two tries at write-ahead logging
#define WATCH_STEPS 2000 // of SQLite's machine, a fraction of a millisecond

/* What is logged is people's text, so a new file is its owner's alone (SQLite gives -wal and -shm
 * the same rights). Never opens a file that exists: closing it again would drop the locks that
 * other connections of this process have on it. */
static enum status create_file(const char *path, struct error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return STATUS_OK;
    }
    if (errno == EEXIST)
        return STATUS_OK;
    return error_set(err, STATUS_IO,
                     "%s cannot be made: %s; check that its folder exists and that you may write "
                     "there",
                     path, strerror(errno));
}

static enum status use_wal(struct db *db, struct error *err)
{
    bool has_row;
    const char *mode;
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, "PRAGMA journal_mode = WAL", err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK)
        status = sql_text(db, s, 0, &mode, err);
    if (status == STATUS_OK && strcmp(mode, "wal") != 0)
        status = error_set(err, STATUS_IO,
                           "%s: write-ahead logging is not possible here; put the database on a "
                           "local disk",
                           db->path);
    sqlite3_finalize(s);
    return status;
}

/* SQLite waits for most locks itself, but not for another process that changes the same new file
 * to write-ahead logging at the same moment. */
static enum status use_wal_in_time(struct db *db, int busy_ms, struct error *err)
{
    const int64_t deadline = clock_now_ms() + busy_ms;
    enum status status;
    while ((status = use_wal(db, err)) == STATUS_BUSY && clock_now_ms() < deadline)
        usleep(WAL_RETRY_MS * 1000);
    return status;
}

/* So that pages of what was deleted can be given back to the disk: a new file has it from its
 * first page on. */
static enum status give_back_pages(struct db *db, struct error *err)
{
    long long pages;
    enum status status = sql_number(db, "PRAGMA page_count", &pages, err);
    if (status == STATUS_OK && pages == 0)
        status = sql_run(db, "PRAGMA auto_vacuum = INCREMENTAL", err);
    return status;
}

/* A file of the first releases is written anew; with another process in it, another time. */
static enum status give_back_old_pages(struct db *db, struct error *err)
{
    long long mode;
    enum status status = sql_number(db, "PRAGMA auto_vacuum", &mode, err);
    if (status == STATUS_OK && mode != AUTO_VACUUM_INCREMENTAL)
        status = sql_run(db, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM", err);
    return status == STATUS_BUSY ? STATUS_OK : status;
}

static enum status open_handle(struct db *db, int busy_ms, struct error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(db->path, &db->handle, flags, NULL) != SQLITE_OK)
        return db->handle ? sql_failed(db, err)
                          : error_set(err, STATUS_NO_MEMORY, "%s: no memory to open it", db->path);
    sqlite3_busy_timeout(db->handle, busy_ms);
    enum status status = give_back_pages(db, err);
    if (status == STATUS_OK)
        status = use_wal_in_time(db, busy_ms, err);
    if (status == STATUS_OK)
        status = sql_run(db, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", err);
    return status;
}

enum status db_open_as(struct db **out, const char *path, const struct migration *history,
                       int busy_ms, struct error *err)
{
    struct error ignored;
    *out = NULL;
    if (!err)
        err = &ignored;
    enum status status = create_file(path, err);
    if (status != STATUS_OK)
        return status;
    struct db *db = memory_zeroed(1, sizeof *db);
    char *copy = memory_copy_text(path);
    if (!db || !copy) {
        memory_free(db);
        memory_free(copy);
        return error_set(err, STATUS_NO_MEMORY, "%s: no memory to open it", path);
    }
    db->path = copy;
    status = open_handle(db, busy_ms, err);
    if (status == STATUS_OK)
        status = migrate(db, history, err);
    if (status == STATUS_OK)
        status = give_back_old_pages(db, err);
    if (status != STATUS_OK) {
        db_close(db);
        return status;
    }
    *out = db;
    return STATUS_OK;
}

enum status db_open(struct db **out, const char *path, struct error *err)
{
    return db_open_as(out, path, migrations, BUSY_MS, err);
}

static int is_cancelled(void *cancelled)
{
    return atomic_load((atomic_bool *)cancelled);
}

void db_watch(struct db *db, atomic_bool *cancelled)
{
    sqlite3_progress_handler(db->handle, WATCH_STEPS, cancelled ? is_cancelled : NULL, cancelled);
}

enum status db_open_existing(struct db **out, const char *path, struct error *err)
{
    *out = NULL;
    if (access(path, F_OK) != 0)
        return error_set(err, STATUS_NOT_FOUND,
                         "there is no database %s: give the one of your service with --database",
                         path);
    return db_open(out, path, err);
}

void db_close(struct db *db)
{
    if (!db)
        return;
    vocabularies_give_back(db);
    sqlite3_close(db->handle);
    memory_free(db->path);
    memory_free(db);
}

const char *db_path(const struct db *db)
{
    return db->path;
}
