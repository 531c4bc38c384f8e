/*
 * registry.c - the models of a folder, loaded with their vocabularies from the database.
 */
#include "server/registry/registry.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/registry/file_stamp.h"
#include "server/registry/live_detector.h"
#include "server/store/vocabularies.h"

#define MODEL_ENDING ".safetensors"

struct live_model {
    atomic_int references;
    long long id;                  // in the database
    struct vocabulary *vocabulary; // the engine borrows it
    struct engine *engine;
    struct file_stamp stamp; // of the file when it was loaded
    char file[NAME_MAX + 1]; // in the folder
};

struct registry {
    char *folder, *database;
    enum weight_type type; // of the models' matrices
    int shortlist;         // pieces of a row that their engines keep to
    void (*changed)(void *context);
    void *context;
    atomic_uint generation;
    pthread_mutex_t reloading;  // one reload at a time
    pthread_mutex_t lock;       // of `models`, held for a look only
    struct live_models *models; // never changed, only replaced
};

/* ---- files of the folder ---- */

struct file_list {
    char *names[MODELS_MAX];
    int count;
};

static void release_files(struct file_list *files)
{
    for (int i = 0; i < files->count; i++)
        memory_free(files->names[i]);
}

static bool is_model_file(const char *name)
{
    size_t len = strlen(name), ending = strlen(MODEL_ENDING);
    return name[0] != '.' && len > ending && strcmp(name + len - ending, MODEL_ENDING) == 0 &&
           strcmp(name, DETECTOR_FILE) != 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status add_file(struct file_list *files, const char *folder, const char *name,
                            struct error *err)
{
    if (files->count == MODELS_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "%s has more than %d models: spread them over several folders", folder,
                         MODELS_MAX);
    char *copy = memory_copy_text(name);
    if (!copy)
        return error_set(err, STATUS_NO_MEMORY, "no memory to list %s", folder);
    files->names[files->count++] = copy;
    return STATUS_OK;
}

/* In order of their names, so that which of two is complained about does not depend on the disk. */
static enum status list_files(struct file_list *files, const char *folder, struct error *err)
{
    enum status status = STATUS_OK;
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                         "the folder of models %s cannot be opened: %s", folder, strerror(errno));
    for (struct dirent *e; status == STATUS_OK && (e = readdir(dir));)
        if (is_model_file(e->d_name))
            status = add_file(files, folder, e->d_name, err);
    closedir(dir);
    if (status == STATUS_OK && files->count == 0)
        status = error_set(err, STATUS_NOT_FOUND,
                           "%s has no models: put files ending in " MODEL_ENDING " there", folder);
    qsort(files->names, (size_t)files->count, sizeof files->names[0], by_text);
    return status;
}

/* ---- one model ---- */

static void live_model_free(struct live_model *m)
{
    engine_free(m->engine);
    vocabulary_free(m->vocabulary);
    memory_free(m);
}

static enum status record(struct live_model *m, struct db *db, long long vocabulary_id,
                          struct error *err)
{
    const struct model *model = engine_model(m->engine);
    if (!*live_model_source(m) || !*live_model_target(m))
        return error_set(err, STATUS_BAD_FILE,
                         "the model's card does not say which languages it translates: it needs "
                         "\"source\" and \"target\"");
    return models_record(db, live_model_name(m), live_model_source(m), live_model_target(m),
                         model_digest(model), model_texts(model).card, vocabulary_id, &m->id, err);
}

