/*
 * precision.c - --precision of what translates.
 */
#include "server/cmd/precision.h"

enum status precision_from_options(enum weight_type *type, const struct options *o,
                                   struct error *err)
{
    static const char *const names[] = {
        [WEIGHT_F32] = "f32", [WEIGHT_BF16] = "bf16", [WEIGHT_I8] = "int8", [WEIGHT_TYPES] = NULL
    };
    int found;
    enum status status = option_choice(o, "precision", names, &found, err);
    if (status == STATUS_OK)
        *type = (enum weight_type)found;
    return status;
}
