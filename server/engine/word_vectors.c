/*
 * word_vectors.c - read strictly, searched by cosine, written exactly.
 */
#include "server/engine/word_vectors.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/files.h"
#include "base/gzip.h"
#include "base/map.h"
#include "base/memory.h"
#include "tokenizer/utf8.h"

#define NUMBER_BYTES_MAX 47
#define ROWS_AT_FIRST 1024
#define NUMBER_CHARACTERS "+-.0123456789eE" // so no "nan", "inf" or hexadecimal

struct word_vectors {
    int count, size;
    int capacity;       // of rows
    struct map *index;  // word -> row
    const char **words; // (count) the index's keys
    float *values;      // (count, size)
    double *norms;      // (count)
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory for the word vectors");
}

/* ---- reading ---- */

/* A word or a number: what comes before the next space. */
struct token {
    const char *text;
    size_t len;
};

static struct token take_token(const char **at, const char *end)
{
    struct token token = { *at, 0 };
    const char *space = *at < end ? memchr(*at, ' ', (size_t)(end - *at)) : NULL;
    const char *stop = space ? space : end;
    token.len = (size_t)(stop - *at);
    *at = space ? space + 1 : end;
    return token;
}

static bool read_count(struct token token, int max, int *value)
{
    long long number = 0;
    if (token.len == 0 || token.len > 10)
        return false;
    for (size_t i = 0; i < token.len; i++) {
        if (token.text[i] < '0' || token.text[i] > '9')
            return false;
        number = 10 * number + (token.text[i] - '0');
    }
    *value = (int)number;
    return number >= 1 && number <= max;
}

static bool read_number(struct token token, float *value)
{
    char room[NUMBER_BYTES_MAX + 1], *end;
    if (token.len == 0 || token.len > NUMBER_BYTES_MAX)
        return false;
    memcpy(room, token.text, token.len);
    room[token.len] = '\0';
    if (strspn(room, NUMBER_CHARACTERS) != token.len)
        return false;
    *value = strtof(room, &end);
    return end == room + token.len && isfinite(*value);
}

static enum status read_header(const struct line *line, int *count, int *size, struct error *err)
{
    const char *at = line->text, *end = line->text + line->len;
    struct token first = take_token(&at, end), second = take_token(&at, end);
    if (at != end || !read_count(first, WORD_VECTORS_WORDS_MAX, count) ||
        !read_count(second, WORD_VECTORS_SIZE_MAX, size))
        return error_set(err, STATUS_BAD_FILE,
                         "line 1 must be how many words there are, 1 to %d, and how many numbers "
                         "each has, 1 to %d",
                         WORD_VECTORS_WORDS_MAX, WORD_VECTORS_SIZE_MAX);
    if ((size_t)*count * (size_t)*size > WORD_VECTORS_NUMBERS_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "%d words of %d numbers are over the limit of %zu numbers in all", *count,
                         *size, WORD_VECTORS_NUMBERS_MAX);
    return STATUS_OK;
}

static enum status make_room(struct word_vectors *v, int wanted, struct error *err)
{
    if (v->count < v->capacity)
        return STATUS_OK;
    int capacity = v->capacity ? 2 * v->capacity : ROWS_AT_FIRST;
    capacity = capacity < wanted ? capacity : wanted;
    float *values = memory_resize(v->values, (size_t)capacity * (size_t)v->size, sizeof *values);
    if (!values)
        return no_memory(err);
    v->values = values;
    v->capacity = capacity;
    return STATUS_OK;
}

