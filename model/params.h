/*
 * params.h - the weights declare themselves once.
 *
 *     struct params params;
 *     params_init(&params);
 *     struct tensor w = params_add(&params, INIT_GLOROT, 4 * H, E, "decoder.0.w");
 *     real *values = memory_zeroed(params.total, sizeof(real));
 *     params_initialise(&params, values, seed);
 *     real *row = values + w.offset + r * w.cols;
 *
 * A layer declares its tensors by name and keeps their handles. Values,
 * gradients and optimiser moments are blocks of params.total reals with the
 * same layout, so saving, loading, counting, initialising, clipping and Adam
 * walk this one table. Open struct: the fields are the point.
 */
#ifndef MODEL_PARAMS_H
#define MODEL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "model/kernels/kernels.h"

#define PARAMS_MAX 256 // tensors of a model
#define PARAM_NAME_BYTES 48
#define FUSIONS_MAX 4 // of a model
#define FUSION_PARTS 3

enum param_init {
    INIT_ZERO,
    INIT_GLOROT,     // uniform ± sqrt(6 / (rows + cols)), Glorot & Bengio 2010
    INIT_ORTHOGONAL, // blocks of `cols` rows, each orthogonal, Saxe 2014
    INIT_EMBEDDING,  // normal, deviation cols^-1/2; row 0 (padding) zero
    INIT_FORGET_ONE, // LSTM bias (4H): zero, forget gate one, Gers 2000
};

/* What inference does with a tensor. */
enum param_use {
    USE_PRODUCT, // multiplies by it: a packed copy will do; matrices, unless told otherwise
    USE_VALUES,  // reads it; vectors, unless told otherwise
    USE_BOTH,
    USE_FUSED, // multiplies by it as part of a fusion
};

struct tensor {
    size_t offset;  // of its first element in a block of values
    int rows, cols; // cols is 1 for a vector
    int index;      // in params.entries
};

struct param {
    char name[PARAM_NAME_BYTES];
    struct tensor tensor;
    enum param_init init;
    enum param_use use;
    bool every_step; // a training multiplies by it at every step of a sequence
};

/* Matrices of equal width that inference multiplies by as one: their rows under each other. */
struct fusion {
    struct tensor parts[FUSION_PARTS];
    int count;
    int rows, cols;
    int index; // in params.fusions
};

struct params {
    struct param entries[PARAMS_MAX];
    int count;
    size_t total; // elements in a block; each tensor starts at a multiple of 16
    struct fusion fusions[FUSIONS_MAX];
    int fusion_count;
};

void params_init(struct params *params);
struct tensor params_add(struct params *params, enum param_init init, int rows, int cols,
                         const char *name);
void params_set_use(struct params *params, struct tensor t, enum param_use use);
void params_set_every_step(struct params *params, struct tensor t);
/* Of at most FUSION_PARTS matrices, which get USE_FUSED. */
struct fusion params_fuse(struct params *params, const struct tensor *parts, int count);
const struct param *params_find(const struct params *params, const char *name); // NULL if absent
size_t params_weight_count(const struct params *params); // without the gaps between tensors

/* The same seed gives the same bits, whatever the machine. Returns false: no memory for scratch. */
bool params_initialise(const struct params *params, real *values, uint64_t seed);

/* A matrix as `packings[type]` of some kernels lays it out. */
struct packed {
    enum weight_type type;
    const void *panels; // NULL: there is no packed copy
    const void *rows;   // as put_rows() lays them out; NULL: there is no such copy
};

/* Values to compute with. `packed` (NULL, or params->count entries, laid out by `kernels`),
 * `transposed` (the same, for products back) and `fused` (NULL, or params->fusion_count) are for
 * matrices that stay the same over many products; the values of a tensor of USE_PRODUCT or
 * USE_FUSED need not be there then. */
struct weights {
    const struct params *params;
    const struct kernels *kernels;
    const real *values;
    const struct packed *packed;
    const struct packed *transposed;
    const struct packed *fused;
};

static inline const real *weight(const struct weights *w, struct tensor t)
{
    return w->values + t.offset;
}

/* Y(M,t.rows) = X(M,t.cols) tᵀ, or +=: packed if there is a packed copy. */
void weights_product(const struct weights *w, struct tensor t, int M, const real *X, int ldx,
                     bool accumulate, real *Y, int ldy);

/* Y(M,count) = X(M,t.cols) t[ids]ᵀ + bias[ids]: by some rows of t, `ids` (count), of USE_BOTH. As
 * exact as packed products if its rows are there as well, else in float32. */
void weights_product_of_rows(const struct weights *w, struct tensor t, struct tensor bias, int M,
                             const real *X, int ldx, const int32_t *ids, int count, real *Y,
                             int ldy);

/* d_X(M,t.cols) = d_Y(M,t.rows) t, or +=: packed if there is a packed copy. */
void weights_product_back(const struct weights *w, struct tensor t, int M, const real *d_Y, int ldy,
                          bool accumulate, real *d_X, int ldx);

/* What the matrices of a fusion are kept as. */
enum weight_type weights_fused_type(const struct weights *w, const struct fusion *f);
/* Y(M,f->rows) = X(M,f->cols) of all parts, their columns side by side. */
void weights_fused(const struct weights *w, const struct fusion *f, int M, const real *X, int ldx,
                   real *Y, int ldy);

#endif
