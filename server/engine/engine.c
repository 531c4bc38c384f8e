/*
 * engine.c - a model and its vocabulary together, and what its card says about languages.
 */
#include "server/engine/engine.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/model.h"

struct engine {
    struct model *model;
    struct ensemble ensemble;         // the model, and what was added
    struct model *more[ENSEMBLE_MAX]; // (more_count) of what was added, to be freed
    int more_count;
    const struct vocabulary *vocabulary;
    struct vocabulary *own;       // what it points to, if the engine read it itself
    int shortlist;                // pieces of a row; 0: the whole vocabulary
    char *source, *target, *name; // never NULL once engine_new is done
};

/* A text of the card, or `otherwise`; false: no memory. */
static bool copy_field(char **out, const json_t *card, const char *field, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(card, field));
    *out = memory_copy_text(text ? text : otherwise);
    return *out != NULL;
}

static enum status name_pair(struct engine *e, const json_t *card, struct error *err)
{
    char pair[64] = "";
    bool ok =
        copy_field(&e->source, card, "source", "") && copy_field(&e->target, card, "target", "");
    if (ok && *e->source && *e->target)
        snprintf(pair, sizeof pair, "%s-%s", e->source, e->target);
    if (!ok || !copy_field(&e->name, card, "name", pair))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a model's card");
    return STATUS_OK;
}

static enum status read_card(struct engine *e, struct error *err)
{
    const char *text = model_texts(e->model).card;
    json_t *card = NULL;
    enum status status = text ? json_parse(&card, text, strlen(text), err) : STATUS_OK;
    if (status == STATUS_BAD_INPUT)
        return error_set(err, STATUS_BAD_FILE, "the model's card cannot be read: %s",
                         err ? err->text : "");
    if (status == STATUS_OK)
        status = name_pair(e, card, err);
    json_decref(card);
    return status;
}

static enum status check_vocabulary(const struct engine *e, struct error *err)
{
    int model_pieces = model_config(e->model)->vocabulary;
    int pieces = vocabulary_size(e->vocabulary);
    if (pieces == model_pieces)
        return STATUS_OK;
    return error_set(err, STATUS_BAD_FILE,
                     "the model was made for %d pieces but its vocabulary has %d: export it again",
                     model_pieces, pieces);
}

enum status engine_new(struct engine **out, struct model *model,
                       const struct vocabulary *vocabulary, struct error *err)
{
    *out = NULL;
    struct engine *e = memory_zeroed(1, sizeof *e);
    if (!e) {
        model_free(model);
        return error_set(err, STATUS_NO_MEMORY, "no memory for a model");
    }
    e->model = model;
    e->ensemble = (struct ensemble){ .models = { model }, .count = 1 };
    e->vocabulary = vocabulary;
    enum status status = check_vocabulary(e, err);
    if (status == STATUS_OK)
        status = read_card(e, err);
    if (status != STATUS_OK) {
        engine_free(e);
        return status;
    }
    *out = e;
    return STATUS_OK;
}

enum status engine_load(struct engine **out, const char *path, enum weight_type type,
                        struct error *err)
{
    struct model *model;
    struct vocabulary *vocabulary;
    struct error ignored;
    *out = NULL;
    if (!err)
        err = &ignored;
    enum status status = model_load_as(&model, path, KIND_TRANSLATE, type, err);
    if (status != STATUS_OK)
        return status;
    const char *text = model_texts(model).vocabulary;
    status = vocabulary_parse_tsv(&vocabulary, text, strlen(text), err);
    if (status != STATUS_OK) {
        model_free(model);
        return error_while(err, "%s: its vocabulary: ", path);
    }
    status = engine_new(out, model, vocabulary, err);
    if (status != STATUS_OK) {
        vocabulary_free(vocabulary);
        return error_while(err, "%s: ", path);
    }
    (*out)->own = vocabulary;
    return STATUS_OK;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    for (int i = 0; i < engine->more_count; i++)
        model_free(engine->more[i]);
    model_free(engine->model);
    vocabulary_free(engine->own);
    memory_free(engine->source);
    memory_free(engine->target);
    memory_free(engine->name);
    memory_free(engine);
}

/* The new model is the engine's, if its vocabulary is. */
static enum status add(struct engine *engine, const char *path, enum model_kind kind,
                       enum weight_type type, struct model **out, struct error *err)
{
    assert(engine->more_count < ENSEMBLE_MAX); // all but the first, and one language model
    enum status status = model_load_as(out, path, kind, type, err);
    if (status != STATUS_OK)
        return status;
    if (strcmp(model_texts(*out).vocabulary, model_texts(engine->model).vocabulary) != 0) {
        model_free(*out);
        return error_set(err, STATUS_BAD_USAGE,
                         "%s has another vocabulary than the model: only models of one vocabulary "
                         "translate together",
                         path);
    }
    engine->more[engine->more_count++] = *out;
    return STATUS_OK;
}

enum status engine_add_model(struct engine *engine, const char *path, enum weight_type type,
                             struct error *err)
{
    struct model *model;
    if (engine->ensemble.count == ENSEMBLE_MAX)
        return error_set(err, STATUS_BAD_USAGE, "at most %d models translate together",
                         ENSEMBLE_MAX);
    enum status status = add(engine, path, KIND_TRANSLATE, type, &model, err);
    if (status == STATUS_OK)
        engine->ensemble.models[engine->ensemble.count++] = model;
    return status;
}

enum status engine_add_lm(struct engine *engine, const char *path, enum weight_type type,
                          float weight, struct error *err)
{
    struct model *model;
    assert(!engine->ensemble.lm);
    enum status status = add(engine, path, KIND_LM, type, &model, err);
    if (status == STATUS_OK) {
        engine->ensemble.lm = model;
        engine->ensemble.lm_weight = weight;
    }
    return status;
}

void engine_limit_shortlist(struct engine *engine, int per_piece)
{
    engine->shortlist = model_shortlist(engine->model) ? per_piece : 0;
}

const struct model *engine_model(const struct engine *engine)
{
    return engine->model;
}

const struct ensemble *engine_ensemble(const struct engine *engine)
{
    return &engine->ensemble;
}

const struct vocabulary *engine_vocabulary(const struct engine *engine)
{
    return engine->vocabulary;
}

int engine_shortlist(const struct engine *engine)
{
    return engine->shortlist;
}

const char *engine_source(const struct engine *engine)
{
    return engine->source;
}

const char *engine_target(const struct engine *engine)
{
    return engine->target;
}

const char *engine_name(const struct engine *engine)
{
    return engine->name;
}
