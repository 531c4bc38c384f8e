/* languages.c - GET /languages: every language, and into which others it can be translated. */
#include "server/http/language_names.h"
#include "server/http/routes.h"

static json_t *targets_of(const struct pairs *pairs, const char *source)
{
    json_t *targets = json_array();
    for (int i = 0; i < pairs->count; i++)
        if (pairs_reach(pairs, source, pairs->codes[i]))
            json_array_append_new(targets, json_string(pairs->codes[i]));
    return targets;
}

void get_languages(struct exchange *x)
{
    const struct pairs *pairs = &x->service->pairs;
    json_t *list = json_array();
    for (int i = 0; i < pairs->count; i++) {
        const char *code = pairs->codes[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o}", "code", code, "name",
                                        language_name(code), "targets", targets_of(pairs, code)));
    }
    exchange_json(x, 200, list);
}
