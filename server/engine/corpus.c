/*
 * corpus.c - one file (or two side by side) after the other, line by line.
 */
#include "server/engine/corpus.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/gzip.h"
#include "base/memory.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

#define ENCODE_BYTES (256u << 20) // for two sentences; only what they need is touched

struct corpus {
    struct corpus_options options;
    const char *const *paths;
    int count;
    int at;                     // of the path being read; count at the end
    char *first_path;           // of two parallel files: the part before the comma
    struct line_reader *first;  // NULL between files
    struct line_reader *second; // NULL unless there are two
    long line;                  // number of the line read last
    struct arena arena;         // what corpus_encode returned last
    long bad_lines;
};

static void close_files(struct corpus *c)
{
    line_reader_close(c->first);
    line_reader_close(c->second);
    memory_free(c->first_path);
    c->first = c->second = NULL;
    c->first_path = NULL;
}

static const char *second_path(const struct corpus *c)
{
    const char *comma = c->options.texts ? NULL : strchr(c->paths[c->at], ',');
    return comma ? comma + 1 : NULL;
}

static enum status open_files(struct corpus *c, struct error *err)
{
    const char *path = c->paths[c->at], *second = second_path(c);
    enum status status;
    c->line = 0;
    if (!second)
        return line_reader_open(&c->first, path, err);
    c->first_path = memory_copy_text(path);
    if (!c->first_path)
        return error_set(err, STATUS_NO_MEMORY, "no memory to open %s", path);
    c->first_path[second - 1 - path] = '\0';
    status = line_reader_open(&c->first, c->first_path, err);
    return status == STATUS_OK ? line_reader_open(&c->second, second, err) : status;
}

enum status corpus_open(struct corpus **out, const char *const *paths, int count,
                        const struct corpus_options *options, struct error *err)
{
    *out = NULL;
    struct corpus *c = memory_zeroed(1, sizeof *c);
    if (!c || !arena_init(&c->arena, ENCODE_BYTES)) {
        memory_free(c);
        return error_set(err, STATUS_NO_MEMORY, "no memory to read a corpus");
    }
    c->options = *options;
    c->paths = paths;
    c->count = count;
    if (count > 0) {
        enum status status = open_files(c, err);
        if (status != STATUS_OK) {
            corpus_close(c);
            return status;
        }
    }
    *out = c;
    return STATUS_OK;
}

void corpus_close(struct corpus *c)
{
    if (!c)
        return;
    close_files(c);
    arena_release(&c->arena);
    memory_free(c);
}

/* ---- lines ---- */

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

static enum status check_side(const char *text, size_t len, const char *column, struct error *err)
{
    if (is_blank(text, len))
        return error_set(err, STATUS_BAD_INPUT, "the %s column is empty", column);
    if (len > CORPUS_SIDE_BYTES_MAX)
        return error_set(err, STATUS_BAD_INPUT, "the %s column has %zu bytes, more than %d", column,
                         len, CORPUS_SIDE_BYTES_MAX);
    enum status status = utf8_check(text, len, err);
    return status == STATUS_OK ? status : error_while(err, "the %s column", column);
}

/* A byte order mark before the first line belongs to no sentence. */
static void drop_mark(struct line *line)
{
    if (line->number == 1 && line->len >= 3 && memcmp(line->text, "\xEF\xBB\xBF", 3) == 0) {
        line->text += 3;
        line->len -= 3;
    }
}

static enum status split_columns(const struct line *line, struct corpus_pair *pair,
                                 struct error *err)
{
    int tabs = 0;
    for (size_t i = 0; i < line->len; i++)
        tabs += line->text[i] == '\t';
    if (tabs != 1)
        return error_set(err, STATUS_BAD_INPUT,
                         "expected source, one tab and target, found %d tab%s", tabs,
                         tabs == 1 ? "" : "s");
    const char *tab = memchr(line->text, '\t', line->len);
    pair->source = line->text;
    pair->source_len = (size_t)(tab - line->text);
    pair->target = tab + 1;
    pair->target_len = line->len - pair->source_len - 1;
    return STATUS_OK;
}

/* The whole line, or its column, as the source. */
static enum status take_text(const struct line *line, int column, struct corpus_pair *pair,
                             struct error *err)
{
    const char *text = line->text, *end = line->text + line->len;
    for (int i = 1; i < column; i++) {
        const char *tab = memchr(text, '\t', (size_t)(end - text));
        if (!tab)
            return error_set(err, STATUS_BAD_INPUT, "it has %d column%s, so none is --column %d", i,
                             i == 1 ? "" : "s", column);
        text = tab + 1;
    }
    const char *tab = column > 0 ? memchr(text, '\t', (size_t)(end - text)) : NULL;
    *pair =
        (struct corpus_pair){ .source = text, .source_len = (size_t)((tab ? tab : end) - text) };
    return STATUS_OK;
}

