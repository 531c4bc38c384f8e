/*
 * narrow.c - the output layer over the pieces that one sentence may use.
 */
#include "model/search/narrow.h"

#include "base/stopwatch.h"
#include "model/parts.h"

/* As the whole embedding is packed, so that bits are the same. */
static const struct packing *packing_of(const struct output *output, const struct weights *weights)
{
    const int index = output->embedding.index;
    return weights->kernels->packings[weights->packed ? weights->packed[index].type : WEIGHT_F32];
}

void narrow_lay_out(struct narrow *narrow, const struct output *output,
                    const struct weights *weights, int count, struct arena *arena)
{
    narrow->count = count;
    narrow->panels =
        arena_alloc(arena, packing_of(output, weights)->bytes(count, output->embedding.cols));
    narrow->bias = arena_array(arena, real, count);
}

void narrow_choose(struct narrow *narrow, const struct output *output,
                   const struct weights *weights, const int32_t *ids)
{
    const int part = stopwatch_enter(PART_OUTPUT);
    const real *bias = weight(weights, output->bias);
    packing_of(output, weights)
        ->pack(narrow->count, output->embedding.cols, weight(weights, output->embedding), ids,
               narrow->panels);
    for (int i = 0; i < narrow->count; i++)
        narrow->bias[i] = bias[ids[i]];
    stopwatch_enter(part);
}

void narrow_logits(const struct narrow *narrow, const struct output *output,
                   const struct weights *weights, int rows, const real *readouts, real *logits)
{
    const int part = stopwatch_enter(PART_OUTPUT), R = output->embedding.cols;
    const size_t count = (size_t)narrow->count;
    packing_of(output, weights)
        ->product(rows, narrow->count, R, readouts, R, narrow->panels, false, logits,
                  narrow->count);
    for (size_t row = 0; row < (size_t)rows; row++)
        weights->kernels->add(count, logits + row * count, narrow->bias, logits + row * count);
    stopwatch_enter(part);
}
