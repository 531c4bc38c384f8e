/*
 * embed_corpus.c - lines to words to ids in a file; then the words are sorted
 * by frequency and the file's ids replaced, in place.
 *
 *     first ids count words in the order they come; the last ones by frequency
 */
#include "server/cmd/embed_corpus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/memory.h"
#include "server/cmd/progress.h"
#include "tokenizer/bpe.h"
#include "tokenizer/words.h"

#define SCRATCH_BYTES ((size_t)160 << 20) // what the worst line may need; only touched is used
#define PATH_BYTES 4096
#define COUNTS_AT_FIRST 4096

struct reading {
    struct embed_corpus *corpus;
    const struct embed_corpus_options *options;
    FILE *file;      // of ids
    size_t capacity; // of counts
    struct arena scratch;
};

/* ---- the file of ids ---- */

static enum status file_failed(const struct reading *r, struct error *err)
{
    return error_set(err, STATUS_IO, "cannot keep the corpus as a file beside %s: %s%s",
                     r->options->beside, strerror(errno),
                     errno == ENOSPC ? "; free some space there, four bytes a word" : "");
}

/* It loses its name at once, so nothing is left of it whatever happens. */
static enum status open_file(struct reading *r, struct error *err)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s.tmp-XXXXXX", r->options->beside) >= (int)sizeof path)
        return error_set(err, STATUS_BAD_USAGE, "--out: the path is too long");
    const int fd = mkstemp(path);
    if (fd < 0)
        return file_failed(r, err);
    unlink(path);
    r->file = fdopen(fd, "w+b");
    if (!r->file) {
        close(fd);
        return file_failed(r, err);
    }
    return STATUS_OK;
}

static enum status put_id(struct reading *r, int32_t id, struct error *err)
{
    return fwrite(&id, sizeof id, 1, r->file) == 1 ? STATUS_OK : file_failed(r, err);
}

static enum status map_file(struct reading *r, struct error *err)
{
    struct embed_corpus *c = r->corpus;
    if (fflush(r->file) != 0)
        return file_failed(r, err);
    const off_t bytes = lseek(fileno(r->file), 0, SEEK_END);
    if (bytes <= 0)
        return bytes < 0 ? file_failed(r, err) : STATUS_OK;
    void *ids = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(r->file), 0);
    if (ids == MAP_FAILED)
        return file_failed(r, err);
    c->ids = ids;
    c->mapped_bytes = (size_t)bytes;
    return STATUS_OK;
}

/* ---- words ---- */

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory for the words of the corpus");
}

/* Another of a word; *id is its number in the order of first coming. */
static enum status count_word(struct reading *r, const char *word, size_t len, int32_t *id,
                              struct error *err)
{
    struct embed_corpus *c = r->corpus;
    const size_t known = map_count(c->index);
    const int64_t *number = map_insert(c->index, word, len, (int64_t)known);
    if (!number)
        return no_memory(err);
    *id = (int32_t)*number;
    if (map_count(c->index) > WORD2VEC_WORDS_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "the corpus has more than %d different words: train on a part of it",
                         WORD2VEC_WORDS_MAX);
    if ((size_t)*id == r->capacity) {
        const size_t capacity = r->capacity ? 2 * r->capacity : COUNTS_AT_FIRST;
        int64_t *counts = memory_resize(c->counts, capacity, sizeof *counts);
        if (!counts)
            return no_memory(err);
        c->counts = counts;
        r->capacity = capacity;
    }
    c->counts[*id] = (size_t)*id == known ? 1 : c->counts[*id] + 1;
    c->word_count++;
    return STATUS_OK;
}

static enum status add_text(struct reading *r, const char *text, size_t len, struct error *err)
{
    const struct vocabulary_options form = { FORM_NFKC, r->options->casefold };
    char word[WORD_BYTES_MAX];
    size_t count, at = 0, word_len;
    int32_t id = WORD2VEC_END;
    arena_reset(&r->scratch);
    const struct normalised_bound bound = normalise_bound(text, len, form);
    struct character *chars = arena_array(&r->scratch, struct character, bound.characters);
    if (!chars || !normalise(text, len, form, chars, &r->scratch, &count))
        return no_memory(err);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (word_len = words_next(chars, count, &at, word)) > 0) {
        const bool marked =
            word_len >= SPACE_MARK_BYTES && memcmp(word, SPACE_MARK_TEXT, SPACE_MARK_BYTES) == 0;
        const size_t skip = marked ? SPACE_MARK_BYTES : 0;
        if (word_len == skip)
            continue;
        status = count_word(r, word + skip, word_len - skip, &id, err);
        if (status == STATUS_OK)
            status = put_id(r, id, err);
    }
    return status == STATUS_OK ? put_id(r, WORD2VEC_END, err) : status;
}

