/*
 * shortlist_option.h - --shortlist of what translates.
 */
#ifndef SERVER_CMD_SHORTLIST_OPTION_H
#define SERVER_CMD_SHORTLIST_OPTION_H

#include "server/cmd/options.h"

/* Target pieces a source piece, at most; 0: the whole vocabulary. */
MUST_CHECK enum status shortlist_from_options(int *per_piece, const struct options *o,
                                              struct error *err);

/* clang-format off */
#define SHORTLIST_OPTION                                                                            \
    { "shortlist", OPTION_TEXT, .environment = true, .value = "off|N", .fallback = "off",           \
      .help = "a number: a sentence may use so many target pieces a source piece, as the model's "  \
              "shortlist (verso shortlist) has them: faster; off: all of the vocabulary" }
/* clang-format on */

#endif