/* The engine stays NULL where the model is of another kind. */
static enum status load_parts(struct live_model *m, const struct registry *r, const char *path,
                              struct db *db, struct error *err)
{
    struct model *model;
    long long vocabulary_id;
    enum status status = model_load_any(&model, path, r->type, err);
    if (status != STATUS_OK)
        return status;
    if (model_config(model)->kind != KIND_TRANSLATE) {
        model_free(model);
        return STATUS_OK;
    }
    status =
        vocabularies_import(db, model_texts(model).vocabulary, &vocabulary_id, &m->vocabulary, err);
    if (status != STATUS_OK) {
        model_free(model);
        return status;
    }
    status = engine_new(&m->engine, model, m->vocabulary, err); // which takes the model
    if (status == STATUS_OK) {
        engine_limit_shortlist(m->engine, r->shortlist);
        status = record(m, db, vocabulary_id, err);
    }
    return status;
}

/* *out stays NULL for a model that does not translate. */
static enum status live_model_load(struct live_model **out, const struct registry *r,
                                   const char *file, struct db *db, struct error *err)
{
    char path[PATH_MAX];
    *out = NULL;
    if (snprintf(path, sizeof path, "%s/%s", r->folder, file) >= (int)sizeof path)
        return error_set(err, STATUS_TOO_LARGE, "the path %s/%s is too long", r->folder, file);
    struct live_model *m = memory_zeroed(1, sizeof *m);
    if (!m)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the model %s", path);
    atomic_init(&m->references, 1);
    snprintf(m->file, sizeof m->file, "%s", file);
    m->stamp = file_stamp(path);
    const int64_t started_ms = clock_now_ms();
    enum status status = load_parts(m, r, path, db, err);
    if (status != STATUS_OK || !m->engine) {
        live_model_free(m);
        return status == STATUS_OK ? status : error_while(err, "the model %s: ", path);
    }
    log_event(LOG_INFO, "model_loaded", "name", LOG_TEXT(live_model_name(m)), "file",
              LOG_TEXT(m->file), "ms", LOG_NUMBER(clock_now_ms() - started_ms), NULL);
    *out = m;
    return STATUS_OK;
}

/* ---- lists of models ---- */

static struct live_models *live_models_new(struct error *err)
{
    struct live_models *models = memory_zeroed(1, sizeof *models);
    if (models)
        atomic_init(&models->references, 1);
    else
        error_set(err, STATUS_NO_MEMORY, "no memory for a list of models");
    return models;
}

void live_models_release(struct live_models *models)
{
    if (!models || atomic_fetch_sub(&models->references, 1) > 1)
        return;
    for (int i = 0; i < models->count; i++)
        live_model_release(models->at[i]);
    memory_free(models);
}

static int by_name(const void *a, const void *b)
{
    const struct live_model *left = *(struct live_model *const *)a;
    const struct live_model *right = *(struct live_model *const *)b;
    int order = strcmp(live_model_name(left), live_model_name(right));
    return order ? order : strcmp(left->file, right->file);
}

static void sort_models(struct live_models *models)
{
    qsort(models->at, (size_t)models->count, sizeof models->at[0], by_name);
}

/* Borrowed; NULL if there is none. */
static struct live_model *find_file(const struct live_models *models, const char *file)
{
    for (int i = 0; i < models->count; i++)
        if (strcmp(models->at[i]->file, file) == 0)
            return models->at[i];
    return NULL;
}

/* One pair, one model. Takes the reference, also on failure. */
static enum status add_model(const struct registry *r, struct live_models *models,
                             struct live_model *m, struct error *err)
{
    const struct live_model *other =
        live_models_find(models, live_model_source(m), live_model_target(m));
    if (other) {
        error_set(err, STATUS_BAD_INPUT,
                  "%s and %s in %s both translate %s to %s: keep one of them there", other->file,
                  m->file, r->folder, live_model_source(m), live_model_target(m));
        live_model_release(m);
        return STATUS_BAD_INPUT;
    }
    models->at[models->count++] = m; // as many as files at most
    return STATUS_OK;
}

static enum status load_into(const struct registry *r, struct live_models *models, const char *file,
                             struct db *db, struct error *err)
{
    struct live_model *m;
    enum status status = live_model_load(&m, r, file, db, err);
    if (status != STATUS_OK || !m)
        return status;
    return add_model(r, models, m, err);
}

