/*
 * journal_row.c - from answers to rows: packed in scratch, then copied into one block.
 */
#include "server/store/journal_row.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "tokenizer/utf8.h"

/* ---- several texts of a model as one ---- */

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "the translation is too long to be stored");
}

static struct span moved(struct span span, uint32_t by)
{
    return (struct span){ span.from + by, span.to + by };
}

/* The sentence in a text that stands `by` bytes further. */
static bool move_sentence(struct engine_sentence *s, uint32_t by, struct arena *arena)
{
    struct span *spans = arena_array(arena, struct span, s->tokens.count + 1);
    if (!spans)
        return false;
    for (int i = 0; i < s->tokens.count; i++)
        spans[i] = moved(s->tokens.spans[i], by);
    s->source = moved(s->source, by);
    s->tokens.spans = spans;
    return true;
}

/* The texts in lines, and the sentences of all of them. */
static bool join(const struct journal_entry *e, struct arena *arena, struct blob *source,
                 struct blob *target, struct engine_answer *out)
{
    size_t source_len = 0, target_len = 0;
    int sentences = 0;
    for (int i = 0; i < e->count; i++) {
        source_len += e->texts[i].len + 1;
        target_len += e->answers[i].len + 1;
        sentences += e->answers[i].sentence_count;
    }
    char *from = arena_alloc(arena, source_len + 1), *to = arena_alloc(arena, target_len + 1);
    *out = (struct engine_answer){
        .sentences = arena_array(arena, struct engine_sentence, sentences + 1),
    };
    if (!from || !to || !out->sentences || source_len > UINT32_MAX)
        return false;
    *source = (struct blob){ from, source_len ? source_len - 1 : 0 };
    *target = (struct blob){ to, target_len ? target_len - 1 : 0 };
    for (int i = 0; i < e->count; i++) {
        for (int k = 0; k < e->answers[i].sentence_count; k++) {
            struct engine_sentence *s = &out->sentences[out->sentence_count++];
            *s = e->answers[i].sentences[k];
            if (!move_sentence(s, (uint32_t)(from - source->data), arena))
                return false;
        }
        memcpy(from, e->texts[i].text, e->texts[i].len);
        memcpy(to, e->answers[i].text, e->answers[i].len);
        from += e->texts[i].len;
        to += e->answers[i].len;
        *from++ = *to++ = '\n';
    }
    return true;
}

/* ---- rows in scratch ---- */