static enum status add_word(struct word_vectors *v, struct token word, long line, struct error *err)
{
    if (word.len == 0 || word.len > WORD_VECTORS_WORD_BYTES_MAX ||
        memchr(word.text, '\0', word.len) || utf8_check(word.text, word.len, NULL) != STATUS_OK)
        return error_set(err, STATUS_BAD_FILE,
                         "line %ld must start with a word: 1 to %d bytes of UTF-8", line,
                         WORD_VECTORS_WORD_BYTES_MAX);
    const int64_t *row = map_insert(v->index, word.text, word.len, v->count);
    if (!row)
        return no_memory(err);
    if (*row != v->count)
        return error_set(err, STATUS_BAD_FILE, "line %ld has the word of line %lld once more", line,
                         (long long)*row + 2);
    return STATUS_OK;
}

/* "word 0.1 -0.2 ...", a space behind the last number allowed: word2vec itself writes one. */
static enum status read_row(struct word_vectors *v, const struct line *line, struct error *err)
{
    const char *at = line->text, *end = line->text + line->len;
    float *row = v->values + (size_t)v->count * (size_t)v->size;
    enum status status = add_word(v, take_token(&at, end), line->number, err);
    for (int i = 0; i < v->size && status == STATUS_OK; i++)
        if (!read_number(take_token(&at, end), &row[i]))
            status = error_set(err, STATUS_BAD_FILE,
                               "line %ld must have %d finite numbers, and its number %d is none",
                               line->number, v->size, i + 1);
    if (status == STATUS_OK && at != end)
        status = error_set(err, STATUS_BAD_FILE, "line %ld goes on after its %d numbers",
                           line->number, v->size);
    return status;
}

static enum status read_rows(struct word_vectors *v, struct line_reader *in, int wanted,
                             struct error *err)
{
    struct line line;
    enum status status;
    while ((status = line_reader_next(in, &line, err)) == STATUS_OK && line.text) {
        if (v->count == wanted)
            return error_set(err, STATUS_BAD_FILE, "line 1 promises %d words, and there are more",
                             wanted);
        status = make_room(v, wanted, err);
        if (status == STATUS_OK)
            status = read_row(v, &line, err);
        if (status != STATUS_OK)
            return status;
        v->count++;
    }
    if (status == STATUS_OK && v->count < wanted)
        return error_set(err, STATUS_BAD_FILE,
                         "line 1 promises %d words, and the file ends after %d: it was cut short",
                         wanted, v->count);
    return status;
}

static double norm_of(const float *row, int size)
{
    double sum = 0;
    for (int i = 0; i < size; i++)
        sum += (double)row[i] * (double)row[i];
    return sqrt(sum);
}

/* What needs all rows: the index's keys stay where they are from now on. */
static enum status finish(struct word_vectors *v, struct error *err)
{
    struct map_entry entry;
    v->words = memory_alloc((size_t)v->count, sizeof *v->words);
    v->norms = memory_alloc((size_t)v->count, sizeof *v->norms);
    if (!v->words || !v->norms)
        return no_memory(err);
    for (size_t at = 0; map_next(v->index, &at, &entry);)
        v->words[entry.value] = entry.key;
    for (int i = 0; i < v->count; i++)
        v->norms[i] = norm_of(word_vectors_row(v, i), v->size);
    return STATUS_OK;
}

static enum status read_all(struct word_vectors *v, struct line_reader *in, struct error *err)
{
    struct line line;
    int wanted = 0;
    enum status status = line_reader_next(in, &line, err);
    if (status == STATUS_OK && !line.text)
        status = error_set(err, STATUS_BAD_FILE, "the file is empty");
    if (status == STATUS_OK)
        status = read_header(&line, &wanted, &v->size, err);
    if (status == STATUS_OK)
        status = read_rows(v, in, wanted, err);
    return status == STATUS_OK ? finish(v, err) : status;
}

enum status word_vectors_load(struct word_vectors **out, const char *path, struct error *err)
{
    struct line_reader *in;
    struct error why;
    *out = NULL;
    enum status status = line_reader_open(&in, path, err);
    if (status != STATUS_OK)
        return status;
    struct word_vectors *v = memory_zeroed(1, sizeof *v);
    if (v)
        v->index = map_new();
    status = v && v->index ? read_all(v, in, &why) : no_memory(&why);
    line_reader_close(in);
    if (status != STATUS_OK) {
        word_vectors_free(v);
        return error_set(err, status, "%s: no word vectors: %s", path, why.text);
    }
    *out = v;
    return STATUS_OK;
}

