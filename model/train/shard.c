/*
 * shard.c - blocks written one behind the other, the index last, the header over its place at the
 * end.
 */
#include "model/train/shard.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"

#define MAGIC "versopr1"
#define MAGIC_LINKED "versopr2"
#define MAGIC_BYTES 8
#define NUMBERS 6 // of 64 bits in the header
#define MADE_OF_AT (MAGIC_BYTES + NUMBERS * 8)
#define INDEX_DIGEST_AT (MADE_OF_AT + SHA256_BYTES)
#define HEADER_DIGEST_AT (INDEX_DIGEST_AT + SHA256_BYTES)
#define HEADER_BYTES (HEADER_DIGEST_AT + SHA256_BYTES)
#define INDEX_ENTRY_BYTES (8 + 4 + 4 + SHA256_BYTES)
#define LENGTHS_BYTES 4 // of a pair
#define LENGTHS_BYTES_LINKED 6
#define ID_BYTES 4
#define BLOCK_BYTES_MAX (SHARD_BLOCK_PAIRS * LENGTHS_BYTES_LINKED + SHARD_BLOCK_IDS * ID_BYTES)
#define END_OF_SENTENCE 3

_Static_assert(2 * PAIR_LENGTH_MAX + PAIR_LINKS_MAX <= SHARD_BLOCK_IDS,
               "a block must hold any pair");
_Static_assert(PAIR_LENGTH_MAX <= UINT16_MAX && PAIR_LINKS_MAX <= UINT16_MAX,
               "lengths have 16 bits");

/* ---- numbers in bytes ---- */

static void put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static size_t lengths_bytes(bool linked) // of a pair
{
    return linked ? LENGTHS_BYTES_LINKED : LENGTHS_BYTES;
}

static enum status no_memory(const char *path, struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory to work with the pairs of %s", path);
}

/* ---- writing ---- */

struct shard_writer {
    char *path;
    struct file_writer *file;
    struct shard_facts facts;
    struct shard_block *blocks; // (block_count) written
    int block_count, block_capacity;
    bool linked;
    int64_t end;      // of the file, where the next block begins
    uint8_t *lengths; // of the block being filled
    uint8_t *ids;
    int32_t pair_count, id_count;
};

enum status shard_writer_open(struct shard_writer **out, const char *path,
                              const uint8_t made_of[SHA256_BYTES], struct error *err)
{
    static const uint8_t header[HEADER_BYTES];
    *out = NULL;
    struct shard_writer *w = memory_zeroed(1, sizeof *w);
    if (!w)
        return no_memory(path, err);
    memcpy(w->facts.made_of, made_of, SHA256_BYTES);
    w->path = memory_copy_text(path);
    w->lengths = memory_alloc(SHARD_BLOCK_PAIRS, LENGTHS_BYTES_LINKED);
    w->ids = memory_alloc(SHARD_BLOCK_IDS, ID_BYTES);
    enum status status = w->path && w->lengths && w->ids ? file_writer_open(&w->file, path, err)
                                                         : no_memory(path, err);
    if (status == STATUS_OK)
        status = file_writer_add(w->file, header, sizeof header, err);
    if (status != STATUS_OK) {
        shard_writer_close(w);
        return status;
    }
    w->end = HEADER_BYTES;
    *out = w;
    return STATUS_OK;
}

void shard_writer_close(struct shard_writer *w)
{
    if (!w)
        return;
    file_writer_close(w->file);
    memory_free(w->path);
    memory_free(w->lengths);
    memory_free(w->ids);
    memory_free(w->blocks);
    memory_free(w);
}

static enum status grow_index(struct shard_writer *w, struct error *err)
{
    if (w->block_count == SHARD_BLOCKS_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "the corpus has more than %lld pairs: train on a part of it",
                         (long long)w->facts.pairs);
    if (w->block_count < w->block_capacity)
        return STATUS_OK;
    const int capacity = w->block_capacity ? 2 * w->block_capacity : 64;
    struct shard_block *blocks = memory_resize(w->blocks, (size_t)capacity, sizeof *blocks);
    if (!blocks)
        return no_memory(w->path, err);
    w->blocks = blocks;
    w->block_capacity = capacity;
    return STATUS_OK;
}

static bool digest_block(const struct shard_writer *w, uint8_t digest[SHA256_BYTES])
{
    struct sha256 *hash = sha256_new();
    if (!hash)
        return false;
    sha256_add(hash, w->lengths, (size_t)w->pair_count * lengths_bytes(w->linked));
    sha256_add(hash, w->ids, (size_t)w->id_count * ID_BYTES);
    sha256_finish(hash, digest);
    sha256_free(hash);
    return true;
}

