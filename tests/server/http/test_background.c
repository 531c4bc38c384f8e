/* test_background.c - tasks with a real loop, pool and database, and a client that is no socket. */
#include "server/http/background.h"

#include <stdatomic.h>
#include <uv.h>

#include "server/store/sql.h"
#include "tests/helpers.h"

static uv_loop_t loop;
static char folder[64], path[128];
static struct background *background;
static struct service service;
static struct client client;
static int reply_count, last_code;
static char last_body[512];

static void on_reply(struct client *c, const struct reply *reply)
{
    (void)c;
    reply_count++;
    last_code = reply->code;
    snprintf(last_body, sizeof last_body, "%.*s", (int)reply->len, reply->body);
}

static void open_background(void)
{
    struct error err;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/verso.db", folder);
    uv_loop_init(&loop);
    client = (struct client){ .reply = on_reply };
    reply_count = 0;
    assert_ok(background_open(&background, &loop, path, &err), err);
    service = (struct service){ .background = background };
    bytes_init(&service.body, 4096);
    ck_assert(bytes_reserve(&service.body, 1024));
}

static void close_background(void)
{
    background_stop(background);
    uv_run(&loop, UV_RUN_DEFAULT);
    background_free(background);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    bytes_release(&service.body);
    remove_folder(folder);
}

static struct task *new_task(void)
{
    struct error err;
    struct task *task;
    const struct exchange x = { .service = &service, .client = &client, .number = 7, .id = "c-7" };
    assert_ok(task_new(&task, &x, sizeof(int), &err), err);
    return task;
}

static void run_until(int count)
{
    while (reply_count < count)
        uv_run(&loop, UV_RUN_ONCE);
}

/* ---- what tasks do here ---- */

static enum status count_migrations(struct task *task, struct error *err)
{
    struct db *db;
    bool has_row;
    sqlite3_stmt *s;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = sql_prepare(db, &s, "SELECT count(*) FROM migrations", err);
    if (status != STATUS_OK)
        return status;
    status = sql_step(db, s, &has_row, err);
    *(int *)task->owner = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return status;
}

static void answer_number(struct task *task)
{
    exchange_json(&task->x, 200, json_pack("{s:i}", "number", *(int *)task->owner));
}

static enum status fail_not_found(struct task *task, struct error *err)
{
    (void)task;
    return error_set(err, STATUS_NOT_FOUND, "there is no such row");
}

static atomic_bool has_begun;

/* A statement that would take hours. */
static enum status read_for_hours(struct task *task, struct error *err)
{
    struct db *db;
    bool has_row;
    sqlite3_stmt *s;
    enum status status = task_db(task, &db, err);
    if (status != STATUS_OK)
        return status;
    atomic_store(&has_begun, true);
    status = sql_prepare(db, &s,
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                         "SELECT count(*) FROM n",
                         err);
    if (status == STATUS_OK)
        status = sql_step(db, s, &has_row, err);
    sqlite3_finalize(s);
    return status;
}

static enum status wait_for_cancel(struct task *task, struct error *err)
{
    while (!task_is_cancelled(task))
        usleep(1000);
    return error_set(err, STATUS_CANCELLED, "nobody waits");
}

static void never(struct task *task)
{
    (void)task;
    ck_abort_msg("a task that was cancelled is not answered");
}

static void start(struct task *task, enum status (*work)(struct task *, struct error *),
                  void (*done)(struct task *))
{
    task->work = work;
    task->done = done;
    task_start(task);
}

/* ---- tests ---- */

START_TEST(work_reads_the_database_beside_the_loop)
{
    open_background();
    start(new_task(), count_migrations, answer_number);
    ck_assert_int_eq(reply_count, 0);
    run_until(1);
    ck_assert_int_eq(last_code, 200);
    int number = 0;
    ck_assert_int_eq(sscanf(last_body, "{\"number\":%d}", &number), 1);
    ck_assert_int_gt(number, 1);
    ck_assert_int_eq(background_task_count(background), 0);
    close_background();
}
END_TEST

START_TEST(work_that_fails_is_answered_with_its_error)
{
    open_background();
    start(new_task(), fail_not_found, never);
    run_until(1);
    ck_assert_int_eq(last_code, 404);
    ck_assert_str_eq(last_body, "{\"error\":\"there is no such row\"}");
    close_background();
}
END_TEST