/* The next line of both files or of the one; pair->source NULL at their end. STATUS_BAD_INPUT is
 * a bad line, and reading may go on. */
static enum status read_pair(struct corpus *c, struct corpus_pair *pair, struct error *err)
{
    struct line first = { 0 }, second = { 0 };
    *pair = (struct corpus_pair){ 0 };
    c->line++;
    enum status status = line_reader_next(c->first, &first, err);
    if (c->second) {
        struct error second_err;
        enum status second_status = line_reader_next(c->second, &second, &second_err);
        if (status == STATUS_OK && second_status != STATUS_OK)
            status = error_set(err, second_status, "%s", second_err.text);
    }
    if (status == STATUS_TOO_LARGE)
        return error_set(err, STATUS_BAD_INPUT, "the line has more than %d bytes", LINE_BYTES_MAX);
    if (status != STATUS_OK)
        return status;
    if (c->second && !first.text != !second.text)
        return error_set(err, STATUS_BAD_FILE,
                         "%s has %ld lines and the file beside it has more: parallel files must "
                         "have the same number of lines",
                         first.text ? second_path(c) : c->first_path, c->line - 1);
    if (!first.text)
        return STATUS_OK;
    drop_mark(&first);
    if (c->options.texts)
        return take_text(&first, c->options.column, pair, err);
    if (!c->second)
        return split_columns(&first, pair, err);
    drop_mark(&second);
    *pair = (struct corpus_pair){ first.text, first.len, second.text, second.len };
    return STATUS_OK;
}

static enum status check_text(const struct corpus_pair *pair, struct error *err)
{
    if (pair->source_len > CORPUS_SIDE_BYTES_MAX)
        return error_set(err, STATUS_BAD_INPUT, "it has %zu bytes, more than %d", pair->source_len,
                         CORPUS_SIDE_BYTES_MAX);
    return utf8_check(pair->source, pair->source_len, err);
}

static enum status check_pair(const struct corpus *c, const struct corpus_pair *pair,
                              struct error *err)
{
    if (c->options.texts)
        return check_text(pair, err);
    enum status status = check_side(pair->source, pair->source_len, "first", err);
    return status == STATUS_OK ? check_side(pair->target, pair->target_len, "second", err) : status;
}

static void swap_sides(struct corpus_pair *pair)
{
    *pair = (struct corpus_pair){ pair->target, pair->target_len, pair->source, pair->source_len };
}

enum status corpus_next(struct corpus *c, struct corpus_pair *pair, struct error *err)
{
    struct error problem;
    *pair = (struct corpus_pair){ 0 };
    while (c->first) {
        enum status status = read_pair(c, pair, &problem);
        if (status == STATUS_OK && !pair->source) {
            close_files(c);
            status = ++c->at < c->count ? open_files(c, err) : STATUS_OK;
            if (status != STATUS_OK)
                return status;
            continue;
        }
        if (status == STATUS_OK && c->options.texts && is_blank(pair->source, pair->source_len))
            continue;
        if (status == STATUS_OK)
            status = check_pair(c, pair, &problem);
        if (status == STATUS_OK) {
            if (c->options.swap)
                swap_sides(pair);
            return STATUS_OK;
        }
        *pair = (struct corpus_pair){ 0 };
        if (status != STATUS_BAD_INPUT)
            return error_set(err, status, "%s", problem.text);
        error_set(err, status, "%s:%ld: %s", c->paths[c->at], c->line, problem.text);
        if (!c->options.skip_bad_lines)
            return status;
        c->bad_lines++;
        if (c->options.on_bad_line)
            c->options.on_bad_line(c->options.context, err->text);
    }
    return STATUS_OK;
}

enum status corpus_encode(struct corpus *c, const struct vocabulary *vocabulary,
                          const struct corpus_pair *pair, struct corpus_ids *ids, struct error *err)
{
    struct tokens source, target;
    arena_reset(&c->arena);
    enum status status =
        tokenizer_encode(vocabulary, pair->source, pair->source_len, &c->arena, &source, err);
    if (status == STATUS_OK)
        status =
            tokenizer_encode(vocabulary, pair->target, pair->target_len, &c->arena, &target, err);
    if (status == STATUS_OK)
        *ids = (struct corpus_ids){ .source = source.ids,
                                    .source_len = source.count,
                                    .target = target.ids,
                                    .target_len = target.count,
                                    .source_spans = source.spans,
                                    .target_spans = target.spans };
    return status;
}

long corpus_bad_lines(const struct corpus *c)
{
    return c->bad_lines;
}

double corpus_progress(const struct corpus *c)
{
    double done = c->at + (c->first ? line_reader_progress(c->first) : 0);
    return c->count > 0 ? done / c->count : 1;
}