static bool equal(struct blob a, struct blob b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void drop_text(struct journal_row *row)
{
    row->source = row->target = row->model_source = row->model_target = (struct blob){ 0 };
    for (int i = 0; i < row->hypothesis_count; i++)
        row->hypotheses[i].source = row->hypotheses[i].target = (struct blob){ 0 };
    row->link_count = 0;
}

static enum status pack_answers(const struct journal_entry *e, struct arena *arena,
                                struct journal_row *row, struct error *err)
{
    struct blob source = { e->texts[0].text, e->texts[0].len };
    struct blob target = { e->answers[0].text, e->answers[0].len };
    struct engine_answer joined = e->answers[0];
    struct packed_answer packed;
    if (e->count > 1 && !join(e, arena, &source, &target, &joined))
        return no_memory(err);
    enum status status = answer_pack(e->vocabulary, source.data, &joined, arena, &packed, err);
    if (status != STATUS_OK)
        return status;
    if (!equal(source, row->source))
        row->model_source = source;
    if (!equal(target, row->target))
        row->model_target = target;
    row->hypotheses = packed.hypotheses;
    row->hypothesis_count = packed.hypothesis_count;
    row->links = packed.links;
    row->link_count = row->source_language.len <= LINK_WORD_BYTES_MAX &&
                              row->target_language.len <= LINK_WORD_BYTES_MAX
                          ? packed.link_count
                          : 0;
    return STATUS_OK;
}

static enum status make_row(const struct journal_entry *e, bool keep_text, struct arena *arena,
                            struct journal_row *row, struct error *err)
{
    enum status status = STATUS_OK;
    *row = (struct journal_row){
        .model_id = e->model_id,
        .first_model_id = e->first_model_id,
        .suggestion_id = e->suggestion_id,
        .key_id = e->key_id,
        .source = e->source,
        .target = e->target,
        .source_language = { e->source_language, strlen(e->source_language) },
        .target_language = { e->target_language, strlen(e->target_language) },
        .source_length = (int)utf8_length(e->source.data, e->source.len),
        .target_length = (int)utf8_length(e->target.data, e->target.len),
        .beam = e->beam,
        .took_us = e->took_us,
    };
    if (e->count > 0)
        status = pack_answers(e, arena, row, err);
    if (!keep_text)
        drop_text(row);
    return status;
}

/* ---- rows in one block ---- */

struct block {
    char *at; // where the next bytes go
};

static struct blob put(struct block *b, struct blob blob)
{
    if (!blob.data)
        return blob;
    if (blob.len > 0)
        memcpy(b->at, blob.data, blob.len);
    blob.data = b->at;
    b->at += blob.len;
    return blob;
}

/* Bytes, but for those of the arrays. */
static size_t text_bytes(const struct journal_row *row)
{
    size_t bytes = row->source.len + row->target.len + row->model_source.len +
                   row->model_target.len + row->source_language.len + row->target_language.len;
    for (int i = 0; i < row->hypothesis_count; i++) {
        const struct packed_hypothesis *h = &row->hypotheses[i];
        bytes += h->source.len + h->target.len + h->alignment.len;
    }
    for (int i = 0; i < row->link_count; i++)
        bytes += row->links[i].source.len + row->links[i].target.len;
    return bytes;
}

static void put_texts(struct block *b, struct journal_row *row)
{
    row->source = put(b, row->source);
    row->target = put(b, row->target);
    row->model_source = put(b, row->model_source);
    row->model_target = put(b, row->model_target);
    row->source_language = put(b, row->source_language);
    row->target_language = put(b, row->target_language);
    for (int i = 0; i < row->hypothesis_count; i++) {
        struct packed_hypothesis *h = &row->hypotheses[i];
        h->source = put(b, h->source);
        h->target = put(b, h->target);
        h->alignment = put(b, h->alignment);
    }
    for (int i = 0; i < row->link_count; i++) {
        row->links[i].source = put(b, row->links[i].source);
        row->links[i].target = put(b, row->links[i].target);
    }
}

static size_t array_bytes(const struct journal_row *row)
{
    return (size_t)row->hypothesis_count * sizeof *row->hypotheses +
           (size_t)row->link_count * sizeof *row->links;
}

/* The row's arrays at `at`, which is aligned for them; returns what is behind them. */
static char *put_arrays(char *at, struct journal_row *row)
{
    const size_t hypotheses = (size_t)row->hypothesis_count * sizeof *row->hypotheses;
    const size_t links = (size_t)row->link_count * sizeof *row->links;
    if (hypotheses > 0)
        memcpy(at, row->hypotheses, hypotheses);
    if (links > 0)
        memcpy(at + hypotheses, row->links, links);
    row->hypotheses = (struct packed_hypothesis *)(void *)at;
    row->links = (struct packed_link *)(void *)(at + hypotheses);
    return at + hypotheses + links;
}

static struct journal_unit *copy_unit(const struct journal_row *rows, int count)
{
    size_t bytes = sizeof(struct journal_unit) + (size_t)count * sizeof *rows;
    for (int i = 0; i < count; i++)
        bytes += array_bytes(&rows[i]) + text_bytes(&rows[i]);
    struct journal_unit *unit = memory_alloc(bytes, 1);
    if (!unit)
        return NULL;
    *unit = (struct journal_unit){ .bytes = bytes,
                                   .row_count = count,
                                   .rows = (struct journal_row *)(unit + 1) };
    memcpy(unit->rows, rows, (size_t)count * sizeof *rows);
    char *at = (char *)(unit->rows + count);
    for (int i = 0; i < count; i++)
        at = put_arrays(at, &unit->rows[i]);
    struct block block = { at };
    for (int i = 0; i < count; i++)
        put_texts(&block, &unit->rows[i]);
    return unit;
}

enum status journal_unit_new(struct journal_unit **out, const struct journal_entry *entries,
                             int count, bool keep_text, struct arena *scratch, struct error *err)
{
    const struct arena_mark mark = arena_mark(scratch);
    struct journal_row *rows = arena_array(scratch, struct journal_row, count);
    enum status status = rows ? STATUS_OK : no_memory(err);
    *out = NULL;
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = make_row(&entries[i], keep_text, scratch, &rows[i], err);
    if (status == STATUS_OK && !(*out = copy_unit(rows, count)))
        status = no_memory(err);
    arena_rewind(scratch, mark);
    return status;
}

bool journal_row_copy(const struct journal_row *row, struct arena *arena, struct journal_row *out)
{
    char *arrays = arena_alloc(arena, array_bytes(row) + 1);
    struct block block = { arena_alloc(arena, text_bytes(row) + 1) };
    if (!arrays || !block.at)
        return false;
    *out = *row;
    put_arrays(arrays, out);
    put_texts(&block, out);
    return true;
}
