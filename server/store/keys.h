/*
 * keys.h - who may use the service: keys that are given out once and only recognised afterwards.
 *
 *     char key[KEY_BYTES];
 *     status = keys_add(db, "anna", 1 | 2, 0, key, &err);   // "verso_3_0h5k...": show it now
 *     status = keys_revoke(db, "anna", &err);
 *
 *     struct key_set *set;
 *     status = key_set_load(&set, db, &err);                // all that are good, in memory
 *     const struct known_key *k = key_set_find(set, text, len);
 *     key_set_free(set);
 *
 * A key is "verso_", the number of its row, "_" and 160 random bits. The
 * database has the SHA-256 of all that. The number is no secret, so it may find
 * the row; the rest is compared in constant time. A set never changes: share it
 * between threads.
 */
#ifndef SERVER_STORE_KEYS_H
#define SERVER_STORE_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "base/status.h"
#include "server/store/db.h"

#define KEYS_MAX 10000   // rows, revoked ones included
#define KEY_BYTES 64     // of a key with its NUL
#define KEY_NAME_MAX 100 // characters
#define KEY_RATE_MAX 1000000

/* scopes: a sum of 1 translate, 2 read its own rows, 4 admin. rate: requests a minute, 0: as the
 * server is set. STATUS_BAD_INPUT: there is one of this name, or it is no name. */
MUST_CHECK enum status keys_add(struct db *db, const char *name, unsigned scopes, int rate,
                                char key[KEY_BYTES], struct error *err);
/* STATUS_NOT_FOUND: no good key has this name. */
MUST_CHECK enum status keys_revoke(struct db *db, const char *name, struct error *err);

struct key_row {
    long long id;
    const char *name; // borrowed for the call
    unsigned scopes;
    int rate;                         // 0: as the server is set
    long long created_ms, revoked_ms; // 0: it is good
};

MUST_CHECK enum status keys_each(struct db *db,
                                 void (*each)(void *context, const struct key_row *row),
                                 void *context, struct error *err);

struct known_key {
    long long id;
    unsigned scopes;
    int rate; // 0: as the server is set
    uint8_t sha256[SHA256_BYTES];
};

struct key_set;

/* Another number whenever the table has changed. */
MUST_CHECK enum status keys_stamp(struct db *db, long long *stamp, struct error *err);
MUST_CHECK enum status key_set_load(struct key_set **out, struct db *db, struct error *err);
void key_set_free(struct key_set *set); // NULL is fine
int key_set_count(const struct key_set *set);
/* NULL: it was never given out, or revoked. */
const struct known_key *key_set_find(const struct key_set *set, const char *text, size_t len);

#endif
