/*
 * journal_write.h - rows into tables: what the journal's thread does with its connection.
 *
 * Private to server/store.
 */
#ifndef SERVER_STORE_JOURNAL_WRITE_H
#define SERVER_STORE_JOURNAL_WRITE_H

#include "server/store/db.h"
#include "server/store/journal_row.h"

struct journal_writer;

/* Takes over the connection, also on failure. */
MUST_CHECK enum status journal_writer_new(struct journal_writer **out, struct db *db,
                                          const char *replica, struct error *err);
void journal_writer_free(struct journal_writer *w); // NULL is fine

/* The first `count` units of a list in one transaction: all or nothing. */
MUST_CHECK enum status journal_write(struct journal_writer *w, const struct journal_unit *first,
                                     int count, struct error *err);
/* The largest id there is, 0 if there is none. */
MUST_CHECK enum status journal_last_id(struct journal_writer *w, long long *id, struct error *err);

struct db *journal_writer_db(struct journal_writer *w);

#endif
