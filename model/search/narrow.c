/*
 * narrow.c - the output layer over some of the vocabulary.
 */
#include "model/search/narrow.h"

#include <string.h>

#include "base/stopwatch.h"
#include "model/parts.h"

/* A union of a larger part of the vocabulary is not worth a matrix of its own. */
#define CAPACITY(V) ((V) / 4 * 3)

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
    narrow->capacity = CAPACITY(V);
    narrow->count = V;
    narrow->whole = true;
    narrow->ids = arena_array(arena, int32_t, narrow->capacity);
    narrow->column = arena_array(arena, int32_t, V);
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
        narrow->ids[count++] = id;
    }
    narrow->count = count;
    packing_of(narrow, weights)
        ->pack(count, embedding.cols, weight(weights, embedding), narrow->ids, narrow->panels);
}

void narrow_product(const struct narrow *narrow, const struct weights *weights, int N,
                    const real *readout, real *products)
{
    const struct tensor embedding = narrow->output->embedding;
    const int R = embedding.cols, part = stopwatch_enter(PART_OUTPUT);
    if (narrow->whole)
        weights_product(weights, embedding, N, readout, R, false, products, narrow->count);
    else
        packing_of(narrow, weights)
            ->product(N, narrow->count, R, readout, R, narrow->panels, false, products,
                      narrow->count);
    stopwatch_enter(part);
}

void narrow_pick(const struct narrow *narrow, const struct weights *weights, const int32_t *list,
                 int count, const real *products, real *logits)
{
    const real *bias = weight(weights, narrow->output->bias);
    if (!list) {
        for (int i = 0; i < count; i++)
            logits[i] = products[i] + bias[i];
    } else if (narrow->whole) {
        for (int i = 0; i < count; i++)
            logits[i] = products[list[i]] + bias[list[i]];
    } else {
        for (int i = 0; i < count; i++)
            logits[i] = products[narrow->column[list[i]]] + bias[list[i]];
    }
}
