/*
 * vocabularies.h - vocabularies and models in the database.
 *
 * A vocabulary is imported when a model that carries it is first loaded, and
 * the serving tokenizer reads it from there ever after, so that what is stored
 * about a translation stays readable when its model is gone.
 */
#ifndef SERVER_STORE_VOCABULARIES_H
#define SERVER_STORE_VOCABULARIES_H

#include "base/status.h"
#include "server/store/db.h"
#include "tokenizer/vocabulary.h"

/* Make sure the vocabulary of `text` (vocabulary TSV) is stored, and read it back from its rows.
 * *id is its key. The vocabulary is the caller's. */
MUST_CHECK enum status vocabularies_import(struct db *db, const char *text, long long *id,
                                           struct vocabulary **out, struct error *err);

/* The stored vocabulary of this id, the connection's: it is read once and stays until db_close. */
MUST_CHECK enum status vocabularies_borrow(struct db *db, long long id,
                                           const struct vocabulary **out, struct error *err);
void vocabularies_give_back(struct db *db); // all of them; db_close does

/* Record that a model was loaded now (once a digest). card may be NULL. *id is its key. */
MUST_CHECK enum status models_record(struct db *db, const char *name, const char *source,
                                     const char *target, const char *digest, const char *card,
                                     long long vocabulary_id, long long *id, struct error *err);
#endif
