/*
 * search_settings.c - with what and how to search, from options.
 */
#include "server/cmd/search_settings.h"

struct search_options search_settings(const struct options *o)
{
    struct search_options search = search_options_default();
    search.beam = options_int(o, "beam");
    search.length_power = (float)options_real(o, "length-power");
    search.coverage_penalty = (float)options_real(o, "coverage-penalty");
    search.repeats = options_int(o, "repeats");
    return search;
}

static enum status add_others(struct engine *engine, const struct options *o, enum weight_type type,
                              struct error *err)
{
    int count;
    const char *const *paths = options_list(o, "model", &count), *lm = options_text(o, "lm");
    enum status status = STATUS_OK;
    for (int i = 1; status == STATUS_OK && i < count; i++)
        status = engine_add_model(engine, paths[i], type, err);
    if (status == STATUS_OK && lm)
        status = engine_add_lm(engine, lm, type, (float)options_real(o, "lm-weight"), err);
    return status;
}

enum status search_engine(struct engine **out, const struct options *o, struct error *err)
{
    enum weight_type type;
    int shortlist, count;
    const char *const *paths = options_list(o, "model", &count);
    *out = NULL;
    enum status status = precision_from_options(&type, o, err);
    if (status == STATUS_OK)
        status = shortlist_from_options(&shortlist, o, err);
    if (status == STATUS_OK)
        status = engine_load(out, paths[0], type, err);
    if (status != STATUS_OK)
        return status;
    engine_limit_shortlist(*out, shortlist);
    status = add_others(*out, o, type, err);
    if (status != STATUS_OK) {
        engine_free(*out);
        *out = NULL;
    }
    return status;
}
