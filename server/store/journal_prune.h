/*
 * journal_prune.h - what is too old, or too much, goes: a small step at a time.
 *
 * A step is a transaction of some milliseconds, so that others can write
 * between two of them.
 */
#ifndef SERVER_STORE_JOURNAL_PRUNE_H
#define SERVER_STORE_JOURNAL_PRUNE_H

#include <stdbool.h>
#include "base/status.h"
#include "server/store/db.h"

/* The oldest translations that are older than `keep_ms` (0: any age), or that make the database
 * larger than `keep_bytes` (0: any size); then empty pages are given back to the disk. *deleted is
 * how many went, *more whether another step has something to do. */
MUST_CHECK enum status journal_prune(struct db *db, long long keep_ms, long long keep_bytes,
                                     int *deleted, bool *more, struct error *err);

#endif
