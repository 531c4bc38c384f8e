/*
 * document.c - a text to what is translated of it, with all that is held named as phrases.
 */
#include "server/documents/document.h"

#include <stdio.h>
#include <string.h>

#include "server/documents/grow.h"
#include "server/documents/html.h"
#include "server/documents/placeholders.h"
#include "server/documents/sentence.h"
#include "server/engine/answer.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define STAND_INS 9        // X1 to X9, one after the other in a line
#define NUMBER_BYTES_MAX 4 // of one that the model sees; a longer one has a stand-in

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the text needs more memory than a request has: send it in parts");
}

/* ---- what is held ---- */

struct maker {
    struct document *d;
    const struct document_options *options;
    struct arena *arena;
    const char *in; // what a reader reads: the text, or that of the HTML
    size_t len;
    char *out;
    size_t out_len, room;
    int held_capacity, stand_ins, next_object, next_mark;
    bool is_full;
};

static void append(struct maker *m, const char *bytes, size_t len, size_t from, size_t from_len)
{
    const struct text_run run = { .to = (uint32_t)m->out_len,
                                  .to_len = (uint32_t)len,
                                  .from = (uint32_t)from,
                                  .from_len = (uint32_t)from_len };
    if (len > m->room - m->out_len || !text_map_add(&m->d->map, m->arena, run)) {
        m->is_full = true;
        return;
    }
    memcpy(m->out + m->out_len, bytes, len);
    m->out_len += len;
}

/* Whether a mark stands between bytes at + 1 and at + len. */
static bool has_mark_inside(const struct maker *m, size_t at, size_t len)
{
    int i = m->next_mark;
    while (i < m->d->html.mark_count && m->d->html.marks[i].at <= at)
        i++;
    return i < m->d->html.mark_count && m->d->html.marks[i].at < at + len;
}

struct find { // what begins at a byte
    size_t len;
    enum held_kind kind;
    struct glossary_term term;
};

/* Code, and what follows it without a space, as one. */
static size_t code_at(const struct maker *m, size_t at)
{
    enum placeholder_kind kind = PLACEHOLDER_CODE;
    size_t len = 0;
    int objects = m->next_object;
    for (;;) {
        const bool is_object =
            objects < m->d->html.object_count && m->d->html.objects[objects] == at + len;
        objects += is_object;
        const size_t more = is_object           ? HTML_OBJECT_BYTES
                            : at + len < m->len ? placeholder_at(m->in, m->len, at + len, &kind)
                                                : 0;
        if (more == 0 || (len == 0 && !is_object && kind == PLACEHOLDER_NUMBER))
            return len;
        len += more;
    }
}

static struct find find_at(const struct maker *m, size_t at)
{
    enum placeholder_kind kind;
    struct find found = { .kind = HELD_CODE, .len = code_at(m, at) };
    if (found.len > 0)
        return found;
    if (m->options->glossary) {
        found.kind = HELD_TERM;
        found.len =
            glossary_at(m->options->glossary, m->options->side, m->in, m->len, at, &found.term);
        if (found.len > 0 && !has_mark_inside(m, at, found.len))
            return found;
    }
    found.kind = HELD_NUMBER;
    found.len = placeholder_at(m->in, m->len, at, &kind);
    const size_t behind = found.len > 0 ? code_at(m, at + found.len) : 0; // "5{x}"
    if (behind > 0 || found.len > NUMBER_BYTES_MAX)
        found.kind = HELD_CODE;
    found.len += behind;
    return found;
}

/* ---- marks ---- */

/* Marks that stand before byte `at`, and at it, stand at the end of what is made. */
static void move_marks(struct maker *m, size_t at)
{
    struct html_text *html = &m->d->html;
    for (; m->next_mark < html->mark_count && html->marks[m->next_mark].at <= at; m->next_mark++)
        html->marks[m->next_mark].at = (uint32_t)m->out_len;
}

