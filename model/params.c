/*
 * params.c - declaring tensors, giving them their first values, multiplying by them.
 */
#include "model/params.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

#define ALIGNMENT 16 // elements: each tensor starts on a cache line of floats

void params_init(struct params *params)
{
    memset(params, 0, sizeof *params);
}

struct tensor params_add(struct params *params, enum param_init init, int rows, int cols,
                         const char *name)
{
    assert(params->count < PARAMS_MAX && strlen(name) < PARAM_NAME_BYTES);
    assert(!params_find(params, name));
    struct param *param = &params->entries[params->count];
    param->tensor = (struct tensor){
        .offset = params->total, .rows = rows, .cols = cols, .index = params->count
    };
    param->init = init;
    param->use = cols > 1 ? USE_PRODUCT : USE_VALUES;
    snprintf(param->name, sizeof param->name, "%s", name);

    const size_t elements = (size_t)rows * (size_t)cols;
    params->total += (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    params->count++;
    return param->tensor;
}

void params_set_use(struct params *params, struct tensor t, enum param_use use)
{
    params->entries[t.index].use = use;
}

void params_set_every_step(struct params *params, struct tensor t)
{
    params->entries[t.index].every_step = true;
}

struct fusion params_fuse(struct params *params, const struct tensor *parts, int count)
{
    assert(params->fusion_count < FUSIONS_MAX && count <= FUSION_PARTS);
    struct fusion *fusion = &params->fusions[params->fusion_count];
    *fusion =
        (struct fusion){ .count = count, .cols = parts[0].cols, .index = params->fusion_count++ };
    for (int i = 0; i < count; i++) {
        assert(parts[i].cols == fusion->cols);
        fusion->parts[i] = parts[i];
        fusion->rows += parts[i].rows;
        params_set_use(params, parts[i], USE_FUSED);
    }
    return *fusion;
}

const struct param *params_find(const struct params *params, const char *name)
{
    for (int i = 0; i < params->count; i++)
        if (strcmp(params->entries[i].name, name) == 0)
            return &params->entries[i];
    return NULL;
}

size_t params_weight_count(const struct params *params)
{
    size_t count = 0;
    for (int i = 0; i < params->count; i++)
        count += (size_t)params->entries[i].tensor.rows * (size_t)params->entries[i].tensor.cols;
    return count;
}

/* ---- first values ---- */

static void fill_uniform(real *x, size_t n, double limit, struct rng *rng)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (real)((2 * rng_uniform(rng) - 1) * limit);
}

/* Rows become orthonormal one after the other (modified Gram-Schmidt); n <= cols. */
static void orthonormalise(double *rows, int n, int cols)
{
    for (int i = 0; i < n; i++) {
        double *row = rows + (size_t)i * (size_t)cols;
        for (int j = 0; j < i; j++) {
            const double *other = rows + (size_t)j * (size_t)cols;
            double dot = 0;
            for (int k = 0; k < cols; k++)
                dot += row[k] * other[k];
            for (int k = 0; k < cols; k++)
                row[k] -= dot * other[k];
        }
        double norm = 0;
        for (int k = 0; k < cols; k++)
            norm += row[k] * row[k];
        for (int k = 0; k < cols; k++)
            row[k] /= sqrt(norm);
    }
}

static bool fill_orthogonal(real *x, int rows, int cols, struct rng *rng)
{
    double *block = memory_alloc((size_t)cols * (size_t)cols, sizeof *block);
    if (!block)
        return false;
    for (int from = 0; from < rows; from += cols) {
        const int n = rows - from < cols ? rows - from : cols;
        const size_t elements = (size_t)n * (size_t)cols;
        for (size_t i = 0; i < elements; i++)
            block[i] = rng_normal(rng);
        orthonormalise(block, n, cols);
        for (size_t i = 0; i < elements; i++)
            x[(size_t)from * (size_t)cols + i] = (real)block[i];
    }
    memory_free(block);
    return true;
}

