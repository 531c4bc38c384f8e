/*
 * fuzz_documents.c - any bytes as a document: refused, or put back with its markup and with the
 * spans of its sentences where they should be, whatever a model says.
 *
 * The first byte of an input: bit 0 HTML, bits 1 and 2 what the model does (tests' echo.h).
 */
#include <stdint.h>

#include "server/documents/html_scan.h"
#include "tests/fuzz/require.h"
#include "tests/server/documents/echo.h"
#include "tokenizer/utf8.h"

#define ARENA_BYTES ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes of markup, and their sum, which no order changes. */
static void measure(const char *html, size_t len, struct arena *arena, size_t *bytes, size_t *sum)
{
    struct html_tokens tokens;
    REQUIRE(html_scan(html, len, arena, &tokens, NULL) == STATUS_OK);
    *bytes = *sum = 0;
    for (int i = 0; i < tokens.count; i++)
        for (uint32_t k = tokens.list[i].from; tokens.list[i].kind != HTML_TEXT; k++) {
            if (k == tokens.list[i].to)
                break;
            *sum += (unsigned char)html[k];
            ++*bytes;
        }
}

static void check(const char *text, size_t len, bool is_html, const struct engine_answer *answer,
                  struct arena *arena)
{
    uint32_t from = 0, to = 0;
    REQUIRE(utf8_check(answer->text, answer->len, NULL) == STATUS_OK);
    for (int i = 0; i < answer->sentence_count; i++) {
        const struct engine_sentence *s = &answer->sentences[i];
        REQUIRE(s->source.from >= from && s->source.to >= s->source.from && s->source.to <= len);
        REQUIRE(s->target.from >= to && s->target.to <= answer->len);
        REQUIRE(s->target.to - s->target.from == s->texts[0].len);
        from = s->source.to;
        to = s->target.to;
    }
    if (is_html) {
        size_t bytes, sum, bytes_out, sum_out;
        measure(text, len, arena, &bytes, &sum);
        measure(answer->text, answer->len, arena, &bytes_out, &sum_out);
        REQUIRE(bytes == bytes_out && sum == sum_out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct echo echoes[3] = { { .order = ECHO_SAME },
                                     { .order = ECHO_REVERSED },
                                     { .order = ECHO_WILD } };
    static struct arena arena;
    struct error err;
    if (size == 0 || size > 4096)
        return 0;
    if (!arena.base)
        REQUIRE(arena_init(&arena, ARENA_BYTES));
    const bool is_html = data[0] & 1;
    const struct document_options options = { .format = is_html ? FORMAT_HTML : FORMAT_TEXT };
    const char *text = (const char *)data + 1;
    arena_reset(&arena);
    const struct engine_answer *answer =
        echo_document(&echoes[(data[0] >> 1) % 3], &options, text, size - 1, &arena, &err);
    if (answer)
        check(text, size - 1, is_html, answer, &arena);
    else
        REQUIRE(err.status == STATUS_BAD_INPUT || err.status == STATUS_TOO_LARGE);
    return 0;
}
