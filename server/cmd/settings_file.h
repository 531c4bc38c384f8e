/*
 * settings_file.h - a file of settings, a line each:
 *
 *     # what stands behind a # at the beginning of a line is for people
 *     port = 5000
 *     models = /srv/verso/models
 *
 *     struct settings_file file;
 *     status = settings_file_read(&file, path, &err);
 *     while ((status = settings_file_next(&file, &err)) == STATUS_OK && file.name)
 *         ... file.name, file.value, file.line ...
 *     settings_file_release(&file);
 *
 * Spaces around names and values do not count; a value may be empty. What the
 * names mean is the caller's.
 */
#ifndef SERVER_CMD_SETTINGS_FILE_H
#define SERVER_CMD_SETTINGS_FILE_H

#include "base/bytes.h"

#define SETTINGS_FILE_BYTES_MAX 65536

struct settings_file {
    const char *path; // borrowed
    struct bytes text;
    char *at;                 // what has not been read
    int line;                 // of the setting, from 1
    const char *name, *value; // in `text`; name is NULL at the end
};

MUST_CHECK enum status settings_file_read(struct settings_file *file, const char *path,
                                          struct error *err);
MUST_CHECK enum status settings_file_next(struct settings_file *file, struct error *err);
void settings_file_release(struct settings_file *file); // {0} is fine

#endif
