/*
 * file_stamp.h - what tells a file from another that has taken its place.
 *
 *     const struct file_stamp before = file_stamp("models/en-fr.safetensors");
 *     ...
 *     if (file_stamp_equals(before, file_stamp("models/en-fr.safetensors"))) ...
 */
#ifndef SERVER_REGISTRY_FILE_STAMP_H
#define SERVER_REGISTRY_FILE_STAMP_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct file_stamp file_stamp(const char *path); // all 0 where there is none: that is no file's
bool file_stamp_equals(struct file_stamp a, struct file_stamp b);

#endif
