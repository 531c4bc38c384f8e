/*
 * piece_stream.c - ids appended to a file without a name, then mapped.
 */
#include "model/train/piece_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"

#define PATH_BYTES 4096

struct piece_stream {
    FILE *file;
    char *beside; // for messages
    struct sha256 *hash;
    int64_t count;
    int32_t *ids; // mapped, once it is finished and not empty
    char digest[SHA256_HEX_BYTES];
};

static enum status file_failed(const char *beside, struct error *err)
{
    return error_set(err, STATUS_IO, "cannot keep the text as a file beside %s: %s%s", beside,
                     strerror(errno),
                     errno == ENOSPC ? "; free some space there, four bytes a piece" : "");
}

/* It loses its name at once, so nothing is left of it whatever happens. */
static enum status open_file(struct piece_stream *s, struct error *err)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s.tmp-XXXXXX", s->beside) >= (int)sizeof path)
        return error_set(err, STATUS_BAD_USAGE, "the path %.80s... is too long", s->beside);
    const int fd = mkstemp(path);
    if (fd < 0)
        return file_failed(s->beside, err);
    unlink(path);
    s->file = fdopen(fd, "w+b");
    if (s->file)
        return STATUS_OK;
    close(fd);
    return file_failed(s->beside, err);
}

enum status piece_stream_open(struct piece_stream **out, const char *beside, struct error *err)
{
    *out = NULL;
    struct piece_stream *s = memory_zeroed(1, sizeof *s);
    if (s) {
        s->beside = memory_copy_text(beside);
        s->hash = sha256_new();
    }
    enum status status = s && s->beside && s->hash
                             ? open_file(s, err)
                             : error_set(err, STATUS_NO_MEMORY, "no memory for a stream of pieces");
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
    if (s->ids)
        munmap(s->ids, (size_t)s->count * sizeof *s->ids);
    if (s->file)
        fclose(s->file);
    sha256_free(s->hash);
    memory_free(s->beside);
    memory_free(s);
}

enum status piece_stream_add(struct piece_stream *s, const int32_t *ids, int count,
                             struct error *err)
{
    assert(!s->ids);
    const size_t n = (size_t)count;
    if (fwrite(ids, sizeof *ids, n, s->file) != n)
        return file_failed(s->beside, err);
    s->count += count;
    sha256_add(s->hash, ids, n * sizeof *ids);
    return STATUS_OK;
}

enum status piece_stream_finish(struct piece_stream *s, struct error *err)
{
    uint8_t digest[SHA256_BYTES];
    if (fflush(s->file) != 0)
        return file_failed(s->beside, err);
    sha256_finish(s->hash, digest);
    sha256_to_hex(digest, s->digest);
    if (s->count == 0)
        return STATUS_OK;
    void *ids =
        mmap(NULL, (size_t)s->count * sizeof *s->ids, PROT_READ, MAP_SHARED, fileno(s->file), 0);
    if (ids == MAP_FAILED)
        return file_failed(s->beside, err);
    s->ids = ids;
    return STATUS_OK;
}

int64_t piece_stream_count(const struct piece_stream *s)
{
    return s->count;
}

const int32_t *piece_stream_ids(const struct piece_stream *s)
{
    return s->ids;
}

const char *piece_stream_digest(const struct piece_stream *s)
{
    return s->digest;
}
