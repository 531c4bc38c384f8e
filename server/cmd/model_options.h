/*
 * model_options.h - the options that say what a translation model is.
 */
#ifndef SERVER_CMD_MODEL_OPTIONS_H
#define SERVER_CMD_MODEL_OPTIONS_H

#include "model/config.h"
#include "server/cmd/options.h"

/* All but the vocabulary's size. */
MUST_CHECK enum status model_config_from_options(struct config *config, const struct options *o,
                                                 struct error *err);

/* clang-format off */
#define MODEL_OPTIONS                                                                               \
    { "cell", OPTION_TEXT, .value = "CELL", .fallback = "lstm",                                     \
      .help = "of all recurrent layers: rnn, rnn-logistic, lstm, peephole, gru or gru-unbiased" },  \
    { "encoder", OPTION_TEXT, .value = "WAY", .fallback = "bidirectional",                          \
      .help = "how the first encoder layer reads: bidirectional, unidirectional or reversed" },     \
    { "attention", OPTION_TEXT, .value = "KIND", .fallback = "bahdanau",                            \
      .help = "bahdanau, or none: the decoder starts from the encoder's last state" },              \
    { "encoder-layers", OPTION_INT, .value = "N", .fallback = "1", .min = 1,                        \
      .max = CONFIG_LAYERS_MAX, .help = "layers of the encoder, with residuals from the third" },   \
    { "decoder-layers", OPTION_INT, .value = "N", .fallback = "1", .min = 1,                        \
      .max = CONFIG_LAYERS_MAX, .help = "layers of the decoder, with residuals from the third" },   \
    { "embedding", OPTION_INT, .value = "N", .fallback = "256", .min = 1, .max = CONFIG_WIDTH_MAX,  \
      .help = "width of a piece's vector" },                                                        \
    { "hidden", OPTION_INT, .value = "N", .fallback = "512", .min = 1, .max = CONFIG_WIDTH_MAX,     \
      .help = "width of the recurrent state" },                                                     \
    { "attention-width", OPTION_INT, .value = "N", .fallback = "256", .min = 1,                     \
      .max = CONFIG_WIDTH_MAX, .help = "width of the attention" }
/* clang-format on */

#endif
