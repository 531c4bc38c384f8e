/*
 * files.c - writing beside the target and renaming over it; read-only mappings.
 *
 * The temporary file is locked (flock) while its writer lives. One that is
 * found unlocked was left by a writer that died, and the next writer of the
 * target removes it, whatever process id its name has.
 */
#include "base/files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"

#define WRITE_BUFFER_BYTES ((size_t)64 << 10)
#define SUFFIX_BYTES 32 // SUFFIX and a process id
#define SUFFIX ".tmp-"

struct file_writer {
    int fd; // -1 once it is closed
    char *path;
    char *temporary;
    bool exists;      // the temporary file is there and ours to remove
    uint64_t written; // bytes in the file
    size_t buffered;  // and bytes that follow them, still here
    unsigned char buffer[WRITE_BUFFER_BYTES];
};

/* What failed, and what the user can do about it. */
static enum status cannot(const char *what, const char *path, int error_number, struct error *err)
{
    const char *advice = "";
    if (error_number == ENOSPC || error_number == EDQUOT)
        advice = "; free some space there and try again";
    else if (error_number == EFBIG)
        advice = "; the limit on file sizes (ulimit -f) is too low for it";
    else if (error_number == EACCES || error_number == EPERM || error_number == EROFS)
        advice = "; choose another place or change its permissions";
    else if (error_number == ENOENT)
        advice = "; check the path";
    return error_set(err, error_number == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                     "cannot %s %s: %s%s", what, path, strerror(error_number), advice);
}

/* Unless its writer lives. */
static void remove_left_over(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(fd);
}

static bool is_temporary_of(const char *name, const char *target, size_t len)
{
    const char *number = name + len + sizeof SUFFIX - 1;
    return strncmp(name, target, len) == 0 && strncmp(name + len, SUFFIX, sizeof SUFFIX - 1) == 0 &&
           *number != '\0' && number[strspn(number, "0123456789")] == '\0';
}

/* What writers of the same target left that died. */
static void remove_left_overs(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/'), *target = slash ? slash + 1 : path;
    const size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    if (len >= sizeof folder)
        return;
    memcpy(folder, slash ? path : ".", slash ? len : 1);
    folder[slash ? len : 1] = '\0';
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (is_temporary_of(entry->d_name, target, strlen(target)))
            remove_left_over(dirfd(dir), entry->d_name);
    closedir(dir);
}

static enum status is_busy(const struct file_writer *w, struct error *err)
{
    return error_set(err, STATUS_BUSY, "%s is being written already; wait until that is done",
                     w->path);
}

/* Create and lock the temporary file. Between the two another writer may take it for a left-over
 * and remove it. */
