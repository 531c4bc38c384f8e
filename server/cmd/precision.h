/*
 * precision.h - --precision of what translates.
 */
#ifndef SERVER_CMD_PRECISION_H
#define SERVER_CMD_PRECISION_H

#include "model/kernels/kernels.h"
#include "server/cmd/options.h"

MUST_CHECK enum status precision_from_options(enum weight_type *type, const struct options *o,
                                              struct error *err);

/* clang-format off */
#define PRECISION_OPTION                                                                            \
    { "precision", OPTION_TEXT, .environment = true, .value = "TYPE", .fallback = "f32",            \
      .help = "of matrices: f32, or bf16 or int8, which are smaller and faster" }
/* clang-format on */

#endif
