/*
 * openapi.c - GET /v1/openapi.json, and /spec: what this server takes and answers.
 *
 * openapi.json is the source, embedded. What only the running server knows
 * (languages, models, limits) is set in its schemas here, and each path of /v1
 * gets the problems that any may have beside its own, "x-problems".
 */
#include <stdio.h>
#include <string.h>

#include "server/http/openapi.h"
#include "server/http/routes.h"
#include "server/protocol/http_reply.h"

static const int problems_of_all[] = { 400, 401, 403, 405, 408, 411, 413,
                                       414, 415, 417, 429, 431, 500, 503 };
#define PROBLEM_COUNT (sizeof problems_of_all / sizeof problems_of_all[0])

/* ---- what the running server knows ---- */

static bool set_schema(json_t *root, const char *name, const char *keyword, json_t *value)
{
    json_t *schemas = json_object_get(json_object_get(root, "components"), "schemas");
    return json_object_set_new(json_object_get(schemas, name), keyword, value) == 0;
}

static json_t *language_codes(const struct pairs *pairs)
{
    json_t *list = json_array();
    for (int i = 0; i < pairs->count; i++)
        json_array_append_new(list, json_string(pairs->codes[i]));
    return list;
}

static json_t *source_languages(const struct service *service)
{
    json_t *list = language_codes(&service->pairs);
    if (live_detector_is_there(service->detector))
        json_array_append_new(list, json_string("auto"));
    return list;
}

static json_t *model_names(const struct pairs *pairs)
{
    json_t *list = json_array();
    for (int i = 0; i < pairs->models->count; i++)
        json_array_append_new(list, json_string(live_model_name(pairs->models->at[i])));
    return list;
}

static bool set_live_parts(json_t *root, const struct service *service)
{
    const struct service_limits *limits = &service->limits;
    const struct {
        const char *schema, *keyword;
        int value;
    } numbers[] = {
        { "Text", "maxLength", limits->characters },
        { "Texts", "maxItems", limits->batch_items },
        { "Beam", "maximum", limits->beam },
        { "Beam", "default", limits->beam },
        { "NBest", "maximum", limits->alternatives + 1 },
        { "Deadline", "maximum", limits->deadline_ms },
        { "Deadline", "default", limits->deadline_ms },
    };
    bool ok = set_schema(root, "Language", "enum", language_codes(&service->pairs));
    ok = set_schema(root, "SourceLanguage", "enum", source_languages(service)) && ok;
    ok = set_schema(root, "ModelName", "enum", model_names(&service->pairs)) && ok;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        ok = set_schema(root, numbers[i].schema, numbers[i].keyword,
                        json_integer(numbers[i].value)) &&
             ok;
    return json_object_set_new(json_object_get(root, "info"), "version",
                               json_string(VERSO_VERSION)) == 0 &&
           ok;
}

/* ---- problems ---- */

static bool add_problem(json_t *responses, int code)
{
    char key[8];
    snprintf(key, sizeof key, "%d", code);
    json_t *problem =
        json_pack("{s:s,s:{s:{s:{s:s}}}}", "description", http_reason(code), "content",
                  "application/problem+json", "schema", "$ref", "#/components/schemas/Problem");
    return json_object_set_new(responses, key, problem) == 0;
}

static bool add_problems(json_t *operation)
{
    json_t *own = json_object_get(operation, "x-problems"), *code;
    json_t *responses = json_object_get(operation, "responses");
    bool ok = true;
    size_t i;
    if (!own)
        return true;
    json_array_foreach (own, i, code) {
        ok = add_problem(responses, (int)json_integer_value(code)) && ok;
    }
    for (i = 0; i < PROBLEM_COUNT; i++)
        ok = add_problem(responses, problems_of_all[i]) && ok;
    json_object_del(operation, "x-problems");
    return ok;
}

static bool expand_problems(json_t *root)
{
    const char *path, *method;
    json_t *item, *operation;
    bool ok = true;
    json_object_foreach (json_object_get(root, "paths"), path, item) {
        json_object_foreach (item, method, operation) {
            ok = add_problems(operation) && ok;
        }
    }
    return ok;
}

void get_openapi(struct exchange *x)
{
    struct error err;
    json_t *root;
    if (json_parse(&root, openapi_json, strlen(openapi_json), &err) != STATUS_OK) {
        exchange_fail(x, &err);
        return;
    }
    if (!set_live_parts(root, x->service) || !expand_problems(root)) {
        json_decref(root);
        root = NULL;
    }
    exchange_json(x, 200, root);
}
