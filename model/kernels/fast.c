/*
 * fast.c - the kernels over rows, with vectors; built once for each instruction set.
 *
 * What each function computes stands in reference.c. The matrix products have
 * files of their own, products_*.c.
 */
#include <math.h>
#include <string.h>

#include "model/kernels/products.h"
#include "model/kernels/reference.h"

/* a > b ? a : b, and a < b ? a : b. */
#if LANES == 16
INLINE vec vec_max(vec a, vec b)
{
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
}

INLINE vec vec_min(vec a, vec b)
{
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
}
#elif LANES == 8
INLINE vec vec_max(vec a, vec b)
{
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
}

INLINE vec vec_min(vec a, vec b)
{
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
}
#else
INLINE vec choose_vec(ivec mask, vec yes, vec no)
{
    return (vec)((mask & (ivec)yes) | (~mask & (ivec)no));
}

INLINE vec vec_max(vec a, vec b)
{
    return choose_vec(a > b, a, b);
}

INLINE vec vec_min(vec a, vec b)
{
    return choose_vec(a < b, a, b);
}
#endif

/* In halves, so the order is fixed and the chain short. */
INLINE float sum_lanes(vec x)
{
    float lanes[LANES];
    memcpy(lanes, &x, sizeof x);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

/*
 * e^x = 2^n e^r with n the nearest integer to x log2(e) and |r| <= ln(2)/2; e^r by its Taylor
 * series to r^7 (error below one unit in the last place). x is clamped to where 2^n is normal.
 */
INLINE vec exp_vec(vec x)
{
    const vec magic = splat(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
    x = vec_min(vec_max(x, splat(-87.0f)), splat(88.0f));
    const vec shifted = multiply_add(x, splat(1.44269504f), magic);
    const vec n = shifted - magic;
    vec r = multiply_subtract(n, splat(0.693359375f), x); // ln 2 in two parts: one is exact
    r = multiply_subtract(n, splat(-2.12194440e-4f), r);
    vec p = splat(1.0f / 5040);
    p = multiply_add(p, r, splat(1.0f / 720));
    p = multiply_add(p, r, splat(1.0f / 120));
    p = multiply_add(p, r, splat(1.0f / 24));
    p = multiply_add(p, r, splat(1.0f / 6));
    p = multiply_add(p, r, splat(0.5f));
    p = multiply_add(p, r, splat(1.0f));
    p = multiply_add(p, r, splat(1.0f));
    const ivec exponent = ((ivec)shifted - (ivec)magic) << 23;
    return (vec)((ivec)p + exponent);
}

/* 1 / x of a normal x: an estimate, and Newton's step or two; a division takes twice as long. */
INLINE vec reciprocal(vec x)
{
#if LANES == 16
    const vec y = (vec)_mm512_rcp14_ps((__m512)x);
    return y * multiply_subtract(x, y, splat(2));
#elif LANES == 8
    vec y = (vec)_mm256_rcp_ps((__m256)x);
    y = y * multiply_subtract(x, y, splat(2));
    return y * multiply_subtract(x, y, splat(2));
#else
    return splat(1) / x;
#endif
}

INLINE vec sigmoid_vec(vec x)
{
    return reciprocal(splat(1) + exp_vec(-x));
}

/* 1 - 2 / (e^2x + 1): absolute error near 1e-7 everywhere. */
INLINE vec tanh_vec(vec x)
{
    return multiply_subtract(splat(2), reciprocal(exp_vec(x + x) + splat(1)), splat(1));
}

/* ---- elementwise ---- */

static void tanh_rows(int n, const float *x, float *y)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        store(y + i, tanh_vec(load(x + i)));
    if (i < n)
        store_part(y + i, tanh_vec(load_part(x + i, n - i)), n - i);
}

static void sigmoid_rows(int n, const float *x, float *y)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        store(y + i, sigmoid_vec(load(x + i)));
    if (i < n)
        store_part(y + i, sigmoid_vec(load_part(x + i, n - i)), n - i);
}

static void tanh_backward(int n, const float *y, const float *d_y, float *d_x)
{
    for (int i = 0; i < n; i++)
        d_x[i] = d_y[i] * (1 - y[i] * y[i]);
}

