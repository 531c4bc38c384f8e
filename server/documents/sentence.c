/*
 * sentence.c - one sentence: what of the document it covers, what is held found in its hypotheses
 * or put there, tags placed, and all of it written with the way from old bytes to new.
 */
#include "server/documents/sentence.h"

#include <stdlib.h>
#include <string.h>

#include "server/documents/grow.h"
#include "server/documents/placeholders.h"
#include "server/documents/tags.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

struct replacement { // what comes out for some bytes of a hypothesis, or before one
    struct span at;
    const char *text;
    uint32_t len;
    int held;       // of the document, or -1: nothing comes out
    bool is_raised; // its first letter is to be a capital
};

struct sentence { // one being put back
    const struct sentence_context *context;
    const struct document *document;
    const struct engine_sentence *engine;
    struct range marks; // of the document
    struct range held;
    struct arena *arena;
};

struct hypothesis_text { // one of its hypotheses
    const struct sentence *sentence;
    int k;
    const char *text;
    uint32_t len;
    struct target target;
    struct replacement *replacements; // (replacement_count)
    int replacement_count, replacement_capacity;
    struct tags tags;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the answer needs more memory than a request has: send the text in parts");
}

/* ---- what of the document it covers ---- */

void sentence_context_move(struct sentence_context *c, struct span plain)
{
    const struct document *d = c->document;
    while (c->place.first_held < d->held_count &&
           d->held[c->place.first_held].plain.from < plain.from)
        c->place.first_held++;
}

static bool is_space_at(const struct document *d, uint32_t at)
{
    return d->plain[at] == ' ' || d->plain[at] == '\t';
}

/* Tags right before it are its own from the first one on whose partner is inside. */
static int first_mark(struct sentence_context *c, struct span plain)
{
    const struct html_text *html = &c->document->html;
    uint32_t low = plain.from;
    while (low > c->place.before && is_space_at(c->document, low - 1))
        low--;
    while (c->place.first_mark < html->mark_count && html->marks[c->place.first_mark].at < low)
        c->place.first_mark++;
    int i = c->place.first_mark;
    for (; i < html->mark_count && html->marks[i].at <= plain.from; i++) {
        const struct mark *mark = &html->marks[i];
        if (mark->kind == MARK_OPEN && mark->partner >= 0 &&
            html->marks[mark->partner].at > plain.from && html->marks[mark->partner].at < plain.to)
            break;
    }
    return i;
}

/* Tags right behind it are its own up to the last one whose partner it has. */
static int marks_end(const struct sentence_context *c, int first, struct span plain, uint32_t next)
{
    const struct html_text *html = &c->document->html;
    uint32_t high = plain.to;
    int i = first;
    while (high < next && is_space_at(c->document, high))
        high++;
    while (i < html->mark_count && html->marks[i].at < plain.to)
        i++;
    int end = i;
    for (; i < html->mark_count && html->marks[i].at <= high; i++)
        if (html->marks[i].kind == MARK_CLOSE && html->marks[i].partner >= first &&
            html->marks[i].partner < end)
            end = i + 1;
    return end;
}

static struct sentence sentence_of(struct sentence_context *c,
                                   const struct engine_sentence *sentence, uint32_t next)
{
    const struct document *d = c->document;
    const struct span plain = sentence->source;
    struct sentence s = { .context = c, .document = d, .engine = sentence, .arena = c->arena };
    s.held = (struct range){ c->place.first_held, c->place.first_held };
    while (s.held.to < d->held_count && d->held[s.held.to].plain.from < plain.to)
        s.held.to++;
    s.marks.from = first_mark(c, plain);
    s.marks.to = marks_end(c, s.marks.from, plain, next);
    if (s.marks.to < s.marks.from)
        s.marks.to = s.marks.from;
    return s;
}

bool sentence_is_bare(struct sentence_context *c, const struct engine_sentence *sentence,
                      uint32_t next)
{
    const struct sentence s = sentence_of(c, sentence, next);
    return s.held.from == s.held.to && s.marks.from == s.marks.to;
}

