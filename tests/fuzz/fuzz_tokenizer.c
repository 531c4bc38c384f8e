/*
 * fuzz_tokenizer.c - any bytes: refused as invalid UTF-8, or encoded with sane
 * spans, decoded to valid text, split into sentences that lose nothing.
 *
 * The first byte of an input chooses how the vocabulary treats text.
 */
#include <stdint.h>
#include <string.h>

#include "tests/fuzz/require.h"
#include "tests/tokenizer/pieces.h"
#include "tokenizer/sentences.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf8.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define OPTIONS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const learnt[] = {
    "▁a", "ab",     "▁ab", "aa", "aaa", "b▁", "▁",  "a",    "b", "c", "e", "é",  "1",      "2",
    ".",  "\u0301", "가",  "क",  "ा",   "का", "中", "中中", "<", "s", ">", "<s", "\u200D", "😀",
};

static struct vocabulary *make_vocabulary(int option)
{
    enum { COUNT = sizeof learnt / sizeof learnt[0] };
    struct piece pieces[FIXED_PIECES + COUNT];
    struct vocabulary *v;
    struct vocabulary_options options = { option & 1 ? FORM_NFC : FORM_NFKC, option & 2 };
    const int count = make_pieces(pieces, learnt, COUNT);
    REQUIRE(vocabulary_new(&v, pieces, count, options, NULL) == STATUS_OK);
    return v;
}

static void check_tokens(const struct vocabulary *v, const char *text, size_t len,
                         const struct tokens *tokens)
{
    struct span before = { 0, 0 };
    for (int i = 0; i < tokens->count; i++) {
        const struct span span = tokens->spans[i];
        REQUIRE(vocabulary_piece(v, tokens->ids[i])->kind != PIECE_CONTROL);
        REQUIRE(span.from >= before.from && span.to >= before.to && span.to <= len);
        REQUIRE(utf8_check(text + span.from, span.to - span.from, NULL) == STATUS_OK);
        before = span;
    }
}

/* What was decoded encodes and decodes to itself, unless folding the case changes it again. */
static void check_round_trip(const struct vocabulary *v, const struct tokens *tokens,
                             struct arena *arena)
{
    struct detokenised once, twice;
    struct tokens again;
    REQUIRE(tokenizer_decode(v, tokens->ids, tokens->count, arena, &once, NULL) == STATUS_OK);
    REQUIRE(utf8_check(once.text, once.len, NULL) == STATUS_OK);
    REQUIRE(tokenizer_encode(v, once.text, once.len, arena, &again, NULL) == STATUS_OK);
    REQUIRE(tokenizer_decode(v, again.ids, again.count, arena, &twice, NULL) == STATUS_OK);
    if (!vocabulary_options(v).casefold)
        REQUIRE(once.len == twice.len && !memcmp(once.text, twice.text, once.len));
}

static void check_sentences(const struct vocabulary *v, const char *text, size_t len,
                            struct arena *arena)
{
    struct sentences s;
    struct tokens tokens;
    size_t at = 0;
    REQUIRE(sentences_split(text, len, arena, &s, NULL) == STATUS_OK);
    for (int i = 0; i < s.count; i++) {
        const char *sentence = text + s.spans[i].from;
        const size_t bytes = s.spans[i].to - s.spans[i].from;
        REQUIRE(s.spans[i].from >= at && s.spans[i].to <= len && bytes > 0);
        REQUIRE(tokenizer_encode(v, sentence, bytes, arena, &tokens, NULL) == STATUS_OK);
        REQUIRE(tokens.count > 0);
        const size_t cut = sentences_clause_break(sentence, bytes, 7);
        REQUIRE(cut > 0 && utf8_check(sentence, cut, NULL) == STATUS_OK);
        at = s.spans[i].to;
    }
}

static void check_bytes_as_ids(const struct vocabulary *v, const uint8_t *data, size_t size,
                               struct arena *arena)
{
    struct detokenised out;
    int32_t *ids = arena_array(arena, int32_t, size);
    REQUIRE(ids);
    for (size_t i = 0; i < size; i++)
        ids[i] = 4 + data[i];
    REQUIRE(tokenizer_decode(v, ids, (int)size, arena, &out, NULL) == STATUS_OK);
    REQUIRE(utf8_check(out.text, out.len, NULL) == STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vocabulary *vocabularies[OPTIONS];
    static struct arena arena;
    struct tokens tokens;
    if (size == 0 || size > 4096)
        return 0;
    if (!arena.base) {
        REQUIRE(arena_init(&arena, ARENA_BYTES));
        for (int i = 0; i < OPTIONS; i++)
            vocabularies[i] = make_vocabulary(i);
    }
    const struct vocabulary *v = vocabularies[data[0] % OPTIONS];
    const char *text = (const char *)data + 1;
    const size_t len = size - 1;
    arena_reset(&arena);
    check_bytes_as_ids(v, data + 1, len, &arena);
    const enum status status = tokenizer_encode(v, text, len, &arena, &tokens, NULL);
    REQUIRE(status == utf8_check(text, len, NULL));
    if (status != STATUS_OK)
        return 0;
    check_tokens(v, text, len, &tokens);
    check_round_trip(v, &tokens, &arena);
    check_sentences(v, text, len, &arena);
    return 0;
}
