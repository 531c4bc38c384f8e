/*
 * axis.h - values to places along a line, and round numbers to mark it with.
 *
 *     struct axis axis = axis_of(lowest, highest, AXIS_LINEAR);
 *     double share = axis_share(&axis, value);          // 0 to 1
 *     for (int i = 0; i < axis.tick_count; i++) ... axis.ticks[i]
 *
 * Private to server/render.
 */
#ifndef SERVER_RENDER_AXIS_H
#define SERVER_RENDER_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#define AXIS_TICKS_MAX 24
#define AXIS_LABEL_BYTES 32

struct axis {
    double from, to; // what is at 0 and at 1; of a logarithmic axis the logarithms
    bool log;
    double ticks[AXIS_TICKS_MAX]; // (tick_count) values, ascending
    int tick_count;
    double step; // between ticks of a linear axis
};

/* For values from lowest to highest, which are finite and, on a logarithmic axis, above 0; with
 * some room at both ends, and from 0 where the lowest value is near it. */
struct axis axis_of(double lowest, double highest, bool is_log);

/* The same without room: from the lowest to the highest value. */
struct axis axis_tight(double lowest, double highest, bool is_log);

bool axis_has(const struct axis *axis, double value); // whether there is a place for it
double axis_share(const struct axis *axis, double value);

/* "0.002", "1.5", "20k", "3M", "1e-06" */
void axis_label(const struct axis *axis, double value, char out[AXIS_LABEL_BYTES]);

#endif
