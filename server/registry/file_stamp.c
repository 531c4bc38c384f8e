/* file_stamp.c - what tells a file from another that has taken its place. */
#include "server/registry/file_stamp.h"

#include <sys/stat.h>

struct file_stamp file_stamp(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return (struct file_stamp){ 0 };
    return (struct file_stamp){ s.st_dev, s.st_ino, s.st_size, s.st_mtim };
}

bool file_stamp_equals(struct file_stamp a, struct file_stamp b)
{
    return a.device == b.device && a.inode == b.inode && a.size == b.size &&
           a.changed.tv_sec == b.changed.tv_sec && a.changed.tv_nsec == b.changed.tv_nsec;
}