static struct span covers(const struct sentence *s, struct span plain)
{
    const struct document *d = s->document;
    struct span source = document_source(d, plain);
    if (s->marks.from < s->marks.to) {
        const uint32_t from = d->html.marks[s->marks.from].source.from;
        const uint32_t to = d->html.marks[s->marks.to - 1].source.to;
        source.from = from < source.from ? from : source.from;
        source.to = to > source.to ? to : source.to;
    }
    for (int i = s->held.from; i < s->held.to; i++) {
        const struct span held = d->held[i].source;
        source.from = held.from < source.from ? held.from : source.from;
        source.to = held.to > source.to ? held.to : source.to;
    }
    return source;
}

/* ---- what is held, in a hypothesis ---- */

static bool add_replacement(struct hypothesis_text *h, struct span at, const char *text,
                            uint32_t len, int held)
{
    if (!GROW(h->sentence->arena, h->replacements, h->replacement_count, h->replacement_capacity))
        return false;
    h->replacements[h->replacement_count++] =
        (struct replacement){ .at = at, .text = text, .len = len, .held = held };
    return true;
}

static bool is_free(const struct hypothesis_text *h, struct span span)
{
    for (int i = 0; i < h->replacement_count; i++)
        if (span.from < h->replacements[i].at.to && h->replacements[i].at.from < span.to)
            return false;
    return true;
}

/* Where the search says it is. */
static struct span place_of(const struct hypothesis_text *h, int held)
{
    const struct engine_sentence *e = h->sentence->engine;
    for (int j = 0; j < e->phrase_count; j++) {
        struct span span = e->phrase_places[h->k * e->phrase_count + j];
        if (e->phrases[j] != held)
            continue;
        while (span.from < span.to && h->text[span.from] == ' ')
            span.from++;
        return span;
    }
    return (struct span){ 0, 0 };
}

static bool stands_alone(const struct hypothesis_text *h, struct span span)
{
    return placeholder_stands_alone(h->text, h->len, span.from, span.to);
}

/* The first place from `from` on that says it and nothing else has; empty: none. */
static struct span find_free(const struct hypothesis_text *h, const char *phrase, uint32_t len,
                             uint32_t from)
{
    while (len > 0 && from + len <= h->len) {
        const char *found = memmem(h->text + from, h->len - from, phrase, len);
        if (!found)
            break;
        const struct span span = { (uint32_t)(found - h->text), (uint32_t)(found - h->text) + len };
        if (is_free(h, span) && stands_alone(h, span))
            return span;
        from = span.from + 1;
    }
    return (struct span){ 0, 0 };
}

static bool is_wordly(const char *text, uint32_t len, uint32_t at)
{
    int bytes;
    if (at >= len)
        return false;
    const int32_t c = utf8_next(text + at, len - at, &bytes);
    return character_is_letter(c) || (c >= '0' && c <= '9');
}

/* Whether the word at byte `at` is the one that looks most at the source word `source`. */
static bool is_word_of(const struct hypothesis_text *h, uint32_t at, int source)
{
    const struct target *target = &h->target;
    if (source < 0 || source >= target->S || target->T == 0)
        return false;
    const struct span word =
        target->words[target_most_at(target, source, (struct range){ 0, target->T })].span;
    return word.from <= at && at < word.to;
}

/* With a space that the source did not have: "( X1" for "(X1", "X1 items" for "{n}items". */
static struct span with_spaces(const struct hypothesis_text *h, const struct held *held,
                               struct span span)
{
    const char *plain = h->sentence->document->plain, *text = h->text;
    const struct span sentence = h->sentence->engine->source;
    const struct range source = target_source_words(&h->target, held->plain);
    const uint32_t from = held->plain.from, to = held->plain.to;
    if (span.from > 1 && text[span.from - 1] == ' ') {
        const bool is_joined = held->joins_before && is_word_of(h, span.from - 2, source.from - 1);
        const bool touched = from > sentence.from && plain[from - 1] != ' ' &&
                             plain[from - 1] == text[span.from - 2];
        span.from -= is_joined || touched;
    }
    if (span.to + 1 < h->len && text[span.to] == ' ') {
        const char behind = to < sentence.to ? plain[to] : '\0';
        const bool is_joined = held->joins_after && is_word_of(h, span.to + 1, source.to);
        const bool touched =
            behind != '\0' && strchr(")]}\"'/", behind) && behind == text[span.to + 1];
        span.to += is_joined || touched;
    }
    return span;
}

