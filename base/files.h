/*
 * files.h - files that are replaced whole or not at all, files mapped for reading, and names.
 *
 *     struct file_writer *w;
 *     if (file_writer_open(&w, "model.safetensors", &err) != STATUS_OK) ...
 *     status = file_writer_add(w, bytes, len, &err);            // as often as needed
 *     status = file_writer_commit(w, &err);                     // sync, rename, sync the folder
 *     file_writer_close(w);                                     // without commit: nothing happened
 *
 * The temporary file lies beside the target ("model.safetensors.tmp-PID").
 */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

struct file_writer;

MUST_CHECK enum status file_writer_open(struct file_writer **out, const char *path,
                                        struct error *err);
MUST_CHECK enum status file_writer_add(struct file_writer *w, const void *bytes, size_t len,
                                       struct error *err);
/* Overwrite `len` bytes at `offset`, all of them written before. */
MUST_CHECK enum status file_writer_patch(struct file_writer *w, uint64_t offset, const void *bytes,
                                         size_t len, struct error *err);
MUST_CHECK enum status file_writer_commit(struct file_writer *w, struct error *err);
void file_writer_close(struct file_writer *w); // NULL is fine; removes an uncommitted file

/* Read-only mapping. An empty file is {NULL, 0} and STATUS_OK. */
struct file_map {
    const unsigned char *data;
    size_t len;
};
MUST_CHECK enum status file_map_open(struct file_map *map, const char *path, struct error *err);
void file_map_close(struct file_map *map); // {0} is fine

/* What is behind the path's last slash, or all of it. */
const char *path_name(const char *path);

#endif