static bool is_held_mark(const struct html_text *html, int mark)
{
    return mark >= 0 && html->marks[mark].kind == MARK_HELD;
}

/* Marks [first,end) are inside what is held. What opens at its beginning or closes at its end, and
 * has its partner inside, is taken along; `source` grows with it. */
static void hold_marks(struct maker *m, int first, int end, size_t to, struct span *source)
{
    struct html_text *html = &m->d->html;
    for (int i = first; i < end; i++)
        html->marks[i].kind = MARK_HELD;
    while (end < html->mark_count && html->marks[end].at == to &&
           is_held_mark(html, html->marks[end].partner)) {
        html->marks[end].kind = MARK_HELD;
        source->to = html->marks[end++].source.to;
    }
    while (first > 0 && html->marks[first - 1].at == m->out_len &&
           html->marks[first - 1].kind == MARK_OPEN &&
           is_held_mark(html, html->marks[first - 1].partner)) {
        html->marks[--first].kind = MARK_HELD;
        source->from = html->marks[first].source.from;
    }
}

/* ---- making the plain text ---- */

static struct span span_of(const struct document *d, size_t from, size_t to)
{
    if (d->format == FORMAT_TEXT)
        return (struct span){ (uint32_t)from, (uint32_t)to };
    return (struct span){ text_map_start(&d->html.map, (uint32_t)from),
                          text_map_end(&d->html.map, (uint32_t)to) };
}

/* What a model sees of it, which is what it must say: a stand-in for code, a number itself. */
static void choose_phrase(struct maker *m, const struct find *found, size_t at, struct held *held)
{
    static const char stand_ins[STAND_INS][3] = { "X1", "X2", "X3", "X4", "X5",
                                                  "X6", "X7", "X8", "X9" };
    held->phrase = m->in + at;
    held->phrase_len = (uint32_t)found->len;
    if (found->kind == HELD_CODE) {
        held->phrase = stand_ins[m->stand_ins++ % STAND_INS];
        held->phrase_len = 2;
    } else if (found->kind == HELD_TERM) {
        held->phrase = found->term.translation;
        held->phrase_len = (uint32_t)found->term.translation_len;
    }
}

/* A translation as the document writes it. */
static bool write_term(struct maker *m, struct held *held)
{
    char *text = arena_array(m->arena, char, HTML_ESCAPE_BYTES_MAX * held->phrase_len + 1);
    if (!text)
        return false;
    held->text = text;
    held->text_len = 0;
    for (uint32_t i = 0; i < held->phrase_len; i++)
        held->text_len += (uint32_t)html_escape(held->phrase[i], text + held->text_len);
    return true;
}

/* What comes out in its place. */
static bool choose_text(struct maker *m, struct held *held)
{
    const bool is_term = held->kind == HELD_TERM;
    held->text = is_term ? held->phrase : m->d->text + held->source.from;
    held->text_len = is_term ? held->phrase_len : held->source.to - held->source.from;
    return !is_term || m->d->format == FORMAT_TEXT || write_term(m, held);
}

static void hold(struct maker *m, const struct find *found, size_t at)
{
    struct held held = { .kind = found->kind, .source = span_of(m->d, at, at + found->len) };
    const int first = m->next_mark;
    held.joins_before = found->kind == HELD_CODE && placeholder_word_ends(m->in, m->len, at);
    held.joins_after =
        found->kind == HELD_CODE && placeholder_word_begins(m->in, m->len, at + found->len);
    if (held.joins_before)
        append(m, " ", 1, at, 0);
    choose_phrase(m, found, at, &held);
    held.plain.from = (uint32_t)m->out_len;
    if (found->len > 1)
        move_marks(m, at + found->len - 1);
    if (m->next_mark > first)
        hold_marks(m, first, m->next_mark, at + found->len, &held.source);
    if (found->kind == HELD_CODE)
        append(m, held.phrase, held.phrase_len, at, found->len);
    else
        append(m, m->in + at, found->len, at, found->len);
    held.plain.to = (uint32_t)m->out_len;
    if (held.joins_after)
        append(m, " ", 1, at + found->len, 0);
    while (m->next_object < m->d->html.object_count &&
           m->d->html.objects[m->next_object] < at + found->len)
        m->next_object++;
    if (!choose_text(m, &held) || !GROW(m->arena, m->d->held, m->d->held_count, m->held_capacity)) {
        m->is_full = true;
        return;
    }
    m->d->held[m->d->held_count++] = held;
}