/* Where a search has put it, or where it is anyway. */
static bool take_found(struct hypothesis_text *h, bool *is_placed)
{
    const struct document *d = h->sentence->document;
    for (int i = h->sentence->held.from; i < h->sentence->held.to; i++) {
        const struct held *held = &d->held[i];
        struct span span = place_of(h, i);
        if (span.from == span.to || !is_free(h, span) || !stands_alone(h, span))
            span = find_free(h, held->phrase, held->phrase_len, 0);
        is_placed[i - h->sentence->held.from] = span.from < span.to;
        if (span.from == span.to)
            continue;
        const struct span wider = with_spaces(h, held, span);
        if (!add_replacement(h, is_free(h, wider) ? wider : span, held->text, held->text_len, i))
            return false;
    }
    return true;
}

/* Not in the middle of what is replaced. */
static uint32_t out_of_others(const struct hypothesis_text *h, uint32_t at)
{
    for (int i = 0; i < h->replacement_count; i++)
        if (h->replacements[i].at.from < at && at < h->replacements[i].at.to)
            return h->replacements[i].at.to;
    return at;
}

/* In place of the words that look at it, or behind the one that looks at what was before it. */
static bool force(struct hypothesis_text *h, int number)
{
    const struct held *held = &h->sentence->document->held[number];
    const struct range all = { 0, h->target.T };
    const struct range source = target_source_words(&h->target, held->plain);
    const struct range words = target_looking_at(&h->target, source, all, RANGE_FREE, 0);
    const struct span span = target_bytes(&h->target, words);
    if (words.from < words.to && is_free(h, span)) {
        for (int t = words.from; t < words.to; t++)
            h->target.words[t].taken_by = 0;
        return add_replacement(h, span, held->text, held->text_len, number);
    }
    const uint32_t at = out_of_others(h, target_place(&h->target, held->plain.from, all));
    char *text = arena_array(h->sentence->arena, char, held->text_len + 2);
    uint32_t len = 0;
    if (!text)
        return false;
    if (at > 0 && h->text[at - 1] != ' ')
        text[len++] = ' ';
    memcpy(text + len, held->text, held->text_len);
    len += held->text_len;
    if (at < h->len && is_wordly(h->text, h->len, at))
        text[len++] = ' ';
    return add_replacement(h, (struct span){ at, at }, text, len, number);
}

static bool force_missing(struct hypothesis_text *h, const bool *is_placed)
{
    const struct range held = h->sentence->held;
    for (int i = 0; i < h->replacement_count; i++)
        for (int t = 0; t < h->target.T; t++)
            if (h->target.words[t].span.from < h->replacements[i].at.to &&
                h->replacements[i].at.from < h->target.words[t].span.to)
                h->target.words[t].taken_by = 0;
    for (int i = held.from; i < held.to; i++)
        if (!is_placed[i - held.from] && !force(h, i))
            return false;
    for (int t = 0; t < h->target.T; t++)
        h->target.words[t].taken_by = -1;
    return true;
}

/* The source word that the word with bytes of the span looks at most; -1: none. */
static int link_of(const struct target *target, struct span span)
{
    int best = -1;
    for (int t = 0; t < target->T; t++) {
        const struct target_word *word = &target->words[t];
        if (word->span.to <= span.from || word->span.from >= span.to)
            continue;
        for (int s = 0; s < target->S; s++)
            if (best < 0 ||
                word->sums[s + 1] - word->sums[s] > word->sums[best + 1] - word->sums[best])
                best = s;
        return best;
    }
    return -1;
}

/* A number may be there because the source has it in letters. */
static bool is_surplus(const struct hypothesis_text *h, const struct held *held, struct span span)
{
    const int link = held->kind == HELD_NUMBER ? link_of(&h->target, span) : -1;
    if (link < 0)
        return true;
    const struct span word = h->target.source[link];
    return !text_has_letters(h->sentence->document->plain + word.from, word.to - word.from);
}

/* What is said once more than it is in the source goes, with the space before it. */
static bool drop_surplus(struct hypothesis_text *h)
{
    const struct document *d = h->sentence->document;
    for (int i = h->sentence->held.from; i < h->sentence->held.to; i++) {
        const struct held *held = &d->held[i];
        struct span span = { 0, 0 };
        if (held->kind == HELD_TERM)
            continue;
        while ((span = find_free(h, held->phrase, held->phrase_len, span.to)).to > 0) {
            if (!is_surplus(h, held, span))
                continue;
            struct span wider = span;
            if (span.from > 0 && h->text[span.from - 1] == ' ')
                wider.from--;
            else if (span.to < h->len && h->text[span.to] == ' ')
                wider.to++;
            if (!add_replacement(h, is_free(h, wider) ? wider : span, "", 0, -1))
                return false;
        }
    }
    return true;
}

