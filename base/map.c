/*
 * map.c - open addressing over a table of small slots; the entries themselves
 * lie in order of insertion, their keys in blocks that only grow.
 *
 *     slots    (power of two)   [hash | entry + 1] ...      probed linearly, at most half full
 *     entries                   {key, len, value} {key, len, value} ...
 *     blocks                    "book\0" "house\0" ...      linked, newest first
 *
 * Nothing is ever removed, so there are no tombstones. The hash is SipHash-1-3
 * (Aumasson & Bernstein 2012) with a key drawn once a process.
 */
#include "base/map.h"

#include <pthread.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"

#define FIRST_SLOTS 16
#define ENTRIES_MAX ((size_t)1 << 31) // a slot has 32 bits of hash to tell them apart by
#define FIRST_BLOCK_BYTES ((size_t)1 << 10)
#define BLOCK_BYTES_MAX ((size_t)1 << 20)

struct slot {
    uint32_t hash;
    uint32_t entry; // index + 1; 0: empty
};

struct block {
    struct block *older;
    size_t used, size;
    char bytes[];
};

struct map {
    struct slot *slots;
    size_t slot_count; // a power of two
    struct map_entry *entries;
    size_t count, capacity;
    struct block *newest;
};

static uint64_t process_key[2];

static void draw_process_key(void)
{
    if (random_bytes(process_key, sizeof process_key))
        return;
    process_key[0] = (uint64_t)clock_now_ns();
    process_key[1] = (uint64_t)(uintptr_t)&process_key ^ (uint64_t)clock_wall_ms();
}

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] = rotate_left(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* Words are read in the byte order of the machine: a hash never leaves the process. */
static uint32_t hash_of(const char *key, size_t len)
{
    uint64_t v[4] = { process_key[0] ^ 0x736F6D6570736575u, process_key[1] ^ 0x646F72616E646F6Du,
                      process_key[0] ^ 0x6C7967656E657261u, process_key[1] ^ 0x7465646279746573u };
    uint64_t word, last = (uint64_t)len << 56;
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        memcpy(&word, key + at, 8);
        sip_word(v, word);
    }
    for (int shift = 0; at < len; at++, shift += 8)
        last |= (uint64_t)(unsigned char)key[at] << shift;
    sip_word(v, last);
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

/* The slot that holds the key, or the empty one where it belongs. */
static struct slot *slot_of(const struct map *map, const char *key, size_t len, uint32_t hash)
{
    for (size_t i = hash & (map->slot_count - 1);; i = (i + 1) & (map->slot_count - 1)) {
        struct slot *slot = &map->slots[i];
        if (slot->entry == 0)
            return slot;
        if (slot->hash != hash)
            continue;
        const struct map_entry *entry = &map->entries[slot->entry - 1];
        if (entry->len == len && memcmp(entry->key, key, len) == 0)
            return slot;
    }
}

static bool slots_grow(struct map *map)
{
    size_t wanted = map->slot_count * 2;
    struct slot *slots = memory_zeroed(wanted, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < map->slot_count; i++) {
        if (map->slots[i].entry == 0)
            continue;
        size_t to = map->slots[i].hash & (wanted - 1);
        while (slots[to].entry != 0)
            to = (to + 1) & (wanted - 1);
        slots[to] = map->slots[i];
    }
    memory_free(map->slots);
    map->slots = slots;
    map->slot_count = wanted;
    return true;
}

static bool entries_grow(struct map *map)
{
    size_t wanted = map->capacity ? map->capacity * 2 : FIRST_SLOTS / 2;
    struct map_entry *entries = memory_resize(map->entries, wanted, sizeof *entries);
    if (!entries)
        return false;
    map->entries = entries;
    map->capacity = wanted;
    return true;
}

/* Each block is as large as all before it together, up to BLOCK_BYTES_MAX; a longer key gets a
 * block of its own size. */
static bool block_add(struct map *map, size_t bytes)
{
    size_t size = map->newest ? map->newest->size * 2 : FIRST_BLOCK_BYTES;
    if (size > BLOCK_BYTES_MAX)
        size = BLOCK_BYTES_MAX;
    if (size < bytes)
        size = bytes;
    struct block *block = memory_alloc(sizeof *block + size, 1);
    if (!block)
        return false;
    *block = (struct block){ .older = map->newest, .size = size };
    map->newest = block;
    return true;
}

static const char *key_copy(struct map *map, const char *key, size_t len)
{
    struct block *block = map->newest;
    if (!block || block->size - block->used <= len) {
        if (!block_add(map, len + 1))
            return NULL;
        block = map->newest;
    }
    char *copy = block->bytes + block->used;
    if (len)
        memcpy(copy, key, len);
    copy[len] = '\0';
    block->used += len + 1;
    return copy;
}

struct map *map_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, draw_process_key);
    struct map *map = memory_zeroed(1, sizeof *map);
    if (!map)
        return NULL;
    map->slot_count = FIRST_SLOTS;
    map->slots = memory_zeroed(map->slot_count, sizeof *map->slots);
    if (map->slots)
        return map;
    map_free(map);
    return NULL;
}

void map_free(struct map *map)
{
    if (!map)
        return;
    while (map->newest) {
        struct block *older = map->newest->older;
        memory_free(map->newest);
        map->newest = older;
    }
    memory_free(map->entries);
    memory_free(map->slots);
    memory_free(map);
}

size_t map_count(const struct map *map)
{
    return map->count;
}

int64_t *map_insert(struct map *map, const char *key, size_t len, int64_t value_if_new)
{
    uint32_t hash = hash_of(key, len);
    struct slot *slot = slot_of(map, key, len, hash);
    if (slot->entry != 0)
        return &map->entries[slot->entry - 1].value;

    if (map->count == ENTRIES_MAX || len > PTRDIFF_MAX - sizeof(struct block) - 1)
        return NULL;
    if (map->count == map->capacity && !entries_grow(map))
        return NULL;
    if (map->count >= map->slot_count / 2) {
        if (!slots_grow(map))
            return NULL;
        slot = slot_of(map, key, len, hash);
    }
    const char *copy = key_copy(map, key, len);
    if (!copy)
        return NULL;

    struct map_entry *entry = &map->entries[map->count++];
    *entry = (struct map_entry){ .key = copy, .len = len, .value = value_if_new };
    *slot = (struct slot){ .hash = hash, .entry = (uint32_t)map->count };
    return &entry->value;
}

int64_t *map_find(const struct map *map, const char *key, size_t len)
{
    const struct slot *slot = slot_of(map, key, len, hash_of(key, len));
    return slot->entry ? &map->entries[slot->entry - 1].value : NULL;
}

bool map_next(const struct map *map, size_t *at, struct map_entry *entry)
{
    if (*at >= map->count)
        return false;
    *entry = map->entries[(*at)++];
    return true;
}
