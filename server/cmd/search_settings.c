/*
 * search_settings.c - how the search is done, from options.
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
