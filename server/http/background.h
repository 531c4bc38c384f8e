/*
 * background.h - work beside the loop that is no translation: reading the database, drawing.
 *
 *     struct task *task;
 *     status = task_new(&task, x, sizeof *wish, &err);
 *     wish = task->owner;                          // what it is about, copied from the message
 *     task->work = read_it;                        // on some thread: returns a status
 *     task->done = answer_it;                      // on the loop, when that was STATUS_OK
 *     task_start(task);                            // from here on it frees itself
 *
 *     static enum status read_it(struct task *task, struct error *err)
 *     {
 *         struct db *db;
 *         enum status status = task_db(task, &db, err);    // a connection, lent until it returns
 *         ...
 *     }
 *     static void answer_it(struct task *task)
 *     {
 *         exchange_json(&task->x, 200, ...);               // or exchange_resume() and go on
 *     }
 *
 * A `work` that fails is answered with its error. When the client has gone, or
 * the server stops, a task that waits is dropped and one that runs is told:
 * its statements in the database end by themselves, and long computations look
 * at task_is_cancelled(); neither is answered. The pool is libuv's, of four
 * threads unless UV_THREADPOOL_SIZE says otherwise.
 */
#ifndef SERVER_HTTP_BACKGROUND_H
#define SERVER_HTTP_BACKGROUND_H

#include <stdatomic.h>
#include "base/arena.h"
#include "server/http/exchange.h"
#include "server/store/db.h"

#define TASKS_MAX 256                       // waiting or running; one more gets 503
#define TASK_ARENA_BYTES ((size_t)64 << 20) // what is not touched costs nothing
#define BACKGROUND_CONNECTIONS 4            // to the database, kept open
#define BACKGROUND_REPEATS_MAX 4

struct background;
struct uv_loop_s;

/* path: of the database, copied; its connections are opened when they are first wanted. */
MUST_CHECK enum status background_open(struct background **out, struct uv_loop_s *loop,
                                       const char *path, struct error *err);
/* Then the loop must run its callbacks before background_free. */
void background_stop(struct background *background);
void background_free(struct background *background); // NULL is fine

struct task {
    struct exchange x;  // answer this one, in `done`
    struct arena arena; // the task's own; loop thread before and after `work`
    void *owner;        // whoever made it keeps there what he needs, in the arena
    enum status (*work)(struct task *task, struct error *err);
    void (*done)(struct task *task);
    void (*release)(struct task *task); // NULL, or on the loop at the end, whatever came of it

    atomic_bool cancelled;
    struct background *background;
    struct db *db; // lent
    enum status status;
    struct error err;
    struct task *next, *previous; // among the active, or the idle
    struct task_handle *handle;   // libuv's part
};

/* A copy of the exchange is in it, and so many bytes at `owner`, zeroed. STATUS_BUSY: as many are
 * under way as may be. */
MUST_CHECK enum status task_new(struct task **out, const struct exchange *x, size_t owner_bytes,
                                struct error *err);
void task_free(struct task *task); // only of one that was not started; NULL is fine
void task_start(struct task *task);

/* Inside `work`. */
MUST_CHECK enum status task_db(struct task *task, struct db **out, struct error *err);
bool task_is_cancelled(struct task *task);

/* work(context, db) now and then every `ms`, never twice at once, and after each done(context) on
 * the loop. db is a connection of its own, NULL when it cannot be opened. */
MUST_CHECK enum status background_repeat(struct background *background, int ms,
                                         void (*work)(void *context, struct db *db),
                                         void (*done)(void *context), void *context,
                                         struct error *err);
/* All that is repeated, once more as soon as can be: something has changed. */
void background_repeat_now(struct background *background);

int background_task_count(const struct background *background); // waiting or running

#endif
