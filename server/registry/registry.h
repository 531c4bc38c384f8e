/*
 * registry.h - which models are live.
 *
 *     struct registry *r;
 *     status = registry_open(&r, "models/", WEIGHT_I8, SHORTLIST_WHOLE, db, &err);
 *                                             // every *.safetensors that translates
 *     struct live_models *models = registry_models(r);      // the list as it is now
 *     for (int i = 0; i < models->count; i++) ... models->at[i] ...
 *     struct live_model *m = live_models_find(models, "en", "fr");
 *     live_model_take(m);                                   // so that it outlives the list
 *     live_models_release(models);
 *
 *     ... live_model_engine(m) ...
 *     live_model_release(m);
 *
 *     status = registry_reload(r, NULL, &err);              // takes as long as loading
 *     registry_close(r);
 *
 * Vocabularies are imported into the database and read from there. A list never
 * changes: a reload puts another in its place. A model stays in memory while
 * anyone holds a reference to it or to a list that has it. Functions may be
 * called from any thread.
 */
#ifndef SERVER_REGISTRY_REGISTRY_H
#define SERVER_REGISTRY_REGISTRY_H

#include <stdatomic.h>
#include "base/status.h"
#include "server/engine/engine.h"
#include "server/store/db.h"

#define MODELS_MAX 256 // of one folder

struct registry;
struct live_model;

struct live_models {
    atomic_int references;
    int count;
    struct live_model *at[MODELS_MAX]; // (count) in order of name
};

/* Matrices are packed as `type`, and so much of shortlists is kept to (engine.h). Models of other
 * kinds are left alone, and so is the language detector (live_detector.h). A folder without models,
 * a file that cannot be loaded, a model whose card names no languages and two models of one pair are
 * errors that name the file. Reloads open a connection of their own to the database of db. */
MUST_CHECK enum status registry_open(struct registry **out, const char *folder,
                                     enum weight_type type, int shortlist, struct db *db,
                                     struct error *err);
void registry_close(struct registry *r); // NULL is fine

/* Load the model of this name anew, or with NULL all whose files have changed: new files come,
 * vanished ones leave. A file that cannot be loaded is the error; the model it had stays, and so do
 * all when none would be left. Requests keep what they hold. For a thread that may wait; of two
 * reloads at once the second waits for the first. */
MUST_CHECK enum status registry_reload(struct registry *r, const char *name, struct error *err);
/* Another number after each reload that changed something. */
unsigned registry_generation(const struct registry *r);
/* changed(context) is called then, on the thread that reloads. */
void registry_on_change(struct registry *r, void (*changed)(void *context), void *context);

struct live_models *registry_models(struct registry *r);
/* Borrowed from the list; NULL: there is none of this pair. */
struct live_model *live_models_find(const struct live_models *models, const char *source,
                                    const char *target);
void live_models_release(struct live_models *models); // NULL is fine

struct live_model *live_model_take(struct live_model *m); // one reference more: the same
const struct engine *live_model_engine(const struct live_model *m);
const char *live_model_source(const struct live_model *m); // "en"
const char *live_model_target(const struct live_model *m); // "fr"
long long live_model_id(const struct live_model *m);       // in the database
const char *live_model_name(const struct live_model *m);   // "en-fr"
void live_model_release(struct live_model *m);             // NULL is fine

#endif
