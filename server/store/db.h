/*
 * db.h - the one database file: opened, migrated, closed.
 *
 *     struct db *db;
 *     if (db_open(&db, "verso.db", &err) != STATUS_OK) ...     // created and migrated
 *     db_close(db);
 *
 * WAL, synchronous=FULL, foreign keys on. Each migration is applied once, in
 * order, in a transaction, and its SHA-256 is recorded; one that changed since,
 * is missing or is newer than this program stops the opening with a sentence
 * that says what to do. A connection belongs to one thread at a time.
 */
#ifndef SERVER_STORE_DB_H
#define SERVER_STORE_DB_H

#include <stdatomic.h>
#include "base/status.h"

struct db;

MUST_CHECK enum status db_open(struct db **out, const char *path, struct error *err);
/* For one that must be there: STATUS_NOT_FOUND else. */
MUST_CHECK enum status db_open_existing(struct db **out, const char *path, struct error *err);
void db_close(struct db *db); // NULL is fine
const char *db_path(const struct db *db);

/* From now on statements end by themselves, with STATUS_CANCELLED, once *cancelled is true; NULL: no
 * more. Whoever sets it may be another thread. */
void db_watch(struct db *db, atomic_bool *cancelled);

#endif
