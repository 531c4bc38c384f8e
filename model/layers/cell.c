/*
 * cell.c - the recurrent cells: what each is made of, a step forward and a step back.
 *
 * A step is one or two products by U for all rows and the rest elementwise, a
 * row at a time; the elementwise equations and their derivatives stand in
 * kernels/reference.c. Three families share their code: simple cells, LSTMs
 * with and without peepholes, GRUs.
 */
#include "model/layers/cell.h"

#include <stdio.h>
#include <string.h>

/* ---- what a cell is made of ---- */

static struct tensor declare(struct params *params, enum param_init init, int rows, int cols,
                             const char *prefix, const char *name)
{
    char full[PARAM_NAME_BYTES];
    snprintf(full, sizeof full, "%s.%s", prefix, name);
    return params_add(params, init, rows, cols, full);
}

static int gate_count(enum cell_kind kind)
{
    switch (kind) {
    case CELL_LSTM:
    case CELL_PEEPHOLE:
        return 4;
    case CELL_GRU:
    case CELL_GRU_UNBIASED:
        return 3;
    case CELL_RNN:
    case CELL_RNN_LOGISTIC:
        break;
    }
    return 1;
}

void cell_declare(struct cell *cell, struct params *params, enum cell_kind kind, const char *prefix,
                  int I, int H, int M)
{
    const int G = gate_count(kind);
    const bool is_lstm = kind == CELL_LSTM || kind == CELL_PEEPHOLE;
    const bool is_gru = kind == CELL_GRU || kind == CELL_GRU_UNBIASED;
    *cell = (struct cell){ .kind = kind, .I = I, .M = M, .H = H, .G = G };
    cell->w = declare(params, INIT_GLOROT, G * H, I, prefix, "w");
    cell->u = declare(params, INIT_ORTHOGONAL, (is_gru ? 2 : G) * H, H, prefix, "u");
    params_set_every_step(params, cell->u);
    if (is_gru) {
        cell->candidate = declare(params, INIT_ORTHOGONAL, H, H, prefix, "candidate");
        params_set_every_step(params, cell->candidate);
    }
    if (kind != CELL_GRU_UNBIASED)
        cell->bias =
            declare(params, is_lstm ? INIT_FORGET_ONE : INIT_ZERO, G * H, 1, prefix, "bias");
    if (kind == CELL_PEEPHOLE) {
        cell->peephole = declare(params, INIT_ZERO, 3, H, prefix, "peephole");
        params_set_use(params, cell->peephole, USE_VALUES);
    }
    if (M > 0)
        cell->context = declare(params, INIT_GLOROT, G * H, M, prefix, "context");
}

/* ---- one row of a step ---- */

struct row {
    real *gates;
    const real *h_previous, *c_previous, *carried;
    real *h, *c;
};

static struct row row_of(const struct cell_step *s, size_t b)
{
    return (struct row){
        .gates = s->gates + b * (size_t)s->ld_gates,
        .h_previous = s->h_previous + b * (size_t)s->ld_h_previous,
        .c_previous = s->c_previous + b * (size_t)s->ld_c_previous,
        .carried = s->carried + b * (size_t)s->ld_carried,
        .h = s->h + b * (size_t)s->ld_h,
        .c = s->c + b * (size_t)s->ld_c,
    };
}

/* A product by all of U ends a step back: d_h' = d_a U, or += where there is more to it. */
static void back_through_u(const struct cell *cell, const struct weights *weights,
                           const struct cell_step *s, const real *d_gates, bool accumulate,
                           real *d_h_previous)
{
    if (s->starts)
        return;
    weights_product_back(weights, cell->u, s->B, d_gates, cell->G * cell->H, accumulate,
                         d_h_previous, cell->H);
}

/* ---- simple cells: the gate is the state ---- */

static void simple_forward(const struct cell *cell, const struct weights *weights,
                           const struct cell_step *s)
{
    const struct kernels *k = weights->kernels;
    const size_t bytes = (size_t)cell->H * sizeof(real);
    for (int b = 0; b < s->B; b++) {
        const struct row row = row_of(s, (size_t)b);
        if (cell->kind == CELL_RNN)
            k->tanh_rows(cell->H, row.gates, row.gates);
        else
            k->sigmoid_rows(cell->H, row.gates, row.gates);
        memcpy(row.h, row.gates, bytes);
        memset(row.c, 0, bytes);
    }
}

static void simple_backward(const struct cell *cell, const struct weights *weights,
                            const struct cell_step *s, const real *d_h, real *d_gates,
                            real *d_h_previous)
{
    const struct kernels *k = weights->kernels;
    const int n = s->B * cell->H;
    if (cell->kind == CELL_RNN)
        k->tanh_backward(n, s->gates, d_h, d_gates);
    else
        k->sigmoid_backward(n, s->gates, d_h, d_gates);
    back_through_u(cell, weights, s, d_gates, false, d_h_previous);
}

/* ---- LSTM, with and without peepholes ---- */

static const real *peephole_of(const struct cell *cell, const struct weights *weights)
{
    return cell->peephole.rows ? weight(weights, cell->peephole) : NULL;
}

