/*
 * vocabulary_tsv.c - a vocabulary as lines of text, in files and in memory.
 *
 *     #verso-vocabulary<TAB>nfkc<TAB>cased
 *     0<TAB><pad><TAB>0<TAB>control
 *     ...
 *
 * The reader trusts nothing: it may be given somebody else's file. Each line
 * is checked here for its form, then all pieces together by vocabulary_new.
 */
#include "tokenizer/vocabulary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/files.h"
#include "base/memory.h"

#define TSV_BYTES_MAX (64u << 20)
#define SCORE_MOST 1e30f // as a float, which is what is written
#define TSV_HEADER "#verso-vocabulary"

static const char *const kind_names[] = {
    [PIECE_NORMAL] = "normal",
    [PIECE_BYTE] = "byte",
    [PIECE_CONTROL] = "control",
    [PIECE_UNKNOWN] = "unknown",
};

struct field {
    const char *text;
    size_t len;
};

/* Takes what comes before `end` (or everything) off the front of `rest`; false: no `end`. */
static bool take_until(struct field *rest, char end, struct field *out)
{
    const char *found = rest->len ? memchr(rest->text, end, rest->len) : NULL;
    *out = *rest;
    if (!found) {
        rest->text += rest->len;
        rest->len = 0;
        return false;
    }
    out->len = (size_t)(found - rest->text);
    rest->text = found + 1;
    rest->len -= out->len + 1;
    return true;
}

