/*
 * fuzz_file.c - whatever bytes a file has, opening it and reading all it says
 * it has stays inside it.
 *
 * An input that starts with 'R' is a file as it is. Any other is a byte that
 * says how many zeros of tensors there are, and a header, whose length is put
 * in front, so that changing it does not always make that one wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A tensor that was let in is at most four times as large in memory as in the file. */
static void read_all(const struct tensor_file *file)
{
    struct error err;
    for (int i = 0; i < tensor_file_count(file); i++) {
        const struct tensor_info info = tensor_file_info(file, i);
        float *values = memory_alloc((size_t)info.rows * (size_t)info.cols, sizeof *values);
        if (!values)
            abort();
        const enum status status =
            tensor_file_read(file, info.name, info.rows, info.cols, values, &err);
        const bool may_fail = info.dtype == DTYPE_I8 || info.dtype == DTYPE_I32;
        if (status != STATUS_OK && !may_fail) // scales may be lacking; integers are no weights
            abort();
        memory_free(values);
    }
    (void)tensor_file_text(file, "config");
}

static void write_part(int fd, const void *part, size_t len)
{
    if (len && write(fd, part, len) != (ssize_t)len)
        abort();
}

static void write_input(int fd, const uint8_t *data, size_t size)
{
    static const uint8_t zeros[256];
    if (data[0] == 'R') {
        write_part(fd, data + 1, size - 1);
        return;
    }
    const uint64_t len = size - 1;
    write_part(fd, &len, sizeof len);
    write_part(fd, data + 1, size - 1);
    write_part(fd, zeros, data[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct tensor_file *file;
    char path[64];

    const int fd = memfd_create("fuzz", 0);
    if (fd < 0)
        abort();
    if (size > 0)
        write_input(fd, data, size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (tensor_file_open(&file, path, &err) == STATUS_OK)
        read_all(file);
    tensor_file_close(file);
    close(fd);
    return 0;
}
