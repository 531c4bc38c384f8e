/*
 * vocabulary.c - the table of pieces: checked when it is made, then only read.
 */
#include "tokenizer/vocabulary.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "base/memory.h"
#include "tokenizer/utf8.h"

#define FIXED_PIECES 260 // four control pieces and 256 bytes

struct vocabulary {
    struct piece *pieces; // (size) their texts lie in `texts`
    char *texts;
    struct map *by_text;
    int size;
    int32_t bytes[256]; // id of each byte's piece
    struct vocabulary_options options;
};

static const char *const control_texts[] = {
    [ID_PAD] = "<pad>",
    [ID_UNK] = "<unk>",
    [ID_BOS] = "<s>",
    [ID_EOS] = "</s>",
};

/* Quotes a piece for a message without letting its bytes loose on a terminal. */
static const char *quoted(const struct piece *piece, char room[32])
{
    int used = 0;
    for (int i = 0; piece->text && i < piece->len && used < 28; i++) {
        unsigned char c = (unsigned char)piece->text[i];
        room[used++] = c >= 0x20 && c < 0x7F ? (char)c : '?';
    }
    room[used] = 0;
    return room;
}

static const char *wrong_text(const struct piece *piece)
{
    if (!piece->text || piece->len < 1)
        return "has no text";
    if (piece->len > PIECE_BYTES_MAX)
        return "is too long";
    if (utf8_check(piece->text, (size_t)piece->len, NULL) != STATUS_OK)
        return "is not valid UTF-8";
    for (int i = 0; i < piece->len; i++)
        if ((unsigned char)piece->text[i] < 0x20)
            return "holds a control character";
    return NULL;
}

static bool text_is(const struct piece *piece, const char *text)
{
    return (size_t)piece->len == strlen(text) && !memcmp(piece->text, text, (size_t)piece->len);
}

/* What is wrong with piece `id` seen alone; NULL: nothing. */
static const char *wrong_piece(const struct piece *piece, int id)
{
    const char *wrong = wrong_text(piece);
    if (wrong)
        return wrong;
    if (!isfinite(piece->score))
        return "has a score that is not a finite number";
    if (id <= ID_EOS) {
        if (!text_is(piece, control_texts[id]))
            return "is not the control piece that belongs there";
        if (piece->kind != PIECE_CONTROL && piece->kind != PIECE_UNKNOWN)
            return "must be of kind control or unknown";
    }
    if (piece->kind == PIECE_BYTE) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", piece->byte);
        if (!text_is(piece, name))
            return "is a byte piece but not named after its byte";
    }
    return NULL;
}

static enum status check_pieces(const struct piece *pieces, int count, struct error *err)
{
    char room[32];
    if (count < FIXED_PIECES)
        return error_set(err, STATUS_BAD_INPUT,
                         "a vocabulary of %d pieces lacks some of the %d that each has: the four "
                         "control pieces and the 256 bytes",
                         count, FIXED_PIECES);
    if (count > VOCABULARY_PIECES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a vocabulary of %d pieces is over the limit of %d",
                         count, VOCABULARY_PIECES_MAX);
    for (int id = 0; id < count; id++) {
        const char *wrong = wrong_piece(&pieces[id], id);
        if (wrong)
            return error_set(err, STATUS_BAD_INPUT, "piece %d \"%s\" %s", id,
                             quoted(&pieces[id], room), wrong);
    }
    return STATUS_OK;
}

/* Copies the texts, each with a NUL behind it, and lets the pieces point there. */
static bool copy_pieces(struct vocabulary *v, const struct piece *pieces, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += (size_t)pieces[i].len + 1;
    v->pieces = memory_alloc((size_t)count, sizeof *v->pieces);
    v->texts = memory_alloc(bytes, 1);
    v->by_text = map_new();
    if (!v->pieces || !v->texts || !v->by_text)
        return false;
    char *at = v->texts;
    for (int i = 0; i < count; i++) {
        v->pieces[i] = pieces[i];
        v->pieces[i].text = at;
        memcpy(at, pieces[i].text, (size_t)pieces[i].len);
        at[pieces[i].len] = 0;
        at += pieces[i].len + 1;
    }
    v->size = count;
    return true;
}

static enum status index_pieces(struct vocabulary *v, struct error *err)
{
    char room[32];
    for (int i = 0; i < 256; i++)
        v->bytes[i] = -1;
    for (int id = 0; id < v->size; id++) {
        const struct piece *piece = &v->pieces[id];
        const int64_t *found = map_insert(v->by_text, piece->text, (size_t)piece->len, id);
        if (!found)
            return error_set(err, STATUS_NO_MEMORY, "no memory for a vocabulary of %d pieces",
                             v->size);
        if (*found != id)
            return error_set(err, STATUS_BAD_INPUT, "piece %d \"%s\" has the text of piece %d", id,
                             quoted(piece, room), (int)*found);
        if (piece->kind == PIECE_BYTE)
            v->bytes[piece->byte] = id;
    }
    for (int i = 0; i < 256; i++)
        if (v->bytes[i] < 0)
            return error_set(err, STATUS_BAD_INPUT, "the vocabulary has no piece for byte <0x%02X>",
                             (unsigned)i);
    return STATUS_OK;
}

enum status vocabulary_new(struct vocabulary **out, const struct piece *pieces, int count,
                           struct vocabulary_options options, struct error *err)
{
    *out = NULL;
    enum status status = check_pieces(pieces, count, err);
    if (status != STATUS_OK)
        return status;
    struct vocabulary *v = memory_zeroed(1, sizeof *v);
    if (!v || !copy_pieces(v, pieces, count)) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for a vocabulary of %d pieces", count);
        goto done;
    }
    v->options = options;
    status = index_pieces(v, err);
    if (status != STATUS_OK)
        goto done;
    *out = v;
    v = NULL; // the caller owns it now
done:
    vocabulary_free(v);
    return status;
}

void vocabulary_free(struct vocabulary *v)
{
    if (!v)
        return;
    map_free(v->by_text);
    memory_free(v->texts);
    memory_free(v->pieces);
    memory_free(v);
}

int vocabulary_size(const struct vocabulary *v)
{
    return v->size;
}

struct vocabulary_options vocabulary_options(const struct vocabulary *v)
{
    return v->options;
}

const struct piece *vocabulary_piece(const struct vocabulary *v, int32_t id)
{
    assert(id >= 0 && id < v->size);
    return &v->pieces[id];
}

int32_t vocabulary_find(const struct vocabulary *v, const char *text, size_t len)
{
    if (len > PIECE_BYTES_MAX)
        return -1;
    const int64_t *id = map_find(v->by_text, text, len);
    return id ? (int32_t)*id : -1;
}

int32_t vocabulary_byte(const struct vocabulary *v, uint8_t byte)
{
    return v->bytes[byte];
}
