/*
 * gold.c - lines of linked pairs, read strictly: a wrong link would be a wrong figure.
 */
#include "server/quality/gold.h"

#include <string.h>

#include "base/gzip.h"
#include "base/json.h"
#include "base/memory.h"
#include "tokenizer/utf8.h"

/* ---- life cycle ---- */

static void release_pair(struct gold_pair *pair)
{
    memory_free(pair->source);
    memory_free(pair->target);
    memory_free((void *)pair->words.source);
    memory_free((void *)pair->words.target);
    links_release(&pair->sure);
    links_release(&pair->possible);
}

void gold_release(struct gold *gold)
{
    for (int i = 0; i < gold->count; i++)
        release_pair(&gold->items[i]);
    memory_free(gold->items);
    *gold = (struct gold){ 0 };
}

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory for the linked pairs");
}

static enum status reserve_one(struct gold *gold, struct error *err)
{
    if (gold->count < gold->capacity)
        return STATUS_OK;
    if (gold->count == GOLD_PAIRS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "more than %d linked pairs are too many",
                         GOLD_PAIRS_MAX);
    const int capacity = gold->capacity ? 2 * gold->capacity : 256;
    struct gold_pair *items = memory_resize(gold->items, (size_t)capacity, sizeof *items);
    if (!items)
        return no_memory(err);
    gold->items = items;
    gold->capacity = capacity;
    return STATUS_OK;
}

/* ---- texts and words ---- */

static enum status take_text(char **out, const char *text, size_t len, struct error *err)
{
    enum status status = utf8_check(text, len, err);
    if (status != STATUS_OK)
        return status;
    char *copy = memory_alloc(len + 1, 1);
    if (!copy)
        return no_memory(err);
    memcpy(copy, text, len);
    copy[len] = '\0';
    *out = copy;
    return STATUS_OK;
}

/* The words that single spaces separate. */
static enum status split_words(const char *text, const struct span **out, int *count,
                               struct error *err)
{
    const size_t len = strlen(text);
    struct span *words = memory_alloc(len / 2 + 1, sizeof *words);
    if (!words)
        return no_memory(err);
    *count = 0;
    *out = words;
    for (size_t at = 0; at < len;) {
        const size_t end = at + strcspn(text + at, " ");
        if (end > at)
            words[(*count)++] = (struct span){ (uint32_t)at, (uint32_t)end };
        at = end + 1;
    }
    return STATUS_OK;
}

static bool is_pair_of_numbers(const json_t *pair, json_int_t max)
{
    for (size_t k = 0; k < 2; k++) {
        const json_t *number = json_array_get(pair, k);
        if (!json_is_integer(number) || json_integer_value(number) < 0 ||
            json_integer_value(number) > max)
            return false;
    }
    return json_array_size(pair) == 2;
}

static json_int_t number_of(const json_t *pair, size_t k)
{
    return json_integer_value(json_array_get(pair, k));
}

/* Code points to bytes; spans come in order, so the text is walked once. */
struct walk {
    const char *text;
    size_t len, at;
    json_int_t character; // that begins at `at`
};

static bool walk_to(struct walk *w, json_int_t character)
{
    int bytes;
    for (; w->character < character && w->at < w->len; w->character++) {
        utf8_next(w->text + w->at, w->len - w->at, &bytes);
        w->at += (size_t)bytes;
    }
    return w->character == character;
}

static enum status bad_spans(const char *key, struct error *err)
{
    return error_set(err, STATUS_BAD_INPUT,
                     "\"%s\" must be pairs of code points [start, end) of the text, in order", key);
}

/* Words in order, each either behind the one before or the same. */
static enum status place_words(const char *key, const json_t *list, const char *text,
                               struct span *words, struct error *err)
{
    struct walk walk = { .text = text, .len = strlen(text) };
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        if (!is_pair_of_numbers(pair, (json_int_t)walk.len))
            return bad_spans(key, err);
        if (i > 0 && json_equal(pair, json_array_get(list, i - 1))) {
            words[i] = words[i - 1];
            continue;
        }
        const json_int_t from = number_of(pair, 0), to = number_of(pair, 1);
        if (from >= to || from < walk.character || !walk_to(&walk, from))
            return bad_spans(key, err);
        words[i].from = (uint32_t)walk.at;
        if (!walk_to(&walk, to))
            return bad_spans(key, err);
        words[i].to = (uint32_t)walk.at;
    }
    return STATUS_OK;
}

static enum status take_spans(const json_t *object, const char *key, const char *text,
                              const struct span **out, int *count, struct error *err)
{
    const json_t *list = json_object_get(object, key);
    if (!json_is_array(list) || json_array_size(list) > LINKS_WORD_MAX)
        return bad_spans(key, err);
    struct span *words = memory_alloc(json_array_size(list) + 1, sizeof *words);
    if (!words)
        return no_memory(err);
    *out = words;
    *count = (int)json_array_size(list);
    return place_words(key, list, text, words, err);
}

/* ---- links ---- */

