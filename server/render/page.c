/*
 * page.c - an alignment as one HTML file that asks nothing of the network.
 *
 * Its style and its script are two files beside this one, the same in every
 * page, and the policy names their hashes: nothing else runs or loads, so that
 * even a token that got past the escaping could do no harm.
 */
#include <string.h>

#include "base/hash.h"
#include "server/render/data.h"
#include "server/render/layouts.h"
#include "server/render/page_parts.h"
#include "server/render/writers.h"

#define BASE64_BYTES 45 // of a SHA-256 and a NUL
#define ADVICE "Point at a word, or go from word to word with Tab and the arrow keys."

static void encode_base64(const uint8_t digest[SHA256_BYTES], char out[BASE64_BYTES])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < SHA256_BYTES; i += 3) {
        uint32_t bits = 0;
        for (int k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < SHA256_BYTES ? digest[i + k] : 0);
        for (int k = 0; k < 4; k++)
            *out++ = letters[bits >> (18 - 6 * k) & 63];
    }
    out[-1] = '='; // 32 bytes are ten groups and two
    *out = '\0';
}

static void append_hash(struct bytes *out, const char *text)
{
    uint8_t digest[SHA256_BYTES];
    char base64[BASE64_BYTES];
    if (!sha256_of(text, strlen(text), digest)) {
        out->failed = out->out_of_memory = true;
        return;
    }
    encode_base64(digest, base64);
    bytes_printf(out, "'sha256-%s'", base64);
}

void page_policy(struct bytes *out)
{
    bytes_append_text(out, "default-src 'none'; base-uri 'none'; form-action 'none'; style-src ");
    append_hash(out, page_css);
    bytes_append_text(out, "; script-src ");
    append_hash(out, page_js);
}

static void append_head(struct bytes *out, const struct scene *scene, bool dark)
{
    bytes_printf(out,
                 "<!DOCTYPE html>\n<html lang=\"en\"%s>\n<head>\n<meta charset=\"utf-8\">\n"
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"",
                 dark ? " class=\"dark\"" : "");
    page_policy(out);
    bytes_append_text(out, "\">\n<meta name=\"viewport\" content=\"width=device-width, "
                           "initial-scale=1\">\n<title>");
    markup_append(out, scene->title);
    bytes_append_text(out, "</title>\n<style>");
    bytes_append_text(out, page_css);
    bytes_append_text(out, "</style>\n</head>\n<body>\n<h1>");
    markup_append(out, scene->title);
    bytes_append_text(out, "</h1>\n");
}

/* ---- the two lines ---- */

static void append_line_start(struct bytes *out, const char *id, const char *name,
                              const char *language, const char *const *tokens, int count)
{
    bytes_printf(out, "<p class=\"line\" id=\"%s\" role=\"group\" aria-label=\"%s\" dir=\"%s\"", id,
                 name, layout_is_right_to_left(tokens, count) ? "rtl" : "ltr");
    if (language[0]) {
        bytes_append_text(out, " lang=\"");
        markup_append(out, language);
        bytes_append_char(out, '"');
    }
    bytes_append_text(out, ">\n");
}

static void append_word(struct bytes *out, char side, int i, const char *note, float value,
                        const char *text)
{
    bytes_printf(out, "<button type=\"button\" data-%c=\"%d\" data-note=\"%s %.2f\">", side, i,
                 note, (double)value);
    markup_append(out, text);
    bytes_append_text(out, "</button>\n");
}

static void append_lines(struct bytes *out, const struct alignment_view *view,
                         const char *const *source, const char *const *target,
                         const char *source_language, const char *target_language)
{
    append_line_start(out, "source", "source", source_language, source, view->S);
    for (int s = 0; s < view->S; s++)
        append_word(out, 's', s, "coverage", view->coverage[s], source[s]);
    bytes_printf(out,
                 "<button type=\"button\" class=\"end\" data-s=\"%d\" "
                 "aria-label=\"end of the sentence\">",
                 view->S);
    markup_append(out, END_LABEL);
    bytes_append_text(out, "</button>\n</p>\n");
    append_line_start(out, "target", "translation", target_language, target, view->T);
    for (int t = 0; t < view->T; t++)
        append_word(out, 't', t, "confidence", view->confidence[t], target[t]);
    bytes_append_text(out, "</p>\n<output aria-live=\"polite\">" ADVICE "</output>\n");
}

/* ---- the weights ---- */

static void append_header(struct bytes *out, const char *scope, const char *text)
{
    bytes_printf(out, "<th scope=\"%s\">", scope);
    markup_append(out, text);
    bytes_append_text(out, "</th>");
}

static void append_table(struct bytes *out, const struct alignment_view *view,
                         const char *const *source, const char *const *target)
{
    bytes_append_text(out, "<details>\n<summary>All weights</summary>\n<div class=\"weights\">\n"
                           "<table>\n<thead><tr><td></td>");
    for (int s = 0; s <= view->S; s++)
        append_header(out, "col", s < view->S ? source[s] : END_LABEL);
    bytes_append_text(out, "</tr></thead>\n<tbody>\n");
    for (int t = 0; t < view->T && !out->failed; t++) {
        bytes_append_text(out, "<tr>");
        append_header(out, "row", target[t]);
        for (int s = 0; s <= view->S; s++)
            bytes_printf(out, "<td>%.4f</td>", (double)alignment_view_weight(view, t, s));
        bytes_append_text(out, "</tr>\n");
    }
    bytes_append_text(out, "</tbody>\n</table>\n</div>\n</details>\n");
}

/* ---- the whole ---- */

static const char *const *whole_tokens(struct scene *scene, const char *const *tokens, int count)
{
    const char **texts = arena_array(&scene->arena, const char *, count + 1);
    for (int i = 0; texts && i < count; i++)
        texts[i] = scene_words(scene, tokens[i]);
    scene->full |= !texts;
    return texts;
}

/* "" if it is not known, not the sign for nothing. */
static const char *language_of(struct scene *scene, const char *code)
{
    return code[0] ? scene_words(scene, code) : "";
}

enum status page_html(const struct alignment_view *view, struct scene *scene, bool dark,
                      struct bytes *out, struct error *err)
{
    const char *const *source = whole_tokens(scene, view->source, view->S);
    const char *const *target = whole_tokens(scene, view->target, view->T);
    const char *from = language_of(scene, view->source_language);
    const char *to = language_of(scene, view->target_language);
    if (scene->full)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the page");
    append_head(out, scene, dark);
    append_lines(out, view, source, target, from, to);
    bytes_append_text(out, "<div class=\"picture\">\n");
    enum status status = svg_write(scene, true, out, err);
    if (status != STATUS_OK)
        return status;
    bytes_append_text(out, "</div>\n");
    append_table(out, view, source, target);
    bytes_append_text(out, "<script>");
    bytes_append_text(out, page_js);
    bytes_append_text(out, "</script>\n</body>\n</html>\n");
    return bytes_check(out, "the page", err);
}
