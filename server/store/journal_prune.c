/* journal_prune.c - retention by age and by size. */
#include "server/store/journal_prune.h"

#include "base/clock.h"
#include "server/store/journal_id.h"
#include "server/store/sql.h"

#define STEP_ROWS 200
#define STEP_PAGES 1000
#define EMPTY_PAGES_KEPT 1000 // for what will be stored next

static enum status sizes(struct db *db, long long *pages, long long *empty, long long *page_bytes,
                         struct error *err)
{
    enum status status = sql_number(db, "PRAGMA page_count", pages, err);
    if (status == STATUS_OK)
        status = sql_number(db, "PRAGMA freelist_count", empty, err);
    if (status == STATUS_OK)
        status = sql_number(db, "PRAGMA page_size", page_bytes, err);
    return status;
}

/* The oldest with ids below `below`, what hangs on them included. */
static enum status delete_oldest(struct db *db, long long below, int *deleted, struct error *err)
{
    return sql_change(db,
                      "DELETE FROM translations WHERE id IN (SELECT id FROM translations "
                      "WHERE id < ?1 ORDER BY id LIMIT ?2)",
                      below, STEP_ROWS, deleted, err);
}

static enum status give_back(struct db *db, struct error *err)
{
    char sql[64];
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA incremental_vacuum(%d)", STEP_PAGES);
    return sql_run(db, sql, err);
}

enum status journal_prune(struct db *db, long long keep_ms, long long keep_bytes, int *deleted,
                          bool *more, struct error *err)
{
    long long pages, empty, page_bytes, left;
    *deleted = 0;
    *more = false;
    enum status status = STATUS_OK;
    if (keep_ms > 0) {
        const long long before = clock_wall_ms() - keep_ms;
        if (before > 0)
            status = delete_oldest(db, before << JOURNAL_ID_TIME_BITS, deleted, err);
    }
    if (status == STATUS_OK)
        status = sizes(db, &pages, &empty, &page_bytes, err);
    if (status == STATUS_OK && *deleted == 0 && keep_bytes > 0 &&
        (pages - empty) * page_bytes > keep_bytes) {
        status = delete_oldest(db, INT64_MAX, deleted, err);
        if (status == STATUS_OK)
            status = sizes(db, &pages, &empty, &page_bytes, err);
    }
    if (status != STATUS_OK)
        return status;
    if (empty > EMPTY_PAGES_KEPT ||
        (keep_bytes > 0 && empty > 0 && pages * page_bytes > keep_bytes))
        status = give_back(db, err);
    if (status == STATUS_OK)
        status = sql_number(db, "PRAGMA freelist_count", &left, err);
    if (status == STATUS_OK)
        *more = *deleted > 0 || (left > EMPTY_PAGES_KEPT && left < empty);
    return status;
}
