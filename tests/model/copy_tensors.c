/*
 * copy_tensors.c - a program for the Python test of our files: read every tensor, write it in
 * another dtype, integers as they are, with the text "note".
 *
 *     copy_tensors IN OUT F32|F16|BF16|I8
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/file.h"

static void check(enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "copy_tensors: %s\n", err->text);
    exit(1);
}

static enum dtype parse_dtype(const char *text)
{
    static const char *const names[] = { "F32", "F16", "BF16", "I8" };
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum dtype)i;
    fprintf(stderr, "copy_tensors: no such dtype: %s\n", text);
    exit(2);
}

int main(int argc, char **argv)
{
    struct error err;
    struct tensor_file *in;
    struct tensor_writer *out;
    float *values[FILE_TENSORS_MAX];

    if (argc != 4) {
        fputs("usage: copy_tensors IN OUT F32|F16|BF16|I8\n", stderr);
        return 2;
    }
    const enum dtype dtype = parse_dtype(argv[3]);
    check(tensor_file_open(&in, argv[1], &err), &err);
    check(tensor_writer_new(&out, &err), &err);
    const char *note = tensor_file_text(in, "note");
    if (note)
        check(tensor_writer_text(out, "note", note, &err), &err);
    const int count = tensor_file_count(in);
    for (int i = 0; i < count; i++) {
        const struct tensor_info t = tensor_file_info(in, i);
        values[i] = NULL;
        if (t.dtype == DTYPE_I32) {
            check(tensor_writer_bytes(out, t.name, t.rows, t.cols, t.dtype,
                                      tensor_file_bytes(in, i), &err),
                  &err);
            continue;
        }
        values[i] = memory_alloc((size_t)t.rows * (size_t)t.cols, sizeof(float));
        if (!values[i])
            abort();
        check(tensor_file_read(in, t.name, t.rows, t.cols, values[i], &err), &err);
        check(tensor_writer_tensor(out, t.name, t.rows, t.cols, dtype, values[i], &err), &err);
    }
    check(tensor_writer_commit(out, argv[2], &err), &err);
    for (int i = 0; i < count; i++)
        memory_free(values[i]);
    tensor_writer_free(out);
    tensor_file_close(in);
    return 0;
}
