/*
 * allocations.h - makes the n-th allocation of this thread fail.
 *
 *     allocations_fail_at(3);
 *     ... a call ...
 *     allocations_fail_at(0);
 *
 * The linker sends malloc, realloc and strdup of the program here (--wrap).
 * jansson's own are not among them: 2.14 reads past its buffer when one of
 * those of its lexer fails.
 */
#ifndef TESTS_SERVER_CLIENT_ALLOCATIONS_H
#define TESTS_SERVER_CLIENT_ALLOCATIONS_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static _Thread_local long allocations_left; // 0: none fails

static inline void allocations_fail_at(long nth)
{
    allocations_left = nth;
}

static inline bool allocation_fails(void)
{
    if (allocations_left == 0 || --allocations_left > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return allocation_fails() ? NULL : __real_strdup(text);
}

#endif
