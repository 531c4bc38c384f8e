/*
 * parts.c - sentences as pieces, and where an over-long sentence is cut.
 */
#include "server/engine/parts.h"

#include <string.h>

#include "tokenizer/character.h"
#include "tokenizer/sentences.h"
#include "tokenizer/utf8.h"

#define PARTS_AT_FIRST 8

struct cutter {
    const struct vocabulary *vocabulary;
    const struct engine_limits *limits;
    const char *text;
    struct arena *arena;
    struct parts parts;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the text needs more memory than a request has: send it in parts");
}

static struct span trim(const char *text, struct span span)
{
    int bytes;
    while (span.from < span.to &&
           character_is_space(utf8_next(text + span.from, span.to - span.from, &bytes)))
        span.from += (uint32_t)bytes;
    while (span.from < span.to) {
        uint32_t last = span.to - 1;
        while (((unsigned char)text[last] & 0xC0) == 0x80)
            last--;
        if (!character_is_space(utf8_next(text + last, span.to - last, &bytes)))
            break;
        span.to = last;
    }
    return span;
}

static enum status add_part(struct cutter *c, struct span source, struct tokens tokens, bool split,
                            struct error *err)
{
    struct parts *parts = &c->parts;
    if (!text_has_letters(c->text + source.from, source.to - source.from))
        return STATUS_OK;
    if (parts->count == c->limits->text_sentences)
        return error_set(err, STATUS_TOO_LARGE,
                         "the text has more than %d sentences: send it in parts",
                         c->limits->text_sentences);
    if (parts->count == parts->capacity) {
        int capacity = parts->capacity ? 2 * parts->capacity : PARTS_AT_FIRST;
        struct engine_sentence *list = arena_array(c->arena, struct engine_sentence, capacity);
        if (!list)
            return no_memory(err);
        if (parts->count)
            memcpy(list, parts->list, (size_t)parts->count * sizeof *list);
        parts->list = list;
        parts->capacity = capacity;
    }
    parts->list[parts->count++] =
        (struct engine_sentence){ .source = source, .tokens = tokens, .split = split };
    return STATUS_OK;
}

enum status parts_encode(const struct vocabulary *vocabulary, const char *text, struct span span,
                         struct arena *arena, struct tokens *tokens, struct error *err)
{
    enum status status =
        tokenizer_encode(vocabulary, text + span.from, span.to - span.from, arena, tokens, err);
    if (status == STATUS_NO_MEMORY)
        return no_memory(err);
    for (int i = 0; status == STATUS_OK && i < tokens->count; i++) {
        struct span *s = &tokens->spans[i];
        *s = trim(text, (struct span){ s->from + span.from, s->to + span.from });
    }
    return status;
}

static enum status encode(struct cutter *c, struct span span, struct tokens *tokens,
                          struct error *err)
{
    return parts_encode(c->vocabulary, c->text, span, c->arena, tokens, err);
}

/* Where a first part of `rest` that should end before piece `over` may end. */
static uint32_t break_before(const struct cutter *c, struct span rest, const struct tokens *tokens,
                             int over)
{
    uint32_t limit = tokens->spans[over].from;
    if (limit <= rest.from) // pieces of one long cluster of marks share one span
        limit = rest.from + (rest.to - rest.from) / 2;
    return rest.from + (uint32_t)sentences_clause_break(c->text + rest.from, rest.to - rest.from,
                                                        limit - rest.from);
}

/* Add text[from,*to) as a part; *to moves back until its pieces are within the limit. Cut off from
 * the rest, the same text may make a piece more. */
static enum status add_first(struct cutter *c, uint32_t from, uint32_t *to, struct error *err)
{
    for (;;) {
        struct tokens tokens;
        struct span part = trim(c->text, (struct span){ from, *to });
        if (part.from == part.to)
            return STATUS_OK;
        struct arena_mark mark = arena_mark(c->arena);
        enum status status = encode(c, part, &tokens, err);
        if (status != STATUS_OK)
            return status;
        if (tokens.count <= c->limits->pieces)
            return add_part(c, part, tokens, true, err);
        uint32_t shorter = break_before(c, part, &tokens, c->limits->pieces);
        arena_rewind(c->arena, mark);
        if (shorter >= part.to)
            return error_set(err, STATUS_TOO_LARGE,
                             "the character at byte %u alone is over the limit of %d pieces a "
                             "sentence",
                             part.from, c->limits->pieces);
        *to = shorter;
    }
}

/* `tokens` are those of the whole sentence: they tell where the limit falls, again and again. */
static enum status cut_sentence(struct cutter *c, struct span rest, const struct tokens *tokens,
                                struct error *err)
{
    const int pieces = c->limits->pieces;
    enum status status = STATUS_OK;
    for (int next = 0; status == STATUS_OK && rest.from < rest.to;) {
        while (next < tokens->count && tokens->spans[next].from < rest.from)
            next++;
        uint32_t to =
            tokens->count - next <= pieces ? rest.to : break_before(c, rest, tokens, next + pieces);
        status = add_first(c, rest.from, &to, err);
        rest.from = to;
    }
    return status;
}

static enum status add_sentence(struct cutter *c, struct span sentence, struct error *err)
{
    struct tokens tokens;
    enum status status = encode(c, sentence, &tokens, err);
    if (status != STATUS_OK)
        return status;
    if (tokens.count <= c->limits->pieces)
        return add_part(c, sentence, tokens, false, err);
    return cut_sentence(c, sentence, &tokens, err);
}

enum status parts_of_text(const struct vocabulary *vocabulary, const struct engine_limits *limits,
                          const char *text, size_t len, struct arena *arena, struct parts *out,
                          struct error *err)
{
    struct sentences sentences;
    struct cutter c = { .vocabulary = vocabulary, .limits = limits, .text = text, .arena = arena };
    if (len > ENGINE_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "the text is over the limit of %d bytes",
                         ENGINE_TEXT_BYTES_MAX);
    enum status status = sentences_split(text, len, arena, &sentences, err);
    if (status == STATUS_NO_MEMORY)
        return no_memory(err);
    for (int i = 0; status == STATUS_OK && i < sentences.count; i++)
        status = add_sentence(&c, sentences.spans[i], err);
    if (status == STATUS_OK)
        *out = c.parts;
    return status;
}