static void sigmoid_backward(int n, const float *y, const float *d_y, float *d_x)
{
    for (int i = 0; i < n; i++)
        d_x[i] = d_y[i] * y[i] * (1 - y[i]);
}

/* ---- LSTM ---- */

/* One vector of a row; pointers are to its first lane of the first gate or peephole. peephole is
 * the constant NULL where there is none, so a plain LSTM has no trace of it. */
INLINE void lstm_lanes(int n, int H, const float *peephole, float *gates, const float *c_previous,
                       float *c, float *h)
{
    vec i = load_lanes(gates, n), f = load_lanes(gates + H, n);
    vec g = load_lanes(gates + 2 * H, n), o = load_lanes(gates + 3 * H, n);
    const vec before = load_lanes(c_previous, n);
    if (peephole) {
        i += load_lanes(peephole, n) * before;
        f += load_lanes(peephole + H, n) * before;
    }
    i = sigmoid_vec(i);
    f = sigmoid_vec(f);
    g = tanh_vec(g);
    const vec now = f * before + i * g;
    if (peephole)
        o += load_lanes(peephole + 2 * H, n) * now;
    o = sigmoid_vec(o);
    store_lanes(h, o * tanh_vec(now), n);
    store_lanes(gates, i, n);
    store_lanes(gates + H, f, n);
    store_lanes(gates + 2 * H, g, n);
    store_lanes(gates + 3 * H, o, n);
    store_lanes(c, now, n);
}

static void lstm_forward(int H, const float *peephole, float *gates, const float *c_previous,
                         float *c, float *h)
{
    int j = 0;
    if (peephole)
        for (; j + LANES <= H; j += LANES)
            lstm_lanes(LANES, H, peephole + j, gates + j, c_previous + j, c + j, h + j);
    else
        for (; j + LANES <= H; j += LANES)
            lstm_lanes(LANES, H, NULL, gates + j, c_previous + j, c + j, h + j);
    if (j < H)
        lstm_lanes(H - j, H, peephole ? peephole + j : NULL, gates + j, c_previous + j, c + j,
                   h + j);
}

INLINE void add_lanes(float *sum, vec x, int n)
{
    store_lanes(sum, load_lanes(sum, n) + x, n);
}

INLINE void lstm_lanes_backward(int n, int H, const float *peephole, const float *gates,
                                const float *c_previous, const float *c, const float *d_h,
                                float *d_c, float *d_gates, float *d_peephole)
{
    const vec one = splat(1), now = load_lanes(c, n), before = load_lanes(c_previous, n);
    const vec i = load_lanes(gates, n), f = load_lanes(gates + H, n);
    const vec g = load_lanes(gates + 2 * H, n), o = load_lanes(gates + 3 * H, n);
    const vec t = tanh_vec(now), d_out = load_lanes(d_h, n);
    const vec d_o = d_out * t * o * (one - o);
    vec d = load_lanes(d_c, n) + d_out * o * (one - t * t);
    if (peephole)
        d += load_lanes(peephole + 2 * H, n) * d_o;
    const vec d_i = d * g * i * (one - i), d_f = d * before * f * (one - f);
    store_lanes(d_gates, d_i, n);
    store_lanes(d_gates + H, d_f, n);
    store_lanes(d_gates + 2 * H, d * i * (one - g * g), n);
    store_lanes(d_gates + 3 * H, d_o, n);
    d = d * f;
    if (peephole) {
        d += load_lanes(peephole, n) * d_i + load_lanes(peephole + H, n) * d_f;
        add_lanes(d_peephole, d_i * before, n);
        add_lanes(d_peephole + H, d_f * before, n);
        add_lanes(d_peephole + 2 * H, d_o * now, n);
    }
    store_lanes(d_c, d, n);
}

