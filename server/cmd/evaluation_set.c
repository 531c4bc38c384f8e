/*
 * evaluation_set.c - test sets read whole: they are small, and sentences are looked up by source.
 */
#include "server/cmd/evaluation_set.h"

#include <assert.h>
#include <string.h>
#include "base/gzip.h"
#include "base/memory.h"

static bool reserve_one(struct text_list *list)
{
    if (list->count < list->capacity)
        return true;
    int capacity = list->capacity ? 2 * list->capacity : 1024;
    char **items = memory_resize(list->items, (size_t)capacity, sizeof *items);
    if (!items)
        return false;
    list->items = items;
    list->capacity = capacity;
    return true;
}

enum status text_list_add(struct text_list *list, const char *text, size_t len, struct error *err)
{
    if (list->count == EVALUATION_LINES_MAX || len > EVALUATION_BYTES_MAX - list->bytes)
        return error_set(err, STATUS_TOO_LARGE,
                         "more than %d lines or %zu MiB cannot be evaluated at once",
                         EVALUATION_LINES_MAX, EVALUATION_BYTES_MAX >> 20);
    char *copy = memory_alloc(len + 1, 1);
    if (!copy || !reserve_one(list)) {
        memory_free(copy);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the sentences");
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    list->items[list->count++] = copy;
    list->bytes += len;
    return STATUS_OK;
}

void text_list_release(struct text_list *list)
{
    for (int i = 0; i < list->count; i++)
        memory_free(list->items[i]);
    memory_free(list->items);
    *list = (struct text_list){ 0 };
}

/* What to do with one line. */
typedef enum status take_line(void *context, const struct line *line, struct error *err);

static enum status each_line(const char *path, take_line *take, void *context, struct error *err)
{
    struct line_reader *in;
    struct line line;
    enum status status = line_reader_open(&in, path, err);
    while (status == STATUS_OK) {
        status = line_reader_next(in, &line, err);
        if (status != STATUS_OK || !line.text)
            break;
        if (memchr(line.text, '\0', line.len))
            status = error_set(err, STATUS_BAD_INPUT, "there is a NUL byte in it");
        else
            status = take(context, &line, err);
        if (status != STATUS_OK)
            error_while(err, "%s: line %ld", path, line.number);
    }
    line_reader_close(in);
    return status;
}

static enum status take_text(void *context, const struct line *line, struct error *err)
{
    return text_list_add(context, line->text, line->len, err);
}

enum status text_list_read(struct text_list *list, const char *path, struct error *err)
{
    return each_line(path, take_text, list, err);
}

struct pair_reader {
    struct text_list *sources, *references;
    enum set_form form;
    int source_column;
};

static enum status take_pair(void *context, const struct line *line, struct error *err)
{
    struct pair_reader *r = context;
    const char *tab = memchr(line->text, '\t', line->len);
    bool texts_alone = r->form == SET_PAIRS_OR_TEXTS && r->sources->count == 0 &&
                       (r->references->count > 0 || !tab);
    if (texts_alone)
        return text_list_add(r->references, line->text, line->len, err);
    if (!tab || memchr(tab + 1, '\t', line->len - (size_t)(tab + 1 - line->text)))
        return error_set(err, STATUS_BAD_INPUT,
                         "it should be source, tab, target, with exactly one tab");
    struct text_list *first = r->source_column == 1 ? r->sources : r->references;
    struct text_list *second = r->source_column == 1 ? r->references : r->sources;
    enum status status = text_list_add(first, line->text, (size_t)(tab - line->text), err);
    if (status != STATUS_OK)
        return status;
    return text_list_add(second, tab + 1, line->len - (size_t)(tab + 1 - line->text), err);
}

enum status evaluation_set_read(struct evaluation_set *set, const char *path, enum set_form form,
                                int source_column, struct error *err)
{
    struct pair_reader reader = { &set->sources, &set->references, form, source_column };
    enum status status = each_line(path, take_pair, &reader, err);
    if (status == STATUS_OK && set->references.count == 0)
        status = error_set(err, STATUS_BAD_INPUT, "%s has no lines", path);
    return status;
}

/* Chain the lines of each source, in the order of the file. */
static bool index_more(struct evaluation_set *set)
{
    set->first_more = map_new();
    set->next_more = memory_alloc((size_t)set->more_sources.count + 1, sizeof *set->next_more);
    if (!set->first_more || !set->next_more)
        return false;
    for (int i = set->more_sources.count - 1; i >= 0; i--) {
        const char *source = set->more_sources.items[i];
        int64_t *first = map_insert(set->first_more, source, strlen(source), -1);
        if (!first)
            return false;
        set->next_more[i] = (int)*first;
        *first = i;
    }
    return true;
}

enum status evaluation_set_add_references(struct evaluation_set *set, const char *path,
                                          int source_column, struct error *err)
{
    struct pair_reader reader = { &set->more_sources, &set->more_references, SET_PAIRS,
                                  source_column };
    assert(!set->first_more && set->sources.count > 0);
    enum status status = each_line(path, take_pair, &reader, err);
    if (status == STATUS_OK && !index_more(set))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the references");
    return status;
}

void evaluation_set_release(struct evaluation_set *set)
{
    text_list_release(&set->sources);
    text_list_release(&set->references);
    text_list_release(&set->more_sources);
    text_list_release(&set->more_references);
    map_free(set->first_more);
    memory_free(set->next_more);
    *set = (struct evaluation_set){ 0 };
}

static bool is_among(const char *const *list, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

int evaluation_set_references(const struct evaluation_set *set, int i,
                              const char *list[QUALITY_REFERENCES_MAX])
{
    int count = 0;
    list[count++] = set->references.items[i];
    if (!set->first_more)
        return count;
    const char *source = set->sources.items[i];
    const int64_t *first = map_find(set->first_more, source, strlen(source));
    for (int m = first ? (int)*first : -1; m >= 0 && count < QUALITY_REFERENCES_MAX;
         m = set->next_more[m])
        if (!is_among(list, count, set->more_references.items[m]))
            list[count++] = set->more_references.items[m];
    return count;
}
