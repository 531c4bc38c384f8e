/*
 * v1_models.c - GET /v1/models, and POST /v1/models/{name}/reload.
 */
#include <string.h>

#include "model/model.h"
#include "server/http/background.h"
#include "server/http/metrics.h"
#include "server/http/routes.h"

/* Its card as it is in the file; null where there is none. */
static json_t *card_of(const struct model *model)
{
    const char *text = model_texts(model).card;
    json_t *card = NULL;
    if (!text || json_parse(&card, text, strlen(text), NULL) != STATUS_OK)
        return json_null();
    return card;
}

static json_t *model_to_json(const struct live_model *m)
{
    const struct model *model = engine_model(live_model_engine(m));
    const struct config *config = model_config(model);
    json_t *sizes = json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "vocabulary", config->vocabulary,
                              "embedding", config->embedding, "hidden", config->hidden, "attention",
                              config->attention, "encoder_layers", config->encoder_layers,
                              "decoder_layers", config->decoder_layers);
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "name", live_model_name(m), "source",
                     live_model_source(m), "target", live_model_target(m), "state", "live",
                     "digest", model_digest(model), "sizes", sizes, "card", card_of(model));
}

void get_v1_models(struct exchange *x)
{
    struct live_models *models = registry_models(x->service->pairs.registry);
    json_t *list = json_array();
    bool ok = true;
    for (int i = 0; i < models->count; i++)
        ok = json_array_append_new(list, model_to_json(models->at[i])) == 0 && ok;
    live_models_release(models);
    exchange_json(x, 200, ok ? json_pack("{s:O}", "models", list) : NULL);
    json_decref(list);
}

/* ---- loading one anew, beside the loop ---- */

static enum status reload(struct task *task, struct error *err)
{
    enum status status = registry_reload(task->x.service->pairs.registry, task->x.values[0], err);
    if (status != STATUS_OK)
        metric_add(METRIC_RELOADS_FAILED, 1);
    return status;
}

static void answer_reloaded(struct task *task)
{
    struct service *service = task->x.service;
    struct live_models *models = registry_models(service->pairs.registry);
    json_t *model = NULL;
    service_refresh(service);
    for (int i = 0; i < models->count && !model; i++)
        if (strcmp(live_model_name(models->at[i]), task->x.values[0]) == 0)
            model = model_to_json(models->at[i]);
    live_models_release(models);
    if (model)
        exchange_json(&task->x, 200, model);
    else
        exchange_error(&task->x, 404, "the model has left while it was loaded");
}

void post_v1_reload(struct exchange *x)
{
    struct error err;
    struct task *task;
    if (task_new(&task, x, 0, &err) != STATUS_OK) {
        exchange_fail(x, &err);
        return;
    }
    task->work = reload;
    task->done = answer_reloaded;
    task_start(task);
}