static enum status read_lines(struct reading *r, struct corpus *corpus, struct error *err)
{
    struct corpus_pair line;
    enum status status;
    struct progress progress = progress_start(stderr, "reading");
    while ((status = corpus_next(corpus, &line, err)) == STATUS_OK && line.source) {
        status = add_text(r, line.source, line.source_len, err);
        if (status != STATUS_OK)
            break;
        r->corpus->lines++;
        progress_show(&progress, corpus_progress(corpus), "%ld lines, %zu different words",
                      r->corpus->lines, map_count(r->corpus->index));
    }
    progress_end(&progress);
    r->corpus->bad_lines = corpus_bad_lines(corpus);
    return status;
}

static enum status read_files(struct reading *r, const struct corpora *files, struct error *err)
{
    struct corpus *corpus;
    enum status status = corpus_open(&corpus, files->paths, files->count, &files->options, err);
    if (status != STATUS_OK)
        return status;
    status = read_lines(r, corpus, err);
    corpus_close(corpus);
    return status;
}

/* ---- from first ids to last ones ---- */

struct counted {
    const char *word;
    int64_t count;
    int32_t first_id;
};

/* The most frequent first, and of equally frequent ones the smaller in byte order, so that the
 * order of the lines is not seen. */
static int compare_counted(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->word, y->word);
}

static void list_frequent(const struct embed_corpus *c, int least, struct counted *list)
{
    struct map_entry entry;
    int kept = 0;
    for (size_t at = 0; map_next(c->index, &at, &entry);)
        if (c->counts[entry.value] >= least)
            list[kept++] =
                (struct counted){ entry.key, c->counts[entry.value], (int32_t)entry.value };
    qsort(list, (size_t)kept, sizeof *list, compare_counted);
}

/* Rare words go, and sentences that have nothing else. */
static void replace_ids(struct embed_corpus *c, const int32_t *last_ids)
{
    const size_t count = c->mapped_bytes / sizeof *c->ids;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const int32_t id = c->ids[i] == WORD2VEC_END ? WORD2VEC_END : last_ids[c->ids[i]];
        if (id != WORD2VEC_END ||
            (c->ids[i] == WORD2VEC_END && kept > 0 && c->ids[kept - 1] != WORD2VEC_END))
            c->ids[kept++] = id;
    }
    c->text.ids = c->ids;
    c->text.count = kept;
}

static enum status sort_words(struct embed_corpus *c, int least, struct error *err)
{
    int frequent = 0;
    for (size_t i = 0; i < c->different; i++)
        frequent += c->counts[i] >= least;
    if (frequent < 2)
        return error_set(err, STATUS_BAD_INPUT,
                         "of the corpus' %zu different words %d occur%s %d times or more: give it "
                         "more text, or a lower --min-count",
                         c->different, frequent, frequent == 1 ? "s" : "", least);
    struct counted *list = memory_alloc((size_t)frequent, sizeof *list);
    int32_t *last_ids = memory_alloc(c->different, sizeof *last_ids);
    c->words = memory_alloc((size_t)frequent, sizeof *c->words);
    const bool ok = list && last_ids && c->words;
    if (ok) {
        list_frequent(c, least, list);
        for (size_t i = 0; i < c->different; i++)
            last_ids[i] = WORD2VEC_END; // left out
        for (int i = 0; i < frequent; i++) {
            last_ids[list[i].first_id] = i;
            c->words[i] = list[i].word;
        }
        for (int i = 0; i < frequent; i++)
            c->counts[i] = list[i].count;
        c->text.counts = c->counts;
        c->text.words = frequent;
        replace_ids(c, last_ids);
    }
    memory_free(list);
    memory_free(last_ids);
    return ok ? STATUS_OK : no_memory(err);
}

/* ---- all of it ---- */

static enum status read_all(struct reading *r, const struct corpora *files, struct error *err)
{
    struct embed_corpus *c = r->corpus;
    c->index = map_new();
    if (!c->index || !arena_init(&r->scratch, SCRATCH_BYTES))
        return no_memory(err);
    enum status status = open_file(r, err);
    if (status == STATUS_OK)
        status = read_files(r, files, err);
    if (status == STATUS_OK)
        status = map_file(r, err);
    c->different = map_count(c->index);
    return status == STATUS_OK ? sort_words(c, r->options->least_count, err) : status;
}

enum status embed_corpus_read(struct embed_corpus *c, const struct corpora *files,
                              const struct embed_corpus_options *options, struct error *err)
{
    struct reading r = { .corpus = c, .options = options };
    *c = (struct embed_corpus){ 0 };
    const enum status status = read_all(&r, files, err);
    if (r.file)
        fclose(r.file); // the mapping stays
    arena_release(&r.scratch);
    if (status != STATUS_OK)
        embed_corpus_release(c);
    return status;
}

void embed_corpus_release(struct embed_corpus *c)
{
    if (c->ids)
        munmap(c->ids, c->mapped_bytes);
    map_free(c->index);
    memory_free(c->words);
    memory_free(c->counts);
    *c = (struct embed_corpus){ 0 };
}
