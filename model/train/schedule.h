/*
 * schedule.h - the learning rate, and when training has had enough.
 *
 *     rate(u) = rate · factor · min(1, u / warmup) · min(1, epochs left / cooldown)
 *
 * factor starts at 1 and is multiplied by `decay` after each validation whose
 * loss is not the best so far; after `patience` of these in a row training is
 * over. Open struct: a checkpoint stores it as it is.
 */
#ifndef MODEL_TRAIN_SCHEDULE_H
#define MODEL_TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule_options {
    double rate;
    int warmup;      // updates; 0: none
    double decay;    // 0 < decay <= 1
    int patience;    // validations; 0: never over
    double cooldown; // epochs at the end over which the rate falls to 0; 0: none
};

struct schedule {
    double factor;
    double best_loss;    // of a validation; infinite before the first
    int bad_validations; // in a row
};

struct schedule schedule_start(void);

/* Of update u, counted from 1, when `epochs_left` epochs are to come, this update included. */
double schedule_rate(const struct schedule *s, const struct schedule_options *options, int64_t u,
                     double epochs_left);

/* Tell the loss of a validation (NaN is the worst); true: the best so far. */
bool schedule_validated(struct schedule *s, const struct schedule_options *options, double loss);

bool schedule_is_over(const struct schedule *s, const struct schedule_options *options);

#endif
