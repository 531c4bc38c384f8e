/*
 * gemm_bf16.c - matrix products in bfloat16, prepared once for each shape.
 *
 * oneDNN wants a product described and prepared before it runs, which costs
 * more than a product and half a megabyte. Sentences come in all lengths, so
 * the dimension that varies with them (pieces of a batch: M of NN and NT, K of
 * TN) is cut into powers of two: a training needs some hundred shapes then,
 * and a thread keeps what it prepared. Primitives share scratch of the thread
 * that made them, so no thread uses another's.
 */
#include "model/train/gemm_bf16.h"

#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SHAPES 512    // prepared products a thread keeps
#define PROBES 16     // places where a shape may be
#define ROWS_MIN 32   // fewer pieces than these are multiplied in float32
#define ROWS_MAX 1024 // pieces of one prepared product
#define WORTH_MULTIPLYING (48 * 48 * 48)

struct shape {
    int form, M, N, K, ldc, accumulate;
};

struct product { // prepared; primitive NULL: an empty place
    struct shape shape;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
};

struct half_block { // a dense operand in bfloat16
    uint16_t *values;
    size_t capacity;
};

struct thread_state {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct half_block a, b;
    struct product products[SHAPES];
};

static pthread_key_t state_key;
static pthread_once_t state_once = PTHREAD_ONCE_INIT;

static void release_product(struct product *p)
{
    if (p->a)
        dnnl_memory_destroy(p->a);
    if (p->b)
        dnnl_memory_destroy(p->b);
    if (p->c)
        dnnl_memory_destroy(p->c);
    if (p->primitive)
        dnnl_primitive_destroy(p->primitive);
    memset(p, 0, sizeof *p);
}

static void free_state(void *pointer)
{
    struct thread_state *state = pointer;
    for (int i = 0; i < SHAPES; i++)
        release_product(&state->products[i]);
    if (state->stream)
        dnnl_stream_destroy(state->stream);
    if (state->engine)
        dnnl_engine_destroy(state->engine);
    memory_free(state->a.values);
    memory_free(state->b.values);
    memory_free(state);
}

/* The main thread's state is given back here; other threads' by pthreads. */
static void free_own_state(void)
{
    void *state = pthread_getspecific(state_key);
    if (state)
        free_state(state);
    pthread_setspecific(state_key, NULL);
}

static void make_key(void)
{
    if (pthread_key_create(&state_key, free_state) == 0)
        atexit(free_own_state);
}

static struct thread_state *thread_state(void)
{
    pthread_once(&state_once, make_key);
    struct thread_state *state = pthread_getspecific(state_key);
    if (state)
        return state;
    state = memory_zeroed(1, sizeof *state);
    if (!state)
        return NULL;
    if (dnnl_engine_create(&state->engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&state->stream, state->engine, dnnl_stream_default_flags) !=
            dnnl_success ||
        pthread_setspecific(state_key, state) != 0) {
        free_state(state);
        return NULL;
    }
    return state;
}

/* ---- preparing ---- */

static bool describe(dnnl_memory_desc_t *desc, dnnl_data_type_t type, int rows, int cols,
                     int row_stride, int col_stride)
{
    const dnnl_dims_t dims = { rows, cols }, strides = { row_stride, col_stride };
    return dnnl_memory_desc_init_by_strides(desc, 2, dims, type, strides) == dnnl_success;
}

/* C += needs the sum as a step behind the product. */
static bool attributes(dnnl_primitive_attr_t *attr, bool accumulate)
{
    dnnl_post_ops_t ops = NULL;
    bool ok = dnnl_primitive_attr_create(attr) == dnnl_success;
    if (ok && accumulate) {
        ok = dnnl_post_ops_create(&ops) == dnnl_success &&
             dnnl_post_ops_append_sum(ops, 1.0f) == dnnl_success &&
             dnnl_primitive_attr_set_post_ops(*attr, ops) == dnnl_success;
        dnnl_post_ops_destroy(ops);
    }
    return ok;
}

static bool prepare(struct thread_state *state, struct product *p, const struct shape *s)
{
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t desc;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    const bool a_transposed = s->form == GEMM_TN, b_transposed = s->form == GEMM_NT;

    release_product(p);
    bool ok =
        describe(&a, dnnl_bf16, s->M, s->K, a_transposed ? 1 : s->K, a_transposed ? s->M : 1) &&
        describe(&b, dnnl_bf16, s->K, s->N, b_transposed ? 1 : s->N, b_transposed ? s->K : 1) &&
        describe(&c, dnnl_f32, s->M, s->N, s->ldc, 1) && attributes(&attr, s->accumulate) &&
        dnnl_matmul_desc_init(&desc, &a, &b, NULL, &c) == dnnl_success &&
        dnnl_primitive_desc_create(&pd, &desc, attr, state->engine, NULL) == dnnl_success &&
        dnnl_primitive_create(&p->primitive, pd) == dnnl_success &&
        dnnl_memory_create(&p->a, &a, state->engine, DNNL_MEMORY_NONE) == dnnl_success &&
        dnnl_memory_create(&p->b, &b, state->engine, DNNL_MEMORY_NONE) == dnnl_success &&
        dnnl_memory_create(&p->c, &c, state->engine, DNNL_MEMORY_NONE) == dnnl_success;
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (ok)
        p->shape = *s;
    else
        release_product(p);
    return ok;
}

