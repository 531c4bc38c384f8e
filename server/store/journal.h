/*
 * journal.h - every translation with what explains it, written beside the translating.
 *
 *     struct journal *journal;
 *     status = journal_open(&journal, "verso.db", &limits, &err);
 *     status = journal_add(journal, entries, count, &scratch, ids, NULL, &err);
 *     journal_close(journal);
 *
 * One thread of its own writes, with its own connection, in groups: one sync a
 * group. A translation has its id as soon as it is queued; when the process is
 * killed the ones missing are the last that were queued. The queue is bounded:
 * a full one makes journal_add wait, and when nothing could be written for
 * JOURNAL_PATIENCE_MS (a full disk, a locked file) journal_add says so at once,
 * until something could be written again. What is queued stays queued.
 *
 * Functions may be called from any thread.
 */
#ifndef SERVER_STORE_JOURNAL_H
#define SERVER_STORE_JOURNAL_H

#include <stdbool.h>
#include "server/engine/pack.h"
#include "server/store/journal_id.h"

#define JOURNAL_PATIENCE_MS 250
#define JOURNAL_QUEUE_ROWS 8192                // waiting to be written,
#define JOURNAL_QUEUE_BYTES ((size_t)64 << 20) // all together

struct journal;

struct journal_limits {
    const char *replica;  // what ids begin with, "a1"
    bool keep_text;       // false: lengths, times, scores and matrices only
    long long keep_ms;    // how old a translation may become; 0: any age
    long long keep_bytes; // how large the database may become; 0: any size
    int queue_rows;       // JOURNAL_QUEUE_ROWS
    size_t queue_bytes;   // JOURNAL_QUEUE_BYTES
};

struct journal_entry {        // one text that was translated; all is borrowed for the call
    long long model_id;       // in the database: live_model_id()
    long long first_model_id; // of the model before it, where there were two; 0: none
    long long suggestion_id;  // whose words they are; 0: the model's
    long long key_id;         // who asked; 0: somebody without a key
    const struct vocabulary *vocabulary;           // the model's
    const char *source_language, *target_language; // the model's
    struct blob source, target;                    // what was sent, what is answered
    const struct engine_text *texts;               // (count) what the model was given
    const struct engine_answer *answers;           // (count) what it made of each
    int count;                                     // 0: no model was asked
    int beam;
    long long took_us;
};

struct journal_stored { // called once by the writer's thread when it is durable, or will not be
    void (*on_stored)(void *context, enum status status);
    void *context;
};

MUST_CHECK enum status journal_open(struct journal **out, const char *path,
                                    const struct journal_limits *limits, struct error *err);
/* Writes what is queued, as long as that works. NULL is fine. */
void journal_close(struct journal *journal);
/* Waits until nothing is queued any more, or nothing can be written: then whoever waits for
 * on_stored has been told. */
void journal_flush(struct journal *journal);

/* The rows of one request: all are queued or none is. ids[i] names entries[i]. STATUS_BUSY: nothing
 * can be written now. With `stored`, it is called if and only if this returns STATUS_OK; what is
 * not durable when it is called with a failure never will be. */
MUST_CHECK enum status journal_add(struct journal *journal, const struct journal_entry *entries,
                                   int count, struct arena *scratch, char (*ids)[JOURNAL_ID_BYTES],
                                   const struct journal_stored *stored, struct error *err);

struct journal_counts {
    bool is_storing; // false: the last try to write failed
    int queued;
    long long queued_bytes;
    long long stored, not_stored; // translations since the start
    long long commits, bytes;     // bytes: of the rows stored, as they were queued
    long long pruned;             // deleted because they were too old, or too many
};

void journal_count(struct journal *journal, struct journal_counts *out);
const char *journal_replica(const struct journal *journal);

#endif
