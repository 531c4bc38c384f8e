/*
 * pack_form.h - what pack.c and unpack.c agree on.
 *
 * Private to server/engine.
 */
#ifndef SERVER_ENGINE_PACK_FORM_H
#define SERVER_ENGINE_PACK_FORM_H

#include "server/engine/pack.h"

enum {
    GAP_FOLLOWS = 3, // in the low two bits of a span
    WIDTH_FLOAT = 4, // bytes of a weight that is not rounded
    FORM_FINISHED = 8,
    UNIT_BITS_MAX = 16, // behind the first of a weight's code
};

/* So many units are a weight of 1. */
static inline uint32_t whole_of(int width)
{
    return width == 1 ? 255 : 65535;
}

/* Everything but the ids, which are left NULL, and the score. */
MUST_CHECK enum status unpack_alignment(struct blob blob, struct arena *arena,
                                        struct hypothesis *out, struct error *err);

#endif
