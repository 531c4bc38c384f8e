/*
 * registry.c - the models of a folder, loaded with their vocabularies from the database.
 */
#include "server/registry/registry.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "server/store/vocabularies.h"

#define MODEL_ENDING ".safetensors"
#define MODELS_MAX 256 // of one folder

struct live_model {
    atomic_int references;
    struct vocabulary *vocabulary; // the engine borrows it
    struct engine *engine;
    char file[NAME_MAX + 1]; // in the folder, for messages
};

struct registry {
    char *folder;
    enum weight_type type;                 // of the models' matrices
    int shortlist;                         // pieces of a row that their engines keep to
    struct live_model *models[MODELS_MAX]; // (count) in order of name
    int count;
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
    return name[0] != '.' && len > ending && strcmp(name + len - ending, MODEL_ENDING) == 0;
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

static enum status record(const struct live_model *m, struct db *db, long long vocabulary_id,
                          struct error *err)
{
    const struct model *model = engine_model(m->engine);
    if (!*live_model_source(m) || !*live_model_target(m))
        return error_set(err, STATUS_BAD_FILE,
                         "the model's card does not say which languages it translates: it needs "
                         "\"source\" and \"target\"");
    return models_record(db, live_model_name(m), live_model_source(m), live_model_target(m),
                         model_digest(model), model_texts(model).card, vocabulary_id, err);
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
    enum status status = load_parts(m, r, path, db, err);
    if (status != STATUS_OK || !m->engine) {
        live_model_free(m);
        return status == STATUS_OK ? status : error_while(err, "the model %s: ", path);
    }
    *out = m;
    return STATUS_OK;
}

/* ---- the registry ---- */

static int by_name(const void *a, const void *b)
{
    const struct live_model *left = *(struct live_model *const *)a;
    const struct live_model *right = *(struct live_model *const *)b;
    int order = strcmp(live_model_name(left), live_model_name(right));
    return order ? order : strcmp(left->file, right->file);
}

/* Borrowed; NULL if there is none. */
static struct live_model *find_pair(const struct registry *r, const char *source,
                                    const char *target)
{
    for (int i = 0; i < r->count; i++)
        if (strcmp(live_model_source(r->models[i]), source) == 0 &&
            strcmp(live_model_target(r->models[i]), target) == 0)
            return r->models[i];
    return NULL;
}

static enum status add_model(struct registry *r, const char *file, struct db *db, struct error *err)
{
    struct live_model *m;
    enum status status = live_model_load(&m, r, file, db, err);
    if (status != STATUS_OK || !m)
        return status;
    const struct live_model *other = find_pair(r, live_model_source(m), live_model_target(m));
    if (other) {
        status =
            error_set(err, STATUS_BAD_INPUT,
                      "%s and %s in %s both translate %s to %s: keep one of them there",
                      other->file, m->file, r->folder, live_model_source(m), live_model_target(m));
        live_model_free(m);
        return status;
    }
    r->models[r->count++] = m;
    return STATUS_OK;
}

enum status registry_open(struct registry **out, const char *folder, enum weight_type type,
                          int shortlist, struct db *db, struct error *err)
{
    struct error ignored;
    struct file_list files = { .count = 0 };
    *out = NULL;
    if (!err)
        err = &ignored;
    struct registry *r = memory_zeroed(1, sizeof *r);
    if (!r || !(r->folder = memory_copy_text(folder))) {
        memory_free(r);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the models of %s", folder);
    }
    r->type = type;
    r->shortlist = shortlist;
    enum status status = list_files(&files, folder, err);
    for (int i = 0; status == STATUS_OK && i < files.count; i++)
        status = add_model(r, files.names[i], db, err);
    if (status == STATUS_OK && r->count == 0)
        status = error_set(err, STATUS_NOT_FOUND,
                           "%s has models, but none of them translates: put one there that does",
                           folder);
    release_files(&files);
    if (status != STATUS_OK) {
        registry_close(r);
        return status;
    }
    qsort(r->models, (size_t)r->count, sizeof r->models[0], by_name);
    *out = r;
    return STATUS_OK;
}

void registry_close(struct registry *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->count; i++)
        live_model_release(r->models[i]);
    memory_free(r->folder);
    memory_free(r);
}

struct live_model *registry_find(struct registry *r, const char *source, const char *target)
{
    struct live_model *m = find_pair(r, source, target);
    if (m)
        atomic_fetch_add(&m->references, 1);
    return m;
}

int registry_count(const struct registry *r)
{
    return r->count;
}

const struct live_model *registry_at(const struct registry *r, int i)
{
    return r->models[i];
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

const char *live_model_name(const struct live_model *m)
{
    return engine_name(m->engine);
}

void live_model_release(struct live_model *m)
{
    if (m && atomic_fetch_sub(&m->references, 1) == 1)
        live_model_free(m);
}
