/*
 * memory.h - the project's malloc, so that tests can make the n-th one fail.
 *
 * Every allocation of ours goes through these; in a normal build they are the
 * C library's, checked for overflow. Tests link the same functions and arm
 * them: memory_fail_at(3) makes the third allocation from now return NULL.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *memory_alloc(size_t count, size_t element_bytes); // not zeroed; NULL: no memory
void *memory_zeroed(size_t count, size_t element_bytes);
void *memory_resize(void *old, size_t count, size_t element_bytes); // old is kept on NULL
char *memory_copy_text(const char *text);                           // strdup
void memory_free(void *p);                                          // NULL is fine

/* Zeroed pages that cost nothing until they are touched; for arenas. */
void *memory_map_pages(size_t bytes);
void memory_unmap_pages(void *pages, size_t bytes);
/* Of mapped pages that will all be touched: larger ones, if the system has them. */
void memory_prefer_huge_pages(void *pages, size_t bytes);

/* For tests: the nth allocation of any thread from now fails (1 is the next), once; 0 disarms. */
void memory_fail_at(long nth);
bool memory_failed(void); // whether the armed failure has happened
long memory_live(void);   // blocks allocated and not yet freed

#endif