static void lstm_backward(int H, const float *peephole, const float *gates, const float *c_previous,
                          const float *c, const float *d_h, float *d_c, float *d_gates,
                          float *d_peephole)
{
    int j = 0;
    if (peephole)
        for (; j + LANES <= H; j += LANES)
            lstm_lanes_backward(LANES, H, peephole + j, gates + j, c_previous + j, c + j, d_h + j,
                                d_c + j, d_gates + j, d_peephole + j);
    else
        for (; j + LANES <= H; j += LANES)
            lstm_lanes_backward(LANES, H, NULL, gates + j, c_previous + j, c + j, d_h + j, d_c + j,
                                d_gates + j, NULL);
    if (j < H)
        lstm_lanes_backward(H - j, H, peephole ? peephole + j : NULL, gates + j, c_previous + j,
                            c + j, d_h + j, d_c + j, d_gates + j, peephole ? d_peephole + j : NULL);
}

/* ---- GRU ---- */

INLINE void gru_reset_lanes(int n, int H, float *gates, const float *h_previous, float *reset)
{
    const vec r = sigmoid_vec(load_lanes(gates + H, n));
    store_lanes(reset, r * load_lanes(h_previous, n), n);
    store_lanes(gates, sigmoid_vec(load_lanes(gates, n)), n);
    store_lanes(gates + H, r, n);
}

static void gru_reset(int H, float *gates, const float *h_previous, float *reset)
{
    int j = 0;
    for (; j + LANES <= H; j += LANES)
        gru_reset_lanes(LANES, H, gates + j, h_previous + j, reset + j);
    if (j < H)
        gru_reset_lanes(H - j, H, gates + j, h_previous + j, reset + j);
}

INLINE void gru_update_lanes(int lanes, int H, float *gates, const float *h_previous, float *h)
{
    const vec z = load_lanes(gates, lanes), n = tanh_vec(load_lanes(gates + 2 * H, lanes));
    store_lanes(h, (splat(1) - z) * load_lanes(h_previous, lanes) + z * n, lanes);
    store_lanes(gates + 2 * H, n, lanes);
}

static void gru_update(int H, float *gates, const float *carried, float *h)
{
    int j = 0;
    for (; j + LANES <= H; j += LANES)
        gru_update_lanes(LANES, H, gates + j, carried + j, h + j);
    if (j < H)
        gru_update_lanes(H - j, H, gates + j, carried + j, h + j);
}

/* No activation in these: plain enough for the compiler to vectorise. */
static void gru_update_backward(int H, const float *restrict gates, const float *restrict carried,
                                const float *restrict d_h, float *restrict d_gates,
                                float *restrict d_carried)
{
    const float *z = gates, *n = gates + 2 * H;
    for (int j = 0; j < H; j++) {
        d_gates[j] = d_h[j] * (n[j] - carried[j]) * z[j] * (1 - z[j]);
        d_gates[2 * H + j] = d_h[j] * z[j] * (1 - n[j] * n[j]);
        d_carried[j] = d_h[j] * (1 - z[j]);
    }
}

static void gru_reset_backward(int H, const float *restrict gates, const float *restrict h_previous,
                               float *restrict d_gates, float *restrict d_h_previous)
{
    const float *r = gates + H;
    for (int j = 0; j < H; j++) {
        const float d_reset = d_gates[H + j];
        d_gates[H + j] = d_reset * h_previous[j] * r[j] * (1 - r[j]);
        d_h_previous[j] = d_reset * r[j];
    }
}

/* ---- attention ---- */

static void energies(int S, int A, const float *keys, int ld_keys, const float *query,
                     const float *v, float *e)
{
    for (int s = 0; s < S; s++) {
        const float *key = keys + (size_t)s * (size_t)ld_keys;
        vec sum = splat(0);
        int a = 0;
        for (; a + LANES <= A; a += LANES)
            sum += load(v + a) * tanh_vec(load(key + a) + load(query + a));
        if (a < A)
            sum += load_part(v + a, A - a) *
                   tanh_vec(load_part(key + a, A - a) + load_part(query + a, A - a));
        e[s] = sum_lanes(sum);
    }
}

INLINE vec exp_twice_vec(vec x)
{
    const vec most = splat(EXP_TWICE_MOST);
    x = vec_min(vec_max(x, -most), most);
    return exp_vec(x + x);
}

