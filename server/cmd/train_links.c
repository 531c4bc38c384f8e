/*
 * train_links.c - from links between words to links between the pieces of the words.
 */
#include "server/cmd/train_links.h"

#include "base/gzip.h"
#include "base/memory.h"
#include "model/train/pairs.h"
#include "server/quality/links.h"

#define WORDS_MAX (CORPUS_SIDE_BYTES_MAX / 2 + 1)

struct train_links {
    const char *path;
    bool swapped;
    struct line_reader *in;
    struct line line; // read last
    struct links words, turned, pieces;
    struct span *source, *target; // (WORDS_MAX)
    int32_t *codes;
    int capacity;
};

static enum status no_memory(const char *path, struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory for the links of %s", path);
}

enum status train_links_open(struct train_links **out, const char *path, bool swapped,
                             struct error *err)
{
    *out = NULL;
    struct train_links *l = memory_zeroed(1, sizeof *l);
    if (!l)
        return no_memory(path, err);
    l->path = path;
    l->swapped = swapped;
    l->source = memory_alloc(WORDS_MAX, sizeof *l->source);
    l->target = memory_alloc(WORDS_MAX, sizeof *l->target);
    enum status status =
        l->source && l->target ? line_reader_open(&l->in, path, err) : no_memory(path, err);
    if (status != STATUS_OK) {
        train_links_close(l);
        return status;
    }
    *out = l;
    return STATUS_OK;
}

void train_links_close(struct train_links *links)
{
    if (!links)
        return;
    line_reader_close(links->in);
    links_release(&links->words);
    links_release(&links->turned);
    links_release(&links->pieces);
    memory_free(links->source);
    memory_free(links->target);
    memory_free(links->codes);
    memory_free(links);
}

/* The line of that number; those between were of pairs that are left out. */
static enum status go_to(struct train_links *l, long line, struct error *err)
{
    while (l->line.number < line) {
        const long before = l->line.number;
        enum status status = line_reader_next(l->in, &l->line, err);
        if (status != STATUS_OK)
            return error_while(err, "%s", l->path);
        if (!l->line.text)
            return error_set(err, STATUS_BAD_INPUT,
                             "%s has only %ld lines: it must have one for each line of the "
                             "training data",
                             l->path, before);
    }
    return STATUS_OK;
}

/* Source words first, whichever column they are. */
static bool turn(struct train_links *l)
{
    links_clear(&l->turned);
    for (int i = 0; i < l->words.count; i++) {
        const struct link link = l->words.items[i];
        if (!(l->swapped ? links_add(&l->turned, link.target, link.source)
                         : links_add(&l->turned, link.source, link.target)))
            return false;
    }
    return true;
}

static enum status check_words(const struct links *links, int S, int T, struct error *err)
{
    for (int i = 0; i < links->count; i++)
        if (links->items[i].source >= S || links->items[i].target >= T)
            return error_set(err, STATUS_BAD_INPUT,
                             "a link of words %d and %d, but the pair has %d and %d: words are "
                             "what white space separates",
                             links->items[i].source, links->items[i].target, S, T);
    return STATUS_OK;
}

static bool make_codes(struct train_links *l)
{
    if (l->pieces.count > l->capacity) {
        int32_t *codes = memory_resize(l->codes, (size_t)l->pieces.count, sizeof *codes);
        if (!codes)
            return false;
        l->codes = codes;
        l->capacity = l->pieces.count;
    }
    for (int i = 0; i < l->pieces.count; i++)
        l->codes[i] = pair_link(l->pieces.items[i].source, l->pieces.items[i].target);
    return true;
}

static enum status find_pieces(struct train_links *l, const struct corpus_pair *pair,
                               const struct corpus_ids *ids, struct error *err)
{
    const struct word_spans words = { l->source, l->target,
                                      links_text_words(pair->source, pair->source_len, l->source),
                                      links_text_words(pair->target, pair->target_len, l->target) };
    const struct word_spans pieces = { ids->source_spans, ids->target_spans, ids->source_len,
                                       ids->target_len };
    enum status status = links_read(&l->words, l->line.text, l->line.len, err);
    if (status == STATUS_OK && !turn(l))
        status = no_memory(l->path, err);
    if (status == STATUS_OK)
        status = check_words(&l->turned, words.S, words.T, err);
    if (status == STATUS_OK &&
        (!links_map(&l->turned, &words, &pieces, &l->pieces) || !make_codes(l)))
        status = no_memory(l->path, err);
    return status;
}

enum status train_links_find(struct train_links *links, long line, const struct corpus_pair *pair,
                             const struct corpus_ids *ids, struct error *err)
{
    enum status status = go_to(links, line, err);
    if (status != STATUS_OK)
        return status;
    status = find_pieces(links, pair, ids, err);
    return status == STATUS_OK ? status : error_while(err, "%s: line %ld", links->path, line);
}

const int32_t *train_links_codes(const struct train_links *links)
{
    return links->codes;
}

int train_links_count(const struct train_links *links)
{
    return links->pieces.count;
}

enum status train_links_end(struct train_links *links, long lines, struct error *err)
{
    enum status status = go_to(links, lines, err);
    if (status == STATUS_OK)
        status = line_reader_next(links->in, &links->line, err);
    if (status == STATUS_OK && links->line.text)
        status = error_set(err, STATUS_BAD_INPUT,
                           "%s has more than %ld lines: it must have one for each line of the "
                           "training data",
                           links->path, lines);
    return status;
}
