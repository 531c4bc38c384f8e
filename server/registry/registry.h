/*
 * registry.h - which models are live.
 *
 *     struct registry *r;
 *     status = registry_open(&r, "models/", WEIGHT_I8, SHORTLIST_WHOLE, db, &err);
 *                                             // every *.safetensors that translates
 *     struct live_model *m = registry_find(r, "en", "fr");  // a reference; NULL: no such pair
 *     ... live_model_engine(m) ...
 *     live_model_release(m);
 *     registry_close(r);
 *
 * Vocabularies are imported into the database and read from there. A model
 * stays in memory while anyone holds a reference. Functions may be called from
 * any thread.
 */
#ifndef SERVER_REGISTRY_REGISTRY_H
#define SERVER_REGISTRY_REGISTRY_H

#include "base/status.h"
#include "server/engine/engine.h"
#include "server/store/db.h"

struct registry;
struct live_model;

/* Matrices are packed as `type`, and so much of shortlists is kept to (engine.h). Models of other kinds, such as language detectors, are left alone. A
 * folder without models, a file that cannot be loaded, a model whose card names no languages and two
 * models of one pair are errors that name the file. */
MUST_CHECK enum status registry_open(struct registry **out, const char *folder,
                                     enum weight_type type, int shortlist, struct db *db,
                                     struct error *err);
void registry_close(struct registry *r); // NULL is fine

struct live_model *registry_find(struct registry *r, const char *source, const char *target);
int registry_count(const struct registry *r);
/* The i-th in order of name; borrowed while the registry is open. */
const struct live_model *registry_at(const struct registry *r, int i);

const struct engine *live_model_engine(const struct live_model *m);
const char *live_model_source(const struct live_model *m); // "en"
const char *live_model_target(const struct live_model *m); // "fr"
const char *live_model_name(const struct live_model *m);   // "en-fr"
void live_model_release(struct live_model *m);             // NULL is fine

#endif