static int compare_replacements(const void *left, const void *right)
{
    const struct replacement *a = left, *b = right;
    if (a->at.from != b->at.from)
        return a->at.from < b->at.from ? -1 : 1;
    if (a->at.to != b->at.to)
        return a->at.to < b->at.to ? -1 : 1;
    return (a->text > b->text) - (a->text < b->text);
}

/* A term that begins the sentence is written as sentences begin. */
static void raise_first(struct hypothesis_text *h)
{
    const struct sentence *s = h->sentence;
    int bytes;
    const struct span source = s->engine->source;
    const int32_t first =
        utf8_next(s->document->plain + source.from, source.to - source.from, &bytes);
    if (h->replacement_count == 0 || h->replacements[0].at.from > 0 ||
        character_lower(first) == first)
        return;
    const int held = h->replacements[0].held;
    h->replacements[0].is_raised = held >= 0 && s->document->held[held].kind == HELD_TERM;
}

/* What is put somewhere is one word that looks at what it stands for. */
static void join_words(struct hypothesis_text *h)
{
    for (int i = 0; i < h->replacement_count; i++) {
        const struct replacement *r = &h->replacements[i];
        struct range source = { 0, 0 };
        if (r->held >= 0)
            source = target_source_words(&h->target, h->sentence->document->held[r->held].plain);
        target_join(&h->target, r->at, source);
    }
}

static bool put_held(struct hypothesis_text *h)
{
    const struct range held = h->sentence->held;
    bool *is_placed = arena_array(h->sentence->arena, bool, held.to - held.from + 1);
    if (!is_placed || !take_found(h, is_placed) || !force_missing(h, is_placed) || !drop_surplus(h))
        return false;
    if (h->replacement_count > 0)
        qsort(h->replacements, (size_t)h->replacement_count, sizeof *h->replacements,
              compare_replacements);
    join_words(h);
    raise_first(h);
    return true;
}

/* ---- writing ---- */

struct written {
    char *text;
    uint32_t len;
    uint32_t *begins,
        *ends; // (old length + 1) where an old byte begins, and where one before it ended
};

static size_t room_for(const struct hypothesis_text *h)
{
    const struct sentence *s = h->sentence;
    size_t room = (size_t)HTML_ESCAPE_BYTES_MAX * h->len + 16;
    for (int i = s->marks.from; i < s->marks.to; i++)
        room += s->document->html.marks[i].source.to - s->document->html.marks[i].source.from;
    for (int i = 0; i < h->replacement_count; i++)
        room += h->replacements[i].len + 4;
    return room;
}

static void write_bytes(struct written *out, const char *bytes, size_t len)
{
    memcpy(out->text + out->len, bytes, len);
    out->len += (uint32_t)len;
}

static void write_replacement(struct written *out, const struct replacement *r)
{
    uint32_t at = 0;
    if (r->is_raised && r->len > 0) {
        int bytes;
        const int32_t first = utf8_next(r->text, r->len, &bytes);
        out->len += (uint32_t)utf8_put(character_upper(first), out->text + out->len);
        at = (uint32_t)bytes;
    }
    write_bytes(out, r->text + at, r->len - at);
}

static void write_mark(struct written *out, const struct document *d, int mark)
{
    const struct span source = d->html.marks[mark].source;
    write_bytes(out, d->text + source.from, source.to - source.from);
}

/* Everything that stands before old byte `at`. */
static void write_tags(struct written *out, const struct hypothesis_text *h, uint32_t at, int *next)
{
    for (; *next < h->tags.count && h->tags.list[*next].at <= at; ++*next)
        write_mark(out, h->sentence->document, h->tags.list[*next].mark);
}

static void write_byte(struct written *out, const struct document *d, char c)
{
    if (d->format == FORMAT_HTML)
        out->len += (uint32_t)html_escape(c, out->text + out->len);
    else
        out->text[out->len++] = c;
}