/* Byte by byte, where something may begin; a stretch of others at once. */
static void make_plain(struct maker *m)
{
    size_t copied = 0;
    for (size_t at = 0; at < m->len && !m->is_full;) {
        int bytes = 1;
        if (m->next_mark < m->d->html.mark_count && m->d->html.marks[m->next_mark].at <= at) {
            append(m, m->in + copied, at - copied, copied, at - copied);
            copied = at;
            move_marks(m, at);
        }
        const struct find found = find_at(m, at);
        if (found.len > 0) {
            append(m, m->in + copied, at - copied, copied, at - copied);
            hold(m, &found, at);
            at = copied = at + found.len;
            continue;
        }
        if (m->in[at] == '\n')
            m->stand_ins = 0;
        (void)utf8_next(m->in + at, m->len - at, &bytes);
        at += (size_t)bytes;
    }
    append(m, m->in + copied, m->len - copied, copied, m->len - copied);
    move_marks(m, m->len);
}

static enum status make_phrases(struct document *d, struct arena *arena, struct error *err)
{
    struct engine_phrase *phrases = arena_array(arena, struct engine_phrase, d->held_count);
    if (!phrases)
        return no_memory(err);
    for (int i = 0; i < d->held_count; i++)
        phrases[i] = (struct engine_phrase){ .source = d->held[i].plain,
                                             .target = d->held[i].phrase,
                                             .len = d->held[i].phrase_len };
    d->engine_text.phrases = phrases;
    d->engine_text.phrase_count = d->held_count;
    return STATUS_OK;
}

enum status document_open(struct document *d, const struct document_options *options,
                          const char *text, size_t len, struct arena *arena, struct error *err)
{
    struct maker m = { .d = d, .options = options, .arena = arena, .in = text, .len = len };
    const struct arena_mark mark = arena_mark(arena);
    *d = (struct document){ .text = text, .len = len, .format = options->format };
    if (len > ENGINE_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "the text is over the limit of %d bytes",
                         ENGINE_TEXT_BYTES_MAX);
    enum status status = utf8_check(text, len, err);
    if (status == STATUS_OK && options->format == FORMAT_HTML) {
        status = html_read(text, len, arena, &d->html, err);
        m.in = d->html.text;
        m.len = d->html.len;
    }
    if (status != STATUS_OK)
        return status;
    m.room = 4 * m.len + 16; // "{}" becomes " X1 "
    m.out = arena_array(arena, char, m.room + 1);
    if (!m.out)
        return no_memory(err);
    make_plain(&m);
    if (m.is_full)
        return no_memory(err);
    if (options->format == FORMAT_TEXT && d->held_count == 0) {
        arena_rewind(arena, mark);
        d->engine_text = (struct engine_text){ .text = text, .len = len };
        return STATUS_OK;
    }
    m.out[m.out_len] = '\0';
    d->plain = m.out;
    d->plain_len = m.out_len;
    d->engine_text = (struct engine_text){ .text = d->plain, .len = d->plain_len };
    return make_phrases(d, arena, err);
}

struct span document_source(const struct document *d, struct span plain)
{
    const struct span in = { text_map_start(&d->map, plain.from), text_map_end(&d->map, plain.to) };
    return span_of(d, in.from, in.to < in.from ? in.from : in.to);
}

/* ---- the answer ---- */

