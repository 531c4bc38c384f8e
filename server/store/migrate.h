/*
 * migrate.h - bring a database to the state this program knows.
 *
 *     status = migrate(db, migrations, &err);
 *
 * What a database has had is in its table `migrations`, with the SHA-256 of each
 * text. That must be the beginning of `history`; the rest is applied, each in a
 * transaction that also records it. Several processes may do so at once.
 */
#ifndef SERVER_STORE_MIGRATE_H
#define SERVER_STORE_MIGRATE_H

#include "server/store/sql.h"

/* STATUS_BAD_FILE, nothing changed: the record does not fit `history`, or the file is another
 * program's. A migration that fails is named, and nothing of it remains. */
MUST_CHECK enum status migrate(struct db *db, const struct migration *history, struct error *err);

#endif
