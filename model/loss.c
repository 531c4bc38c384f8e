/*
 * loss.c - gradients by distance in time.
 */
#include "model/loss.h"

void gradient_trace_add(struct gradient_trace *trace, const double *squares, int length, int stride)
{
    for (int k = 0; k < length && k < TRACE_STEPS; k++) {
        trace->squares[k] += squares[(length - 1 - k) * stride];
        trace->counts[k]++;
    }
}
