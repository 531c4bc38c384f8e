/*
 * journal_thread.c - the one that writes.
 *
 *     wait for work -> let a group come together -> write it -> tell who waits
 *                          ^                         | failed
 *                          '-- RETRY_MS, same group --'
 *
 * A group stays in the queue until it is durable, so that it can be read there.
 * What fails because of the disk, a lock or memory is tried again; a row that
 * can never be written is dropped, and said so.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/store/journal_prune.h"
#include "server/store/journal_queue.h"
#include "server/store/sql.h"

#define LINGER_MS 30 // for others to come to a group, when nobody waits for it
#define GROUP_UNITS_MAX 2048
#define GROUP_BYTES_MAX ((size_t)8 << 20)
#define BUSY_MS 50          // for another process' lock, before the failure is known
#define RETRY_MS 100        // after a failure
#define STOPPING_MS 2000    // of failures at the end, until what is queued is given up
#define KEEP_HOUSE_MS 10000 // between two looks at what is too old or too much

/* ---- a group ---- */

static int group_size(const struct journal *j, int most)
{
    size_t bytes = 0;
    int units = 0;
    for (const struct journal_unit *unit = j->first; unit && units < most; unit = unit->next) {
        bytes += unit->bytes;
        if (units > 0 && bytes > GROUP_BYTES_MAX)
            break;
        units++;
    }
    return units;
}

static void count_out(struct journal *j, const struct journal_unit *unit)
{
    j->units--;
    j->hurried -= unit->stored.on_stored ? 1 : 0;
    j->counts.queued -= unit->row_count;
    j->counts.queued_bytes -= (long long)unit->bytes;
}

/* The first unit, out of the queue. */
static struct journal_unit *take_first(struct journal *j)
{
    struct journal_unit *unit = j->first;
    j->first = unit->next;
    if (!j->first)
        j->last = NULL;
    count_out(j, unit);
    return unit;
}

/* Calls back and frees; `hurried` counts it until it was told. The lock is held, but not while it
 * is told. */
static void settle(struct journal *j, struct journal_unit *unit, enum status status)
{
    if (unit->stored.on_stored) {
        j->hurried++;
        pthread_mutex_unlock(&j->lock);
        unit->stored.on_stored(unit->stored.context, status);
        pthread_mutex_lock(&j->lock);
        j->hurried--;
    }
    memory_free(unit);
}

static void settle_written(struct journal *j, int count)
{
    if (j->failing_since)
        log_event(LOG_INFO, "journal_works", "failed_ms",
                  LOG_NUMBER(clock_now_ms() - j->failing_since), NULL);
    j->failing_since = 0;
    j->counts.commits++;
    for (int i = 0; i < count; i++) {
        struct journal_unit *unit = take_first(j);
        j->counts.stored += unit->row_count;
        j->counts.bytes += (long long)unit->bytes;
        settle(j, unit, STATUS_OK);
    }
    pthread_cond_broadcast(&j->room);
}

/* ---- when it fails ---- */

static void note_failure(struct journal *j, const struct error *why)
{
    if (j->failing_since == 0) {
        j->failing_since = clock_now_ms();
        log_event(LOG_ERROR, "journal_fails", "why", LOG_TEXT(why->text), "queued",
                  LOG_NUMBER(j->counts.queued), NULL);
    }
    pthread_cond_broadcast(&j->room);
}

static bool may_work_later(enum status status)
{
    return status == STATUS_BUSY || status == STATUS_IO || status == STATUS_NO_MEMORY;
}

/* One that is out of the queue. */
static void drop(struct journal *j, struct journal_unit *unit, enum status status)
{
    j->counts.not_stored += unit->row_count;
    log_event(LOG_ERROR, "journal_drops", "translations", LOG_NUMBER(unit->row_count), NULL);
    settle(j, unit, status);
    pthread_cond_broadcast(&j->room);
}

