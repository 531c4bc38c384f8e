/*
 * piece_stream.c - ids appended to a file, then mapped.
 */
#include "model/train/piece_stream.h"

#include <assert.h>
#include <unistd.h>

#include "base/files.h"
#include "base/memory.h"

struct piece_stream {
    char *path;
    struct file_writer *writer; // until it is finished
    struct sha256 *hash;
    struct file_map map;
    int64_t count;
    char digest[SHA256_HEX_BYTES];
};

enum status piece_stream_open(struct piece_stream **out, const char *path, struct error *err)
{
    *out = NULL;
    enum status status = STATUS_OK;
    struct piece_stream *s = memory_zeroed(1, sizeof *s);
    if (s) {
        s->path = memory_copy_text(path);
        s->hash = sha256_new();
    }
    if (!s || !s->path || !s->hash)
        status = error_set(err, STATUS_NO_MEMORY, "no memory for a stream of pieces");
    if (status == STATUS_OK)
        status = file_writer_open(&s->writer, path, err);
    if (status != STATUS_OK) {
        piece_stream_close(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

void piece_stream_close(struct piece_stream *s)
{
    if (!s)
        return;
    file_writer_close(s->writer);
    file_map_close(&s->map);
    sha256_free(s->hash);
    memory_free(s->path);
    memory_free(s);
}

enum status piece_stream_add(struct piece_stream *s, const int32_t *ids, int count,
                             struct error *err)
{
    assert(s->writer);
    s->count += count;
    sha256_add(s->hash, ids, (size_t)count * sizeof *ids);
    return file_writer_add(s->writer, ids, (size_t)count * sizeof *ids, err);
}

enum status piece_stream_finish(struct piece_stream *s, struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    enum status status = file_writer_commit(s->writer, err);
    if (status != STATUS_OK)
        return status;
    status = file_map_open(&s->map, s->path, err);
    unlink(s->path);
    sha256_finish(s->hash, digest);
    sha256_to_hex(digest, s->digest);
    file_writer_close(s->writer);
    s->writer = NULL;
    return status;
}

int64_t piece_stream_count(const struct piece_stream *s)
{
    return s->count;
}

const int32_t *piece_stream_ids(const struct piece_stream *s)
{
    return (const int32_t *)(const void *)s->map.data;
}

const char *piece_stream_digest(const struct piece_stream *s)
{
    return s->digest;
}
