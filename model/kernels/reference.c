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

/* The packed layout of the reference is the matrix itself. */
static size_t packed_count(int N, int K)
{
    return (size_t)N * (size_t)K;
}

static void pack(int N, int K, const real *W, real *packed)
{
    memcpy(packed, W, packed_count(N, K) * sizeof(real));
}

static void packed_product(int M, int N, int K, const real *X, int ldx, const real *packed,
                           bool accumulate, real *Y, int ldy)
{
    reference_gemm(GEMM_NT, M, N, K, X, ldx, packed, K, accumulate, Y, ldy);
}

static void tanh_rows(int n, const real *x, real *y)
{
    for (int i = 0; i < n; i++)
        y[i] = tanh(x[i]);
}

static real sigmoid(real x)
{
    return 1 / (1 + exp(-x));
}

/*
 *   i = σ(a_i)   f = σ(a_f)   g = tanh(a_g)   o = σ(a_o)
 *   c = f ⊙ c' + i ⊙ g        h = o ⊙ tanh(c)
 */
static void lstm_forward(int H, real *gates, const real *c_previous, real *c, real *h)
{
    real *i = gates, *f = gates + H, *g = gates + 2 * H, *o = gates + 3 * H;
    for (int j = 0; j < H; j++) {
        i[j] = sigmoid(i[j]);
        f[j] = sigmoid(f[j]);
        g[j] = tanh(g[j]);
        o[j] = sigmoid(o[j]);
        c[j] = f[j] * c_previous[j] + i[j] * g[j];
        h[j] = o[j] * tanh(c[j]);
    }
}

/*
 *   d_c  += d_h ⊙ o ⊙ (1 - tanh²(c))
 *   d_a_i = d_c g i(1-i)    d_a_f = d_c c' f(1-f)    d_a_g = d_c i (1-g²)
 *   d_a_o = d_h tanh(c) o(1-o)                       d_c'  = d_c f
 */
static void lstm_backward(int H, const real *gates, const real *c_previous, const real *c,
                          const real *d_h, real *d_c, real *d_gates)
{
    const real *i = gates, *f = gates + H, *g = gates + 2 * H, *o = gates + 3 * H;
    for (int j = 0; j < H; j++) {
        const real t = tanh(c[j]);
        const real d = d_c[j] + d_h[j] * o[j] * (1 - t * t);
        d_gates[j] = d * g[j] * i[j] * (1 - i[j]);
        d_gates[H + j] = d * c_previous[j] * f[j] * (1 - f[j]);
        d_gates[2 * H + j] = d * i[j] * (1 - g[j] * g[j]);
        d_gates[3 * H + j] = d_h[j] * t * o[j] * (1 - o[j]);
        d_c[j] = d * f[j];
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

static void weighted_sum(int S, int n, const real *w, const real *rows, int ld, real *y)
{
    for (int s = 0; s < S; s++)
        for (int i = 0; i < n; i++)
            y[i] += w[s] * rows[(size_t)s * (size_t)ld + (size_t)i];
}

static void weighted_sum_backward(int S, int n, const real *w, const real *rows, int ld,
                                  const real *d_y, real *d_w, real *d_rows)
{
    for (int s = 0; s < S; s++) {
        real dot = 0;
        for (int i = 0; i < n; i++)
            dot += d_y[i] * rows[(size_t)s * (size_t)ld + (size_t)i];
        d_w[s] += dot;
        for (int i = 0; d_rows && i < n; i++)
            d_rows[(size_t)s * (size_t)ld + (size_t)i] += w[s] * d_y[i];
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

static void log_softmax(int n, real *x)
{
    const real lse = log_sum_exp(n, x);
    for (int i = 0; i < n; i++)
        x[i] -= lse;
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

const struct kernels kernels_reference = {
    .name = "reference",
    .gemm = reference_gemm,
    .packed_count = packed_count,
    .pack = pack,
    .packed_product = packed_product,
    .tanh_rows = tanh_rows,
    .lstm_forward = lstm_forward,
    .lstm_backward = lstm_backward,
    .energies = energies,
    .energies_backward = energies_backward,
    .softmax = softmax,
    .weighted_sum = weighted_sum,
    .weighted_sum_backward = weighted_sum_backward,
    .cross_entropy = cross_entropy,
    .log_softmax = log_softmax,
    .to_bf16 = to_bf16,
    .adam = adam,
};
