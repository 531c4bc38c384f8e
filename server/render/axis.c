/*
 * axis.c - ranges and ticks.
 */
#include "server/render/axis.h"

#include <math.h>
#include <stdio.h>

#define TICKS_WANTED 5
#define ROOM 0.04           // of the range, at each end
#define NEAR_ZERO 0.25      // of the highest value: an axis then starts at 0
#define DECADES_MANY 2.0    // with more, decades alone are marked
#define DECADES_SPARSE 12.0 // with more, not even each of them
#define ROUNDING 1e-9
#define SMALL 1e-3 // below, an exponent is shorter

static double round_step(double range)
{
    const double raw = range / TICKS_WANTED, power = pow(10, floor(log10(raw)));
    const double lead = raw / power;
    return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

static void add_tick(struct axis *axis, double value)
{
    if (axis->tick_count < AXIS_TICKS_MAX)
        axis->ticks[axis->tick_count++] = value;
}

static void mark_linear(struct axis *axis)
{
    const double range = axis->to - axis->from;
    axis->step = round_step(range);
    const double first = ceil(axis->from / axis->step - ROUNDING);
    const double last = floor(axis->to / axis->step + ROUNDING);
    for (double i = first; i <= last && axis->tick_count < AXIS_TICKS_MAX; i++)
        add_tick(axis, i * axis->step + 0.0); // no -0.0
}

static void mark_log(struct axis *axis)
{
    static const double leads[] = { 1, 2, 5 };
    const double decades = axis->to - axis->from;
    const int stride = decades > DECADES_SPARSE ? (int)ceil(decades / DECADES_SPARSE) : 1;
    const int leads_used = decades > DECADES_MANY ? 1 : 3;
    for (int decade = (int)floor(axis->from); decade <= axis->to; decade += stride)
        for (int i = 0; i < leads_used; i++) {
            const double place = decade + log10(leads[i]);
            if (place >= axis->from - ROUNDING && place <= axis->to + ROUNDING)
                add_tick(axis, leads[i] * pow(10, decade));
        }
}

static struct axis axis_between(double from, double to, bool is_log)
{
    struct axis axis = { .from = from, .to = to, .log = is_log };
    if (!(axis.to - axis.from > fabs(axis.to) * ROUNDING)) { // one value alone
        const double room = is_log || axis.to == 0 ? 0.5 : fabs(axis.to) / 10;
        axis.from -= room;
        axis.to += room;
    }
    if (is_log)
        mark_log(&axis);
    else
        mark_linear(&axis);
    return axis;
}

struct axis axis_tight(double lowest, double highest, bool is_log)
{
    return is_log ? axis_between(log10(lowest), log10(highest), true)
                  : axis_between(lowest, highest, false);
}

struct axis axis_of(double lowest, double highest, bool is_log)
{
    double from = is_log ? log10(lowest) : lowest, to = is_log ? log10(highest) : highest;
    const double room = (to - from) * ROOM;
    const bool is_from_zero = !is_log && lowest >= 0 && lowest <= highest * NEAR_ZERO;
    return axis_between(is_from_zero ? 0 : from - room, to + room, is_log);
}

bool axis_has(const struct axis *axis, double value)
{
    return isfinite(value) && (!axis->log || value > 0);
}

double axis_share(const struct axis *axis, double value)
{
    return ((axis->log ? log10(value) : value) - axis->from) / (axis->to - axis->from);
}

void axis_label(const struct axis *axis, double value, char out[AXIS_LABEL_BYTES])
{
    const double size = fabs(value), grain = axis->log ? size : axis->step;
    if (size < grain * ROUNDING)
        snprintf(out, AXIS_LABEL_BYTES, "0");
    else if (grain >= 1e6)
        snprintf(out, AXIS_LABEL_BYTES, "%.6gM", value / 1e6);
    else if (grain >= 1e3)
        snprintf(out, AXIS_LABEL_BYTES, "%.6gk", value / 1e3);
    else if (size > 0 && size < SMALL)
        snprintf(out, AXIS_LABEL_BYTES, "%.3g", value);
    else
        snprintf(out, AXIS_LABEL_BYTES, "%.7g", value);
}
