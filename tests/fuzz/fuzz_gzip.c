/*
 * fuzz_gzip.c - any file is lines or a refusal, and a plain one gives all its bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/gzip.h"

static void require(bool claim)
{
    if (!claim)
        abort();
}

/* Bytes in lines, with one for the end of each. */
static size_t read_through(const char *path, enum status *status)
{
    struct line_reader *in;
    struct line line;
    struct error err;
    size_t bytes = 0;
    long number = 0;
    *status = line_reader_open(&in, path, &err);
    if (*status != STATUS_OK)
        return 0;
    while ((*status = line_reader_next(in, &line, &err)) == STATUS_OK && line.text) {
        require(line.text[line.len] == '\0' && !memchr(line.text, '\n', line.len));
        require(line.number == ++number && line_reader_progress(in) <= 1);
        bytes += line.len + 1;
    }
    line_reader_close(in);
    return bytes;
}

/* What read_through must find in a plain file whose lines are short enough. */
static size_t plain_bytes(const uint8_t *data, size_t size)
{
    size_t bytes = size;
    for (size_t i = 1; i < size; i++)
        bytes -= data[i - 1] == '\r' && data[i] == '\n';
    return bytes + (size > 0 && data[size - 1] != '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    enum status status;
    int fd = memfd_create("lines", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    size_t bytes = read_through(path, &status);
    if (size >= 2 && data[0] == 0x1F && data[1] == 0x8B)
        require(status == STATUS_OK || status == STATUS_BAD_FILE || status == STATUS_TOO_LARGE);
    else if (size <= LINE_BYTES_MAX)
        require(status == STATUS_OK && bytes == plain_bytes(data, size));
    close(fd);
    return 0;
}
