/*
 * gzip.c - lines out of a plain or gzipped file.
 *
 *     file --read--> raw --inflate (or copy)--> text --find "\n"--> line
 *
 * `text` holds one longest line and its end; what is left of it moves to the
 * front before more is decoded. A gzip file is one member or several in a row,
 * perhaps padded with zeros; anything else behind a member is damage.
 */
#include "base/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/memory.h"

#define RAW_BYTES ((size_t)64 << 10)
#define TEXT_BYTES ((size_t)LINE_BYTES_MAX + 2) // the longest line and "\r\n"
#define GZIP_WINDOW (16 + MAX_WBITS)            // 16: a gzip header, not zlib's

enum member {
    MEMBER_NONE,   // a plain file
    MEMBER_STARTS, // the next byte begins a member
    MEMBER_INSIDE,
    MEMBER_PADDING, // behind the last member: zeros alone
};

struct line_reader {
    int fd;
    char *path;         // as the user knows it
    int64_t file_bytes; // 0: unknown (a pipe)
    int64_t read_bytes;
    bool raw_ended; // the file has no more bytes
    bool ended;     // and none are left to decode
    enum member member;
    z_stream inflater;
    bool has_inflater;
    long line_number;
    enum status failure; // stays: after damage there is no next line
    struct error why;
    size_t start, end;         // what is left of `text`
    char text[TEXT_BYTES + 1]; // + 1: a NUL behind a last line without "\n"
    unsigned char raw[RAW_BYTES];
};

static void *zlib_alloc(void *opaque, unsigned items, unsigned size)
{
    (void)opaque;
    return memory_alloc(items, size);
}

static void zlib_free(void *opaque, void *block)
{
    (void)opaque;
    memory_free(block);
}

static enum status fail_for_good(struct line_reader *in, enum status status, const char *what)
{
    in->failure = status;
    return error_set(&in->why, status, "%s: %s (the last whole line was %ld)", in->path, what,
                     in->line_number);
}

/* Read behind what zlib has not consumed yet; `raw` must have room. */
static enum status read_raw(struct line_reader *in)
{
    unsigned char *end = in->inflater.next_in + in->inflater.avail_in;
    ssize_t n;
    do
        n = read(in->fd, end, (size_t)(in->raw + RAW_BYTES - end));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail_for_good(in, STATUS_IO, strerror(errno));
    in->raw_ended = n == 0;
    in->read_bytes += n;
    in->inflater.avail_in += (unsigned)n;
    return STATUS_OK;
}

/* zlib that filled all the room it had may hold more text: it goes first, reading might wait. */
static bool needs_raw(const struct line_reader *in)
{
    bool holds_text = in->member == MEMBER_INSIDE && in->inflater.avail_out == 0;
    return in->inflater.avail_in == 0 && !in->raw_ended && !holds_text;
}

static enum status refill_raw(struct line_reader *in)
{
    if (!needs_raw(in))
        return STATUS_OK;
    in->inflater.next_in = in->raw;
    return read_raw(in);
}

/* The first two bytes decide, however slowly a pipe delivers them; the first alone if it can. */
static enum status detect_gzip(struct line_reader *in)
{
    in->inflater.next_in = in->raw;
    while (!in->raw_ended &&
           (in->inflater.avail_in == 0 || (in->inflater.avail_in == 1 && in->raw[0] == 0x1F))) {
        enum status status = read_raw(in);
        if (status != STATUS_OK)
            return status;
    }
    if (in->inflater.avail_in < 2 || in->raw[0] != 0x1F || in->raw[1] != 0x8B)
        return STATUS_OK;
    in->inflater.zalloc = zlib_alloc;
    in->inflater.zfree = zlib_free;
    if (inflateInit2(&in->inflater, GZIP_WINDOW) != Z_OK)
        return fail_for_good(in, STATUS_NO_MEMORY, "there is no memory to unpack it");
    in->has_inflater = true;
    in->member = MEMBER_STARTS;
    return STATUS_OK;
}

static void decode_plain(struct line_reader *in)
{
    size_t len = TEXT_BYTES - in->end;
    if (len > in->inflater.avail_in)
        len = in->inflater.avail_in;
    memcpy(in->text + in->end, in->inflater.next_in, len);
    in->inflater.next_in += len;
    in->inflater.avail_in -= (unsigned)len;
    in->end += len;
}

static enum status skip_padding(struct line_reader *in)
{
    for (; in->inflater.avail_in > 0; in->inflater.avail_in--)
        if (*in->inflater.next_in++ != 0)
            return fail_for_good(in, STATUS_BAD_FILE,
                                 "something that is not gzip follows its gzip data; "
                                 "fetch the file again");
    return STATUS_OK;
}

static enum status inflate_some(struct line_reader *in)
{
    size_t end_before = in->end;
    in->inflater.next_out = (unsigned char *)in->text + in->end;
    in->inflater.avail_out = (unsigned)(TEXT_BYTES - in->end);
    int result = inflate(&in->inflater, Z_NO_FLUSH);
    in->end = TEXT_BYTES - in->inflater.avail_out;
    if (result == Z_STREAM_END) {
        in->member = MEMBER_STARTS;
        return STATUS_OK;
    }
    if (result == Z_MEM_ERROR)
        return fail_for_good(in, STATUS_NO_MEMORY, "there is no memory to unpack it");
    if (result != Z_OK && result != Z_BUF_ERROR)
        return fail_for_good(in, STATUS_BAD_FILE, "its gzip data is damaged; fetch the file again");
    if (in->raw_ended && in->inflater.avail_in == 0 && in->end == end_before)
        return fail_for_good(in, STATUS_BAD_FILE,
                             "its gzip data ends too early; fetch the file again");
    return STATUS_OK;
}