/* Whether the model had anything to say: not of a sentence that is all held. */
static bool has_own_words(const struct document *d, struct span plain, int first_held)
{
    uint32_t at = plain.from;
    for (int i = first_held; i < d->held_count && d->held[i].plain.from < plain.to; i++) {
        if (d->held[i].kind == HELD_TERM)
            return true;
        if (text_has_letters(d->plain + at, d->held[i].plain.from - at))
            return true;
        at = d->held[i].plain.to;
    }
    return at < plain.to && text_has_letters(d->plain + at, plain.to - at);
}

enum status document_answer(const struct document *d, const struct vocabulary *vocabulary,
                            const struct engine_answer *found, struct arena *arena,
                            struct engine_answer *out, struct error *err)
{
    enum status status = STATUS_OK;
    struct sentence_context context = { .document = d, .vocabulary = vocabulary, .arena = arena };
    int count = 0;
    if (!found->text || !d->plain) { // cancelled, or nothing is held
        *out = *found;
        return STATUS_OK;
    }
    for (int i = 0; status == STATUS_OK && i < found->sentence_count; i++) {
        struct engine_sentence *sentence = &found->sentences[i];
        const uint32_t next =
            i + 1 < found->sentence_count ? sentence[1].source.from : (uint32_t)d->plain_len;
        sentence_context_move(&context, sentence->source);
        if (!has_own_words(d, sentence->source, context.place.first_held))
            continue;
        status = sentence_put_back(&context, sentence, next, err);
        found->sentences[count++] = *sentence;
    }
    if (status != STATUS_OK)
        return status;
    return answer_compose(d->text, d->len, found->sentences, count, arena, out, err);
}

static bool copy_spans(struct tokens *tokens, struct arena *arena)
{
    struct span *spans = arena_array(arena, struct span, tokens->count + 1);
    if (spans && tokens->count > 0)
        memcpy(spans, tokens->spans, (size_t)tokens->count * sizeof *spans);
    tokens->spans = spans;
    return spans != NULL;
}

enum status document_grow(const struct document *d, struct document_place *place,
                          const struct vocabulary *vocabulary, const struct engine_sentence *found,
                          uint32_t next, bool is_whole, struct arena *arena,
                          struct engine_sentence *out, struct error *err)
{
    struct sentence_context context = {
        .document = d, .vocabulary = vocabulary, .arena = arena, .place = *place
    };
    *out = *found;
    if (!d->plain)
        return STATUS_OK;
    out->translation.count = 0;
    sentence_context_move(&context, found->source);
    if (!has_own_words(d, found->source, context.place.first_held) ||
        (!is_whole && !sentence_is_bare(&context, found, next)))
        return STATUS_OK;
    out->translation.count = found->translation.count;
    if (!copy_spans(&out->tokens, arena))
        return no_memory(err);
    enum status status = sentence_put_back(&context, out, next, err);
    if (status == STATUS_OK && is_whole)
        *place = context.place;
    return status;
}

/* ---- all texts of a request ---- */

enum status documents_open(const struct document_options *options, const struct engine_text *texts,
                           int count, struct arena *arena, struct document **documents,
                           struct engine_text **plain, struct error *err)
{
    enum status status = STATUS_OK;
    *documents = arena_array(arena, struct document, count);
    *plain = arena_array(arena, struct engine_text, count);
    if (!*documents || !*plain)
        return no_memory(err);
    for (int i = 0; status == STATUS_OK && i < count; i++) {
        struct document *d = &(*documents)[i];
        status = document_open(d, options, texts[i].text, texts[i].len, arena, err);
        (*plain)[i] = d->engine_text;
        (*plain)[i].cancelled = texts[i].cancelled;
    }
    return status;
}

enum status documents_answer(const struct document *documents, int count,
                             const struct vocabulary *vocabulary, const struct engine_answer *found,
                             struct arena *arena, struct engine_answer *out, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = document_answer(&documents[i], vocabulary, &found[i], arena, &out[i], err);
    return status;
}