/* Whoever waits has waited long enough: what they wait for will not be stored. */
static void drop_hurried(struct journal *j)
{
    struct journal_unit *dropped = NULL, *unit = j->first, *next;
    j->first = j->last = NULL;
    for (; unit; unit = next) {
        next = unit->next;
        unit->next = NULL;
        if (unit->stored.on_stored) {
            count_out(j, unit);
            unit->next = dropped;
            dropped = unit;
        } else if (j->last) {
            j->last = j->last->next = unit;
        } else {
            j->first = j->last = unit;
        }
    }
    for (; dropped; dropped = next) {
        next = dropped->next;
        drop(j, dropped, STATUS_BUSY);
    }
}

/* ---- rounds ---- */

/* Writes up to `most` units; the lock is held before and after. */
static void write_some(struct journal *j, int most)
{
    struct error err;
    const struct journal_unit *first = j->first;
    const int count = group_size(j, most);
    pthread_mutex_unlock(&j->lock);
    const enum status status = journal_write(j->writer, first, count, &err);
    pthread_mutex_lock(&j->lock);
    if (status == STATUS_OK) {
        settle_written(j, count);
        return;
    }
    note_failure(j, &err);
    if (!may_work_later(status) && count == 1)
        drop(j, take_first(j), status);
    else if (!may_work_later(status))
        write_some(j, 1);
    else if (journal_is_stuck(j))
        drop_hurried(j);
}

static void let_a_group_come(struct journal *j)
{
    const int64_t until = clock_now_ms() + LINGER_MS;
    for (;;) {
        const int64_t left = until - clock_now_ms();
        const bool is_half_full = j->counts.queued > j->limits.queue_rows / 2 ||
                                  (size_t)j->counts.queued_bytes > j->limits.queue_bytes / 2;
        if (left <= 0 || j->hurried > 0 || is_half_full || j->is_stopping || j->is_flushing)
            return;
        journal_wait(j, &j->work, (int)left);
    }
}

/* A step of retention; whether another should follow soon. The lock is held. */
static bool keep_house(struct journal *j)
{
    struct error err;
    int deleted;
    bool more;
    if (j->failing_since || (j->limits.keep_ms == 0 && j->limits.keep_bytes == 0))
        return false;
    pthread_mutex_unlock(&j->lock);
    const enum status status = journal_prune(journal_writer_db(j->writer), j->limits.keep_ms,
                                             j->limits.keep_bytes, &deleted, &more, &err);
    pthread_mutex_lock(&j->lock);
    if (status != STATUS_OK)
        log_event(LOG_WARNING, "journal_prune_fails", "why", LOG_TEXT(err.text), NULL);
    else
        j->counts.pruned += deleted;
    return status == STATUS_OK && more;
}

static void give_up(struct journal *j)
{
    log_event(LOG_ERROR, "journal_lost", "translations", LOG_NUMBER(j->counts.queued), NULL);
    while (j->first)
        drop(j, take_first(j), STATUS_BUSY);
}

void *journal_thread(void *journal)
{
    struct journal *j = journal;
    int64_t house_at = clock_now_ms(), stopping_since = 0;
    sqlite3_busy_timeout(journal_writer_db(j->writer)->handle, BUSY_MS);
    pthread_mutex_lock(&j->lock);
    while (j->first || !j->is_stopping) {
        if (j->is_stopping && stopping_since == 0)
            stopping_since = clock_now_ms();
        if (j->first && j->failing_since)
            journal_wait(j, &j->work, RETRY_MS);
        else if (j->first)
            let_a_group_come(j);
        if (j->first)
            write_some(j, GROUP_UNITS_MAX);
        if (j->first && j->failing_since && stopping_since &&
            clock_now_ms() - stopping_since > STOPPING_MS)
            give_up(j);
        if (clock_now_ms() >= house_at && !j->is_stopping)
            house_at = keep_house(j) ? 0 : clock_now_ms() + KEEP_HOUSE_MS;
        if (!j->first && !j->is_stopping && house_at > clock_now_ms())
            journal_wait(j, &j->work, (int)(house_at - clock_now_ms()));
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}
