/*
 * view.h - what is drawn or written of an alignment: tokens of both sides and the weights between.
 *
 *     struct word_alignment words;                     // or piece_alignment: pieces for words
 *     status = word_alignment(vocabulary, sentence, 0, &arena, &words, &err);
 *     status = alignment_view_of(&view, source_text, sentence->texts[0].text, &words, "en", "fr",
 *                                &arena, &err);
 *     status = render_alignment(&view, RENDER_SVG, &options, &out, &err);        // render.h
 *
 * A view borrows everything. Tokens may be any bytes: what is not valid UTF-8
 * and what cannot be seen is replaced where it is drawn.
 */
#ifndef SERVER_RENDER_VIEW_H
#define SERVER_RENDER_VIEW_H

#include "base/arena.h"
#include "base/status.h"
#include "server/engine/word_links.h"

#define VIEW_TOKENS_MAX 120 // a side, of a picture

struct alignment_view {
    int S, T;
    const char *const *source; // (S) tokens, UTF-8, NUL-terminated
    const char *const *target; // (T)
    const float *weights;      // (T,S+1) rows sum to 1, or are 0: no attention; last column </s>
    const int *links;          // (T) source token, or -1
    const float *confidence;   // (T) 0..1
    const float *coverage;     // (S)
    const char *source_language, *target_language; // "en"; "" if not known
};

/* Tokens are copied into the arena, weights and the like borrowed from `words`. The texts are those
 * that the spans of `words` point into. */
MUST_CHECK enum status alignment_view_of(struct alignment_view *view, const char *source_text,
                                         const char *target_text,
                                         const struct word_alignment *words,
                                         const char *source_language, const char *target_language,
                                         struct arena *arena, struct error *err);

/* STATUS_TOO_LARGE, and what to do instead, where a side has more tokens than a picture shows. */
MUST_CHECK enum status alignment_view_check(const struct alignment_view *view, struct error *err);

/* The weight that target token t gave to source token s; s = S is </s>. Between 0 and 1. */
float alignment_view_weight(const struct alignment_view *view, int t, int s);

#endif
