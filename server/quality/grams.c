/*
 * grams.c - counts of n-grams in an open-addressed table.
 *
 * Clearing costs as much as was counted, not as much as the table has grown to.
 */
#include <string.h>
#include "base/memory.h"
#include "server/quality/units.h"

#define HASH_START 2166136261u // FNV-1a
#define HASH_FACTOR 16777619u

void grams_init(struct grams *g)
{
    *g = (struct grams){ 0 };
    bytes_init(&g->text, GRAMS_BYTES_MAX);
}

void grams_release(struct grams *g)
{
    bytes_release(&g->text);
    memory_free(g->entries);
    memory_free(g->slots);
    *g = (struct grams){ 0 };
}

/* The slot that holds the gram, or the free one where it belongs. */
static int32_t *slot_of(const struct grams *g, const struct gram *gram)
{
    uint32_t mask = (uint32_t)g->slot_count - 1;
    for (uint32_t at = gram->hash & mask;; at = (at + 1) & mask) {
        int32_t *slot = &g->slots[at];
        if (*slot < 0)
            return slot;
        const struct gram *entry = &g->entries[*slot];
        if (entry->hash == gram->hash && entry->len == gram->len && entry->order == gram->order &&
            memcmp(g->text.data + entry->from, g->text.data + gram->from, gram->len) == 0)
            return slot;
    }
}

void grams_clear(struct grams *g)
{
    if (g->count < g->slot_count / 16) {
        /* Last come, first gone: each one's way from its hash is then as it was when it came. */
        for (int i = g->count - 1; i >= 0; i--)
            *slot_of(g, &g->entries[i]) = -1;
    } else if (g->slot_count) {
        memset(g->slots, 0xFF, (size_t)g->slot_count * sizeof *g->slots);
    }
    g->count = 0;
    bytes_reset(&g->text);
}

/* Entries may fill half of the slots. */
static bool grow(struct grams *g)
{
    int capacity = g->capacity ? 2 * g->capacity : 256;
    struct gram *entries = memory_resize(g->entries, (size_t)capacity, sizeof *entries);
    if (!entries)
        return false;
    g->entries = entries;
    int32_t *slots = memory_alloc((size_t)capacity, 2 * sizeof *slots);
    if (!slots)
        return false;
    memory_free(g->slots);
    g->slots = slots;
    g->capacity = capacity;
    g->slot_count = 2 * capacity;
    memset(slots, 0xFF, (size_t)g->slot_count * sizeof *slots);
    for (int i = 0; i < g->count; i++)
        *slot_of(g, &g->entries[i]) = i;
    return true;
}

/* The entry of this gram, new or not; -1: no memory. */
static int32_t entry_of(struct grams *g, const struct gram *gram)
{
    if (g->count == g->capacity && !grow(g))
        return -1;
    int32_t *slot = slot_of(g, gram);
    if (*slot < 0) {
        *slot = g->count;
        g->entries[g->count++] = *gram;
    }
    return *slot;
}

static uint32_t hash_on(uint32_t hash, const char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * HASH_FACTOR;
    return hash;
}

/* The n-grams of 1..orders units that start at unit i; their hashes build on each other. */
static bool count_from(struct grams *g, const struct units *u, int i, uint32_t base, int orders,
                       int first_order, int column)
{
    struct gram gram = { .from = base + u->starts[i], .hash = HASH_START };
    for (int n = 1; n <= orders && i + n <= u->count; n++) {
        uint32_t len = u->starts[i + n] - u->gap - u->starts[i];
        gram.hash = hash_on(gram.hash, g->text.data + gram.from + gram.len, len - gram.len);
        gram.len = len;
        gram.order = first_order + n - 1;
        int32_t entry = entry_of(g, &gram);
        if (entry < 0)
            return false;
        g->entries[entry].counts[column]++;
    }
    return true;
}

bool grams_count(struct grams *g, const struct units *u, int orders, int first_order, int column)
{
    uint32_t base = (uint32_t)g->text.len;
    if (u->count > 0 && !bytes_append(&g->text, u->text.data, u->text.len))
        return false;
    for (int i = 0; i < u->count; i++)
        if (!count_from(g, u, i, base, orders, first_order, column))
            return false;
    return true;
}

bool grams_number(struct grams *g, const struct units *u, int32_t *ids)
{
    uint32_t base = (uint32_t)g->text.len;
    if (u->count > 0 && !bytes_append(&g->text, u->text.data, u->text.len))
        return false;
    for (int i = 0; i < u->count; i++) {
        uint32_t len = u->starts[i + 1] - u->gap - u->starts[i];
        struct gram gram = { .from = base + u->starts[i], .len = len };
        gram.hash = hash_on(HASH_START, g->text.data + gram.from, len);
        ids[i] = entry_of(g, &gram);
        if (ids[i] < 0)
            return false;
    }
    return true;
}
