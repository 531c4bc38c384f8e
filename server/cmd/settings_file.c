/* settings_file.c - a file of settings, a line each. */
#include "server/cmd/settings_file.h"

#include <string.h>

#define SPACES " \t\r"

enum status settings_file_read(struct settings_file *file, const char *path, struct error *err)
{
    *file = (struct settings_file){ .path = path };
    bytes_init(&file->text, SETTINGS_FILE_BYTES_MAX);
    enum status status = bytes_read_file(&file->text, path, err);
    if (status == STATUS_OK && file->text.len > 0 && strlen(file->text.data) < file->text.len)
        status =
            error_set(err, STATUS_BAD_USAGE, "%s is no file of settings: it has a zero byte", path);
    file->at = file->text.data;
    return status;
}

/* Without the spaces around it, in place. */
static char *trimmed(char *text)
{
    text += strspn(text, SPACES);
    size_t len = strlen(text);
    while (len > 0 && strchr(SPACES, text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* NULL at the end. */
static char *next_line(struct settings_file *file)
{
    char *line = file->at;
    if (!line || !*line)
        return NULL;
    file->at += strcspn(line, "\n");
    if (*file->at)
        *file->at++ = '\0';
    file->line++;
    return trimmed(line);
}

enum status settings_file_next(struct settings_file *file, struct error *err)
{
    char *line;
    file->name = file->value = NULL;
    do
        line = next_line(file);
    while (line && (*line == '\0' || *line == '#'));
    if (!line)
        return STATUS_OK;
    char *equals = strchr(line, '=');
    if (!equals || equals == line)
        return error_set(err, STATUS_BAD_USAGE, "%s:%d: a setting is a line like: port = 5000",
                         file->path, file->line);
    *equals = '\0';
    file->name = trimmed(line);
    file->value = trimmed(equals + 1);
    return STATUS_OK;
}

void settings_file_release(struct settings_file *file)
{
    bytes_release(&file->text);
    *file = (struct settings_file){ 0 };
}
