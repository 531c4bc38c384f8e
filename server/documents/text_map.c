/*
 * text_map.c - runs of bytes that belong together.
 */
#include "server/documents/text_map.h"

#include "server/documents/grow.h"

static bool is_byte_for_byte(const struct text_run *run)
{
    return run->to_len == run->from_len;
}

static bool continues(const struct text_run *last, const struct text_run *run)
{
    return is_byte_for_byte(last) && is_byte_for_byte(run) &&
           last->from + last->from_len == run->from;
}

bool text_map_add(struct text_map *map, struct arena *arena, struct text_run run)
{
    struct text_run *last = map->count ? &map->runs[map->count - 1] : NULL;
    if (last && continues(last, &run)) {
        last->to_len += run.to_len;
        last->from_len += run.from_len;
        return true;
    }
    if (!GROW(arena, map->runs, map->count, map->capacity))
        return false;
    map->runs[map->count++] = run;
    return true;
}

/* The run that has byte `at`; the last one for what is behind it. */
static const struct text_run *run_of(const struct text_map *map, uint32_t at)
{
    int low = 0, high = map->count - 1;
    while (low < high) {
        const int middle = low + (high - low + 1) / 2;
        if (map->runs[middle].to <= at)
            low = middle;
        else
            high = middle - 1;
    }
    return &map->runs[low];
}

uint32_t text_map_start(const struct text_map *map, uint32_t at)
{
    if (map->count == 0)
        return 0;
    const struct text_run *run = run_of(map, at);
    if (at >= run->to + run->to_len)
        return run->from + run->from_len;
    return is_byte_for_byte(run) ? run->from + (at - run->to) : run->from;
}

uint32_t text_map_end(const struct text_map *map, uint32_t at)
{
    if (map->count == 0 || at == 0)
        return 0;
    const struct text_run *run = run_of(map, at - 1);
    const uint32_t inside = at - run->to < run->to_len ? at - run->to : run->to_len;
    return is_byte_for_byte(run) ? run->from + inside : run->from + run->from_len;
}
