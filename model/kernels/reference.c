/*
 * reference.c - the kernels as plain loops: the specification.
 *
 * No tricks here. fast.c in this folder computes the same and is tested
 * against this file; the double build of this file is tested against values
 * and gradients computed elsewhere.
 */
#include <string.h>
#include <tgmath.h>

#include "model/kernels/reference.h"

static real element(const real *matrix, int ld, bool transposed, int row, int col)
{
    return transposed ? matrix[(size_t)col * (size_t)ld + (size_t)row]
                      : matrix[(size_t)row * (size_t)ld + (size_t)col];
}

void reference_gemm(enum gemm_form form, int M, int N, int K, const real *A, int lda, const real *B,
                    int ldb, bool accumulate, real *C, int ldc)
{
    for (int m = 0; m < M; m++) {
        for (int n = 0; n < N; n++) {
            real sum = 0;
            for (int k = 0; k < K; k++)
                sum +=
                    element(A, lda, form == GEMM_TN, m, k) * element(B, ldb, form == GEMM_NT, k, n);
            real *c = C + (size_t)m * (size_t)ldc + n;
            *c = accumulate ? *c + sum : sum;
        }
    }
}

static void to_bf16(size_t n, const real *x, uint16_t *y)
{
    for (size_t i = 0; i < n; i++) {
        const float value = (float)x[i];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        y[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

/* ---- packed products: the layout of the reference is the matrix itself ---- */

static size_t f32_bytes(int N, int K)
{
    return (size_t)N * (size_t)K * sizeof(real);
}

static void f32_pack(int N, int K, const real *W, void *packed)
{
    memcpy(packed, W, f32_bytes(N, K));
}

static void f32_pack_transposed(int N, int K, const real *W, void *packed)
{
    real *to = packed;
    for (int n = 0; n < N; n++)
        for (int k = 0; k < K; k++)
            *to++ = W[(size_t)k * (size_t)N + (size_t)n];
}

static void f32_product(int M, int N, int K, const real *X, int ldx, const void *packed,
                        bool accumulate, real *Y, int ldy)
{
    reference_gemm(GEMM_NT, M, N, K, X, ldx, packed, K, accumulate, Y, ldy);
}

static size_t bf16_bytes(int N, int K)
{
    return (size_t)N * (size_t)K * sizeof(uint16_t);
}

static void bf16_pack(int N, int K, const real *W, void *packed)
{
    to_bf16((size_t)N * (size_t)K, W, packed);
}

static void bf16_pack_transposed(int N, int K, const real *W, void *packed)
{
    uint16_t *to = packed;
    for (int n = 0; n < N; n++)
        for (int k = 0; k < K; k++)
            to_bf16(1, W + (size_t)k * (size_t)N + (size_t)n, to++);
}

static real of_bf16(uint16_t upper)
{
    const uint32_t bits = (uint32_t)upper << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void bf16_product(int M, int N, int K, const real *X, int ldx, const void *packed,
                         bool accumulate, real *Y, int ldy)
{
    const uint16_t *W = packed;
    for (int m = 0; m < M; m++) {
        for (int n = 0; n < N; n++) {
            real sum = 0;
            for (int k = 0; k < K; k++)
                sum += X[(size_t)m * (size_t)ldx + (size_t)k] *
                       of_bf16(W[(size_t)n * (size_t)K + (size_t)k]);
            real *y = Y + (size_t)m * (size_t)ldy + n;
            *y = accumulate ? *y + sum : sum;
        }
    }
}

/* Largest magnitude of a row. */
static float i8_range(int K, const real *x)
{
    float max = 0;
    for (int k = 0; k < K; k++)
        max = fmax(max, fabs((float)x[k]));
    return max;
}

static int8_t i8_code(real x, float range)
{
    return (int8_t)(range > I8_SMALLEST_ROW ? rint((float)x * (127 / range)) : 0);
}

/* Of each row its scale, then its codes. */
static size_t i8_row_bytes(int K)
{
    return sizeof(float) + (size_t)K;
}

static size_t i8_bytes(int N, int K)
{
    return (size_t)N * i8_row_bytes(K);
}

static void i8_pack(int N, int K, const real *W, void *packed)
{
    int8_t *to = packed;
    for (int n = 0; n < N; n++, W += K) {
        const float range = i8_range(K, W), scale = range / 127;
        memcpy(to, &scale, sizeof scale);
        to += sizeof scale;
        for (int k = 0; k < K; k++)
            *to++ = i8_code(W[k], range);
    }
}

/* In float whatever real is, in the order that every table keeps. */
static void i8_product(int M, int N, int K, const real *X, int ldx, const void *packed,
                       bool accumulate, real *Y, int ldy)
{
    for (int m = 0; m < M; m++, X += ldx, Y += ldy) {
        const float range = i8_range(K, X), scale_x = range / 127;
        const int8_t *row = packed;
        for (int n = 0; n < N; n++, row += i8_row_bytes(K)) {
            const int8_t *w = row + sizeof(float);
            float scale_w;
            int32_t sum = 0;
            memcpy(&scale_w, row, sizeof scale_w);
            for (int k = 0; k < K; k++)
                sum += i8_code(X[k], range) * w[k];
            const float y = scale_x * scale_w * (float)sum;
            Y[n] = accumulate ? Y[n] + y : y;
        }
    }
}

typedef void product_fn(int M, int N, int K, const real *X, int ldx, const void *packed,
                        bool accumulate, real *Y, int ldy);

/* Of one row at a time, which lies as it does when packed. */
static void product_of_rows(product_fn *product, size_t row_bytes, int M, int count, int K,
                            const real *X, int ldx, const void *rows, const int32_t *ids,
                            const real *bias, real *Y, int ldy)
{
    for (int n = 0; n < count; n++) {
        product(M, 1, K, X, ldx, (const char *)rows + (size_t)ids[n] * row_bytes, false, Y + n,
                ldy);
        for (size_t m = 0; m < (size_t)M; m++)
            Y[m * (size_t)ldy + (size_t)n] += bias[ids[n]];
    }
}

static void f32_product_of_rows(int M, int count, int N, int K, const real *X, int ldx,
                                const void *rows, const int32_t *ids, const real *bias, real *Y,
                                int ldy)
{
    (void)N;
    product_of_rows(f32_product, f32_bytes(1, K), M, count, K, X, ldx, rows, ids, bias, Y, ldy);
}

static void bf16_product_of_rows(int M, int count, int N, int K, const real *X, int ldx,
                                 const void *rows, const int32_t *ids, const real *bias, real *Y,
                                 int ldy)
{
    (void)N;
    product_of_rows(bf16_product, bf16_bytes(1, K), M, count, K, X, ldx, rows, ids, bias, Y, ldy);
}

static void i8_product_of_rows(int M, int count, int N, int K, const real *X, int ldx,
                               const void *rows, const int32_t *ids, const real *bias, real *Y,
                               int ldy)
{
    (void)N;
    product_of_rows(i8_product, i8_bytes(1, K), M, count, K, X, ldx, rows, ids, bias, Y, ldy);
}

static const struct packing packing_f32 = { .bytes = f32_bytes,
                                            .pack = f32_pack,
                                            .pack_transposed = f32_pack_transposed,
                                            .product = f32_product,
                                            .product_of_rows = f32_product_of_rows };
static const struct packing packing_bf16 = { .bytes = bf16_bytes,
                                             .pack = bf16_pack,
                                             .pack_transposed = bf16_pack_transposed,
                                             .product = bf16_product,
                                             .rows_bytes = bf16_bytes,
                                             .put_rows = bf16_pack,
                                             .product_of_rows = bf16_product_of_rows };
static const struct packing packing_i8 = { .bytes = i8_bytes,
                                           .pack = i8_pack,
                                           .product = i8_product,
                                           .rows_bytes = i8_bytes,
                                           .put_rows = i8_pack,
                                           .product_of_rows = i8_product_of_rows };

/* ---- elementwise ---- */

static void tanh_rows(int n, const real *x, real *y)
{
    for (int i = 0; i < n; i++)
        y[i] = tanh(x[i]);
}

static real sigmoid(real x)
{
    return 1 / (1 + exp(-x));
}

static void sigmoid_rows(int n, const real *x, real *y)
{
    for (int i = 0; i < n; i++)
        y[i] = sigmoid(x[i]);
}

static void tanh_backward(int n, const real *y, const real *d_y, real *d_x)
{
    for (int i = 0; i < n; i++)
        d_x[i] = d_y[i] * (1 - y[i] * y[i]);
}

static void sigmoid_backward(int n, const real *y, const real *d_y, real *d_x)
{
    for (int i = 0; i < n; i++)
        d_x[i] = d_y[i] * y[i] * (1 - y[i]);
}

/*
 *   i = σ(a_i + p_i ⊙ c')   f = σ(a_f + p_f ⊙ c')   g = tanh(a_g)
 *   c = f ⊙ c' + i ⊙ g      o = σ(a_o + p_o ⊙ c)    h = o ⊙ tanh(c)
 */
static void lstm_forward(int H, const real *peephole, real *gates, const real *c_previous, real *c,
                         real *h)
{
    real *i = gates, *f = gates + H, *g = gates + 2 * H, *o = gates + 3 * H;
    for (int j = 0; j < H; j++) {
        const real p_i = peephole ? peephole[j] : 0;
        const real p_f = peephole ? peephole[H + j] : 0;
        const real p_o = peephole ? peephole[2 * H + j] : 0;
        i[j] = sigmoid(i[j] + p_i * c_previous[j]);
        f[j] = sigmoid(f[j] + p_f * c_previous[j]);
        g[j] = tanh(g[j]);
        c[j] = f[j] * c_previous[j] + i[j] * g[j];
        o[j] = sigmoid(o[j] + p_o * c[j]);
        h[j] = o[j] * tanh(c[j]);
    }
}

/*
 *   d_a_o = d_h tanh(c) o(1-o)
 *   d_c  += d_h ⊙ o ⊙ (1 - tanh²(c)) + p_o ⊙ d_a_o
 *   d_a_i = d_c g i(1-i)    d_a_f = d_c c' f(1-f)    d_a_g = d_c i (1-g²)
 *   d_c'  = d_c f + p_i ⊙ d_a_i + p_f ⊙ d_a_f
 *   d_p_i += d_a_i c'       d_p_f += d_a_f c'        d_p_o += d_a_o c
 */
static void lstm_backward(int H, const real *peephole, const real *gates, const real *c_previous,
                          const real *c, const real *d_h, real *d_c, real *d_gates,
                          real *d_peephole)
{
    for (int j = 0; j < H; j++) {
        const real i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j];
        const real t = tanh(c[j]);
        const real d_o = d_h[j] * t * o * (1 - o);
        const real d =
            d_c[j] + d_h[j] * o * (1 - t * t) + (peephole ? peephole[2 * H + j] * d_o : 0);
        const real d_i = d * g * i * (1 - i), d_f = d * c_previous[j] * f * (1 - f);
        d_gates[j] = d_i;
        d_gates[H + j] = d_f;
        d_gates[2 * H + j] = d * i * (1 - g * g);
        d_gates[3 * H + j] = d_o;
        d_c[j] = d * f;
        if (peephole) {
            d_c[j] += peephole[j] * d_i + peephole[H + j] * d_f;
            d_peephole[j] += d_i * c_previous[j];
            d_peephole[H + j] += d_f * c_previous[j];
            d_peephole[2 * H + j] += d_o * c[j];
        }
    }
}

/*
 *   z = σ(a_z)    r = σ(a_r)    reset = r ⊙ h'
 */
static void gru_reset(int H, real *gates, const real *h_previous, real *reset)
{
    real *z = gates, *r = gates + H;
    for (int j = 0; j < H; j++) {
        z[j] = sigmoid(z[j]);
        r[j] = sigmoid(r[j]);
        reset[j] = r[j] * h_previous[j];
    }
}

/*
 *   n = tanh(a_n)    h = (1-z) ⊙ carried + z ⊙ n
 */
static void gru_update(int H, real *gates, const real *carried, real *h)
{
    const real *z = gates;
    real *n = gates + 2 * H;
    for (int j = 0; j < H; j++) {
        n[j] = tanh(n[j]);
        h[j] = (1 - z[j]) * carried[j] + z[j] * n[j];
    }
}

/*
 *   d_a_z = d_h (n - carried) z(1-z)    d_a_n = d_h z (1-n²)    d_carried = d_h (1-z)
 */
static void gru_update_backward(int H, const real *gates, const real *carried, const real *d_h,
                                real *d_gates, real *d_carried)
{
    const real *z = gates, *n = gates + 2 * H;
    for (int j = 0; j < H; j++) {
        d_gates[j] = d_h[j] * (n[j] - carried[j]) * z[j] * (1 - z[j]);
        d_gates[2 * H + j] = d_h[j] * z[j] * (1 - n[j] * n[j]);
        d_carried[j] = d_h[j] * (1 - z[j]);
    }
}

/*
 *   d_a_r = d_reset h' r(1-r)      d_h' = d_reset r
 */
static void gru_reset_backward(int H, const real *gates, const real *h_previous, real *d_gates,
                               real *d_h_previous)
{
    const real *r = gates + H;
    for (int j = 0; j < H; j++) {
        const real d_reset = d_gates[H + j];
        d_gates[H + j] = d_reset * h_previous[j] * r[j] * (1 - r[j]);
        d_h_previous[j] = d_reset * r[j];
    }
}

static void energies(int S, int A, const real *keys, int ld_keys, const real *query, const real *v,
                     real *e)
{
    for (int s = 0; s < S; s++) {
        const real *key = keys + (size_t)s * (size_t)ld_keys;
        e[s] = 0;
        for (int a = 0; a < A; a++)
            e[s] += v[a] * tanh(key[a] + query[a]);
    }
}

static void exp_twice(int n, const real *x, real *y)
{
    for (int i = 0; i < n; i++) {
        const real most = x[i] < EXP_TWICE_MOST ? x[i] : EXP_TWICE_MOST;
        y[i] = exp(2 * (most > -EXP_TWICE_MOST ? most : -EXP_TWICE_MOST));
    }
}

static void energies_of_exponentials(int S, int A, const real *keys, int ld_keys, const real *query,
                                     const real *v, real *e)
{
    for (int s = 0; s < S; s++) {
        const real *key = keys + (size_t)s * (size_t)ld_keys;
        real sum = 0;
        for (int a = 0; a < A; a++)
            sum += v[a] / (1 + key[a] * query[a]);
        e[s] = -2 * sum;
    }
}

static void energies_backward(int S, int A, const real *keys, int ld_keys, const real *query,
                              const real *v, const real *d_e, real *d_keys, real *d_query,
                              real *d_v)
{
    for (int s = 0; s < S; s++) {
        const real *key = keys + (size_t)s * (size_t)ld_keys;
        real *d_key = d_keys + (size_t)s * (size_t)ld_keys;
        for (int a = 0; a < A; a++) {
            const real t = tanh(key[a] + query[a]);
            const real g = d_e[s] * v[a] * (1 - t * t);
            d_key[a] += g;
            d_query[a] += g;
            d_v[a] += d_e[s] * t;
        }
    }
}

static real largest(int n, const real *x)
{
    real max = x[0];
    for (int i = 1; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

static void softmax(int n, real *x)
{
    const real max = largest(n, x);
    real sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] = exp(x[i] - max); // minus max: exp cannot overflow
    for (int i = 0; i < n; i++)
        x[i] /= sum;
}

static void weighted_sums(int R, int S, int n, const real *w, int ld_w, const real *rows, int ld,
                          real *y, int ld_y)
{
    for (int r = 0; r < R; r++, w += ld_w, y += ld_y)
        for (int s = 0; s < S; s++)
            for (int i = 0; i < n; i++)
                y[i] += w[s] * rows[(size_t)s * (size_t)ld + (size_t)i];
}

static void weighted_sums_bf16(int R, int S, int n, const real *w, int ld_w, const uint16_t *rows,
                               int ld, real *y, int ld_y)
{
    for (int r = 0; r < R; r++, w += ld_w, y += ld_y)
        for (int s = 0; s < S; s++)
            for (int i = 0; i < n; i++)
                y[i] += w[s] * of_bf16(rows[(size_t)s * (size_t)ld + (size_t)i]);
}

static void row_dots(int S, int n, const real *rows, int ld, const real *d_y, real *d_w)
{
    for (int s = 0; s < S; s++, rows += ld) {
        real dot = 0;
        for (int i = 0; i < n; i++)
            dot += d_y[i] * rows[i];
        d_w[s] += dot;
    }
}

/* log Σ exp(x), the scores shifted by their maximum. */
static real log_sum_exp(int n, const real *x)
{
    const real max = largest(n, x);
    real sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp(x[i] - max);
    return max + log(sum);
}

static real cross_entropy(int V, const real *logits, int target, real smoothing, real scale,
                          real *plain, real *d_logits)
{
    const real lse = log_sum_exp(V, logits);
    real mean = 0;
    for (int v = 0; v < V; v++)
        mean += (lse - logits[v]) / (real)V;
    *plain = lse - logits[target];
    for (int v = 0; d_logits && v < V; v++) {
        const real q = smoothing / (real)V + (v == target ? 1 - smoothing : 0);
        d_logits[v] = scale * (exp(logits[v] - lse) - q);
    }
    return (1 - smoothing) * *plain + smoothing * mean;
}

static int first_above(int n, const real *x, real add, real floor)
{
    int i = 0;
    while (i < n && !(add + x[i] > floor))
        i++;
    return i;
}

static void log_softmax(int n, real *x)
{
    const real lse = log_sum_exp(n, x);
    for (int i = 0; i < n; i++)
        x[i] -= lse;
}

static void add(size_t n, const real *x, const real *m, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] + m[i];
}

static void add_bf16(size_t n, const real *x, const uint16_t *m, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] + of_bf16(m[i]);
}

static void multiply(size_t n, const real *x, const real *m, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * m[i];
}

static void adam(size_t n, real *w, const real *g, real *m, real *v, real clip, real rate,
                 real beta1, real beta2, real epsilon, real correction1, real correction2)
{
    for (size_t i = 0; i < n; i++) {
        const real d = g[i] * clip;
        m[i] = beta1 * m[i] + (1 - beta1) * d;
        v[i] = beta2 * v[i] + (1 - beta2) * d * d;
        w[i] -= rate * (m[i] / correction1) / (sqrt(v[i] / correction2) + epsilon);
    }
}

static void negative_sampling(int M, int N, int D, const real *x, const real *y, real *scores,
                              real *g, real *d_x, real *d_y)
{
    reference_gemm(GEMM_NT, M, N, D, x, D, y, D, false, scores, N);
    for (int i = 0; i < M * N; i++)
        g[i] = sigmoid(scores[i]) - (i % N == 0);
    reference_gemm(GEMM_NN, M, D, N, g, N, y, D, false, d_x, D);
    reference_gemm(GEMM_TN, N, D, M, g, N, x, D, false, d_y, D);
}

const struct kernels kernels_reference = {
    .name = "reference",
    .gemm = reference_gemm,
    .packings = { &packing_f32, &packing_bf16, &packing_i8 },
    .add = add,
    .multiply = multiply,
    .add_bf16 = add_bf16,
    .tanh_rows = tanh_rows,
    .sigmoid_rows = sigmoid_rows,
    .tanh_backward = tanh_backward,
    .sigmoid_backward = sigmoid_backward,
    .lstm_forward = lstm_forward,
    .lstm_backward = lstm_backward,
    .gru_reset = gru_reset,
    .gru_update = gru_update,
    .gru_update_backward = gru_update_backward,
    .gru_reset_backward = gru_reset_backward,
    .energies = energies,
    .exp_twice = exp_twice,
    .energies_of_exponentials = energies_of_exponentials,
    .energies_backward = energies_backward,
    .softmax = softmax,
    .weighted_sums = weighted_sums,
    .weighted_sums_bf16 = weighted_sums_bf16,
    .row_dots = row_dots,
    .cross_entropy = cross_entropy,
    .first_above = first_above,
    .log_softmax = log_softmax,
    .to_bf16 = to_bf16,
    .adam = adam,
    .negative_sampling = negative_sampling,
};