static struct field take_line(struct field *rest)
{
    struct field line;
    take_until(rest, '\n', &line);
    if (line.len && line.text[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool field_is(struct field field, const char *text)
{
    return field.len == strlen(text) && !memcmp(field.text, text, field.len);
}

static bool read_header(struct field line, struct vocabulary_options *options)
{
    struct field name, form, rest = line;
    if (!take_until(&rest, '\t', &name) || !take_until(&rest, '\t', &form))
        return false;
    if (!field_is(name, TSV_HEADER))
        return false;
    if (!field_is(form, "nfc") && !field_is(form, "nfkc"))
        return false;
    if (!field_is(rest, "cased") && !field_is(rest, "casefold"))
        return false;
    options->form = field_is(form, "nfc") ? FORM_NFC : FORM_NFKC;
    options->casefold = field_is(rest, "casefold");
    return true;
}

/* A plain decimal number that fills the field. */
static bool read_number(struct field field, double *value)
{
    char room[48];
    if (field.len == 0 || field.len >= sizeof room)
        return false;
    memcpy(room, field.text, field.len);
    room[field.len] = 0;
    if (strspn(room, "+-.0123456789eE") != field.len)
        return false; // no "nan", "inf", hexadecimal or white space
    char *end;
    *value = strtod(room, &end);
    return end == room + field.len;
}

static bool read_kind(struct field field, enum piece_kind *kind)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++)
        if (field_is(field, kind_names[i])) {
            *kind = (enum piece_kind)i;
            return true;
        }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_byte_name(struct field field, uint8_t *byte)
{
    if (field.len != 6 || memcmp(field.text, "<0x", 3) != 0 || field.text[5] != '>')
        return false;
    int high = hex_digit(field.text[3]), low = hex_digit(field.text[4]);
    if (high < 0 || low < 0)
        return false;
    *byte = (uint8_t)(high << 4 | low);
    return true;
}

/* One line into pieces[id]. The text stays where it is. NULL, or what is wrong. */
static const char *read_piece(struct field line, int id, struct piece *piece)
{
    struct field rest = line, number, text, score;
    double value;
    if (!take_until(&rest, '\t', &number) || !take_until(&rest, '\t', &text) ||
        !take_until(&rest, '\t', &score))
        return "has fewer than the four columns id, piece, score, kind";
    if (!read_number(number, &value) || value != id)
        return "does not have the next id: ids count up from 0";
    if (text.len == 0 || text.len > PIECE_BYTES_MAX)
        return "has a piece that is empty or too long";
    *piece = (struct piece){ .text = text.text, .len = (int)text.len };
    if (!read_number(score, &value) || fabs(value) > 2 * SCORE_MOST ||
        fabsf((float)value) > SCORE_MOST)
        return "has a score that is not a number";
    piece->score = (float)value;
    if (!read_kind(rest, &piece->kind))
        return "has a kind other than normal, byte, control, unknown";
    if (piece->kind == PIECE_BYTE && !read_byte_name(text, &piece->byte))
        return "is of kind byte, but its piece is not written like <0x41>";
    return NULL;
}

static size_t count_lines(struct field text)
{
    size_t lines = 0;
    while (text.len) {
        take_line(&text);
        lines++;
    }
    return lines;
}

static enum status read_pieces(struct field rest, struct piece *pieces, size_t count,
                               int lines_before, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *wrong = read_piece(take_line(&rest), (int)i, &pieces[i]);
        if (wrong)
            return error_set(err, STATUS_BAD_INPUT, "line %d of the vocabulary %s",
                             (int)i + 1 + lines_before, wrong);
    }
    return STATUS_OK;
}

enum status vocabulary_parse_tsv(struct vocabulary **out, const char *text, size_t len,
                                 struct error *err)
{
    struct vocabulary_options options = { FORM_NFKC, false };
    struct field rest = { text, len };
    int header_lines = 0;
    *out = NULL;
    if (len > TSV_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a vocabulary of %zu bytes is over the limit of %u",
                         len, TSV_BYTES_MAX);
    if (len && text[0] == '#') {
        header_lines = 1;
        if (!read_header(take_line(&rest), &options))
            return error_set(err, STATUS_BAD_INPUT,
                             "line 1 of the vocabulary starts with # but is not \"" TSV_HEADER
                             "\", nfc or nfkc, cased or casefold, with tabs between");
    }
    size_t count = count_lines(rest);
    if (count > VOCABULARY_PIECES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a vocabulary of %zu lines is over the limit of %d",
                         count, VOCABULARY_PIECES_MAX);
    if (count == 0)
        return error_set(err, STATUS_BAD_INPUT, "the vocabulary is empty");
    struct piece *pieces = memory_alloc(count, sizeof *pieces);
    if (!pieces)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a vocabulary of %zu pieces", count);
    enum status status = read_pieces(rest, pieces, count, header_lines, err);
    if (status == STATUS_OK)
        status = vocabulary_new(out, pieces, (int)count, options, err);
    memory_free(pieces);
    return status;
}

enum status vocabulary_write_tsv(const struct vocabulary *v, struct bytes *out, struct error *err)
{
    struct vocabulary_options options = vocabulary_options(v);
    bytes_printf(out, TSV_HEADER "\t%s\t%s\n", options.form == FORM_NFC ? "nfc" : "nfkc",
                 options.casefold ? "casefold" : "cased");
    for (int id = 0; id < vocabulary_size(v) && !out->failed; id++) {
        const struct piece *piece = vocabulary_piece(v, id);
        bytes_printf(out, "%d\t%s\t%.9g\t%s\n", id, piece->text, (double)piece->score,
                     kind_names[piece->kind]);
    }
    return bytes_check(out, "the vocabulary", err);
}

enum status vocabulary_load_tsv(struct vocabulary **out, const char *path, struct error *err)
{
    struct bytes text;
    *out = NULL;
    bytes_init(&text, TSV_BYTES_MAX);
    enum status status = bytes_read_file(&text, path, err);
    if (status == STATUS_OK) {
        status = vocabulary_parse_tsv(out, text.data, text.len, err);
        if (status != STATUS_OK)
            error_while(err, "%s", path);
    }
    bytes_release(&text);
    return status;
}

enum status vocabulary_save_tsv(const struct vocabulary *v, const char *path, struct error *err)
{
    struct file_writer *file = NULL;
    struct bytes text;
    bytes_init(&text, SIZE_MAX);
    enum status status = vocabulary_write_tsv(v, &text, err);
    if (status == STATUS_OK)
        status = file_writer_open(&file, path, err);
    if (status == STATUS_OK)
        status = file_writer_add(file, text.data, text.len, err);
    if (status == STATUS_OK)
        status = file_writer_commit(file, err);
    file_writer_close(file);
    bytes_release(&text);
    return status;
}