/* In one of PROBES places from its hash on; when all are taken, the first gives way. */
static struct product *find_product(struct thread_state *state, const struct shape *s)
{
    uint32_t hash = 2166136261u; // FNV-1a over the numbers
    const int numbers[] = { s->form, s->M, s->N, s->K, s->ldc, s->accumulate };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        hash = (hash ^ (uint32_t)numbers[i]) * 16777619u;
    hash ^= hash >> 16;
    for (uint32_t probe = 0; probe < PROBES; probe++) {
        struct product *p = &state->products[(hash + probe) % SHAPES];
        if (!p->primitive)
            return prepare(state, p, s) ? p : NULL;
        if (memcmp(&p->shape, s, sizeof *s) == 0)
            return p;
    }
    struct product *p = &state->products[hash % SHAPES];
    return prepare(state, p, s) ? p : NULL;
}

/* ---- running ---- */

static bool round_operand(struct half_block *block,
                          void (*round)(size_t n, const float *x, uint16_t *y), int rows, int cols,
                          const float *x, int ld)
{
    const size_t needed = (size_t)rows * (size_t)cols;
    if (needed > block->capacity) {
        memory_free(block->values);
        block->values = memory_alloc(needed, sizeof *block->values);
        block->capacity = block->values ? needed : 0;
    }
    if (!block->values)
        return false;
    if (ld == cols) {
        round(needed, x, block->values);
        return true;
    }
    for (int r = 0; r < rows; r++)
        round((size_t)cols, x + (size_t)r * (size_t)ld, block->values + (size_t)r * (size_t)cols);
    return true;
}

/* One prepared product over operands that are rounded already. */
static bool run_product(struct thread_state *state, const struct shape *shape, const uint16_t *a,
                        const uint16_t *b, float *C)
{
    struct product *p = find_product(state, shape);
    if (!p)
        return false;
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, p->a },
                                     { DNNL_ARG_WEIGHTS, p->b },
                                     { DNNL_ARG_DST, p->c } };
    return dnnl_memory_set_data_handle(p->a, (void *)(uintptr_t)a) == dnnl_success &&
           dnnl_memory_set_data_handle(p->b, (void *)(uintptr_t)b) == dnnl_success &&
           dnnl_memory_set_data_handle(p->c, C) == dnnl_success &&
           dnnl_primitive_execute(p->primitive, state->stream, 3, args) == dnnl_success &&
           dnnl_stream_wait(state->stream) == dnnl_success;
}

bool bf16_is_supported(void)
{
    float a[ROWS_MIN * ROWS_MIN] = { 0 }, c[ROWS_MIN * ROWS_MIN];
    return bf16_gemm(kernels_reference.to_bf16, GEMM_NN, ROWS_MIN, ROWS_MIN, ROWS_MIN, a, ROWS_MIN,
                     a, ROWS_MIN, NULL, false, c, ROWS_MIN) == ROWS_MIN;
}

bool bf16_is_worth_it(int M, int N, int K)
{
    return (double)M * N * K >= WORTH_MULTIPLYING;
}

int bf16_gemm(void (*round)(size_t n, const float *x, uint16_t *y), enum gemm_form form, int M,
              int N, int K, const float *A, int lda, const float *B, int ldb,
              const uint16_t *rounded_B, bool accumulate, float *C, int ldc)
{
    struct thread_state *state = thread_state();
    const bool over_k = form == GEMM_TN;
    const int pieces = over_k ? K : M;
    if (!state || !round_operand(&state->a, round, over_k ? K : M, over_k ? M : K, A, lda))
        return -1;
    if (!rounded_B &&
        !round_operand(&state->b, round, form == GEMM_NT ? N : K, form == GEMM_NT ? K : N, B, ldb))
        return -1;
    const uint16_t *b = rounded_B ? rounded_B : state->b.values;
    int done = 0;
    while (pieces - done >= ROWS_MIN) {
        int rows = ROWS_MAX;
        while (rows > pieces - done)
            rows /= 2;
        const size_t at = (size_t)done;
        const struct shape shape = { (int)form, over_k ? M : rows,
                                     N,         over_k ? rows : K,
                                     ldc,       accumulate || (over_k && done > 0) };
        if (!run_product(state, &shape, state->a.values + at * (size_t)(over_k ? M : K),
                         b + (over_k ? at * (size_t)N : 0), C + (over_k ? 0 : at * (size_t)ldc)))
            return -1;
        done += rows;
    }
    return done;
}
