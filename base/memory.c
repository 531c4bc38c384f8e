/*
 * memory.c - the C library's allocator with a count of live blocks and one fault point.
 */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static atomic_long live_blocks;
static atomic_long until_failure; // 0: disarmed; 1: the next allocation fails
static atomic_bool has_failed;

/* Whether this allocation is the one to fail. Disarmed, it costs one relaxed load. */
static bool fault_is_due(void)
{
    long left = atomic_load_explicit(&until_failure, memory_order_relaxed);
    while (left > 0) {
        if (!atomic_compare_exchange_weak(&until_failure, &left, left - 1))
            continue;
        if (left == 1)
            atomic_store(&has_failed, true);
        return left == 1;
    }
    return false;
}

/* count * element_bytes, at least 1 so that NULL always means "no memory"; 0: it cannot exist. */
static size_t block_bytes(size_t count, size_t element_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, element_bytes, &bytes) || bytes > PTRDIFF_MAX)
        return 0;
    return bytes ? bytes : 1;
}

static void *counted(void *block)
{
    if (block)
        atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
    return block;
}

void *memory_alloc(size_t count, size_t element_bytes)
{
    size_t bytes = block_bytes(count, element_bytes);
    if (bytes == 0 || fault_is_due())
        return NULL;
    return counted(malloc(bytes));
}

void *memory_zeroed(size_t count, size_t element_bytes)
{
    size_t bytes = block_bytes(count, element_bytes);
    if (bytes == 0 || fault_is_due())
        return NULL;
    return counted(calloc(1, bytes));
}

void *memory_resize(void *old, size_t count, size_t element_bytes)
{
    size_t bytes = block_bytes(count, element_bytes);
    if (bytes == 0 || fault_is_due())
        return NULL;
    void *block = realloc(old, bytes);
    return old ? block : counted(block);
}

char *memory_copy_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memory_alloc(bytes, 1);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void memory_free(void *p)
{
    if (p)
        atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
    free(p);
}

void *memory_map_pages(size_t bytes)
{
    if (bytes == 0 || fault_is_due())
        return NULL;
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : counted(pages);
}

void memory_prefer_huge_pages(void *pages, size_t bytes)
{
    madvise(pages, bytes, MADV_HUGEPAGE); // a kernel without them says so, and nothing is lost
}

void memory_unmap_pages(void *pages, size_t bytes)
{
    munmap(pages, bytes);
    atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
}

void memory_fail_at(long nth)
{
    atomic_store(&has_failed, false);
    atomic_store(&until_failure, nth);
}

bool memory_failed(void)
{
    return atomic_load(&has_failed);
}

long memory_live(void)
{
    return atomic_load(&live_blocks);
}
