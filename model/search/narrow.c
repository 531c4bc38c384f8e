/*
 * narrow.c - the output layer over some of the vocabulary.
 */
#include "model/search/narrow.h"

#include <string.h>

#include "base/stopwatch.h"
#include "model/layers/linear.h"
#include "model/parts.h"

#define WHOLE_SHARE 3 // from a third of the vocabulary on, the whole is as cheap

static enum weight_type type_of(const struct narrow *narrow, const struct weights *weights)
{
    const int index = narrow->output->embedding.index;
    return weights->packed ? weights->packed[index].type : WEIGHT_F32;
}

static const struct packing *packing_of(const struct narrow *narrow, const struct weights *weights)
{
    return weights->kernels->packings[type_of(narrow, weights)];
}

void narrow_lay_out(struct narrow *narrow, const struct output *output,
                    const struct weights *weights, struct arena *arena)
{
    const int V = output->embedding.rows, R = output->embedding.cols;
    narrow->output = output;
    narrow->capacity = V / WHOLE_SHARE;
    narrow->count = V;
    narrow->whole = true;
    narrow->ids = arena_array(arena, int32_t, narrow->capacity);
    narrow->column = arena_array(arena, int32_t, V);
    narrow->bias = arena_array(arena, real, narrow->capacity);
    narrow->panels = arena_alloc(arena, packing_of(narrow, weights)->bytes(narrow->capacity, R));
}

/* Marks the pieces of all lists; false: there are too many for a matrix of their own. */
static bool mark_union(struct narrow *narrow, const int32_t *const *lists, const int *counts,
                       int list_count)
{
    const int V = narrow->output->embedding.rows;
    int found = 0;
    memset(narrow->column, 0xff, (size_t)V * sizeof *narrow->column);
    for (int l = 0; l < list_count; l++) {
        if (!lists[l])
            return false;
        for (int i = 0; i < counts[l]; i++) {
            int32_t *column = &narrow->column[lists[l][i]];
            found += *column < 0;
            *column = 0;
        }
    }
    return found <= narrow->capacity;
}

void narrow_choose(struct narrow *narrow, const struct weights *weights,
                   const int32_t *const *lists, const int *counts, int list_count)
{
    const struct tensor embedding = narrow->output->embedding;
    narrow->whole = !mark_union(narrow, lists, counts, list_count);
    narrow->count = embedding.rows;
    if (narrow->whole)
        return;
    int count = 0;
    for (int id = 0; id < embedding.rows; id++) {
        if (narrow->column[id] < 0)
            continue;
        narrow->column[id] = count;
        narrow->ids[count] = id;
        narrow->bias[count++] = weight(weights, narrow->output->bias)[id];
    }
    narrow->count = count;
    packing_of(narrow, weights)
        ->pack(count, embedding.cols, weight(weights, embedding), narrow->ids, narrow->panels);
}

void narrow_logits(const struct narrow *narrow, const struct weights *weights, int N,
                   const real *readout, real *logits)
{
    const struct output *output = narrow->output;
    const int R = output->embedding.cols, part = stopwatch_enter(PART_OUTPUT);
    if (narrow->whole) {
        linear_forward(weights, output->embedding, output->bias, N, readout, R, logits);
    } else {
        packing_of(narrow, weights)
            ->product(N, narrow->count, R, readout, R, narrow->panels, false, logits,
                      narrow->count);
        add_bias(N, narrow->count, narrow->bias, logits);
    }
    stopwatch_enter(part);
}

void narrow_pick(const struct narrow *narrow, const int32_t *list, int count, const real *logits,
                 real *out)
{
    for (int i = 0; i < count; i++)
        out[i] = logits[narrow->whole ? list[i] : narrow->column[list[i]]];
}
