/*
 * link_files.c - links read from one file or two side by side.
 */
#include "server/cmd/link_files.h"

enum status link_files_open(struct link_files *files, const char *forward, const char *reverse,
                            struct error *err)
{
    *files = (struct link_files){ .paths = { forward, reverse } };
    enum status status = line_reader_open(&files->in[0], forward, err);
    if (status == STATUS_OK && reverse)
        status = line_reader_open(&files->in[1], reverse, err);
    return status;
}

void link_files_close(struct link_files *files)
{
    for (int k = 0; k < 2; k++) {
        line_reader_close(files->in[k]);
        links_release(&files->links[k]);
    }
}

static enum status read_one(struct link_files *files, int k, bool *ended, struct error *err)
{
    struct line line;
    enum status status = line_reader_next(files->in[k], &line, err);
    if (status == STATUS_OK && line.text)
        status = links_read(&files->links[k], line.text, line.len, err);
    if (status != STATUS_OK)
        return error_while(err, "%s: line %ld", files->paths[k], files->line);
    *ended = !line.text;
    return STATUS_OK;
}

enum status link_files_next(struct link_files *files, bool *ended, struct error *err)
{
    bool over[2] = { false, false };
    files->line++;
    enum status status = read_one(files, 0, &over[0], err);
    if (status == STATUS_OK && files->in[1])
        status = read_one(files, 1, &over[1], err);
    if (status == STATUS_OK && files->in[1] && over[0] != over[1])
        status = error_set(err, STATUS_BAD_INPUT,
                           "%s has only %ld lines: both files must have a line for each pair",
                           files->paths[over[0] ? 0 : 1], files->line - 1);
    *ended = over[0];
    return status;
}
