/*
 * test_schedule.c - the learning rate over a training, and when it is over.
 */
#include "model/train/schedule.h"

#include "tests/helpers.h"

static const struct schedule_options options = {
    .rate = 0.01, .warmup = 100, .decay = 0.6, .patience = 3
};

START_TEST(the_rate_rises_linearly_and_stays)
{
    const struct schedule s = schedule_start();
    ck_assert_double_eq_tol(schedule_rate(&s, &options, 1, 9), 0.0001, 1e-12);
    ck_assert_double_eq_tol(schedule_rate(&s, &options, 50, 9), 0.005, 1e-12);
    ck_assert_double_eq_tol(schedule_rate(&s, &options, 100, 9), 0.01, 1e-12);
    ck_assert_double_eq_tol(schedule_rate(&s, &options, 100000, 9), 0.01, 1e-12);
}
END_TEST

START_TEST(without_warm_up_the_first_update_has_the_full_rate)
{
    const struct schedule s = schedule_start();
    const struct schedule_options cold = { .rate = 0.01, .decay = 1 };
    ck_assert_double_eq_tol(schedule_rate(&s, &cold, 1, 9), 0.01, 1e-12);
}
END_TEST

START_TEST(the_rate_falls_to_nothing_over_the_last_epochs)
{
    const struct schedule s = schedule_start();
    const struct schedule_options cooling = { .rate = 0.01, .decay = 1, .cooldown = 4 };
    ck_assert_double_eq_tol(schedule_rate(&s, &cooling, 1, 5), 0.01, 1e-12);
    ck_assert_double_eq_tol(schedule_rate(&s, &cooling, 1, 4), 0.01, 1e-12);
    ck_assert_double_eq_tol(schedule_rate(&s, &cooling, 1, 1), 0.0025, 1e-12);
    ck_assert_double_eq_tol(schedule_rate(&s, &cooling, 1, 0.01), 0.000025, 1e-12);
}
END_TEST

START_TEST(a_validation_that_is_no_better_lowers_the_rate)
{
    struct schedule s = schedule_start();
    ck_assert(schedule_validated(&s, &options, 3));
    ck_assert(schedule_validated(&s, &options, 2));
    ck_assert(!schedule_validated(&s, &options, 2));
    ck_assert_double_eq_tol(schedule_rate(&s, &options, 200, 9), 0.006, 1e-12);
    ck_assert(!schedule_validated(&s, &options, 2.5));
    ck_assert_double_eq_tol(schedule_rate(&s, &options, 200, 9), 0.0036, 1e-12);
    ck_assert_double_eq(s.best_loss, 2);
}
END_TEST

START_TEST(patience_counts_bad_validations_in_a_row)
{
    struct schedule s = schedule_start();
    const double losses[] = { 3, 4, 4, 2.9, 3, 3 };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        schedule_validated(&s, &options, losses[i]);
        ck_assert(!schedule_is_over(&s, &options));
    }
    schedule_validated(&s, &options, NAN);
    ck_assert(schedule_is_over(&s, &options));
}
END_TEST

START_TEST(no_patience_means_never_over)
{
    struct schedule s = schedule_start();
    struct schedule_options endless = options;
    endless.patience = 0;
    for (int i = 0; i < 100; i++)
        schedule_validated(&s, &endless, 1);
    ck_assert(!schedule_is_over(&s, &endless));
}
END_TEST

static const struct test_case cases[] = {
    TEST(the_rate_rises_linearly_and_stays),
    TEST(without_warm_up_the_first_update_has_the_full_rate),
    TEST(the_rate_falls_to_nothing_over_the_last_epochs),
    TEST(a_validation_that_is_no_better_lowers_the_rate),
    TEST(patience_counts_bad_validations_in_a_row),
    TEST(no_patience_means_never_over),
};
TEST_MAIN("model/train/schedule", cases)
