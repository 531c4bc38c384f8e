/*
 * fuzz_parts.c - any bytes as a document: refused as invalid UTF-8, or cut into parts within the
 * limit that leave out no letter.
 *
 * The first byte of an input is the limit of pieces a sentence.
 */
#include <stdint.h>

#include "server/engine/parts.h"
#include "tests/fuzz/require.h"
#include "tests/tiny_model.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define ARENA_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const struct parts *parts, const char *text, size_t len, int pieces)
{
    uint32_t at = 0;
    for (int i = 0; i < parts->count; i++) {
        const struct engine_sentence *part = &parts->list[i];
        REQUIRE(part->source.from >= at && part->source.to <= len);
        REQUIRE(!text_has_letters(text + at, part->source.from - at));
        REQUIRE(text_has_letters(text + part->source.from, part->source.to - part->source.from));
        REQUIRE(part->tokens.count <= pieces);
        for (int k = 0; k < part->tokens.count; k++) {
            const struct span span = part->tokens.spans[k];
            REQUIRE(span.from >= part->source.from && span.from <= span.to);
            REQUIRE(span.to <= part->source.to);
        }
        at = part->source.to;
    }
    REQUIRE(!text_has_letters(text + at, len - at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vocabulary *vocabulary;
    static struct arena arena;
    struct parts parts;
    if (size == 0 || size > 4096)
        return 0;
    if (!vocabulary) {
        vocabulary = tiny_vocabulary();
        REQUIRE(arena_init(&arena, ARENA_BYTES));
    }
    const struct engine_limits limits = { .pieces = 1 + data[0], .text_sentences = 1 << 20 };
    const char *text = (const char *)data + 1;
    const size_t len = size - 1;
    arena_reset(&arena);
    const enum status status = parts_of_text(vocabulary, &limits, text, len, &arena, &parts, NULL);
    if (utf8_check(text, len, NULL) != STATUS_OK)
        REQUIRE(status == STATUS_BAD_INPUT);
    else if (status == STATUS_OK)
        check_parts(&parts, text, len, limits.pieces);
    else
        REQUIRE(status == STATUS_TOO_LARGE); // one character over the limit
    return 0;
}
