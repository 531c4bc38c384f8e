/*
 * search_settings.h - options of what translates: with what, and how the search is done.
 */
#ifndef SERVER_CMD_SEARCH_SETTINGS_H
#define SERVER_CMD_SEARCH_SETTINGS_H

#include "server/cmd/options.h"
#include "server/cmd/precision.h"
#include "server/cmd/shortlist_option.h"
#include "server/engine/engine.h"

/* All but n_best, which is 1. */
struct search_options search_settings(const struct options *o);

/* The models of list option "model", the language model beside them, and their shortlist. */
MUST_CHECK enum status search_engine(struct engine **out, const struct options *o,
                                     struct error *err);

/* clang-format off */
#define SEARCH_OPTIONS                                                                              \
    { "beam", OPTION_INT, .environment = true, .value = "N", .fallback = "5", .min = 1,             \
      .max = BEAM_MAX, .help = "hypotheses kept at each step; 1 is greedy and fastest" },           \
    { "length-power", OPTION_REAL, .value = "X", .fallback = "0.8", .min = 0,                       \
      .max = LENGTH_POWER_MAX,                                                                      \
      .help = "hypotheses are ranked by log-probability / length^X; more favours longer ones" },    \
    { "coverage-penalty", OPTION_REAL, .value = "X", .fallback = "0", .min = 0,                     \
      .max = COVERAGE_PENALTY_MAX,                                                                  \
      .help = "more ranks lower what left source pieces out; 0.05 is a beginning" },                \
    { "repeats", OPTION_INT, .value = "N", .fallback = "8", .max = REPEATS_MAX,                     \
      .help = "how often a few pieces may come in a row; 0: as often as the model likes" },         \
    { "lm", OPTION_TEXT, .value = "FILE",                                                           \
      .help = "language model of the target, of the model's vocabulary, that has a say too" },      \
    { "lm-weight", OPTION_REAL, .value = "X", .fallback = "0.2", .max = LM_WEIGHT_MAX,              \
      .help = "how much of one, next to the model's 1" },                                           \
    PRECISION_OPTION, SHORTLIST_OPTION
/* clang-format on */

#endif
