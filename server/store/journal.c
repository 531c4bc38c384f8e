/* journal.c - the queue of what is to be stored. */
#include "server/store/journal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "server/store/journal_queue.h"

#define START_BITS 20 // of the number an id of a new millisecond has: half of what there is

/* ---- waiting ---- */

void journal_wait(struct journal *j, pthread_cond_t *condition, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(condition, &j->lock, &until);
}

bool journal_is_stuck(const struct journal *j)
{
    return j->first && j->failing_since && clock_now_ms() - j->failing_since >= JOURNAL_PATIENCE_MS;
}

static bool has_room(const struct journal *j, const struct journal_unit *unit)
{
    return j->counts.queued + unit->row_count <= j->limits.queue_rows &&
           (size_t)j->counts.queued_bytes + unit->bytes <= j->limits.queue_bytes;
}

/* Waits for room while the writer gets on, JOURNAL_PATIENCE_MS at most. */
static enum status wait_for_room(struct journal *j, const struct journal_unit *unit,
                                 struct error *err)
{
    const int64_t deadline = clock_now_ms() + JOURNAL_PATIENCE_MS;
    if (unit->row_count > j->limits.queue_rows || unit->bytes > j->limits.queue_bytes)
        return error_set(err, STATUS_TOO_LARGE,
                         "the request is larger than all that may wait to be stored");
    while (!journal_is_stuck(j)) {
        if (has_room(j, unit))
            return STATUS_OK;
        const int64_t left = deadline - clock_now_ms();
        if (left <= 0)
            break;
        journal_wait(j, &j->room, (int)left);
    }
    return error_set(err, STATUS_BUSY,
                     "the database cannot be written now: the log says why; try again later");
}

/* ---- adding ---- */

static void name_rows(struct journal *j, struct journal_unit *unit, char (*ids)[JOURNAL_ID_BYTES])
{
    for (int i = 0; i < unit->row_count; i++) {
        const long long now = (long long)clock_wall_ms() << JOURNAL_ID_TIME_BITS;
        long long id = j->last_id + 1;
        if (now > j->last_id)
            id = now | (long long)(rng_next(&j->rng) >> (64 - START_BITS));
        j->last_id = unit->rows[i].id = id;
        journal_id_write(ids[i], j->replica, id);
    }
}

static void enqueue(struct journal *j, struct journal_unit *unit)
{
    if (j->last)
        j->last->next = unit;
    else
        j->first = unit;
    j->last = unit;
    j->units++;
    j->hurried += unit->stored.on_stored ? 1 : 0;
    j->counts.queued += unit->row_count;
    j->counts.queued_bytes += (long long)unit->bytes;
    const bool is_half_full = j->counts.queued > j->limits.queue_rows / 2 ||
                              (size_t)j->counts.queued_bytes > j->limits.queue_bytes / 2;
    if (unit->stored.on_stored || is_half_full || j->units == 1)
        pthread_cond_signal(&j->work);
}

enum status journal_add(struct journal *journal, const struct journal_entry *entries, int count,
                        struct arena *scratch, char (*ids)[JOURNAL_ID_BYTES],
                        const struct journal_stored *stored, struct error *err)
{
    struct journal_unit *unit;
    enum status status =
        journal_unit_new(&unit, entries, count, journal->limits.keep_text, scratch, err);
    pthread_mutex_lock(&journal->lock);
    if (status == STATUS_OK)
        status = wait_for_room(journal, unit, err);
    if (status == STATUS_OK) {
        if (stored)
            unit->stored = *stored;
        name_rows(journal, unit, ids);
        enqueue(journal, unit);
    } else {
        journal->counts.not_stored += count;
    }
    pthread_mutex_unlock(&journal->lock);
    if (status != STATUS_OK)
        memory_free(unit);
    return status;
}

void journal_flush(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->is_flushing = true;
    pthread_cond_signal(&journal->work);
    while (journal->first && !journal_is_stuck(journal))
        journal_wait(journal, &journal->room, JOURNAL_PATIENCE_MS);
    while (journal->hurried > 0)
        journal_wait(journal, &journal->room, JOURNAL_PATIENCE_MS);
    journal->is_flushing = false;
    pthread_mutex_unlock(&journal->lock);
}

enum status journal_find_queued(struct journal *journal, long long id, struct arena *arena,
                                struct journal_row *out, bool *found, struct error *err)
{
    enum status status = STATUS_OK;
    *found = false;
    pthread_mutex_lock(&journal->lock);
    for (const struct journal_unit *unit = journal->first; unit && !*found; unit = unit->next)
        for (int i = 0; i < unit->row_count && !*found; i++) {
            *found = unit->rows[i].id == id;
            if (*found && !journal_row_copy(&unit->rows[i], arena, out))
                status = error_set(err, STATUS_NO_MEMORY, "the translation is too long to be read");
        }
    pthread_mutex_unlock(&journal->lock);
    return status;
}

void journal_count(struct journal *journal, struct journal_counts *out)
{
    pthread_mutex_lock(&journal->lock);
    *out = journal->counts;
    out->is_storing = journal->failing_since == 0;
    pthread_mutex_unlock(&journal->lock);
}

const char *journal_replica(const struct journal *journal)
{
    return journal->replica;
}

/* ---- life ---- */

static enum status check_limits(const struct journal_limits *limits, struct error *err)
{
    if (!journal_tag_is_valid(limits->replica))
        return error_set(err, STATUS_BAD_USAGE,
                         "\"%s\" is no name for a replica: it is 1 to 8 letters or digits",
                         limits->replica);
    return STATUS_OK;
}

static enum status open_writer(struct journal *j, const char *path, struct error *err)
{
    struct db *db;
    enum status status = db_open(&db, path, err);
    if (status == STATUS_OK)
        status = journal_writer_new(&j->writer, db, j->replica, err);
    if (status == STATUS_OK)
        status = journal_last_id(j->writer, &j->last_id, err);
    return status;
}

static void init_locks(struct journal *j)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->work, &monotonic);
    pthread_cond_init(&j->room, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void free_journal(struct journal *j)
{
    journal_writer_free(j->writer);
    pthread_cond_destroy(&j->work);
    pthread_cond_destroy(&j->room);
    pthread_mutex_destroy(&j->lock);
    memory_free(j);
}

enum status journal_open(struct journal **out, const char *path,
                         const struct journal_limits *limits, struct error *err)
{
    *out = NULL;
    enum status status = check_limits(limits, err);
    if (status != STATUS_OK)
        return status;
    struct journal *j = memory_zeroed(1, sizeof *j);
    if (!j)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the journal");
    j->limits = *limits;
    snprintf(j->replica, sizeof j->replica, "%s", limits->replica);
    j->rng = rng_make((uint64_t)clock_now_ns() ^ (uint64_t)clock_wall_ms(), (uint64_t)getpid());
    init_locks(j);
    status = open_writer(j, path, err);
    if (status == STATUS_OK && pthread_create(&j->thread, NULL, journal_thread, j) != 0)
        status = error_set(err, STATUS_NO_MEMORY, "the journal's thread cannot be started");
    if (status != STATUS_OK) {
        free_journal(j);
        return status;
    }
    *out = j;
    return STATUS_OK;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    pthread_mutex_lock(&journal->lock);
    journal->is_stopping = true;
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->lock);
    pthread_join(journal->thread, NULL);
    free_journal(journal);
}
