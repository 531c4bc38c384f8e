/*
 * tokenizer.c - the way from text to piece ids and back, each piece knowing its bytes.
 *
 *     text -> utf8_check -> normalise -> bpe_segment -> ids and spans
 *     ids  -> pieces' texts, "▁" a space, bytes put together -> text and spans
 */
#include "tokenizer/tokenizer.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>
#include "tokenizer/bpe.h"
#include "tokenizer/normalise.h"
#include "tokenizer/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" // U+FFFD
#define REPLACEMENT_BYTES 3

static enum status arena_full(struct error *err, const char *what)
{
    return error_set(err, STATUS_NO_MEMORY, "%s does not fit into its memory: use a shorter text",
                     what);
}

/* ---- encoding ---- */

static size_t count_pieces(const struct segmentation *seg)
{
    size_t count = 0;
    for (int32_t i = seg->count ? 0 : -1; i >= 0; i = seg->symbols[i].next)
        count += seg->symbols[i].id >= 0 ? 1 : seg->symbols[i].bytes;
    return count;
}

static void write_pieces(const struct vocabulary *v, const struct segmentation *seg,
                         struct tokens *out)
{
    size_t at = 0;
    for (int32_t i = seg->count ? 0 : -1; i >= 0; i = seg->symbols[i].next) {
        const struct symbol *symbol = &seg->symbols[i];
        size_t pieces = symbol->id >= 0 ? 1 : symbol->bytes;
        for (size_t k = 0; k < pieces; k++, at++) {
            uint8_t byte = (uint8_t)seg->text[symbol->at + k];
            out->ids[at] = symbol->id >= 0 ? symbol->id : vocabulary_byte(v, byte);
            out->spans[at] = (struct span){ symbol->from, symbol->to };
        }
    }
}

/* Normalises and merges in the memory behind the results' room, then fills the front of it. */
static bool encode(const struct vocabulary *v, const char *text, size_t len, char *room,
                   size_t characters, struct arena *arena, struct tokens *out)
{
    struct character *chars = arena_array(arena, struct character, characters);
    struct segmentation seg;
    size_t count;
    if (!chars || !normalise(text, len, vocabulary_options(v), chars, arena, &count) ||
        !bpe_segment(v, chars, count, arena, &seg))
        return false;
    size_t pieces = count_pieces(&seg);
    out->spans = (struct span *)(void *)room;
    out->ids = (int32_t *)(void *)(room + pieces * sizeof *out->spans);
    out->count = (int)pieces;
    write_pieces(v, &seg, out);
    return true;
}

enum status tokenizer_encode(const struct vocabulary *v, const char *text, size_t len,
                             struct arena *arena, struct tokens *out, struct error *err)
{
    const size_t piece_bytes = sizeof *out->ids + sizeof *out->spans;
    struct arena_mark mark = arena_mark(arena);
    struct tokens tokens = { 0 };
    *out = tokens;
    if (len > TOKENIZER_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "a text of %zu bytes is over the limit of %d: "
                         "cut it into parts",
                         len, TOKENIZER_TEXT_BYTES_MAX);
    enum status status = utf8_check(text, len, err);
    if (status != STATUS_OK)
        return status;
    // A piece has at least one byte, so the bound on bytes bounds the pieces too.
    struct normalised_bound bound = normalise_bound(text, len, vocabulary_options(v));
    char *room = arena_alloc_array(arena, bound.bytes + SPACE_MARK_BYTES, piece_bytes);
    if (!room || !encode(v, text, len, room, bound.characters, arena, &tokens)) {
        arena_rewind(arena, mark);
        return arena_full(err, "the text");
    }
    mark.used = (size_t)(room - arena->base) + (size_t)tokens.count * piece_bytes;
    arena_rewind(arena, mark);
    *out = tokens;
    return STATUS_OK;
}

/* ---- decoding ---- */

