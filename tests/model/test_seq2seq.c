/*
 * test_seq2seq.c - the model in float, with the kernels of this processor.
 */
#include "tests/model/model_suite.h"

static const struct test_case cases[] = {
    TEST(attention_equals_the_reference),
    TEST(equal_keys_share_the_weight),
    TEST_LOOP(cross_entropy_equals_the_reference, 2),
    TEST(whole_model_equals_the_reference),
    TEST(memory_equals_the_reference),
    TEST(single_steps_equal_the_reference),
    TEST_LOOP(padding_changes_nothing, SYSTEM_COUNT),
    TEST_LOOP(padding_is_never_read, SYSTEM_COUNT),
    TEST_LOOP(single_steps_equal_the_whole, SYSTEM_COUNT),
    TEST_LOOP(a_folded_step_equals_the_readable_one, SYSTEM_COUNT),
    TEST_LOOP(rows_of_one_parent_are_as_if_each_had_its_own, SYSTEM_COUNT),
    TEST_LOOP(a_trace_has_every_distance, SYSTEM_COUNT),
    TEST(dropout_keeps_the_mean),
};
TEST_MAIN("model/seq2seq", cases)
