/*
 * answer_stream.c - an answer as JSON while it is found.
 */
#include "server/engine/answer_stream.h"

#include <string.h>

#include "server/engine/token_json.h"

#define SPACE_MARK "\xE2\x96\x81" // "▁", in front of a word
#define SPACE_MARK_BYTES (sizeof SPACE_MARK - 1)

void answer_stream_init(struct answer_stream *s, const struct vocabulary *vocabulary,
                        const struct answer_json_options *options,
                        bool (*on_event)(void *context, const char *name, json_t *data),
                        void *context)
{
    *s = (struct answer_stream){
        .vocabulary = vocabulary, .options = *options, .on_event = on_event, .context = context
    };
}

/* A sentence as it is now. */
struct growth {
    const char *source; // the request's text
    const struct engine_sentence *sentence;
    const struct detokenised *text; // of its hypothesis
    struct word_alignment tokens;
    bool is_whole;
};

/* Takes the event's data; NULL, or what could not be set in it: no memory. */
static bool send_event(struct answer_stream *s, const char *name, json_t *data, bool is_sound)
{
    const bool is_told = data && is_sound && s->on_event(s->context, name, data);
    if (!is_told)
        s->is_broken = true;
    json_decref(data);
    return is_told;
}

/* ---- which tokens cannot change any more ---- */

static bool is_empty(struct span span)
{
    return span.from == span.to;
}

/* Bytes of the text up to the last word: what comes may still be part of that. A space that ends the
 * text is not yet a word's beginning. */
static uint32_t whole_words(const struct answer_stream *s, const struct growth *g)
{
    const struct hypothesis *h = g->sentence->translation.best;
    int last = h->T - 1;
    while (last > 0 && is_empty(g->text->spans[last]))
        last--;
    for (; last > 0; last--)
        if (!strncmp(vocabulary_piece(s->vocabulary, h->ids[last])->text, SPACE_MARK,
                     SPACE_MARK_BYTES))
            return g->text->spans[last].from;
    return 0;
}

/* Byte pieces at the end may not be a whole character yet. */
static int whole_pieces(const struct answer_stream *s, const struct growth *g)
{
    const struct hypothesis *h = g->sentence->translation.best;
    int count = h->T;
    while (count > 0 && vocabulary_piece(s->vocabulary, h->ids[count - 1])->kind == PIECE_BYTE)
        count--;
    return count;
}

static int certain_tokens(const struct answer_stream *s, const struct growth *g)
{
    int count = g->tokens.T;
    if (g->is_whole)
        return count;
    if (s->options.pieces)
        return whole_pieces(s, g);
    const uint32_t end = whole_words(s, g);
    while (count > 0 && g->tokens.target[count - 1].to > end)
        count--;
    return count;
}

/* ---- events ---- */

static bool tell_sentence(struct answer_stream *s, const struct growth *g)
{
    json_t *data = json_object(), *list = json_array();
    bool ok = token_json_set(data, "sentence", json_integer(s->sentences));
    ok = token_json_set(data, "source", token_json_span(g->sentence->source, 0)) && ok;
    for (int i = 0; i < g->tokens.S; i++) {
        json_t *token = token_json_source(g->source, &g->tokens, i);
        json_object_del(token, "coverage"); // not yet known
        ok = token_json_append(list, token) && ok;
    }
    ok = token_json_set(data, "source_tokens", list) && ok;
    return send_event(s, "sentence", data, ok);
}

/* The answer's text from what was said up to byte `to` of the sentence, with the gap in front of
 * it. */
static json_t *text_up_to(struct answer_stream *s, const struct growth *g, uint32_t to,
                          struct arena *arena)
{
    const size_t end = s->target_at + to, len = end > s->said ? end - s->said : 0;
    const size_t gap = s->target_at > s->said ? s->target_at - s->said : 0;
    char *text = arena_alloc(arena, len + 1);
    if (!text)
        return NULL;
    if (gap > 0)
        memcpy(text, g->source + g->sentence->source.from - gap, gap);
    if (len > gap)
        memcpy(text + gap, g->text->text + to - (len - gap), len - gap);
    s->said += len;
    return json_stringn(text, len);
}

static bool tell_token(struct answer_stream *s, const struct growth *g, int t, struct arena *arena)
{
    const struct arena_mark mark = arena_mark(arena);
    const bool is_last = g->is_whole && t == g->tokens.T - 1;
    const uint32_t to = is_last ? (uint32_t)g->text->len : g->tokens.target[t].to;
    const size_t said = s->said;
    json_t *data = json_object();
    bool ok = token_json_set(data, "sentence", json_integer(s->sentences));
    ok = token_json_set(data, "text", text_up_to(s, g, to, arena)) && ok;
    ok = token_json_set(data, "token",
                        token_json_target(g->text->text, (uint32_t)s->target_at, &g->tokens, t)) &&
         ok;
    if (s->options.alignment)
        ok = token_json_set(data, "alignment", token_json_row(&g->tokens, t)) && ok;
    arena_rewind(arena, mark);
    if (send_event(s, "token", data, ok))
        return true;
    s->said = said;
    return false;
}

/* A sentence for which the model had no word may still have text: its tags. */
static bool tell_wordless(struct answer_stream *s, const struct growth *g, struct arena *arena)
{
    const struct arena_mark mark = arena_mark(arena);
    const size_t said = s->said;
    if (s->said == s->target_at + g->text->len)
        return true;
    json_t *data = json_object();
    const bool ok = token_json_set(data, "text", text_up_to(s, g, (uint32_t)g->text->len, arena));
    arena_rewind(arena, mark);
    if (send_event(s, "token", data, ok))
        return true;
    s->said = said;
    return false;
}

static void begin_sentence(struct answer_stream *s, const struct growth *g)
{
    const size_t gap = g->sentence->source.from - s->source_at;
    s->target_at += gap;
    s->source_at += gap;
    s->has_begun = tell_sentence(s, g);
}

static void end_sentence(struct answer_stream *s, const struct growth *g)
{
    s->target_at += g->text->len;
    s->source_at = g->sentence->source.to;
    s->has_begun = false;
    s->tokens = 0;
    s->sentences++;
}

void answer_stream_grow(struct answer_stream *s, const char *text,
                        const struct engine_sentence *so_far, bool is_whole, struct arena *arena)
{
    const struct arena_mark mark = arena_mark(arena);
    struct growth g = {
        .source = text, .sentence = so_far, .text = &so_far->texts[0], .is_whole = is_whole
    };
    struct error err;
    if (s->is_broken)
        return;
    const enum status status =
        s->options.pieces ? piece_alignment(s->vocabulary, so_far, 0, arena, &g.tokens, &err)
                          : word_alignment(s->vocabulary, so_far, 0, arena, &g.tokens, &err);
    s->is_broken = status != STATUS_OK;
    if (!s->is_broken && !s->has_begun)
        begin_sentence(s, &g);
    const int certain = s->is_broken ? 0 : certain_tokens(s, &g);
    while (s->tokens < certain && tell_token(s, &g, s->tokens, arena))
        s->tokens++;
    if (!s->is_broken && is_whole && tell_wordless(s, &g, arena))
        end_sentence(s, &g);
    arena_rewind(arena, mark);
}

bool answer_stream_end(struct answer_stream *s, const struct engine_answer *answer)
{
    if (s->said >= answer->len)
        return true;
    json_t *data = json_object();
    const bool ok =
        token_json_set(data, "text", json_stringn(answer->text + s->said, answer->len - s->said));
    return send_event(s, "token", data, ok);
}