static enum status check_ids(const struct vocabulary *v, const int32_t *ids, int count,
                             size_t *bytes, struct error *err)
{
    *bytes = 0;
    for (int i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= vocabulary_size(v))
            return error_set(err, STATUS_BAD_INPUT,
                             "piece id %d is not in the vocabulary, which has 0 to %d", (int)ids[i],
                             vocabulary_size(v) - 1);
        const struct piece *piece = vocabulary_piece(v, ids[i]);
        *bytes += piece->kind == PIECE_BYTE ? REPLACEMENT_BYTES : (size_t)piece->len;
    }
    if (*bytes > UINT32_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%d pieces make a text of more than 4 GiB", count);
    return STATUS_OK;
}

static void append(struct detokenised *out, const char *text, size_t len)
{
    memcpy(out->text + out->len, text, len);
    out->len += len;
}

/* A piece's text with spaces for "▁". */
static void append_normal(struct detokenised *out, const struct piece *piece, bool is_first)
{
    const char *at = piece->text, *end = at + piece->len;
    if (is_first && !strncmp(at, SPACE_MARK_TEXT, SPACE_MARK_BYTES))
        at += SPACE_MARK_BYTES; // the one that encoding put in front
    while (at < end) {
        if (!strncmp(at, SPACE_MARK_TEXT, SPACE_MARK_BYTES)) {
            append(out, " ", 1);
            at += SPACE_MARK_BYTES;
        } else {
            append(out, at++, 1);
        }
    }
}

static bool is_control(const char *text, int bytes)
{
    int length;
    int32_t c = utf8_next(text, (size_t)bytes, &length);
    return utf8proc_category(c) == UTF8PROC_CATEGORY_CC;
}

/* One character out of the byte pieces at ids[0..count), or a U+FFFD for those that are wrong
 * together; returns how many pieces it took. Control characters make no text: encoding never
 * spells one, and a model that does would break the lines of whoever reads it. */
static int append_bytes(const struct vocabulary *v, const int32_t *ids, int count,
                        struct detokenised *out)
{
    char bytes[4];
    int have = 0;
    for (; have < 4 && have < count; have++) {
        const struct piece *piece = vocabulary_piece(v, ids[have]);
        if (piece->kind != PIECE_BYTE)
            break;
        bytes[have] = (char)piece->byte;
    }
    int length = utf8_sequence(bytes, (size_t)have);
    if (length < 0)
        append(out, REPLACEMENT, REPLACEMENT_BYTES);
    else if (!is_control(bytes, length))
        append(out, bytes, (size_t)length);
    return length < 0 ? -length : length;
}

static void decode(const struct vocabulary *v, const int32_t *ids, int count,
                   struct detokenised *out)
{
    bool is_first = true;
    for (int i = 0, took; i < count; i += took) {
        const struct piece *piece = vocabulary_piece(v, ids[i]);
        struct span span = { (uint32_t)out->len, 0 };
        took = 1;
        if (piece->kind == PIECE_NORMAL)
            append_normal(out, piece, is_first);
        else if (piece->kind == PIECE_BYTE)
            took = append_bytes(v, ids + i, count - i, out);
        if (piece->kind == PIECE_NORMAL || piece->kind == PIECE_BYTE)
            is_first = false;
        span.to = (uint32_t)out->len;
        for (int k = 0; k < took; k++)
            out->spans[i + k] = span; // pieces of one character share it
    }
    out->text[out->len] = 0;
}

enum status tokenizer_decode(const struct vocabulary *v, const int32_t *ids, int count,
                             struct arena *arena, struct detokenised *out, struct error *err)
{
    struct arena_mark mark = arena_mark(arena);
    struct detokenised text = { 0 };
    size_t bytes;
    *out = text;
    enum status status = check_ids(v, ids, count, &bytes, err);
    if (status != STATUS_OK)
        return status;
    text.spans = arena_array(arena, struct span, count);
    text.text = arena_array(arena, char, bytes + 1);
    if (!text.spans || !text.text) {
        arena_rewind(arena, mark);
        return arena_full(err, "the text of the pieces");
    }
    decode(v, ids, count, &text);
    *out = text;
    return STATUS_OK;
}