static void exp_twice(int n, const float *x, float *y)
{
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        store(y + i, exp_twice_vec(load(x + i)));
    if (i < n)
        store_part(y + i, exp_twice_vec(load_part(x + i, n - i)), n - i);
}

#define ENERGY_ROWS 4 // that share what is read of the query and v

/* R energies; R is a constant wherever this is inlined. */
INLINE void energy_tile(const int R, int A, const float *keys, int ld_keys, const float *query,
                        const float *v, float *e)
{
    vec sum[ENERGY_ROWS];
    for (int r = 0; r < R; r++)
        sum[r] = splat(0);
    for (int a = 0; a < A; a += LANES) {
        const int here = A - a < LANES ? A - a : LANES;
        const vec q = load_lanes(query + a, here), weight = load_lanes(v + a, here);
        for (int r = 0; r < R; r++) {
            const vec key = load_lanes(keys + r * ld_keys + a, here);
            sum[r] = multiply_add(weight, reciprocal(multiply_add(key, q, splat(1))), sum[r]);
        }
    }
    for (int r = 0; r < R; r++)
        e[r] = -2 * sum_lanes(sum[r]);
}

static void energies_of_exponentials(int S, int A, const float *keys, int ld_keys,
                                     const float *query, const float *v, float *e)
{
    int s = 0;
    for (; s + ENERGY_ROWS <= S; s += ENERGY_ROWS)
        energy_tile(ENERGY_ROWS, A, keys + s * ld_keys, ld_keys, query, v, e + s);
    for (; s < S; s++)
        energy_tile(1, A, keys + s * ld_keys, ld_keys, query, v, e + s);
}

static void energies_backward(int S, int A, const float *keys, int ld_keys, const float *query,
                              const float *v, const float *d_e, float *d_keys, float *d_query,
                              float *d_v)
{
    for (int s = 0; s < S; s++) {
        const float *key = keys + (size_t)s * (size_t)ld_keys;
        float *d_key = d_keys + (size_t)s * (size_t)ld_keys;
        const vec d = splat(d_e[s]);
        int a = 0;
        for (; a + LANES <= A; a += LANES) {
            const vec t = tanh_vec(load(key + a) + load(query + a));
            const vec g = d * load(v + a) * (splat(1) - t * t);
            store(d_key + a, load(d_key + a) + g);
            store(d_query + a, load(d_query + a) + g);
            store(d_v + a, load(d_v + a) + d * t);
        }
        if (a < A) {
            const int n = A - a;
            const vec t = tanh_vec(load_part(key + a, n) + load_part(query + a, n));
            const vec g = d * load_part(v + a, n) * (splat(1) - t * t);
            store_part(d_key + a, load_part(d_key + a, n) + g, n);
            store_part(d_query + a, load_part(d_query + a, n) + g, n);
            store_part(d_v + a, load_part(d_v + a, n) + d * t, n);
        }
    }
}

#define SUM_ROWS (LANES == 16 ? 6 : 4) // x 4 accumulators; each vector that is read serves all
#define SUM_VECS 4

/* R sums over V vectors, the last of n lanes; is_bf16, R and V are constants wherever this is
 * inlined. */
INLINE void sum_tile(const bool is_bf16, const int R, const int V, int n, int S, const float *w,
                     int ld_w, const void *rows, size_t at, int ld, float *y, int ld_y)
{
    vec sum[SUM_ROWS][SUM_VECS];
    for (int r = 0; r < R; r++)
        for (int j = 0; j < V; j++)
            sum[r][j] = load_lanes(y + r * ld_y + j * LANES, j < V - 1 ? LANES : n);
    for (int s = 0; s < S; s++, at += (size_t)ld)
        for (int j = 0; j < V; j++) {
            const vec x =
                load_values(is_bf16, rows, at + (size_t)(j * LANES), j < V - 1 ? LANES : n);
            for (int r = 0; r < R; r++)
                sum[r][j] = multiply_add(splat(w[r * ld_w + s]), x, sum[r][j]);
        }
    for (int r = 0; r < R; r++)
        for (int j = 0; j < V; j++)
            store_lanes(y + r * ld_y + j * LANES, sum[r][j], j < V - 1 ? LANES : n);
}

