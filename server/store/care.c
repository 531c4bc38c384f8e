/* care.c - copies, and looking for damage. */
#include "server/store/care.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/store/sql.h"

#define PART_ENDING ".part" // of a copy that is not whole yet

/* ---- a copy ---- */

static enum status make_part(const char *path, char part[PATH_MAX], struct error *err)
{
    if (access(path, F_OK) == 0)
        return error_set(err, STATUS_BAD_USAGE, "%s is there already: give another name", path);
    if (snprintf(part, PATH_MAX, "%s" PART_ENDING, path) >= PATH_MAX)
        return error_set(err, STATUS_BAD_USAGE, "the path %s is too long", path);
    unlink(part); // of an earlier one that was interrupted
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, STATUS_IO, "%s cannot be made: %s", part, strerror(errno));
    close(fd);
    return STATUS_OK;
}

/* In one step, which sees one moment of the database and holds up nobody. */
static enum status copy_pages(struct db *db, sqlite3 *copy, const char *part, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(copy, "main", db->handle, "main");
    if (!backup)
        return error_set(err, STATUS_IO, "%s: %s", part, sqlite3_errmsg(copy));
    const int code = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE)
        return STATUS_OK;
    return error_set(err, code == SQLITE_NOMEM ? STATUS_NO_MEMORY : STATUS_IO,
                     "the copy %s cannot be written: %s; make room and try again", part,
                     sqlite3_errstr(code));
}

static enum status copy_to(struct db *db, const char *part, struct error *err)
{
    sqlite3 *copy;
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(part, &copy, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        status = error_set(err, STATUS_IO, "%s: %s", part, sqlite3_errmsg(copy));
    if (status == STATUS_OK)
        status = copy_pages(db, copy, part, err);
    if (sqlite3_close(copy) != SQLITE_OK && status == STATUS_OK)
        status = error_set(err, STATUS_IO, "the copy %s cannot be closed", part);
    return status;
}

enum status db_backup(struct db *db, const char *path, struct error *err)
{
    char part[PATH_MAX];
    enum status status = make_part(path, part, err);
    if (status != STATUS_OK)
        return status;
    status = copy_to(db, part, err);
    if (status == STATUS_OK && rename(part, path) != 0)
        status = error_set(err, STATUS_IO, "%s: %s", path, strerror(errno));
    if (status != STATUS_OK)
        unlink(part);
    return status;
}

/* ---- is it sound? ---- */

struct look {
    const char *sql;  // gives a row a problem
    const char *form; // of the sentence, with the row's first column
    const char *fine; // what the first column says where there is none; NULL: never
};

static const struct look looks[] = {
    { "PRAGMA integrity_check(20)", "%s", "ok" },
    { "SELECT DISTINCT \"table\" FROM pragma_foreign_key_check",
      "rows of %s refer to rows that are not there", NULL },
    { "SELECT p.source_word || ' -> ' || p.target_word FROM word_pairs p "
      "LEFT JOIN (SELECT pair_id, count(*) AS n FROM links GROUP BY pair_id) l ON l.pair_id = p.id "
      "WHERE p.count <> coalesce(l.n, 0) LIMIT 20",
      "the count of %s is not that of its links", NULL },
    { "SELECT translation_id FROM links WHERE NOT EXISTS "
      "    (SELECT 1 FROM word_pairs p WHERE p.id = pair_id) LIMIT 20",
      "a link of translation %s has no words", NULL },
};

static enum status look_for(struct db *db, const struct look *look,
                            void (*tell)(void *context, const char *problem), void *context,
                            int *problems, struct error *err)
{
    bool has_row;
    const char *said;
    char sentence[512];
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, look->sql, err);
    while (status == STATUS_OK) {
        status = sql_step(db, s, &has_row, err);
        if (status != STATUS_OK || !has_row)
            break;
        status = sql_text(db, s, 0, &said, err);
        if (status != STATUS_OK || (look->fine && strcmp(said, look->fine) == 0))
            continue;
        sqlite3_snprintf(sizeof sentence, sentence, look->form, said);
        tell(context, sentence);
        ++*problems;
    }
    sqlite3_finalize(s);
    return status;
}

enum status db_check(struct db *db, void (*tell)(void *context, const char *problem), void *context,
                     int *problems, struct error *err)
{
    enum status status = STATUS_OK;
    *problems = 0;
    for (size_t i = 0; status == STATUS_OK && i < sizeof looks / sizeof *looks; i++)
        status = look_for(db, &looks[i], tell, context, problems, err);
    return status;
}
