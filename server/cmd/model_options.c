/*
 * model_options.c - options to a configuration.
 */
#include "server/cmd/model_options.h"

enum status model_config_from_options(struct config *config, const struct options *o,
                                      struct error *err)
{
    int cell, encoder, attention;
    enum status status = option_choice(o, "cell", config_choices("cell"), &cell, err);
    if (status == STATUS_OK)
        status = option_choice(o, "encoder", config_choices("encoder"), &encoder, err);
    if (status == STATUS_OK)
        status = option_choice(o, "attention", config_choices("attention_kind"), &attention, err);
    if (status != STATUS_OK)
        return status;
    *config = config_default(KIND_TRANSLATE);
    config->cell = (enum cell_kind)cell;
    config->encoder = (enum encoder_kind)encoder;
    config->attention_kind = (enum attention_kind)attention;
    config->embedding = options_int(o, "embedding");
    config->hidden = options_int(o, "hidden");
    config->attention = attention == ATTENTION_NONE ? 0 : options_int(o, "attention-width");
    config->encoder_layers = options_int(o, "encoder-layers");
    config->decoder_layers = options_int(o, "decoder-layers");
    return STATUS_OK;
}
