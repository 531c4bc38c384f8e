/*
 * test_cell.c - the recurrent cells in float, with the kernels of this processor.
 */
#include "tests/model/cell_suite.h"

static const struct test_case cases[] = {
    TEST_LOOP(a_step_equals_a_value_by_hand, KINDS),
    TEST_LOOP(first_values_keep_what_a_state_holds, KINDS),
    TEST_LOOP(a_cell_has_no_tensor_that_it_does_not_use, KINDS),
    TEST_LOOP(a_layer_equals_the_reference, KINDS),
    TEST_LOOP(a_row_has_the_same_bits_alone_and_in_a_batch_of_seven, KINDS),
    TEST_LOOP(a_masked_state_does_not_grow, KINDS),
    TEST_LOOP(a_start_equals_a_state_of_zeros, KINDS),
};
TEST_MAIN("model/layers/cell", cases)