static enum status take_links(const json_t *object, const char *key, struct links *links,
                              struct error *err)
{
    const json_t *list = json_object_get(object, key);
    if (!json_is_array(list) || json_array_size(list) > LINKS_MAX)
        return error_set(err, STATUS_BAD_INPUT, "\"%s\" must be pairs of words as [[0,0],[1,2]]",
                         key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pair = json_array_get(list, i);
        if (!is_pair_of_numbers(pair, LINKS_WORD_MAX - 1))
            return error_set(err, STATUS_BAD_INPUT,
                             "\"%s\" must be pairs of words as [[0,0],[1,2]]", key);
        if (!links_add(links, (int)number_of(pair, 0), (int)number_of(pair, 1)))
            return no_memory(err);
    }
    return STATUS_OK;
}

/* Sure ones among the possible ones, and all between words that are there. */
static enum status check_links(struct gold_pair *pair, struct error *err)
{
    for (int i = 0; i < pair->sure.count; i++)
        if (!links_add(&pair->possible, pair->sure.items[i].source, pair->sure.items[i].target))
            return no_memory(err);
    for (int i = 0; i < pair->possible.count; i++) {
        const struct link link = pair->possible.items[i];
        if (link.source >= pair->words.S || link.target >= pair->words.T)
            return error_set(err, STATUS_BAD_INPUT,
                             "there is a link %d-%d, but the texts have %d and %d words",
                             link.source, link.target, pair->words.S, pair->words.T);
    }
    return STATUS_OK;
}

/* ---- lines ---- */

static enum status take_json_text(const json_t *object, const char *key, char **out,
                                  struct error *err)
{
    const json_t *text = json_object_get(object, key);
    if (!json_is_string(text))
        return error_set(err, STATUS_BAD_INPUT, "\"%s\" must be a text", key);
    return take_text(out, json_string_value(text), json_string_length(text), err);
}

static enum status read_object(const struct line *line, struct gold_pair *pair, struct error *err)
{
    json_t *object;
    struct word_spans *words = &pair->words;
    enum status status = json_parse(&object, line->text, line->len, err);
    if (status != STATUS_OK)
        return status;
    status = take_json_text(object, "src", &pair->source, err);
    if (status == STATUS_OK)
        status = take_json_text(object, "tgt", &pair->target, err);
    if (status == STATUS_OK)
        status = take_spans(object, "src_spans", pair->source, &words->source, &words->S, err);
    if (status == STATUS_OK)
        status = take_spans(object, "tgt_spans", pair->target, &words->target, &words->T, err);
    if (status == STATUS_OK)
        status = take_links(object, "sure", &pair->sure, err);
    if (status == STATUS_OK)
        status = take_links(object, "possible", &pair->possible, err);
    json_decref(object);
    return status;
}

#define COLUMNS 4

static enum status read_columns(const struct line *line, struct gold_pair *pair, struct error *err)
{
    const char *column[COLUMNS] = { line->text }, *end = line->text + line->len;
    size_t len[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        const char *tab = memchr(column[c], '\t', (size_t)(end - column[c]));
        if (!tab == (c < COLUMNS - 1))
            return error_set(err, STATUS_BAD_INPUT,
                             "it must be source words, target words, sure and possible links, with "
                             "tabs between, or JSON");
        len[c] = (size_t)((tab ? tab : end) - column[c]);
        if (tab)
            column[c + 1] = tab + 1;
    }
    enum status status = take_text(&pair->source, column[0], len[0], err);
    if (status == STATUS_OK)
        status = take_text(&pair->target, column[1], len[1], err);
    if (status == STATUS_OK)
        status = split_words(pair->source, &pair->words.source, &pair->words.S, err);
    if (status == STATUS_OK)
        status = split_words(pair->target, &pair->words.target, &pair->words.T, err);
    if (status == STATUS_OK)
        status = links_read(&pair->sure, column[2], len[2], err);
    return status == STATUS_OK ? links_read(&pair->possible, column[3], len[3], err) : status;
}

static enum status read_line(struct gold *gold, const struct line *line, struct error *err)
{
    enum status status = reserve_one(gold, err);
    if (status != STATUS_OK)
        return status;
    struct gold_pair *pair = &gold->items[gold->count++];
    *pair = (struct gold_pair){ 0 };
    status = line->text[0] == '{' ? read_object(line, pair, err) : read_columns(line, pair, err);
    return status == STATUS_OK ? check_links(pair, err) : status;
}

enum status gold_read(struct gold *gold, const char *path, struct error *err)
{
    struct gold read = { 0 };
    struct line_reader *in;
    struct line line;
    enum status status = line_reader_open(&in, path, err);
    while (status == STATUS_OK) {
        status = line_reader_next(in, &line, err);
        if (status != STATUS_OK || !line.text)
            break;
        status = read_line(&read, &line, err);
        if (status != STATUS_OK)
            error_while(err, "%s: line %ld", path, line.number);
    }
    line_reader_close(in);
    if (status == STATUS_OK && read.count == 0)
        status = error_set(err, STATUS_BAD_INPUT, "%s has no lines", path);
    if (status != STATUS_OK) {
        gold_release(&read);
        return status;
    }
    *gold = read;
    return STATUS_OK;
}
