/*
 * fuzz_render.c - any bytes as tokens, any weights: what is written is well formed.
 *
 * The first bytes say how many tokens there are and which picture; tokens end at a zero byte.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/server/render/example.h"

#define TOKENS_MAX 40
#define TOKEN_BYTES 64

static struct example x;
static char texts[TOKENS_MAX][TOKEN_BYTES];

static const char *take_token(const uint8_t **data, size_t *size, int i)
{
    size_t len = 0;
    while (len < *size && (*data)[len] != 0)
        len++;
    const size_t kept = len < TOKEN_BYTES - 1 ? len : TOKEN_BYTES - 1;
    memcpy(texts[i], *data, kept);
    texts[i][kept] = '\0';
    len += len < *size; // the zero
    *data += len;
    *size -= len;
    return texts[i];
}

static void check(enum render_form form, const struct render_options *options)
{
    struct bytes out;
    struct error err;
    bytes_init(&out, RENDER_BYTES_MAX);
    if (render_alignment(&x.view, form, options, &out, &err) != STATUS_OK)
        abort();
    if ((form == RENDER_SVG || form == RENDER_HTML) && markup_wrong(out.data, out.len))
        abort();
    if (utf8_check(out.data, out.len, NULL) != STATUS_OK)
        abort();
    bytes_release(&out);
}

static void check_terminal(int width, bool colours)
{
    struct bytes out;
    struct error err;
    bytes_init(&out, RENDER_BYTES_MAX);
    if (render_terminal(&x.view, width, colours, &out, &err) != STATUS_OK)
        abort();
    for (size_t i = 0; !colours && i < out.len; i++)
        if (out.data[i] == '\x1b')
            abort();
    bytes_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const none[] = { "" };
    if (size < 4)
        return 0;
    const int S = data[0] % (TOKENS_MAX / 2), T = data[1] % (TOKENS_MAX / 2);
    const struct render_options options = { .ribbons = data[2] & 1, .dark = data[2] & 2 };
    const int width = data[3];
    data += 4;
    size -= 4;
    example_of(&x, none, 1, S, none, 1, T);
    for (int s = 0; s < S; s++)
        x.source[s] = take_token(&data, &size, s);
    for (int t = 0; t < T; t++)
        x.target[t] = take_token(&data, &size, S + t);
    const size_t weights = (size_t)T * (size_t)(S + 1) * sizeof *x.weights;
    memcpy(x.weights, data, size < weights ? size : weights);
    x.view.source_language = S > 0 ? x.source[0] : "";
    check(RENDER_SVG, &options);
    check(RENDER_HTML, &options);
    check(RENDER_CSV, &options);
    check(RENDER_PHARAOH, &options);
    check_terminal(width, options.dark);
    return 0;
}
