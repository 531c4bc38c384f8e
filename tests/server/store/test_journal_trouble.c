/*
 * test_journal_trouble.c - a journal whose disk is full, whose file is locked, whose process is
 * killed, whose memory fails.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/store/care.h"
#include "server/store/journal_queue.h"
#include "tests/server/engine/same_answer.h"
#include "tests/server/store/desk.h"

#define LOCK_MS 1200
#define LOCK_LONG_MS 10000
#define LATE_MS 500 // what the quickest of many calls that must not wait may take

static struct desk desk;
static struct journal *journal;
static struct error err;

static bool is_long(void)
{
    return getenv("VERSO_LONG") != NULL;
}

static void setup(void)
{
    const struct journal_limits limits = desk_limits();
    log_set_level(LOG_NOTHING);
    desk_open(&desk);
    assert_ok(journal_open(&journal, desk.path, &limits, &err), err);
}

static void teardown(void)
{
    journal_close(journal);
    desk_close(&desk);
}

static enum status try_add(const struct journal_entry *entry, long long *id)
{
    char text[1][JOURNAL_ID_BYTES];
    enum status status = journal_add(journal, entry, 1, &desk.scratch, text, NULL, &err);
    if (status == STATUS_OK)
        ck_assert(journal_id_read(text[0], id));
    return status;
}

static bool is_storing(void)
{
    struct journal_counts counts;
    journal_count(journal, &counts);
    return counts.is_storing;
}

static void wait_until_storing(bool wanted)
{
    for (int i = 0; i < 3000 && is_storing() != wanted; i++)
        usleep(10000);
    ck_assert_int_eq(is_storing(), wanted);
}

/* Until journal_add says that nothing can be written; adds what it can till then. */
static int add_until_refused(const struct journal_entry *entry)
{
    long long id;
    for (int added = 0; added < 100000; added++) {
        if (try_add(entry, &id) == STATUS_BUSY)
            return added;
        usleep(1000);
    }
    ck_abort_msg("it was never refused");
}

static void add_until_taken(const struct journal_entry *entry)
{
    long long id;
    for (int i = 0; i < 3000; i++) {
        if (try_add(entry, &id) == STATUS_OK)
            return;
        usleep(10000);
    }
    ck_abort_msg("it was never taken again");
}

/* ---- who waits for a commit ---- */

struct told {
    pthread_mutex_t lock;
    int times;
    enum status status;
    long long rows_then; // in the file, seen by another connection
};

static void on_stored(void *context, enum status status)
{
    struct told *told = context;
    struct db *other;
    struct error why;
    long long rows = -1;
    if (db_open(&other, desk.path, &why) == STATUS_OK) {
        rows = database_number(other, "SELECT count(*) FROM translations");
        db_close(other);
    }
    pthread_mutex_lock(&told->lock);
    told->times++;
    told->status = status;
    told->rows_then = rows;
    pthread_mutex_unlock(&told->lock);
}

static void wait_until_told(struct told *told, int times)
{
    for (int i = 0; i < 6000; i++) {
        pthread_mutex_lock(&told->lock);
        const int have = told->times;
        pthread_mutex_unlock(&told->lock);
        if (have == times)
            return;
        usleep(5000);
    }
    ck_abort_msg("it was never told");
}

static enum status try_add_durable(const struct journal_entry *entry, struct told *told)
{
    char text[1][JOURNAL_ID_BYTES];
    const struct journal_stored stored = { on_stored, told };
    return journal_add(journal, entry, 1, &desk.scratch, text, &stored, &err);
}

static void add_durable(const struct journal_entry *entry, struct told *told)
{
    assert_ok(try_add_durable(entry, told), err);
}

START_TEST(who_waits_is_told_once_when_it_is_in_the_file)
{
    struct told told = { .lock = PTHREAD_MUTEX_INITIALIZER };
    setup();
    const struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    for (int i = 1; i <= 5; i++) {
        add_durable(&entry, &told);
        wait_until_told(&told, i);
        ck_assert_int_eq(told.status, STATUS_OK);
        ck_assert_int_eq(told.rows_then, i);
    }
    journal_flush(journal);
    ck_assert_int_eq(told.times, 5);
    teardown();
}
END_TEST

/* ---- locked by another process ---- */

static void release_lock(pid_t child, int release)
{
    int exit_status;
    close(release);
    ck_assert_int_eq(waitpid(child, &exit_status, 0), child);
    ck_assert_int_eq(exit_status, 0);
}