bool params_initialise(const struct params *params, real *values, uint64_t seed)
{
    memset(values, 0, params->total * sizeof *values);
    for (int i = 0; i < params->count; i++) {
        const struct tensor t = params->entries[i].tensor;
        const size_t elements = (size_t)t.rows * (size_t)t.cols;
        struct rng rng = rng_make(seed, (uint64_t)i);
        real *x = values + t.offset;
        switch (params->entries[i].init) {
        case INIT_ZERO:
            break;
        case INIT_GLOROT:
            fill_uniform(x, elements, sqrt(6.0 / (t.rows + t.cols)), &rng);
            break;
        case INIT_ORTHOGONAL:
            if (!fill_orthogonal(x, t.rows, t.cols, &rng))
                return false;
            break;
        case INIT_EMBEDDING:
            for (size_t e = (size_t)t.cols; e < elements; e++)
                x[e] = (real)(rng_normal(&rng) / sqrt(t.cols));
            break;
        case INIT_FORGET_ONE:
            for (int r = t.rows / 4; r < t.rows / 2; r++)
                x[r] = 1;
            break;
        }
    }
    return true;
}

/* ---- products ---- */

static bool has_panels(const struct packed *packed, int i)
{
    return packed && packed[i].panels;
}

/* Y(M,N) = X(M,K) by panels if there are any, else by t in that form. */
static void multiply(const struct weights *w, const struct packed *packed, enum gemm_form form,
                     struct tensor t, int M, int N, int K, const real *X, int ldx, bool accumulate,
                     real *Y, int ldy)
{
    const struct kernels *k = w->kernels;
    if (has_panels(packed, t.index))
        k->packings[packed[t.index].type]->product(M, N, K, X, ldx, packed[t.index].panels,
                                                   accumulate, Y, ldy);
    else
        k->gemm(form, M, N, K, X, ldx, weight(w, t), t.cols, accumulate, Y, ldy);
}

void weights_product(const struct weights *w, struct tensor t, int M, const real *X, int ldx,
                     bool accumulate, real *Y, int ldy)
{
    multiply(w, w->packed, GEMM_NT, t, M, t.rows, t.cols, X, ldx, accumulate, Y, ldy);
}

void weights_product_of_rows(const struct weights *w, struct tensor t, struct tensor bias, int M,
                             const real *X, int ldx, const int32_t *ids, int count, real *Y,
                             int ldy)
{
    const struct packed *packed = w->packed ? &w->packed[t.index] : NULL;
    const bool is_packed = packed && packed->rows;
    w->kernels->packings[is_packed ? packed->type : WEIGHT_F32]->product_of_rows(
        M, count, t.rows, t.cols, X, ldx, is_packed ? packed->rows : weight(w, t), ids,
        weight(w, bias), Y, ldy);
}

void weights_product_back(const struct weights *w, struct tensor t, int M, const real *d_Y, int ldy,
                          bool accumulate, real *d_X, int ldx)
{
    multiply(w, w->transposed, GEMM_NN, t, M, t.cols, t.rows, d_Y, ldy, accumulate, d_X, ldx);
}

enum weight_type weights_fused_type(const struct weights *w, const struct fusion *f)
{
    return has_panels(w->fused, f->index) ? w->fused[f->index].type : WEIGHT_F32;
}

void weights_fused(const struct weights *w, const struct fusion *f, int M, const real *X, int ldx,
                   real *Y, int ldy)
{
    if (has_panels(w->fused, f->index)) {
        w->kernels->packings[w->fused[f->index].type]->product(
            M, f->rows, f->cols, X, ldx, w->fused[f->index].panels, false, Y, ldy);
        return;
    }
    for (int i = 0; i < f->count; i++) {
        weights_product(w, f->parts[i], M, X, ldx, false, Y, ldy);
        Y += f->parts[i].rows;
    }
}
