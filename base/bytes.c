/*
 * bytes.c - a growing byte string: doubles as it fills, never beyond its maximum.
 */
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/memory.h"

#define FIRST_BYTES 64
#define READ_BYTES ((size_t)64 << 10)

void bytes_init(struct bytes *b, size_t max)
{
    *b = (struct bytes){ .max = max };
}

void bytes_release(struct bytes *b)
{
    memory_free(b->data);
    bytes_init(b, b->max);
}

void bytes_reset(struct bytes *b)
{
    b->len = 0;
    b->failed = b->out_of_memory = false;
    if (b->data)
        b->data[0] = '\0';
}

/* The next capacity that holds `wanted` bytes and a NUL: doubled, but not past the maximum. */
static size_t grown_capacity(const struct bytes *b, size_t wanted)
{
    size_t capacity = b->capacity < FIRST_BYTES ? FIRST_BYTES : b->capacity;
    while (capacity <= wanted && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity > b->max)
        capacity = b->max < SIZE_MAX ? b->max + 1 : SIZE_MAX;
    return capacity;
}

bool bytes_reserve(struct bytes *b, size_t more)
{
    if (more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (b->data && b->len + more < b->capacity)
        return true;
    size_t capacity = grown_capacity(b, b->len + more);
    char *data = memory_resize(b->data, capacity, 1);
    if (!data) {
        b->failed = b->out_of_memory = true;
        return false;
    }
    data[b->len] = '\0';
    b->data = data;
    b->capacity = capacity;
    return true;
}

bool bytes_append(struct bytes *b, const char *data, size_t len)
{
    if (!bytes_reserve(b, len))
        return false;
    if (len)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}

bool bytes_append_text(struct bytes *b, const char *text)
{
    return bytes_append(b, text, strlen(text));
}

bool bytes_append_char(struct bytes *b, char c)
{
    return bytes_append(b, &c, 1);
}

bool bytes_printf(struct bytes *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0 || !bytes_reserve(b, (size_t)len)) {
        b->failed = true;
        return false;
    }
    va_start(args, fmt);
    vsnprintf(b->data + b->len, (size_t)len + 1, fmt, args);
    va_end(args);
    b->len += (size_t)len;
    return true;
}

enum status bytes_check(const struct bytes *b, const char *what, struct error *err)
{
    if (!b->failed)
        return STATUS_OK;
    if (b->out_of_memory)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for %s", what);
    return error_set(err, STATUS_TOO_LARGE, "%s would be longer than the limit of %zu bytes", what,
                     b->max);
}

/* One read(2) into the room behind len; *got is 0 at the end of the file. */
static enum status read_some(struct bytes *b, int fd, const char *path, size_t *got,
                             struct error *err)
{
    size_t room = b->capacity - b->len - 1;
    ssize_t n;
    do
        n = read(fd, b->data + b->len, room < READ_BYTES ? room : READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    *got = (size_t)n;
    b->len += *got;
    return STATUS_OK;
}

/* Whether a descriptor that filled b to its maximum has nothing more to give. */
static enum status expect_end(const struct bytes *b, int fd, const char *path, struct error *err)
{
    char extra;
    ssize_t n;
    do
        n = read(fd, &extra, 1);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_set(err, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    if (n > 0)
        return error_set(err, STATUS_TOO_LARGE, "%s is longer than the limit of %zu bytes", path,
                         b->max);
    return STATUS_OK;
}

static enum status read_all(struct bytes *b, int fd, const char *path, struct error *err)
{
    size_t got = 1;
    while (got > 0) {
        if (b->len == b->max)
            return expect_end(b, fd, path, err);
        size_t left = b->max - b->len;
        if (!bytes_reserve(b, left < READ_BYTES ? left : READ_BYTES))
            return bytes_check(b, path, err);
        enum status status = read_some(b, fd, path, &got, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status bytes_read_file(struct bytes *b, const char *path, struct error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    size_t len_before = b->len;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "cannot open %s: %s",
                         path, strerror(errno));
    enum status status = read_all(b, fd, is_stdin ? "standard input" : path, err);
    if (status != STATUS_OK)
        b->len = len_before;
    if (b->data)
        b->data[b->len] = '\0';
    if (!is_stdin)
        close(fd);
    return status;
}
