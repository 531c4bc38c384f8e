/*
 * journal_delete.c - translations that somebody wants gone; what hangs on them goes with them.
 */
#include "server/store/journal_read.h"

#include "server/store/sql.h"

#define STEP_ROWS 200 // in a transaction, so that others can write between two

/* What is queued is written first: then it can be deleted like all else. */
static enum status settle_queue(struct journal *journal, struct error *err)
{
    struct journal_counts counts = { .queued = 0, .is_storing = true };
    if (journal) {
        journal_flush(journal);
        journal_count(journal, &counts);
    }
    if (!counts.is_storing)
        return error_set(err, STATUS_BUSY,
                         "the database cannot be written now: the log says why; try again later");
    return STATUS_OK;
}

enum status journal_delete(struct db *db, struct journal *journal, long long id, long long key_id,
                           struct error *err)
{
    int deleted = 0;
    enum status status = settle_queue(journal, err);
    if (status == STATUS_OK)
        status =
            sql_change(db, "DELETE FROM translations WHERE id = ?1 AND (?2 < 0 OR key_id = ?2)", id,
                       key_id, &deleted, err);
    if (status == STATUS_OK && deleted == 0)
        status = error_set(err, STATUS_NOT_FOUND, "there is no such translation");
    return status;
}

enum status journal_delete_of_key(struct db *db, struct journal *journal, long long key_id,
                                  long long *deleted, struct error *err)
{
    int some = STEP_ROWS;
    *deleted = 0;
    enum status status = settle_queue(journal, err);
    while (status == STATUS_OK && some == STEP_ROWS) {
        status = sql_change(db,
                            "DELETE FROM translations WHERE id IN (SELECT id FROM translations "
                            "WHERE key_id = ?1 ORDER BY id LIMIT ?2)",
                            key_id, STEP_ROWS, &some, err);
        if (status == STATUS_OK)
            *deleted += some;
    }
    return status;
}

enum status journal_key_of_name(struct db *db, const char *name, long long *key_id,
                                struct error *err)
{
    bool has_row;
    sqlite3_stmt *s;
    enum status status = sql_prepare(db, &s, "SELECT id FROM keys WHERE name = ?1", err);
    if (status == STATUS_OK)
        status = sql_bind_text(db, s, 1, name, err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    if (status == STATUS_OK && !has_row)
        status = error_set(err, STATUS_NOT_FOUND, "there is no key with the name %s", name);
    else if (status == STATUS_OK)
        *key_id = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return status;
}
