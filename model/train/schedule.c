/*
 * schedule.c - warm-up, decay, cool-down, patience.
 */
#include "model/train/schedule.h"

#include <math.h>

struct schedule schedule_start(void)
{
    return (struct schedule){ .factor = 1, .best_loss = INFINITY };
}

double schedule_rate(const struct schedule *s, const struct schedule_options *options, int64_t u,
                     double epochs_left)
{
    double rate = options->rate * s->factor;
    if (u < options->warmup)
        rate *= (double)u / options->warmup;
    if (epochs_left < options->cooldown)
        rate *= epochs_left / options->cooldown;
    return rate;
}

bool schedule_validated(struct schedule *s, const struct schedule_options *options, double loss)
{
    if (loss < s->best_loss) {
        s->best_loss = loss;
        s->bad_validations = 0;
        return true;
    }
    s->factor *= options->decay;
    s->bad_validations++;
    return false;
}

bool schedule_is_over(const struct schedule *s, const struct schedule_options *options)
{
    return options->patience > 0 && s->bad_validations >= options->patience;
}