void word_vectors_free(struct word_vectors *v)
{
    if (!v)
        return;
    map_free(v->index);
    memory_free(v->words);
    memory_free(v->values);
    memory_free(v->norms);
    memory_free(v);
}

/* ---- looking at them ---- */

int word_vectors_count(const struct word_vectors *v)
{
    return v->count;
}

int word_vectors_size(const struct word_vectors *v)
{
    return v->size;
}

int32_t word_vectors_find(const struct word_vectors *v, const char *word, size_t len)
{
    const int64_t *row = map_find(v->index, word, len);
    return row ? (int32_t)*row : -1;
}

const char *word_vectors_word(const struct word_vectors *v, int32_t i)
{
    return v->words[i];
}

const float *word_vectors_row(const struct word_vectors *v, int32_t i)
{
    return v->values + (size_t)i * (size_t)v->size;
}

double word_vectors_norm(const struct word_vectors *v, int32_t i)
{
    return v->norms[i];
}

static double cosine(const struct word_vectors *v, int32_t i, const float *query, double norm)
{
    const float *row = word_vectors_row(v, i);
    double dot = 0;
    if (norm <= 0 || v->norms[i] <= 0)
        return 0;
    for (int k = 0; k < v->size; k++)
        dot += (double)row[k] * (double)query[k];
    return dot / (norm * v->norms[i]);
}

static bool is_among(int32_t word, const int32_t *list, int count)
{
    for (int i = 0; i < count; i++)
        if (list[i] == word)
            return true;
    return false;
}

int word_vectors_nearest(const struct word_vectors *v, const float *query, const int32_t *except,
                         int except_count, struct neighbour *out, int wanted)
{
    const double norm = norm_of(query, v->size);
    int count = 0;
    for (int32_t i = 0; i < v->count; i++) {
        const double c = cosine(v, i, query, norm);
        if ((count == wanted && !(c > out[count - 1].cosine)) || is_among(i, except, except_count))
            continue;
        int at = count < wanted ? count++ : count - 1;
        for (; at > 0 && out[at - 1].cosine < c; at--)
            out[at] = out[at - 1];
        out[at] = (struct neighbour){ i, c };
    }
    return count;
}

/* ---- writing ---- */

/* What was put together goes to the file, and the room is free again. */
static enum status write_line(struct file_writer *w, struct bytes *line, struct error *err)
{
    enum status status = bytes_check(line, "a line of word vectors", err);
    if (status == STATUS_OK)
        status = file_writer_add(w, line->data, line->len, err);
    bytes_reset(line);
    return status;
}

static enum status write_all(struct file_writer *w, const char *const *words, const float *values,
                             int count, int size, struct error *err)
{
    struct bytes line;
    bytes_init(&line, LINE_BYTES_MAX);
    bytes_printf(&line, "%d %d\n", count, size);
    enum status status = write_line(w, &line, err);
    for (int i = 0; i < count && status == STATUS_OK; i++) {
        bytes_append_text(&line, words[i]);
        for (int k = 0; k < size; k++)
            bytes_printf(&line, " %.9g", (double)*values++);
        bytes_append_char(&line, '\n');
        status = write_line(w, &line, err);
    }
    bytes_release(&line);
    return status;
}

enum status word_vectors_save(const char *path, const char *const *words, const float *values,
                              int count, int size, struct error *err)
{
    struct file_writer *w;
    enum status status = file_writer_open(&w, path, err);
    if (status != STATUS_OK)
        return status;
    status = write_all(w, words, values, count, size, err);
    if (status == STATUS_OK)
        status = file_writer_commit(w, err);
    file_writer_close(w);
    return status;
}
