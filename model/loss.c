/*
 * loss.c - gradients by distance in time.
 */
#include "model/loss.h"

double gradient_square(size_t n, const real *d_h)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)d_h[i] * (double)d_h[i];
    return sum;
}

void gradient_trace_add(struct gradient_trace *trace, const double *squares, int length, int stride)
{
    for (int k = 0; k < length && k < TRACE_STEPS; k++) {
        trace->squares[k] += squares[(length - 1 - k) * stride];
        trace->counts[k]++;
    }
}