INLINE void sum_rows(const bool is_bf16, const int R, int S, int n, const float *w, int ld_w,
                     const void *rows, int ld, float *y, int ld_y)
{
    int i = 0;
    for (; i + SUM_VECS * LANES <= n; i += SUM_VECS * LANES)
        sum_tile(is_bf16, R, SUM_VECS, LANES, S, w, ld_w, rows, (size_t)i, ld, y + i, ld_y);
    for (; i < n; i += LANES)
        sum_tile(is_bf16, R, 1, n - i < LANES ? n - i : LANES, S, w, ld_w, rows, (size_t)i, ld,
                 y + i, ld_y);
}

INLINE void sums(const bool is_bf16, int R, int S, int n, const float *w, int ld_w,
                 const void *rows, int ld, float *y, int ld_y)
{
    for (int now; R > 0; R -= now, w += now * ld_w, y += now * ld_y) {
        now = kernel_rows(SUM_ROWS, R);
        if (now == SUM_ROWS)
            sum_rows(is_bf16, SUM_ROWS, S, n, w, ld_w, rows, ld, y, ld_y);
        else if (now == 4)
            sum_rows(is_bf16, 4, S, n, w, ld_w, rows, ld, y, ld_y);
        else if (now == 2)
            sum_rows(is_bf16, 2, S, n, w, ld_w, rows, ld, y, ld_y);
        else
            sum_rows(is_bf16, 1, S, n, w, ld_w, rows, ld, y, ld_y);
    }
}

static void weighted_sums(int R, int S, int n, const float *w, int ld_w, const float *rows, int ld,
                          float *y, int ld_y)
{
    sums(false, R, S, n, w, ld_w, rows, ld, y, ld_y);
}

static void weighted_sums_bf16(int R, int S, int n, const float *w, int ld_w, const uint16_t *rows,
                               int ld, float *y, int ld_y)
{
    sums(true, R, S, n, w, ld_w, rows, ld, y, ld_y);
}

#define DOTS 4

/* R dots side by side, so that a sum need not wait for its last addition. */
INLINE void dots(const int R, int n, const float *rows, int ld, const float *d_y, float *d_w)
{
    vec sum[DOTS];
    for (int r = 0; r < R; r++)
        sum[r] = splat(0);
    for (int i = 0; i < n; i += LANES) {
        const int here = n - i < LANES ? n - i : LANES;
        const vec d = load_lanes(d_y + i, here);
        for (int r = 0; r < R; r++)
            sum[r] = multiply_add(d, load_lanes(rows + r * ld + i, here), sum[r]);
    }
    for (int r = 0; r < R; r++)
        d_w[r] += sum_lanes(sum[r]);
}

static void row_dots(int S, int n, const float *rows, int ld, const float *d_y, float *d_w)
{
    int s = 0;
    for (; s + DOTS <= S; s += DOTS)
        dots(DOTS, n, rows + s * ld, ld, d_y, d_w + s);
    for (; s < S; s++)
        dots(1, n, rows + s * ld, ld, d_y, d_w + s);
}

/* ---- softmax and its loss ---- */

static float largest(int n, const float *x)
{
    vec most[4];
    for (int j = 0; j < 4; j++)
        most[j] = splat(x[0]);
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        for (int j = 0; j < 4; j++)
            most[j] = vec_max(load(x + i + j * LANES), most[j]);
    most[0] = vec_max(vec_max(most[0], most[1]), vec_max(most[2], most[3]));
    for (; i + LANES <= n; i += LANES)
        most[0] = vec_max(load(x + i), most[0]);
    float max = most[0][0]; // not by fmaxf, which is a call
    for (int lane = 1; lane < LANES; lane++)
        max = most[0][lane] > max ? most[0][lane] : max;
    for (; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

/* y = exp(x - shift), returns Σ y; y may be x, or NULL. */
static float exp_sum(int n, const float *x, float shift, float *y)
{
    vec sum = splat(0);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
        const vec e = exp_vec(load(x + i) - shift);
        sum += e;
        if (y)
            store(y + i, e);
    }
    float total = sum_lanes(sum);
    if (i < n) {
        const vec e = exp_vec(load_part(x + i, n - i) - shift);
        for (int lane = 0; lane < n - i; lane++)
            total += e[lane];
        if (y)
            store_part(y + i, e, n - i);
    }
    return total;
}

static void softmax(int n, float *x)
{
    const float scale = 1 / exp_sum(n, x, largest(n, x), x);
    for (int i = 0; i < n; i++)
        x[i] *= scale;
}

INLINE bool any_above(vec x, vec floor)
{
#if LANES == 16
    return _mm512_cmp_ps_mask((__m512)x, (__m512)floor, _CMP_GT_OQ) != 0;
#elif LANES == 8
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)x, (__m256)floor, _CMP_GT_OQ)) != 0;
#else
    const ivec above = x > floor;
    return (above[0] | above[1] | above[2] | above[3]) != 0;