static enum status end_block(struct shard_writer *w, struct error *err)
{
    if (w->pair_count == 0)
        return STATUS_OK;
    enum status status = grow_index(w, err);
    if (status != STATUS_OK)
        return status;
    struct shard_block *block = &w->blocks[w->block_count];
    *block = (struct shard_block){ w->end, w->pair_count, w->id_count, { 0 } };
    if (!digest_block(w, block->digest))
        return no_memory(w->path, err);
    const size_t lengths = (size_t)w->pair_count * lengths_bytes(w->linked);
    const size_t ids = (size_t)w->id_count * ID_BYTES;
    status = file_writer_add(w->file, w->lengths, lengths, err);
    if (status == STATUS_OK)
        status = file_writer_add(w->file, w->ids, ids, err);
    w->block_count++;
    w->end += (int64_t)(lengths + ids);
    w->pair_count = w->id_count = 0;
    return status;
}

static void add_sentence(struct shard_writer *w, const int32_t *ids, int len)
{
    for (int i = 0; i <= len; i++)
        put(w->ids + (size_t)w->id_count++ * ID_BYTES,
            (uint32_t)(i < len ? ids[i] : END_OF_SENTENCE), ID_BYTES);
}

enum status shard_writer_add(struct shard_writer *w, const int32_t *source, int source_len,
                             const int32_t *target, int target_len, struct error *err)
{
    enum status status = pair_check(source_len, target_len, err);
    const int32_t ids = source_len + target_len + 2 + (w->linked ? PAIR_LINKS_MAX : 0);
    if (status == STATUS_OK &&
        (w->pair_count == SHARD_BLOCK_PAIRS || w->id_count + ids > SHARD_BLOCK_IDS))
        status = end_block(w, err);
    if (status != STATUS_OK)
        return status;
    uint8_t *lengths = w->lengths + (size_t)w->pair_count++ * lengths_bytes(w->linked);
    put(lengths, (uint64_t)source_len + 1, 2);
    put(lengths + 2, (uint64_t)target_len + 1, 2);
    if (w->linked)
        put(lengths + 4, 0, 2);
    add_sentence(w, source, source_len);
    add_sentence(w, target, target_len);
    w->facts.pairs++;
    w->facts.ids += source_len + target_len + 2;
    w->facts.target_pieces += target_len + 1;
    return STATUS_OK;
}

void shard_writer_expect_links(struct shard_writer *w)
{
    assert(w->facts.pairs == 0);
    w->linked = true;
}

enum status shard_writer_add_links(struct shard_writer *w, const int32_t *links, int count,
                                   struct error *err)
{
    assert(w->linked && w->pair_count > 0);
    if (count > PAIR_LINKS_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "a pair has %d links between its pieces, the limit is %d", count,
                         PAIR_LINKS_MAX);
    put(w->lengths + (size_t)(w->pair_count - 1) * LENGTHS_BYTES_LINKED + 4, (uint64_t)count, 2);
    for (int i = 0; i < count; i++)
        put(w->ids + (size_t)w->id_count++ * ID_BYTES, (uint32_t)links[i], ID_BYTES);
    w->facts.ids += count;
    return STATUS_OK;
}

static enum status write_index(struct shard_writer *w, uint8_t digest[SHA256_BYTES],
                               struct error *err)
{
    enum status status = STATUS_OK;
    struct sha256 *hash = sha256_new();
    if (!hash)
        return no_memory(w->path, err);
    for (int i = 0; i < w->block_count && status == STATUS_OK; i++) {
        const struct shard_block *block = &w->blocks[i];
        uint8_t entry[INDEX_ENTRY_BYTES];
        put(entry, (uint64_t)block->offset, 8);
        put(entry + 8, (uint32_t)block->pairs, 4);
        put(entry + 12, (uint32_t)block->ids, 4);
        memcpy(entry + 16, block->digest, SHA256_BYTES);
        sha256_add(hash, entry, sizeof entry);
        status = file_writer_add(w->file, entry, sizeof entry, err);
    }
    sha256_finish(hash, digest);
    sha256_free(hash);
    return status;
}

static enum status write_header(struct shard_writer *w, const uint8_t digest[SHA256_BYTES],
                                struct error *err)
{
    const struct shard_facts *f = &w->facts;
    const int64_t numbers[NUMBERS] = { f->pairs,       f->ids,       f->target_pieces,
                                       w->block_count, f->bad_lines, f->too_long };
    uint8_t header[HEADER_BYTES];
    memcpy(header, w->linked ? MAGIC_LINKED : MAGIC, MAGIC_BYTES);
    for (int i = 0; i < NUMBERS; i++)
        put(header + MAGIC_BYTES + i * 8, (uint64_t)numbers[i], 8);
    memcpy(header + MADE_OF_AT, f->made_of, SHA256_BYTES);
    memcpy(header + INDEX_DIGEST_AT, digest, SHA256_BYTES);
    if (!sha256_of(header, HEADER_DIGEST_AT, header + HEADER_DIGEST_AT))
        return no_memory(w->path, err);
    return file_writer_patch(w->file, 0, header, sizeof header, err);
}