/* Get on with decoding: more text, another state, or `ended`. `text` must have room. */
static enum status decode(struct line_reader *in)
{
    enum status status = refill_raw(in);
    if (status != STATUS_OK)
        return status;
    if (in->inflater.avail_in == 0 && in->member != MEMBER_INSIDE) {
        in->ended = true;
        return STATUS_OK;
    }
    switch (in->member) {
    case MEMBER_NONE:
        decode_plain(in);
        break;
    case MEMBER_STARTS:
        in->member = *in->inflater.next_in == 0 ? MEMBER_PADDING : MEMBER_INSIDE;
        inflateReset(&in->inflater);
        break;
    case MEMBER_INSIDE:
        status = inflate_some(in);
        break;
    case MEMBER_PADDING:
        status = skip_padding(in);
        break;
    }
    return status;
}

static enum status open_file(struct line_reader *in, const char *path, struct error *err)
{
    struct stat info;
    in->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return error_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "cannot open %s: %s",
                         path, strerror(errno));
    if (fstat(in->fd, &info) == 0 && S_ISREG(info.st_mode))
        in->file_bytes = info.st_size;
    return STATUS_OK;
}

enum status line_reader_open(struct line_reader **out, const char *path, struct error *err)
{
    enum status status;

    *out = NULL;
    struct line_reader *in = memory_zeroed(1, sizeof *in);
    if (!in)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory to read %s", path);
    in->fd = -1;
    in->path = memory_copy_text(strcmp(path, "-") == 0 ? "standard input" : path);
    if (!in->path) {
        status = error_set(err, STATUS_NO_MEMORY, "there is no memory to read %s", path);
        goto done;
    }
    status = open_file(in, path, err);
    if (status != STATUS_OK)
        goto done;
    status = detect_gzip(in);
    if (status != STATUS_OK) {
        error_set(err, status, "%s", in->why.text);
        goto done;
    }
    *out = in;
    in = NULL;
done:
    line_reader_close(in);
    return status;
}

void line_reader_close(struct line_reader *in)
{
    if (!in)
        return;
    if (in->has_inflater)
        inflateEnd(&in->inflater);
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    memory_free(in->path);
    memory_free(in);
}

static void move_to_front(struct line_reader *in)
{
    if (in->start == 0)
        return;
    memmove(in->text, in->text + in->start, in->end - in->start);
    in->end -= in->start;
    in->start = 0;
}

/* Decode until `text` has a whole line: *len is its length with "\n", or what is left at the end
 * of the file. A line that fills `text` is dropped as it comes, and *is_too_long. */
static enum status find_line(struct line_reader *in, size_t *len, bool *is_too_long)
{
    size_t searched = 0;
    *is_too_long = false;
    for (;;) {
        const char *from = in->text + in->start + searched;
        const char *newline = memchr(from, '\n', in->end - in->start - searched);
        searched = in->end - in->start;
        if (newline || in->ended) {
            *len = newline ? (size_t)(newline - in->text) - in->start + 1 : searched;
            return STATUS_OK;
        }
        if (searched == TEXT_BYTES) {
            in->start = in->end = searched = 0;
            *is_too_long = true;
        }
        move_to_front(in);
        enum status status = decode(in);
        if (status != STATUS_OK)
            return status;
    }
}

/* Cut the line's end off in place, so that a NUL stands there. */
static size_t cut_line_end(char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n') {
        len--;
        if (len > 0 && text[len - 1] == '\r')
            len--;
    }
    text[len] = '\0';
    return len;
}

enum status line_reader_next(struct line_reader *in, struct line *line, struct error *err)
{
    size_t len = 0;
    bool is_too_long = false;

    if (in->failure == STATUS_OK)
        (void)find_line(in, &len, &is_too_long); // a failure stays in `in`
    *line = (struct line){ .number = in->line_number };
    if (in->failure != STATUS_OK)
        return error_set(err, in->failure, "%s", in->why.text);
    if (len == 0 && !is_too_long)
        return STATUS_OK;

    char *text = in->text + in->start;
    in->start += len;
    line->number = ++in->line_number;
    len = cut_line_end(text, len);
    if (is_too_long || len > LINE_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%s: line %ld is longer than the limit of %d bytes",
                         in->path, in->line_number, LINE_BYTES_MAX);
    line->text = text;
    line->len = len;
    return STATUS_OK;
}

static bool would_wait(const struct line_reader *in)
{
    struct pollfd fd = { .fd = in->fd, .events = POLLIN };
    return needs_raw(in) && poll(&fd, 1, 0) == 0;
}

bool line_reader_ready(struct line_reader *in)
{
    for (;;) {
        size_t len = in->end - in->start;
        if (in->failure != STATUS_OK || in->ended || memchr(in->text + in->start, '\n', len))
            return true;
        if (len == TEXT_BYTES || would_wait(in)) // the rest of a line too long may wait
            return false;
        move_to_front(in);
        (void)decode(in); // a failure stays in `in`
    }
}

double line_reader_progress(const struct line_reader *in)
{
    if (in->ended && in->start == in->end)
        return 1;
    if (in->file_bytes == 0)
        return 0;
    int64_t waiting = (int64_t)in->inflater.avail_in;
    if (in->member == MEMBER_NONE)
        waiting += (int64_t)(in->end - in->start);
    double progress = (double)(in->read_bytes - waiting) / (double)in->file_bytes;
    return progress < 1 ? progress : 1;
}
