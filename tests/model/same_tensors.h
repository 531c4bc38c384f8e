/*
 * same_tensors.h - whether two tensor files, models or checkpoints, hold the same to the last bit.
 */
#ifndef TESTS_MODEL_SAME_TENSORS_H
#define TESTS_MODEL_SAME_TENSORS_H

#include "model/file.h"
#include "tests/helpers.h"

static inline void assert_same_tensors(const char *path_a, const char *path_b)
{
    static const size_t sizes[] = {
        [DTYPE_F32] = 4, [DTYPE_F16] = 2, [DTYPE_BF16] = 2, [DTYPE_I8] = 1, [DTYPE_I32] = 4
    };
    struct tensor_file *a, *b;
    struct error err;
    assert_ok(tensor_file_open(&a, path_a, &err), err);
    assert_ok(tensor_file_open(&b, path_b, &err), err);
    ck_assert_int_eq(tensor_file_count(a), tensor_file_count(b));
    for (int i = 0; i < tensor_file_count(a); i++) {
        const struct tensor_info x = tensor_file_info(a, i), y = tensor_file_info(b, i);
        const size_t bytes = (size_t)x.rows * (size_t)x.cols * sizes[x.dtype];
        ck_assert_str_eq(x.name, y.name);
        ck_assert(x.dtype == y.dtype && x.rows == y.rows && x.cols == y.cols);
        ck_assert_msg(memcmp(tensor_file_bytes(a, i), tensor_file_bytes(b, i), bytes) == 0,
                      "%s differs", x.name);
    }
    tensor_file_close(a);
    tensor_file_close(b);
}

#endif