enum status shard_writer_commit(struct shard_writer *w, int64_t bad_lines, int64_t too_long,
                                struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    w->facts.bad_lines = bad_lines;
    w->facts.too_long = too_long;
    enum status status = end_block(w, err);
    if (status == STATUS_OK)
        status = write_index(w, digest, err);
    if (status == STATUS_OK)
        status = write_header(w, digest, err);
    return status == STATUS_OK ? file_writer_commit(w->file, err) : status;
}

/* ---- reading ---- */

struct shard {
    char *path;
    int fd;
    struct shard_facts facts;
    bool linked;
    uint8_t digest[SHA256_BYTES]; // of the index
    struct shard_block *blocks;   // (block_count)
    int block_count;
    uint8_t *bytes; // (BLOCK_BYTES_MAX) of the block being read
};

static enum status damaged(const struct shard *s, const char *what, struct error *err)
{
    return error_set(err, STATUS_BAD_FILE,
                     "%s: %s: remove the file, and the next training writes it again from the "
                     "corpus",
                     s->path, what);
}

/* All of it, or STATUS_BAD_FILE at the end of the file. */
static enum status read_at(const struct shard *s, int64_t offset, void *out, size_t len,
                           struct error *err)
{
    char *at = out;
    while (len > 0) {
        const ssize_t n = pread(s->fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, STATUS_IO, "cannot read %s: %s", s->path, strerror(errno));
        if (n == 0)
            return damaged(s, "the file is cut short", err);
        at += n;
        offset += n;
        len -= (size_t)n;
    }
    return STATUS_OK;
}

static enum status check_digest(const struct shard *s, const void *bytes, size_t len,
                                const uint8_t wanted[SHA256_BYTES], const char *what,
                                struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    if (!sha256_of(bytes, len, digest))
        return no_memory(s->path, err);
    return memcmp(digest, wanted, SHA256_BYTES) == 0 ? STATUS_OK : damaged(s, what, err);
}

static enum status read_header(struct shard *s, struct error *err)
{
    uint8_t header[HEADER_BYTES];
    int64_t numbers[NUMBERS];
    enum status status = read_at(s, 0, header, sizeof header, err);
    s->linked = status == STATUS_OK && memcmp(header, MAGIC_LINKED, MAGIC_BYTES) == 0;
    if (status == STATUS_OK && !s->linked && memcmp(header, MAGIC, MAGIC_BYTES) != 0)
        status = damaged(s, "it is no file of training pairs", err);
    if (status == STATUS_OK)
        status = check_digest(s, header, HEADER_DIGEST_AT, header + HEADER_DIGEST_AT,
                              "its header is damaged", err);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < NUMBERS; i++)
        numbers[i] = (int64_t)get(header + MAGIC_BYTES + i * 8, 8);
    s->facts = (struct shard_facts){ .pairs = numbers[0],
                                     .ids = numbers[1],
                                     .target_pieces = numbers[2],
                                     .bad_lines = numbers[4],
                                     .too_long = numbers[5] };
    memcpy(s->facts.made_of, header + MADE_OF_AT, SHA256_BYTES);
    memcpy(s->digest, header + INDEX_DIGEST_AT, SHA256_BYTES);
    if (numbers[3] < 0 || numbers[3] > SHARD_BLOCKS_MAX)
        return damaged(s, "it has too many blocks", err);
    s->block_count = (int)numbers[3];
    return STATUS_OK;
}

static int64_t block_bytes(const struct shard *s, const struct shard_block *block)
{
    return (int64_t)block->pairs * (int64_t)lengths_bytes(s->linked) +
           (int64_t)block->ids * ID_BYTES;
}

/* Blocks within bounds, one behind the other, and the index at the end of the file. */
static enum status check_index(const struct shard *s, int64_t index_at, struct error *err)
{
    int64_t pairs = 0, ids = 0, end = HEADER_BYTES;
    for (int i = 0; i < s->block_count; i++) {
        const struct shard_block *block = &s->blocks[i];
        if (block->pairs < 1 || block->pairs > SHARD_BLOCK_PAIRS || block->ids < 2 ||
            block->ids > SHARD_BLOCK_IDS || block->offset != end)
            return damaged(s, "its index is damaged", err);
        pairs += block->pairs;
        ids += block->ids;
        end += block_bytes(s, block);
    }
    if (end != index_at || pairs != s->facts.pairs || ids != s->facts.ids)
        return damaged(s, "its index is damaged", err);
    return STATUS_OK;
}

