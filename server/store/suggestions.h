/*
 * suggestions.h - translations that people say would be better, and those that were accepted.
 *
 *     status = suggestions_add(db, &suggestion, "8f2c...", &err);    // pending
 *     status = suggestions_decide(db, id, SUGGESTION_ACCEPTED, &err);
 *
 *     struct suggestion_set *set;
 *     status = suggestion_set_load(&set, db, &err);                  // the accepted ones, in memory
 *     struct suggested_text found;
 *     if (suggestion_set_find(set, "en", "fr", "Hello", 5, &found)) ... found.text ...
 *     suggestion_set_free(set);
 *
 * Of one source text and pair one at most is accepted: accepting another puts
 * it in its place. A set never changes: share it between threads.
 */
#ifndef SERVER_STORE_SUGGESTIONS_H
#define SERVER_STORE_SUGGESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/status.h"
#include "server/store/db.h"

#define SUGGESTION_BYTES_MAX 8192      // each of the two texts
#define SUGGESTIONS_PENDING_MAX 10000  // of all clients
#define SUGGESTIONS_PENDING_OF_ONE 100 // of one client
#define SUGGESTIONS_ACCEPTED_MAX 100000
#define SUGGESTION_SET_BYTES (64 << 20) // of all accepted texts
#define SUGGESTION_CLIENT_BYTES 17      // 16 digits

enum suggestion_state { SUGGESTION_PENDING, SUGGESTION_ACCEPTED, SUGGESTION_REJECTED };

const char *suggestion_state_name(enum suggestion_state state); // "pending"
bool suggestion_state_read(const char *name, enum suggestion_state *state);

struct suggestion {
    long long id;
    const char *source_language, *target_language; // "en"
    const char *source_text, *suggested_text;
    enum suggestion_state state;
    long long key_id; // who said so; 0: somebody without a key
    long long created_ms, decided_ms;
};

/* The client of a suggestion: a hash, of the key if there is one, else of the address. */
MUST_CHECK enum status suggestion_client(long long key_id, const char *address,
                                         char client[SUGGESTION_CLIENT_BYTES], struct error *err);

/* Of `s` its texts, languages and key. One that is there already is not stored twice. STATUS_BUSY:
 * as many are pending as may be. STATUS_TOO_LARGE: a text is too long. */
MUST_CHECK enum status suggestions_add(struct db *db, const struct suggestion *s,
                                       const char *client, struct error *err);
/* Accepted or rejected, whatever it was. STATUS_NOT_FOUND: there is none of this number. */
MUST_CHECK enum status suggestions_decide(struct db *db, long long id, enum suggestion_state state,
                                          struct error *err);
/* Newest first, at most `limit`, with numbers below `before` (0: all). Texts are in the arena. */
MUST_CHECK enum status suggestions_list(struct db *db, enum suggestion_state state,
                                        long long before, int limit, struct arena *arena,
                                        struct suggestion **out, int *count, struct error *err);
/* What was accepted for texts that are nearly `text`, best first, at most `max`; not for `text`
 * itself. Found by full-text search, then compared. */
MUST_CHECK enum status suggestions_near(struct db *db, const char *source_language,
                                        const char *target_language, const char *text, int max,
                                        struct arena *arena, const char ***out, int *count,
                                        struct error *err);

struct suggestion_set;

/* Another number whenever what is accepted has changed. */
MUST_CHECK enum status suggestions_stamp(struct db *db, long long *stamp, struct error *err);
MUST_CHECK enum status suggestion_set_load(struct suggestion_set **out, struct db *db,
                                           struct error *err);
void suggestion_set_free(struct suggestion_set *set); // NULL is fine
struct suggested_text {
    long long id; // of the suggestion
    const char *text;
};

/* Borrowed from the set; false: none was accepted for exactly this text. */
bool suggestion_set_find(const struct suggestion_set *set, const char *source_language,
                         const char *target_language, const char *text, size_t len,
                         struct suggested_text *out);
bool suggestion_set_is_empty(const struct suggestion_set *set);

#endif
