/* frontend_settings.c - GET /frontend/settings: what LibreTranslate's page asks first. */
#include "server/http/access.h"
#include "server/http/language_names.h"
#include "server/http/routes.h"

#define FRONTEND_TIMEOUT_MS 500 // how long the page waits after a key before it translates

static json_t *language(const char *code)
{
    return json_pack("{s:s, s:s}", "code", code, "name", language_name(code));
}

/* The pair that the page starts with: that of the first model, or into its target. */
static json_t *first_pair(const struct service *service)
{
    const struct live_model *m = service->pairs.models->at[0];
    json_t *source = live_detector_is_there(service->detector)
                         ? json_pack("{s:s, s:s}", "code", "auto", "name", "Auto Detect")
                         : language(live_model_source(m));
    return json_pack("{s:o, s:o}", "source", source, "target", language(live_model_target(m)));
}

void get_frontend_settings(struct exchange *x)
{
    const struct service *service = x->service;
    json_t *settings = json_pack(
        "{s:b, s:i, s:b, s:i, s:b, s:o, s:b, s:[]}", "apiKeys", access_has_keys(service->access),
        "charLimit", service->limits.characters, "filesTranslation", 0, "frontendTimeout",
        FRONTEND_TIMEOUT_MS, "keyRequired", access_keys_required(service->access), "language",
        first_pair(service), "suggestions", 1, "supportedFilesFormat");
    exchange_json(x, 200, settings);
}