static enum status check_not_empty(const struct registry *r, const struct live_models *models,
                                   struct error *err)
{
    if (models->count > 0)
        return STATUS_OK;
    return error_set(err, STATUS_NOT_FOUND,
                     "%s has models, but none of them translates: put one there that does",
                     r->folder);
}

/* ---- opening ---- */

static enum status load_folder(struct registry *r, struct db *db, struct error *err)
{
    struct file_list files = { .count = 0 };
    enum status status = list_files(&files, r->folder, err);
    for (int i = 0; status == STATUS_OK && i < files.count; i++)
        status = load_into(r, r->models, files.names[i], db, err);
    if (status == STATUS_OK)
        status = check_not_empty(r, r->models, err);
    release_files(&files);
    return status;
}

enum status registry_open(struct registry **out, const char *folder, enum weight_type type,
                          int shortlist, struct db *db, struct error *err)
{
    struct error ignored;
    *out = NULL;
    if (!err)
        err = &ignored;
    struct registry *r = memory_zeroed(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the models of %s", folder);
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->reloading, NULL);
    r->type = type;
    r->shortlist = shortlist;
    r->folder = memory_copy_text(folder);
    r->database = memory_copy_text(db_path(db));
    r->models = live_models_new(err);
    enum status status = STATUS_OK;
    if (!r->folder || !r->database || !r->models)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the models of %s", folder);
    else
        status = load_folder(r, db, err);
    if (status != STATUS_OK) {
        registry_close(r);
        return status;
    }
    sort_models(r->models);
    *out = r;
    return STATUS_OK;
}

void registry_close(struct registry *r)
{
    if (!r)
        return;
    live_models_release(r->models);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->reloading);
    memory_free(r->folder);
    memory_free(r->database);
    memory_free(r);
}

/* ---- reloading ---- */

/* The file's model is the old one as long as the file is. */
static enum status keep_or_load(const struct registry *r, const struct live_models *old,
                                struct live_models *models, const char *file, struct db *db,
                                struct error *err)
{
    char path[PATH_MAX + NAME_MAX];
    struct live_model *before = find_file(old, file);
    snprintf(path, sizeof path, "%s/%s", r->folder, file);
    if (before && file_stamp_equals(before->stamp, file_stamp(path)))
        return add_model(r, models, live_model_take(before), err);
    enum status status = load_into(r, models, file, db, err);
    if (status == STATUS_OK)
        return status;
    log_event(LOG_ERROR, "model_not_loaded", "file", LOG_TEXT(file), "reason", LOG_TEXT(err->text),
              NULL);
    if (before && add_model(r, models, live_model_take(before), NULL) == STATUS_OK)
        error_while(err, "the model before it stays: ");
    return status;
}

/* Files that have a model come first: a new one does not take a pair from them. One that fails does
 * not stop the others; the first failure is what is told. */
static enum status reload_folder(const struct registry *r, const struct live_models *old,
                                 struct live_models *models, struct db *db, struct error *err)
{
    struct error failure;
    struct file_list files = { .count = 0 };
    enum status first = STATUS_OK;
    enum status status = list_files(&files, r->folder, err);
    for (int is_new = 0; is_new <= 1; is_new++)
        for (int i = 0; status == STATUS_OK && i < files.count; i++) {
            if ((find_file(old, files.names[i]) == NULL) != is_new)
                continue;
            const enum status one = keep_or_load(r, old, models, files.names[i], db, &failure);
            if (one != STATUS_OK && first == STATUS_OK)
                first = error_set(err, one, "%s", failure.text);
        }
    release_files(&files);
    return status == STATUS_OK ? first : status;
}