static void lstm_forward(const struct cell *cell, const struct weights *weights,
                         const struct cell_step *s)
{
    const real *peephole = peephole_of(cell, weights);
    for (int b = 0; b < s->B; b++) {
        const struct row row = row_of(s, (size_t)b);
        weights->kernels->lstm_forward(cell->H, peephole, row.gates, row.c_previous, row.c, row.h);
    }
}

static void lstm_backward(const struct cell *cell, const struct weights *weights,
                          const struct cell_step *s, const real *d_h, real *d_c, real *d_gates,
                          real *d_h_previous, real *gradients)
{
    const real *peephole = peephole_of(cell, weights);
    real *d_peephole = peephole ? gradients + cell->peephole.offset : NULL;
    for (int b = 0; b < s->B; b++) {
        const struct row row = row_of(s, (size_t)b);
        const size_t at = (size_t)b * (size_t)cell->H;
        weights->kernels->lstm_backward(cell->H, peephole, row.gates, row.c_previous, row.c,
                                        d_h + at, d_c + at, d_gates + at * (size_t)cell->G,
                                        d_peephole);
    }
    back_through_u(cell, weights, s, d_gates, false, d_h_previous);
}

/* ---- GRU: the candidate waits for r, so its product is a second one ---- */

static void gru_forward(const struct cell *cell, const struct weights *weights,
                        const struct cell_step *s)
{
    const struct kernels *k = weights->kernels;
    const int H = cell->H;
    for (int b = 0; b < s->B; b++) {
        const struct row row = row_of(s, (size_t)b);
        k->gru_reset(H, row.gates, row.h_previous, row.c);
    }
    weights_product(weights, cell->candidate, s->B, s->c, s->ld_c, true, s->gates + 2 * H,
                    s->ld_gates);
    for (int b = 0; b < s->B; b++) {
        const struct row row = row_of(s, (size_t)b);
        k->gru_update(H, row.gates, row.carried, row.h);
    }
}

/* d(r ⊙ h') = d_a_n U_n is put where d_a_r will be. */
static void gru_backward(const struct cell *cell, const struct weights *weights,
                         const struct cell_step *s, const real *d_h, real *d_carried, real *d_gates,
                         real *d_h_previous)
{
    const struct kernels *k = weights->kernels;
    const int H = cell->H;
    for (int b = 0; b < s->B; b++) {
        const struct row row = row_of(s, (size_t)b);
        const size_t at = (size_t)b * (size_t)H;
        k->gru_update_backward(H, row.gates, row.carried, d_h + at, d_gates + 3 * at,
                               d_carried + at);
    }
    weights_product_back(weights, cell->candidate, s->B, d_gates + 2 * H, 3 * H, false, d_gates + H,
                         3 * H);
    for (int b = 0; b < s->B; b++) {
        const struct row row = row_of(s, (size_t)b);
        const size_t at = (size_t)b * (size_t)H;
        k->gru_reset_backward(H, row.gates, row.h_previous, d_gates + 3 * at, d_h_previous + at);
    }
    back_through_u(cell, weights, s, d_gates, true, d_h_previous);
}

/* ---- all of them ---- */

void cell_forward(const struct cell *cell, const struct weights *weights,
                  const struct cell_step *step)
{
    if (!step->starts)
        weights_product(weights, cell->u, step->B, step->h_previous, step->ld_h_previous, true,
                        step->gates, step->ld_gates);
    cell_finish(cell, weights, step);
}

void cell_finish(const struct cell *cell, const struct weights *weights,
                 const struct cell_step *step)
{
    switch (cell->kind) {
    case CELL_RNN:
    case CELL_RNN_LOGISTIC:
        simple_forward(cell, weights, step);
        break;
    case CELL_LSTM:
    case CELL_PEEPHOLE:
        lstm_forward(cell, weights, step);
        break;
    case CELL_GRU:
    case CELL_GRU_UNBIASED:
        gru_forward(cell, weights, step);
        break;
    }
}

void cell_backward(const struct cell *cell, const struct weights *weights,
                   const struct cell_step *step, const real *d_h, real *d_c, real *d_gates,
                   real *d_h_previous, real *gradients)
{
    switch (cell->kind) {
    case CELL_RNN:
    case CELL_RNN_LOGISTIC:
        simple_backward(cell, weights, step, d_h, d_gates, d_h_previous);
        break;
    case CELL_LSTM:
    case CELL_PEEPHOLE:
        lstm_backward(cell, weights, step, d_h, d_c, d_gates, d_h_previous, gradients);
        break;
    case CELL_GRU:
    case CELL_GRU_UNBIASED:
        gru_backward(cell, weights, step, d_h, d_c, d_gates, d_h_previous);
        break;
    }
}

/* U's rows are the first of the gates, the candidate's follow. */
void cell_recurrent_gradients(const struct cell *cell, const struct weights *weights, int rows,
                              const real *h_previous, int ld_h_previous, const real *c, int ld_c,
                              const real *d_gates, real *gradients)
{
    const struct kernels *k = weights->kernels;
    const int ld = cell->G * cell->H;
    k->gemm(GEMM_TN, cell->u.rows, cell->H, rows, d_gates, ld, h_previous, ld_h_previous, true,
            gradients + cell->u.offset, cell->H);
    if (cell->candidate.rows)
        k->gemm(GEMM_TN, cell->H, cell->H, rows, d_gates + cell->u.rows, ld, c, ld_c, true,
                gradients + cell->candidate.offset, cell->H);
}
