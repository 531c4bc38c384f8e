/*
 * care.h - what a person does with the database file: copy it, and see whether it is sound.
 *
 * Both may be done while a service writes.
 */
#ifndef SERVER_STORE_CARE_H
#define SERVER_STORE_CARE_H

#include "base/status.h"
#include "server/store/db.h"

/* A copy of the database as it is at this moment; it appears under its name when it is whole.
 * STATUS_BAD_USAGE: there is a file of that name. */
MUST_CHECK enum status db_backup(struct db *db, const char *path, struct error *err);

/* Reads all of it: pages, indexes, keys, and whether words are counted as often as they are
 * linked. tell() gets a sentence for each problem. */
MUST_CHECK enum status db_check(struct db *db, void (*tell)(void *context, const char *problem),
                                void *context, int *problems, struct error *err);

#endif