static enum status reload_model(const struct registry *r, const struct live_models *old,
                                struct live_models *models, const char *name, struct db *db,
                                struct error *err)
{
    const struct live_model *before = NULL;
    for (int i = 0; i < old->count; i++)
        if (strcmp(live_model_name(old->at[i]), name) == 0)
            before = old->at[i];
        else
            models->at[models->count++] = live_model_take(old->at[i]);
    if (!before)
        return error_set(err, STATUS_NOT_FOUND,
                         "no model is named %s: a new file is read when all are reloaded", name);
    const int others = models->count;
    enum status status = load_into(r, models, before->file, db, err);
    if (status == STATUS_OK && models->count == others)
        status = error_set(err, STATUS_BAD_FILE, "%s does not translate any more", before->file);
    return status;
}

static void replace(struct registry *r, struct live_models *models)
{
    pthread_mutex_lock(&r->lock);
    struct live_models *old = r->models;
    r->models = models;
    pthread_mutex_unlock(&r->lock);
    atomic_fetch_add(&r->generation, 1);
    for (int i = 0; i < old->count; i++)
        if (!find_file(models, old->at[i]->file))
            log_event(LOG_INFO, "model_left", "name", LOG_TEXT(live_model_name(old->at[i])), NULL);
    live_models_release(old);
    if (r->changed)
        r->changed(r->context);
}

static enum status reload(struct registry *r, const char *name, struct db *db, struct error *err)
{
    struct live_models *models = live_models_new(err);
    if (!models)
        return STATUS_NO_MEMORY;
    // Only a reload replaces r->models, and there is one at a time.
    enum status status = name ? reload_model(r, r->models, models, name, db, err)
                              : reload_folder(r, r->models, models, db, err);
    if (status == STATUS_OK)
        status = check_not_empty(r, models, err);
    if (models->count == 0 || (name && status != STATUS_OK)) {
        live_models_release(models);
        return status;
    }
    sort_models(models);
    replace(r, models);
    return status;
}

enum status registry_reload(struct registry *r, const char *name, struct error *err)
{
    struct db *db;
    struct error ignored;
    if (!err)
        err = &ignored;
    pthread_mutex_lock(&r->reloading);
    enum status status = db_open(&db, r->database, err);
    if (status == STATUS_OK) {
        status = reload(r, name, db, err);
        db_close(db);
    }
    pthread_mutex_unlock(&r->reloading);
    return status;
}

void registry_on_change(struct registry *r, void (*changed)(void *context), void *context)
{
    pthread_mutex_lock(&r->reloading);
    r->changed = changed;
    r->context = context;
    pthread_mutex_unlock(&r->reloading);
}

unsigned registry_generation(const struct registry *r)
{
    return atomic_load(&r->generation);
}

/* ---- looking ---- */

struct live_models *registry_models(struct registry *r)
{
    pthread_mutex_lock(&r->lock);
    struct live_models *models = r->models;
    atomic_fetch_add(&models->references, 1);
    pthread_mutex_unlock(&r->lock);
    return models;
}

struct live_model *live_models_find(const struct live_models *models, const char *source,
                                    const char *target)
{
    for (int i = 0; i < models->count; i++)
        if (strcmp(live_model_source(models->at[i]), source) == 0 &&
            strcmp(live_model_target(models->at[i]), target) == 0)
            return models->at[i];
    return NULL;
}

struct live_model *live_model_take(struct live_model *m)
{
    atomic_fetch_add(&m->references, 1);
    return m;
}

const struct engine *live_model_engine(const struct live_model *m)
{
    return m->engine;
}

const char *live_model_source(const struct live_model *m)
{
    return engine_source(m->engine);
}

const char *live_model_target(const struct live_model *m)
{
    return engine_target(m->engine);
}

long long live_model_id(const struct live_model *m)
{
    return m->id;
}

const char *live_model_name(const struct live_model *m)
{
    return engine_name(m->engine);
}

void live_model_release(struct live_model *m)
{
    if (m && atomic_fetch_sub(&m->references, 1) == 1)
        live_model_free(m);
}