/* Behind what closes at the same place comes what is put there without taking a place. */
static void write_all(struct written *out, const struct hypothesis_text *h)
{
    const struct document *d = h->sentence->document;
    int tag = 0, next = 0;
    for (uint32_t at = 0; at <= h->len; at++) {
        out->ends[at] = out->len;
        for (; next < h->replacement_count && h->replacements[next].at.to == at &&
               h->replacements[next].at.from == at;
             next++)
            write_replacement(out, &h->replacements[next]);
        write_tags(out, h, at, &tag);
        out->begins[at] = out->len;
        if (next < h->replacement_count && h->replacements[next].at.from == at) {
            const struct replacement *r = &h->replacements[next++];
            write_replacement(out, r);
            for (; at + 1 < r->at.to; at++) {
                out->begins[at + 1] = out->begins[r->at.from];
                out->ends[at + 1] = out->len;
            }
        } else if (at < h->len) {
            write_byte(out, d, h->text[at]);
        }
    }
}

static bool lay_out(struct written *out, const struct hypothesis_text *h)
{
    struct arena *arena = h->sentence->arena;
    *out = (struct written){ .text = arena_array(arena, char, room_for(h)) };
    out->begins = arena_array(arena, uint32_t, h->len + 1);
    out->ends = arena_array(arena, uint32_t, h->len + 1);
    return out->text && out->begins && out->ends;
}

static struct span *move_spans(const struct written *out, const struct hypothesis_text *h,
                               const struct detokenised *text, int count)
{
    struct span *spans = arena_array(h->sentence->arena, struct span, count + 1);
    for (int i = 0; spans && i < count; i++) {
        struct span old = text->spans[i];
        while (old.from < old.to && h->text[old.from] == ' ')
            old.from++;
        spans[i].from = spans[i].to = out->begins[old.from];
        if (old.from < old.to && out->ends[old.to] > spans[i].from)
            spans[i].to = out->ends[old.to];
    }
    return spans;
}

static enum status write_hypothesis(const struct hypothesis_text *h, struct detokenised *text,
                                    struct error *err)
{
    struct written out;
    const int count = h->sentence->engine->translation.best[h->k].T;
    if (!lay_out(&out, h))
        return no_memory(err);
    write_all(&out, h);
    out.text[out.len] = '\0';
    struct span *spans = move_spans(&out, h, text, count);
    if (!spans)
        return no_memory(err);
    *text = (struct detokenised){ .text = out.text, .len = out.len, .spans = spans };
    return STATUS_OK;
}

/* ---- all of it ---- */

static enum status put_back_one(const struct sentence *s, int k, struct detokenised *text,
                                struct error *err)
{
    struct word_alignment words;
    struct hypothesis_text h = { .sentence = s, .k = k };
    const struct detokenised *old = &s->engine->texts[k];
    h.text = old->text;
    h.len = (uint32_t)old->len;
    enum status status =
        word_alignment(s->context->vocabulary, s->engine, k, s->arena, &words, err);
    if (status != STATUS_OK)
        return status;
    if (!target_init(&h.target, &words, s->document->plain, h.text, h.len, s->arena) ||
        !put_held(&h) ||
        !tags_place(&h.tags, s->document, s->marks, s->engine->source, &h.target, h.text, s->arena))
        return no_memory(err);
    return write_hypothesis(&h, text, err);
}

static void move_sources(const struct sentence *s, struct span source,
                         struct engine_sentence *sentence)
{
    for (int i = 0; i < sentence->tokens.count; i++)
        sentence->tokens.spans[i] = document_source(s->document, sentence->tokens.spans[i]);
    sentence->source = source;
    sentence->phrase_count = 0;
}

enum status sentence_put_back(struct sentence_context *c, struct engine_sentence *sentence,
                              uint32_t next, struct error *err)
{
    const struct sentence s = sentence_of(c, sentence, next);
    enum status status = STATUS_OK;
    const struct span source = covers(&s, sentence->source);
    struct detokenised *texts =
        arena_array(c->arena, struct detokenised, sentence->translation.count);
    if (!texts)
        return no_memory(err);
    for (int k = 0; status == STATUS_OK && k < sentence->translation.count; k++) {
        texts[k] = sentence->texts[k];
        status = put_back_one(&s, k, &texts[k], err);
    }
    if (status != STATUS_OK)
        return status;
    c->place.first_mark = s.marks.to;
    c->place.before = sentence->source.to;
    sentence->texts = texts;
    move_sources(&s, source, sentence);
    return STATUS_OK;
}