static enum status read_index(struct shard *s, struct error *err)
{
    struct stat info;
    const size_t count = (size_t)s->block_count, len = count * INDEX_ENTRY_BYTES;
    if (fstat(s->fd, &info) != 0 || info.st_size < (off_t)(HEADER_BYTES + len))
        return damaged(s, "the file is cut short", err);
    const int64_t at = (int64_t)info.st_size - (int64_t)len;
    s->blocks = memory_alloc(count + 1, sizeof *s->blocks);
    uint8_t *entries = memory_alloc(len + 1, 1);
    enum status status =
        s->blocks && entries ? read_at(s, at, entries, len, err) : no_memory(s->path, err);
    if (status == STATUS_OK)
        status = check_digest(s, entries, len, s->digest, "its index is damaged", err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const uint8_t *entry = entries + i * INDEX_ENTRY_BYTES;
        s->blocks[i] = (struct shard_block){ .offset = (int64_t)get(entry, 8),
                                             .pairs = (int32_t)get(entry + 8, 4),
                                             .ids = (int32_t)get(entry + 12, 4) };
        memcpy(s->blocks[i].digest, entry + 16, SHA256_BYTES);
    }
    memory_free(entries);
    return status == STATUS_OK ? check_index(s, at, err) : status;
}

enum status shard_open(struct shard **out, const char *path, struct error *err)
{
    *out = NULL;
    struct shard *s = memory_zeroed(1, sizeof *s);
    if (!s)
        return no_memory(path, err);
    s->path = memory_copy_text(path);
    s->bytes = memory_alloc(BLOCK_BYTES_MAX, 1);
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    enum status status = STATUS_OK;
    if (!s->path || !s->bytes)
        status = no_memory(path, err);
    else if (s->fd < 0)
        status = error_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                           "cannot open %s: %s", path, strerror(errno));
    if (status == STATUS_OK)
        status = read_header(s, err);
    if (status == STATUS_OK)
        status = read_index(s, err);
    if (status != STATUS_OK) {
        shard_close(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

void shard_close(struct shard *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    memory_free(s->path);
    memory_free(s->bytes);
    memory_free(s->blocks);
    memory_free(s);
}

const struct shard_facts *shard_facts(const struct shard *s)
{
    return &s->facts;
}

void shard_digest(const struct shard *s, char hex[SHA256_HEX_BYTES])
{
    sha256_to_hex(s->digest, hex);
}

int shard_block_count(const struct shard *s)
{
    return s->block_count;
}

const struct shard_block *shard_block(const struct shard *s, int i)
{
    return &s->blocks[i];
}

static int links_of(const struct shard *s, const uint8_t *lengths)
{
    return s->linked ? (int)get(lengths + 4, 2) : 0;
}

static bool lengths_add_up(const struct shard *s, const struct shard_block *block,
                           const uint8_t *lengths)
{
    int64_t ids = 0;
    for (int32_t k = 0; k < block->pairs; k++, lengths += lengths_bytes(s->linked)) {
        const uint64_t source = get(lengths, 2), target = get(lengths + 2, 2);
        if (source == 0 || target == 0)
            return false;
        ids += (int64_t)(source + target) + links_of(s, lengths);
    }
    return ids == block->ids;
}

enum status shard_read(struct shard *s, int i, struct pairs *pairs, struct error *err)
{
    const struct shard_block *block = &s->blocks[i];
    const uint8_t *lengths = s->bytes;
    const uint8_t *ids = s->bytes + (size_t)block->pairs * lengths_bytes(s->linked);
    const size_t len = (size_t)block_bytes(s, block);
    enum status status = read_at(s, block->offset, s->bytes, len, err);
    if (status == STATUS_OK)
        status = check_digest(s, s->bytes, len, block->digest, "a block of pairs is damaged", err);
    if (status == STATUS_OK && !lengths_add_up(s, block, lengths))
        status = damaged(s, "a block of pairs is damaged", err);
    if (status == STATUS_OK)
        status = pairs_reserve(pairs, block->pairs, (size_t)block->ids, err);
    if (status != STATUS_OK)
        return status;
    int32_t *at = pairs->ids + pairs->id_count;
    for (int32_t k = 0; k < block->ids; k++)
        at[k] = (int32_t)get(ids + (size_t)k * ID_BYTES, ID_BYTES);
    for (int32_t k = 0; k < block->pairs; k++, lengths += lengths_bytes(s->linked)) {
        pairs_place(pairs, (int)get(lengths, 2), (int)get(lengths + 2, 2));
        pairs_place_links(pairs, links_of(s, lengths));
    }
    return STATUS_OK;
}
