/*
 * text_map.h - which bytes of a text came from which bytes of another.
 *
 * Private to server/documents. A run of equal length on both sides is byte for
 * byte; any other stands for its other side as a whole. Look-ups are by binary
 * search.
 */
#ifndef SERVER_DOCUMENTS_TEXT_MAP_H
#define SERVER_DOCUMENTS_TEXT_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

struct text_run {
    uint32_t to, to_len;     // in the text that was made
    uint32_t from, from_len; // in the one it was made of
};

struct text_map {
    struct text_run *runs; // (count) in order, without gaps in the text that was made
    int count, capacity;
};

/* Behind all others; false: the arena is full. */
bool text_map_add(struct text_map *map, struct arena *arena, struct text_run run);

/* Where the byte at `at` came from, and where the byte before `at` ended. */
uint32_t text_map_start(const struct text_map *map, uint32_t at);
uint32_t text_map_end(const struct text_map *map, uint32_t at);

#endif
