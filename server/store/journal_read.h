/*
 * journal_read.h - what was stored, for whoever asks.
 *
 *     struct stored_translation t;
 *     status = journal_read(db, journal, id, ANY_KEY, &arena, &t, &err);
 *     ... t.text, t.vocabulary and t.answer are what word_alignment() and the like take ...
 *
 * Each takes a connection of the calling thread's, and a key whose rows alone
 * are seen, or ANY_KEY. What is still queued in `journal` (NULL: none is open
 * in this process) is found too by journal_read and deleted by the deletes;
 * journal_list and links_list tell what is in the file.
 */
#ifndef SERVER_STORE_JOURNAL_READ_H
#define SERVER_STORE_JOURNAL_READ_H

#include "server/store/db.h"
#include "server/store/journal.h"

#define ANY_KEY (-1LL)
#define JOURNAL_LIST_MAX 1000
#define LINKS_LIST_MAX 1000
#define KEY_LINKS_TRANSLATIONS 10000 // the newest of a key, whose links links_list counts

struct stored_translation {
    long long id, key_id, suggestion_id, created_ms, took_us; // key, suggestion: 0: none
    const char *model;                                        // "en-fr"
    const char *source_language, *target_language;            // of the request
    const char *via;                                          // the language in between, or NULL
    const char *source_text, *target_text;  // as sent and answered; NULL: kept without text
    int source_length, target_length, beam; // characters
    const char *text;                       // what the model was given: spans are of this
    size_t text_len;
    const struct vocabulary *vocabulary; // the connection's: until it is closed
    struct engine_answer answer; // without text: no sentences; of a suggestion: its words only
};

/* STATUS_NOT_FOUND: there is none, or it is another key's. */
MUST_CHECK enum status journal_read(struct db *db, struct journal *journal, long long id,
                                    long long key_id, struct arena *arena,
                                    struct stored_translation *out, struct error *err);

struct journal_query { // newest first
    const char *text;  // in the source or the target, small and capital a-z alike; NULL: any
    const char *source, *target, *model; // NULL: any
    long long before;                    // ids below this; 0: from the newest
    int limit;                           // 1..JOURNAL_LIST_MAX
};

/* Everything but text, vocabulary and answer; those are left empty. */
MUST_CHECK enum status journal_list(struct db *db, const struct journal_query *query,
                                    long long key_id, struct arena *arena,
                                    struct stored_translation **out, int *count, struct error *err);

/* Gone when it returns STATUS_OK, links counted down. STATUS_BUSY: it is queued, and cannot be
 * written now. */
MUST_CHECK enum status journal_delete(struct db *db, struct journal *journal, long long id,
                                      long long key_id, struct error *err);
/* All of a key, in small steps. *deleted is set also when it fails in between. */
MUST_CHECK enum status journal_delete_of_key(struct db *db, struct journal *journal,
                                             long long key_id, long long *deleted,
                                             struct error *err);

struct links_query {                               // at least one word
    const char *source, *target;                   // words as they were written; NULL: any
    const char *source_language, *target_language; // NULL: any
    int limit;                                     // 1..LINKS_LIST_MAX
};

struct stored_link { // most frequent first
    const char *source, *target, *source_language, *target_language;
    long long count;
    long long last_id; // of a translation with it; 0: not known any more
};

/* Counted over all that is stored; of one key, over its newest KEY_LINKS_TRANSLATIONS. */
MUST_CHECK enum status links_list(struct db *db, const struct links_query *query, long long key_id,
                                  struct arena *arena, struct stored_link **out, int *count,
                                  struct error *err);

/* STATUS_NOT_FOUND: no key has this name. */
MUST_CHECK enum status journal_key_of_name(struct db *db, const char *name, long long *key_id,
                                           struct error *err);

/* The tag of the ids that the last server with this database gave; "a1" if there was none. */
MUST_CHECK enum status journal_replica_of(struct db *db, char tag[JOURNAL_TAG_BYTES],
                                          struct error *err);

#endif
