/*
 * example.h - views to draw, and a strict look at what was written.
 *
 *     struct example x;
 *     example_of(&x, cats, 3, chats, 3);
 *     draw(&x, RENDER_SVG, (struct render_options){ 0 }, &out);
 *     assert_well_formed(out.data, out.len);
 */
#ifndef TESTS_SERVER_RENDER_EXAMPLE_H
#define TESTS_SERVER_RENDER_EXAMPLE_H

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "server/render/render.h"
#include "tokenizer/utf8.h"

#define EXAMPLE_TOKENS_MAX 300

struct example {
    struct alignment_view view;
    float weights[EXAMPLE_TOKENS_MAX * (EXAMPLE_TOKENS_MAX + 1)];
    float confidence[EXAMPLE_TOKENS_MAX], coverage[EXAMPLE_TOKENS_MAX];
    int links[EXAMPLE_TOKENS_MAX];
    const char *source[EXAMPLE_TOKENS_MAX], *target[EXAMPLE_TOKENS_MAX];
};

/* Tokens again and again up to the counts; each target token looks at the source token beside it
 * with 0.75 and at the one before it, or the end, with 0.25. */
static inline void example_of(struct example *x, const char *const *source, int source_tokens,
                              int S, const char *const *target, int target_tokens, int T)
{
    memset(x, 0, sizeof *x);
    for (int s = 0; s < S; s++)
        x->source[s] = source[s % source_tokens];
    for (int t = 0; t < T; t++) {
        const int at = S > 0 ? t % S : 0, before = at > 0 ? at - 1 : S;
        x->target[t] = target[t % target_tokens];
        x->weights[t * (S + 1) + at] += 0.75f;
        x->weights[t * (S + 1) + before] += 0.25f;
        x->links[t] = S > 0 ? at : -1;
        x->confidence[t] = 0.875f;
        x->coverage[at] += 0.75f;
    }
    x->view = (struct alignment_view){ .S = S,
                                       .T = T,
                                       .source = x->source,
                                       .target = x->target,
                                       .weights = x->weights,
                                       .links = x->links,
                                       .confidence = x->confidence,
                                       .coverage = x->coverage,
                                       .source_language = "en",
                                       .target_language = "fr" };
}

/* ---- XML, as strictly as what we write of it needs ---- */

#define MARKUP_DEPTH_MAX 32

/* NULL, or what is wrong: tags that do not match, a bare & or < or control character, wrong UTF-8.
 * Elements that HTML does not close are passed over, and so is what is inside <style> and
 * <script>. */
static inline const char *markup_wrong(const char *text, size_t len)
{
    static const char *const empty[] = { "meta", "!DOCTYPE", "?xml" };
    char open[MARKUP_DEPTH_MAX][16];
    int depth = 0;
    if (utf8_check(text, len, NULL) != STATUS_OK)
        return "not UTF-8";
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 && c != '\n')
            return "a control character";
        if (c == '&' && strncmp(text + i, "&amp;", 5) && strncmp(text + i, "&lt;", 4) &&
            strncmp(text + i, "&gt;", 4) && strncmp(text + i, "&quot;", 6) &&
            strncmp(text + i, "&#39;", 5))
            return "a bare &";
        if (c != '<')
            continue;
        char name[16] = "";
        const bool closes = text[i + 1] == '/';
        const size_t at = i + 1 + closes, letters = strcspn(text + at, " />\n");
        if (letters == 0 || letters >= sizeof name)
            return "a bare <";
        memcpy(name, text + at, letters);
        bool quoted = false;
        for (i = at + letters; i < len && (quoted || text[i] != '>'); i++) {
            if (text[i] == '"')
                quoted = !quoted;
            else if (text[i] == '<')
                return "a < in a tag";
        }
        bool is_empty = text[i - 1] == '/';
        for (int k = 0; k < 3; k++)
            is_empty |= strcmp(name, empty[k]) == 0;
        if (closes && (depth == 0 || strcmp(open[--depth], name) != 0))
            return "an end without its start";
        if (closes || is_empty)
            continue;
        if (depth == MARKUP_DEPTH_MAX)
            return "too deep";
        strcpy(open[depth++], name);
        if (strcmp(name, "style") == 0 || strcmp(name, "script") == 0) {
            const char *end = strstr(text + i, "</");
            i = end ? (size_t)(end - text) - 1 : len;
        }
    }
    return depth == 0 ? NULL : "a start without its end";
}

#endif
