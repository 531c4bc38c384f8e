/*
 * guard.h - bytes whose end touches a page that cannot be read, so that
 * reading one byte too far crashes.
 *
 *     struct guard guard;
 *     guard_init(&guard, 65536);
 *     parse(guard_copy(&guard, bytes, len), len);        // valid until the next copy
 *     guard_release(&guard);
 */
#ifndef TESTS_SERVER_PROTOCOL_GUARD_H
#define TESTS_SERVER_PROTOCOL_GUARD_H

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    char *memory;
    size_t size; // of the readable part
    size_t page;
};

static inline void guard_init(struct guard *guard, size_t most)
{
    guard->page = (size_t)sysconf(_SC_PAGESIZE);
    guard->size = (most + guard->page - 1) / guard->page * guard->page;
    guard->memory = mmap(NULL, guard->size + guard->page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(guard->memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(guard->memory + guard->size, guard->page, PROT_NONE), 0);
}

static inline void guard_release(struct guard *guard)
{
    munmap(guard->memory, guard->size + guard->page);
}

static inline const char *guard_copy(struct guard *guard, const char *bytes, size_t len)
{
    ck_assert_uint_le(len, guard->size);
    char *at = guard->memory + guard->size - len;
    memcpy(at, bytes, len);
    return at;
}

#endif