static enum status create_temporary(struct file_writer *w, struct error *err)
{
    struct stat info;
    remove_left_overs(w->path);
    w->fd = open(w->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (w->fd < 0 && errno == EEXIST)
        return is_busy(w, err);
    if (w->fd < 0)
        return cannot("create", w->temporary, errno, err);
    w->exists = true;
    const bool locked = flock(w->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    return locked && fstat(w->fd, &info) == 0 && info.st_nlink > 0 ? STATUS_OK : is_busy(w, err);
}

enum status file_writer_open(struct file_writer **out, const char *path, struct error *err)
{
    enum status status = STATUS_NO_MEMORY;
    size_t bytes = strlen(path) + SUFFIX_BYTES;

    *out = NULL;
    struct file_writer *w = memory_zeroed(1, sizeof *w);
    if (!w)
        return error_set(err, status, "there is no memory to write %s", path);
    w->fd = -1;
    w->path = memory_copy_text(path);
    w->temporary = memory_alloc(bytes, 1);
    if (!w->path || !w->temporary) {
        error_set(err, status, "there is no memory to write %s", path);
        goto done;
    }
    snprintf(w->temporary, bytes, "%s" SUFFIX "%ld", path, (long)getpid());
    status = create_temporary(w, err);
    if (status != STATUS_OK)
        goto done;
    *out = w;
    w = NULL;
done:
    file_writer_close(w);
    return status;
}

/* All of it at `offset`, however many calls that takes. */
static enum status write_at(struct file_writer *w, uint64_t offset, const void *bytes, size_t len,
                            struct error *err)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = pwrite(w->fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return cannot("write", w->path, n < 0 ? errno : ENOSPC, err);
        at += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return STATUS_OK;
}

static enum status flush(struct file_writer *w, struct error *err)
{
    enum status status = write_at(w, w->written, w->buffer, w->buffered, err);
    if (status == STATUS_OK) {
        w->written += w->buffered;
        w->buffered = 0;
    }
    return status;
}

enum status file_writer_add(struct file_writer *w, const void *bytes, size_t len, struct error *err)
{
    if (len == 0)
        return STATUS_OK;
    if (len > sizeof w->buffer - w->buffered) {
        enum status status = flush(w, err);
        if (status != STATUS_OK)
            return status;
    }
    if (len < sizeof w->buffer) {
        memcpy(w->buffer + w->buffered, bytes, len);
        w->buffered += len;
        return STATUS_OK;
    }
    enum status status = write_at(w, w->written, bytes, len, err);
    if (status == STATUS_OK)
        w->written += len;
    return status;
}

enum status file_writer_patch(struct file_writer *w, uint64_t offset, const void *bytes, size_t len,
                              struct error *err)
{
    assert(offset <= w->written + w->buffered && len <= w->written + w->buffered - offset);
    enum status status = flush(w, err);
    if (status != STATUS_OK)
        return status;
    return write_at(w, offset, bytes, len, err);
}

/* Without this a crash could undo the rename, though not tear the file. */
static enum status sync_folder_of(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    char *folder = memory_alloc(len + 2, 1);
    if (!folder)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory to finish writing %s", path);
    memcpy(folder, slash ? path : "./", slash ? len : 2);
    folder[slash ? len : 1] = '\0';

    enum status status = STATUS_OK;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL)) // EINVAL: no such thing on this system
        status = cannot("sync the folder", folder, errno, err);
    if (fd >= 0)
        close(fd);
    memory_free(folder);
    return status;
}

enum status file_writer_commit(struct file_writer *w, struct error *err)
{
    assert(w->exists);
    enum status status = flush(w, err);
    if (status != STATUS_OK)
        return status;
    if (fsync(w->fd) != 0)
        return cannot("write", w->path, errno, err);
    if (rename(w->temporary, w->path) != 0)
        return cannot("replace", w->path, errno, err);
    w->exists = false;
    return sync_folder_of(w->path, err);
}

void file_writer_close(struct file_writer *w)
{
    if (!w)
        return;
    if (w->exists)
        unlink(w->temporary);
    if (w->fd >= 0)
        close(w->fd);
    memory_free(w->temporary);
    memory_free(w->path);
    memory_free(w);
}

static enum status map_descriptor(struct file_map *map, int fd, const char *path, struct error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return cannot("read", path, errno, err);
    if (!S_ISREG(info.st_mode))
        return error_set(err, STATUS_BAD_FILE, "%s is not a regular file; give a file", path);
    if (info.st_size == 0)
        return STATUS_OK;
    void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return cannot("map", path, errno, err);
    *map = (struct file_map){ .data = data, .len = (size_t)info.st_size };
    return STATUS_OK;
}

enum status file_map_open(struct file_map *map, const char *path, struct error *err)
{
    *map = (struct file_map){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe must not block us here
    if (fd < 0)
        return cannot("open", path, errno, err);
    enum status status = map_descriptor(map, fd, path, err);
    close(fd);
    return status;
}

void file_map_close(struct file_map *map)
{
    if (map->data)
        munmap((void *)(uintptr_t)map->data, map->len);
    *map = (struct file_map){ 0 };
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
