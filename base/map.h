/*
 * map.h - a hash table from byte strings to 64-bit integers.
 *
 *     struct map *words = map_new();
 *     int64_t *count = map_insert(words, "book", 4, 0);   // NULL: no memory
 *     ++*count;
 *     const int64_t *found = map_find(words, "book", 4);  // NULL if absent
 *     struct map_entry e;
 *     for (size_t at = 0; map_next(words, &at, &e); ) ...  // in order of insertion
 *     map_free(words);
 *
 * Keys are copied. Iteration is in order of insertion, so results that depend
 * on it are deterministic. Pointers to values hold until the next insertion.
 * Reading may be shared between threads; writing may not. Hashing is seeded a
 * process, so that nobody can choose keys that collide.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

struct map_entry {
    const char *key; // borrowed, NUL-terminated
    size_t len;
    int64_t value;
};

struct map *map_new(void);      // NULL: no memory
void map_free(struct map *map); // NULL is fine

size_t map_count(const struct map *map);
int64_t *map_insert(struct map *map, const char *key, size_t len, int64_t value_if_new);
int64_t *map_find(const struct map *map, const char *key, size_t len);
bool map_next(const struct map *map, size_t *at, struct map_entry *entry);

#endif