START_TEST(a_lock_of_another_process_holds_up_nobody_and_loses_nothing_queued)
{
    int release, queued;
    int64_t quickest = INT64_MAX; // a busy machine may hold up one call or another
    long long id, stored_before;
    struct stored_translation t;
    struct told told = { .lock = PTHREAD_MUTEX_INITIALIZER };
    setup();
    const struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    desk_add(&desk, journal, &entry);
    journal_flush(journal);
    stored_before = database_number(desk.live.db, "SELECT count(*) FROM translations");
    pid_t child = lock_in_child(desk.path, "PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE", &release);
    const int64_t since = clock_now_ms();

    assert_ok(try_add(&entry, &id), err);
    if (try_add_durable(&entry, &told) == STATUS_OK) { // otherwise it was told at once
        wait_until_told(&told, 1);
        ck_assert_int_eq(told.status, STATUS_BUSY);
    }
    queued = 1 + add_until_refused(&entry);
    ck_assert(!is_storing());
    assert_ok(journal_read(desk.live.db, journal, id, ANY_KEY, &desk.scratch, &t, &err), err);
    while (clock_now_ms() - since < (is_long() ? LOCK_LONG_MS : LOCK_MS)) {
        const int64_t asked = clock_now_ms();
        assert_status(try_add(&entry, &id), STATUS_BUSY);
        const int64_t took = clock_now_ms() - asked;
        quickest = took < quickest ? took : quickest;
        usleep(20000);
    }
    ck_assert_int_lt(quickest, JOURNAL_PATIENCE_MS + LATE_MS);
    release_lock(child, release);

    wait_until_storing(true);
    add_until_taken(&entry);
    journal_flush(journal);
    ck_assert_int_eq(database_number(desk.live.db, "SELECT count(*) FROM translations"),
                     stored_before + queued + 1);
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

/* ---- a full disk ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(files_that_cannot_grow_stop_the_storing_until_they_can)
{
    struct stat info;
    char log[160];
    setup();
    signal(SIGXFSZ, SIG_IGN);
    const struct journal_entry entry = desk_translate(&desk, "the ant in the hat", 3);
    desk_add(&desk, journal, &entry);
    journal_flush(journal);
    snprintf(log, sizeof log, "%s-wal", desk.path);
    ck_assert_int_eq(stat(log, &info), 0);
    limit_files((rlim_t)info.st_size + 4096);

    const long long before = database_number(desk.live.db, "SELECT count(*) FROM translations");
    const int queued = add_until_refused(&entry);
    ck_assert(!is_storing());
    struct journal_counts counts;
    journal_count(journal, &counts);
    ck_assert_int_ge(counts.not_stored, 1);

    limit_files(RLIM_INFINITY);
    wait_until_storing(true);
    journal_flush(journal);
    ck_assert_int_eq(database_number(desk.live.db, "SELECT count(*) FROM translations"),
                     before + queued);
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

/* ---- a queue that is full ---- */

START_TEST(a_full_queue_pushes_back_and_a_request_larger_than_it_is_refused)
{
    int release;
    long long id;
    struct journal_limits limits = desk_limits();
    struct journal_entry entries[5];
    char ids[5][JOURNAL_ID_BYTES];
    log_set_level(LOG_NOTHING);
    desk_open(&desk);
    limits.queue_rows = 4;
    assert_ok(journal_open(&journal, desk.path, &limits, &err), err);
    for (int i = 0; i < 5; i++)
        entries[i] = desk_translate(&desk, "the ant", 1);
    assert_status(journal_add(journal, entries, 5, &desk.scratch, ids, NULL, &err),
                  STATUS_TOO_LARGE);
    pid_t child = lock_in_child(desk.path, "PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE", &release);
    assert_ok(journal_add(journal, entries, 4, &desk.scratch, ids, NULL, &err), err);
    assert_status(try_add(&entries[0], &id), STATUS_BUSY);
    release_lock(child, release);
    add_until_taken(&entries[0]);
    for (int i = 0; i < 50; i++) // more than it holds: it waits for the writer
        add_until_taken(&entries[0]);
    teardown();
}
END_TEST

/* ---- what can never be written ---- */

START_TEST(a_row_that_cannot_be_stored_is_dropped_and_takes_no_other_with_it)
{
    struct told told = { .lock = PTHREAD_MUTEX_INITIALIZER };
    setup();
    const struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    struct journal_entry wrong = entry;
    wrong.model_id = 99999;
    desk_add(&desk, journal, &entry);
    add_durable(&wrong, &told);
    desk_add(&desk, journal, &entry);
    wait_until_told(&told, 1);
    ck_assert_int_ne(told.status, STATUS_OK);
    journal_flush(journal);
    wait_until_storing(true);
    ck_assert_int_eq(database_number(desk.live.db, "SELECT count(*) FROM translations"), 2);
    teardown();
}
END_TEST

/* ---- another process reads ---- */

START_TEST(another_process_reads_while_it_is_written)
{
    int exit_status;
    setup();
    const struct journal_entry entry = desk_translate(&desk, "the ant", 1);
    const long long id = desk_add(&desk, journal, &entry);
    journal_flush(journal);
    pid_t child = fork();
    if (child == 0) {
        struct db *other;
        struct error why;
        struct stored_translation t;
        if (db_open(&other, desk.path, &why) != STATUS_OK)
            _exit(1);
        long long last = 0, rows = 0;
        while (rows < 200) { // rows only ever come
            rows = database_number(other, "SELECT count(*) FROM translations");
            if (rows < last ||
                journal_read(other, NULL, id, ANY_KEY, &desk.scratch, &t, &why) != STATUS_OK)
                _exit(2);
            last = rows;
        }
        db_close(other);
        _exit(0);
    }
    for (int i = 0; i < 250; i++) {
        desk_add(&desk, journal, &entry);
        usleep(1000);
    }
    journal_flush(journal);
    ck_assert_int_eq(waitpid(child, &exit_status, 0), child);
    ck_assert_int_eq(exit_status, 0);
    teardown();
}
END_TEST

/* ---- memory ---- */

START_TEST(adding_and_reading_survive_every_failed_allocation)
{
    struct stored_translation t;
    setup();
    struct journal_entry entry = desk_translate(&desk, "the ant in the hat", 2);
    const long long id = desk_add(&desk, journal, &entry);
    journal_flush(journal);
    for (long nth = 1;; nth++) {
        struct db *db;
        assert_ok(db_open(&db, desk.path, &err), err);
        memory_fail_at(nth);
        enum status status = journal_read(db, NULL, id, ANY_KEY, &desk.scratch, &t, &err);
        const bool failed = memory_failed();
        memory_fail_at(0);
        db_close(db);
        assert_status(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        if (!failed)
            break;
    }
    for (long nth = 1; nth < 12; nth++) { // of the adding or of the writing, whichever comes
        char text[1][JOURNAL_ID_BYTES];
        memory_fail_at(nth);
        enum status status = journal_add(journal, &entry, 1, &desk.scratch, text, NULL, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
        journal_flush(journal);
        memory_fail_at(0);
        wait_until_storing(true);
    }
    journal_flush(journal);
    assert_sound(desk.live.db);
    teardown();
}
END_TEST

START_TEST(opening_survives_every_failed_allocation)
{
    const struct journal_limits limits = desk_limits();
    setup();
    journal_close(journal);
    journal = NULL;
    for (long nth = 1;; nth++) {
        struct journal *other;
        const long live = memory_live();
        memory_fail_at(nth);
        enum status status = journal_open(&other, desk.path, &limits, &err);
        const bool failed = memory_failed();
        memory_fail_at(0);
        if (status == STATUS_OK) {
            journal_close(other);
            if (!failed)
                break;
            continue;
        }
        assert_status(status, STATUS_NO_MEMORY);
        ck_assert_int_eq(memory_live(), live);
    }
    teardown();
}
END_TEST

START_TEST(a_tag_that_is_none_is_refused)
{
    struct journal *other;
    struct journal_limits limits = desk_limits();
    setup();
    limits.replica = "a-1";
    assert_status(journal_open(&other, desk.path, &limits, &err), STATUS_BAD_USAGE);
    ck_assert_ptr_null(other);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(who_waits_is_told_once_when_it_is_in_the_file),
    TEST(a_lock_of_another_process_holds_up_nobody_and_loses_nothing_queued),
    TEST(files_that_cannot_grow_stop_the_storing_until_they_can),
    TEST(a_full_queue_pushes_back_and_a_request_larger_than_it_is_refused),
    TEST(a_row_that_cannot_be_stored_is_dropped_and_takes_no_other_with_it),
    TEST(another_process_reads_while_it_is_written),
    TEST(adding_and_reading_survive_every_failed_allocation),
    TEST(opening_survives_every_failed_allocation),
    TEST(a_tag_that_is_none_is_refused),
};
TEST_MAIN("server/store/journal_trouble", cases)