#endif
}

static int first_above(int n, const float *x, float add, float floor)
{
    int i = 0;
    while (i + LANES <= n && !any_above(splat(add) + load(x + i), splat(floor)))
        i += LANES;
    while (i < n && !(add + x[i] > floor))
        i++;
    return i;
}

static void log_softmax(int n, float *x)
{
    const float max = largest(n, x);
    const float lse = max + logf(exp_sum(n, x, max, NULL));
    for (int i = 0; i < n; i++)
        x[i] -= lse;
}

static float sum_of(int n, const float *x)
{
    vec sum = splat(0);
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        sum += load(x + i);
    if (i < n)
        sum += load_part(x + i, n - i);
    return sum_lanes(sum);
}

static float cross_entropy(int V, const float *logits, int target, float smoothing, float scale,
                           float *plain, float *d_logits)
{
    const float max = largest(V, logits);
    const float mean_logit = sum_of(V, logits) / (float)V;
    const float target_logit = logits[target];
    const float sum = exp_sum(V, logits, max, d_logits);
    const float lse = max + logf(sum);
    *plain = lse - target_logit;
    if (d_logits) {
        const float factor = scale / sum, everywhere = scale * smoothing / (float)V;
        for (int v = 0; v < V; v++)
            d_logits[v] = factor * d_logits[v] - everywhere;
        d_logits[target] -= scale * (1 - smoothing);
    }
    return (1 - smoothing) * *plain + smoothing * (lse - mean_logit);
}

static void to_bf16(size_t n, const float *x, uint16_t *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const uvec bits = (uvec)load(x + i);
        const halves upper =
            __builtin_convertvector((bits + 0x7fff + (bits >> 16 & 1)) >> 16, halves);
        memcpy(y + i, &upper, sizeof upper);
    }
    kernels_reference.to_bf16(n - i, x + i, y + i);
}

static void add(size_t n, const float *x, const float *m, float *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        store(y + i, load(x + i) + load(m + i));
    for (; i < n; i++)
        y[i] = x[i] + m[i];
}

static void add_bf16(size_t n, const float *x, const uint16_t *m, float *y)
{
    for (size_t i = 0; i < n; i += LANES) {
        const int here = n - i < LANES ? (int)(n - i) : LANES;
        store_lanes(y + i, load_lanes(x + i, here) + load_values(true, m, i, here), here);
    }
}

static void multiply(size_t n, const float *x, const float *m, float *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        store(y + i, load(x + i) * load(m + i));
    for (; i < n; i++)
        y[i] = x[i] * m[i];
}

static void adam(size_t n, float *restrict w, const float *restrict g, float *restrict m,
                 float *restrict v, float clip, float rate, float beta1, float beta2, float epsilon,
                 float correction1, float correction2)
{
    const float by = rate / correction1, growth = 1 / correction2; // divisions are slow
    for (size_t i = 0; i < n; i++) {
        const float d = g[i] * clip;
        m[i] = beta1 * m[i] + (1 - beta1) * d;
        v[i] = beta2 * v[i] + (1 - beta2) * d * d;
        w[i] -= by * m[i] / (sqrtf(v[i] * growth) + epsilon);
    }
}

/* ---- negative sampling ---- */

#define DOT_ROWS 4 // 4 x 3 accumulators and what they are made of fit 16 registers
#define DOT_COLUMNS 3

