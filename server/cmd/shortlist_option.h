/*
 * shortlist_option.h - --shortlist of what translates.
 */
#ifndef SERVER_CMD_SHORTLIST_OPTION_H
#define SERVER_CMD_SHORTLIST_OPTION_H

#include "server/cmd/options.h"

/* Target pieces a source piece, at most; 0: the whole vocabulary; SHORTLIST_WHOLE where the
 * option is not given. */
MUST_CHECK enum status shortlist_from_options(int *per_piece, const struct options *o,
                                              struct error *err);

/* clang-format off */
#define SHORTLIST_OPTION                                                                            \
    { "shortlist", OPTION_TEXT, .environment = true, .value = "off|N",                              \
      .help = "target pieces that a source piece allows, at most; off: a sentence may use all of "  \
              "the vocabulary; by default as many as the model file has" }
/* clang-format on */

#endif
