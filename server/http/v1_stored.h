/*
 * v1_stored.h - what the resources of stored translations have in common.
 *
 *     struct list_wish { struct v1_stored common; int limit; };      // begins with it
 *     static const struct v1_stored_way way = { .names = names, .wish_bytes = sizeof(struct list_wish),
 *                                               .read = read_wish, .work = write_list };
 *     v1_stored_take(x, &way);
 *
 * The query is read on the loop, strictly; `work` asks the database and writes
 * the body beside it. Both find the wish as task->owner, in the task's arena.
 */
#ifndef SERVER_HTTP_V1_STORED_H
#define SERVER_HTTP_V1_STORED_H

#include "server/http/background.h"
#include "server/store/journal_read.h"

#define QUERY_CHARACTERS_MAX 1000 // of a text that is looked for
#define NO_STORE "Cache-Control: no-store\r\n"

struct v1_stored {
    const char *type;    // of the body; "application/json" until `work` says another
    const char *headers; // lines ended by CRLF
    struct slice body;   // in the task's arena
};

struct v1_stored_way {
    const char *const *names; // of the query's parameters, ended by NULL
    size_t wish_bytes;        // the wish is zeroed before it is read
    enum status (*read)(struct task *task, const json_t *query, struct error *err);
    enum status (*work)(struct task *task, struct error *err);
    void (*done)(struct task *task); // NULL: answers with the body
};

/* Answers, or has it answered. */
void v1_stored_take(struct exchange *x, const struct v1_stored_way *way);

/* ---- inside `read`: parameters that are not there leave *out as it is ---- */

MUST_CHECK enum status v1_stored_int(const json_t *query, const char *name, int min, int max,
                                     int *out, struct error *err);
/* A copy in the task's arena; an empty one is none. */
MUST_CHECK enum status v1_stored_text(struct task *task, const json_t *query, const char *name,
                                      const char **out, struct error *err);
/* Of the route's first value. STATUS_NOT_FOUND: it is no id. */
MUST_CHECK enum status v1_stored_id(const struct task *task, long long *out, struct error *err);

/* ---- inside `work` ---- */

MUST_CHECK enum status v1_stored_tag(struct task *task, char tag[JOURNAL_TAG_BYTES],
                                     struct error *err);
/* When, by which model, in which languages, both texts. NULL: no memory. */
json_t *v1_stored_head(const struct stored_translation *t, const char *tag);
/* Takes the value over; it becomes the body. STATUS_TOO_LARGE: over REPLY_BYTES_MAX. */
MUST_CHECK enum status v1_stored_write(struct task *task, json_t *value, struct error *err);
/* The bytes become the body. */
MUST_CHECK enum status v1_stored_keep(struct task *task, const struct bytes *bytes,
                                      struct error *err);

#endif