/* scores of R rows of x and C of y; both are constants wherever this is inlined. */
INLINE void dot_tile(const int R, const int C, int D, const float *x, const float *y, int ld,
                     float *scores)
{
    vec sum[DOT_ROWS][DOT_COLUMNS];
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++)
            sum[r][c] = splat(0);
    int i = 0;
    for (; i + LANES <= D; i += LANES)
        for (int r = 0; r < R; r++)
            for (int c = 0; c < C; c++)
                sum[r][c] = multiply_add(load(x + r * D + i), load(y + c * D + i), sum[r][c]);
    if (i < D)
        for (int r = 0; r < R; r++)
            for (int c = 0; c < C; c++)
                sum[r][c] = multiply_add(load_part(x + r * D + i, D - i),
                                         load_part(y + c * D + i, D - i), sum[r][c]);
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++)
            scores[r * ld + c] = sum_lanes(sum[r][c]);
}

static void all_dots(int M, int N, int D, const float *x, const float *y, float *scores)
{
    for (int m = 0; m < M;) {
        const int rows = M - m >= DOT_ROWS ? DOT_ROWS : 1;
        for (int n = 0; n < N;) {
            const int columns = N - n >= DOT_COLUMNS ? DOT_COLUMNS : 1;
            const float *a = x + m * D, *b = y + n * D;
            float *s = scores + m * N + n;
            if (rows == DOT_ROWS && columns == DOT_COLUMNS)
                dot_tile(DOT_ROWS, DOT_COLUMNS, D, a, b, N, s);
            else if (rows == DOT_ROWS)
                dot_tile(DOT_ROWS, 1, D, a, b, N, s);
            else if (columns == DOT_COLUMNS)
                dot_tile(1, DOT_COLUMNS, D, a, b, N, s);
            else
                dot_tile(1, 1, D, a, b, N, s);
            n += columns;
        }
        m += rows;
    }
}

/* WIDE vectors of out = Σ_s w[s * step] rows_s. */
#define WIDE 4
INLINE void mix_lanes(const int wide, int S, const float *w, int step, int D, const float *rows,
                      float *out)
{
    vec sum[WIDE];
    for (int j = 0; j < wide; j++)
        sum[j] = splat(0);
    for (int s = 0; s < S; s++)
        for (int j = 0; j < wide; j++)
            sum[j] += w[s * step] * load(rows + s * D + j * LANES);
    for (int j = 0; j < wide; j++)
        store(out + j * LANES, sum[j]);
}

static void mix_rows(int S, const float *w, int step, int D, const float *rows, float *out)
{
    int i = 0;
    for (; i + WIDE * LANES <= D; i += WIDE * LANES)
        mix_lanes(WIDE, S, w, step, D, rows + i, out + i);
    for (; i + LANES <= D; i += LANES)
        mix_lanes(1, S, w, step, D, rows + i, out + i);
    if (i < D) {
        vec sum = splat(0);
        for (int s = 0; s < S; s++)
            sum += w[s * step] * load_part(rows + s * D + i, D - i);
        store_part(out + i, sum, D - i);
    }
}

static void negative_sampling(int M, int N, int D, const float *x, const float *y, float *scores,
                              float *g, float *d_x, float *d_y)
{
    all_dots(M, N, D, x, y, scores);
    sigmoid_rows(M * N, scores, g);
    for (int m = 0; m < M; m++)
        g[m * N] -= 1;
    for (int m = 0; m < M; m++)
        mix_rows(N, g + m * N, 1, D, y, d_x + m * D);
    for (int n = 0; n < N; n++)
        mix_rows(M, g + n, N, D, x, d_y + n * D);
}

#define TEXT_OF(name) TEXT_OF_EXPANDED(name)
#define TEXT_OF_EXPANDED(name) #name

const struct kernels VARIANT(kernels) = {
    .name = TEXT_OF(KERNELS_ISA),
    .gemm = reference_gemm,
    .packings = { [WEIGHT_F32] = &VARIANT(packing_f32),
                  [WEIGHT_BF16] = &VARIANT(packing_bf16),
                  [WEIGHT_I8] = &VARIANT(packing_i8) },
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
