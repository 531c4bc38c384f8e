/*
 * fuzz_vocabulary.c - any bytes as a vocabulary's file: refused, or read to one
 * that writes and reads back the same.
 *
 * An input that starts with '+' has lines that go behind the 260 pieces every
 * vocabulary must have, which mutation alone would hardly get right.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/require.h"
#include "tests/tokenizer/pieces.h"
#include "tokenizer/vocabulary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append_fixed_pieces(struct bytes *out)
{
    struct piece pieces[FIXED_PIECES];
    make_pieces(pieces, NULL, 0);
    for (int i = 0; i < FIXED_PIECES; i++)
        bytes_printf(out, "%d\t%s\t0\t%s\n", i, pieces[i].text,
                     i == ID_UNK   ? "unknown"
                     : i <= ID_EOS ? "control"
                                   : "byte");
}

static void check_same(const struct vocabulary *a, const struct vocabulary *b)
{
    REQUIRE(vocabulary_size(a) == vocabulary_size(b));
    REQUIRE(vocabulary_options(a).form == vocabulary_options(b).form);
    REQUIRE(vocabulary_options(a).casefold == vocabulary_options(b).casefold);
    for (int id = 0; id < vocabulary_size(a); id++) {
        const struct piece *x = vocabulary_piece(a, id), *y = vocabulary_piece(b, id);
        REQUIRE(!strcmp(x->text, y->text) && x->kind == y->kind);
        REQUIRE(!(x->score < y->score) && !(x->score > y->score));
        REQUIRE(vocabulary_find(a, x->text, (size_t)x->len) == id);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vocabulary *v, *again;
    struct bytes text, written;
    bytes_init(&text, 1 << 20);
    bytes_init(&written, 1 << 24);
    if (size && data[0] == '+') {
        append_fixed_pieces(&text);
        data++;
        size--;
    }
    if (size)
        bytes_append(&text, (const char *)data, size);
    if (vocabulary_parse_tsv(&v, text.data, text.len, NULL) == STATUS_OK) {
        REQUIRE(vocabulary_write_tsv(v, &written, NULL) == STATUS_OK);
        REQUIRE(vocabulary_parse_tsv(&again, written.data, written.len, NULL) == STATUS_OK);
        check_same(v, again);
        vocabulary_free(again);
    } else {
        REQUIRE(!v);
    }
    vocabulary_free(v);
    bytes_release(&text);
    bytes_release(&written);
    return 0;
}