START_TEST(there_are_so_many_tasks_and_no_more)
{
    struct error err;
    struct task *one_more;
    open_background();
    for (int i = 0; i < TASKS_MAX; i++)
        start(new_task(), count_migrations, answer_number);
    const struct exchange x = { .service = &service, .client = &client };
    assert_status(task_new(&one_more, &x, sizeof(int), &err), STATUS_BUSY);
    ck_assert_ptr_null(one_more);
    run_until(TASKS_MAX);
    task_free(new_task());
    close_background();
}
END_TEST

START_TEST(a_client_that_leaves_ends_what_was_done_for_it)
{
    open_background();
    atomic_store(&has_begun, false);
    start(new_task(), read_for_hours, never);
    for (int i = 0; i < 8; i++) // more than there are threads: some have not begun
        start(new_task(), wait_for_cancel, never);
    while (!atomic_load(&has_begun))
        usleep(1000);
    client_gone(&client);
    while (background_task_count(background) > 0)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_eq(reply_count, 0);
    close_background();
}
END_TEST

START_TEST(a_connection_is_good_after_a_task_that_was_cancelled)
{
    open_background();
    atomic_store(&has_begun, false);
    start(new_task(), read_for_hours, never);
    while (!atomic_load(&has_begun))
        usleep(1000);
    client_gone(&client);
    while (background_task_count(background) > 0)
        uv_run(&loop, UV_RUN_ONCE);
    start(new_task(), count_migrations, answer_number);
    run_until(1);
    ck_assert_int_eq(last_code, 200);
    close_background();
}
END_TEST

START_TEST(stopping_ends_all_tasks)
{
    open_background();
    for (int i = 0; i < 8; i++)
        start(new_task(), wait_for_cancel, never);
    close_background();
    ck_assert_int_eq(reply_count, 0);
    client_gone(&client);
}
END_TEST

/* ---- going on after a task ---- */

static void read_again(struct task *task)
{
    struct error err;
    struct task *next;
    exchange_resume(&task->x);
    assert_ok(task_new(&next, &task->x, sizeof(int), &err), err);
    start(next, count_migrations, answer_number);
}

START_TEST(an_exchange_goes_on_after_a_task)
{
    open_background();
    start(new_task(), count_migrations, read_again);
    run_until(1);
    ck_assert_int_eq(last_code, 200);
    ck_assert_ptr_null(client.tickets);
    close_background();
}
END_TEST

/* ---- repeating ---- */

struct counts {
    int work, done;
};

static void count_work(void *context, struct db *db)
{
    ck_assert_ptr_nonnull(db);
    ((struct counts *)context)->work++;
}

static void count_done(void *context)
{
    ((struct counts *)context)->done++;
}

START_TEST(what_is_repeated_runs_again_and_at_once_when_asked)
{
    struct error err;
    struct counts often = { 0 }, rarely = { 0 };
    open_background();
    assert_ok(background_repeat(background, 5, count_work, count_done, &often, &err), err);
    assert_ok(background_repeat(background, 3600000, count_work, count_done, &rarely, &err), err);
    while (often.done < 5)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_le(rarely.done, 1);
    background_repeat_now(background);
    while (rarely.done < 2)
        uv_run(&loop, UV_RUN_ONCE);
    close_background();
    ck_assert_int_ge(often.work, often.done);
}
END_TEST

START_TEST(opening_gives_back_what_it_took)
{
    struct error err;
    uv_loop_init(&loop);
    for (long nth = 1;; nth++) {
        const long before = memory_live();
        memory_fail_at(nth);
        enum status status = background_open(&background, &loop, "no.db", &err);
        const bool failed = memory_failed();
        memory_fail_at(0);
        background_free(background);
        ck_assert_int_eq(memory_live(), before);
        if (!failed)
            break;
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
    }
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

static const struct test_case cases[] = {
    TEST(work_reads_the_database_beside_the_loop),
    TEST(work_that_fails_is_answered_with_its_error),
    TEST(there_are_so_many_tasks_and_no_more),
    TEST(a_client_that_leaves_ends_what_was_done_for_it),
    TEST(a_connection_is_good_after_a_task_that_was_cancelled),
    TEST(stopping_ends_all_tasks),
    TEST(an_exchange_goes_on_after_a_task),
    TEST(what_is_repeated_runs_again_and_at_once_when_asked),
    TEST(opening_gives_back_what_it_took),
};
TEST_MAIN("server/http/background", cases)
