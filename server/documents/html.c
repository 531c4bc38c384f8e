/*
 * html.c - tokens of an HTML text to lines, marks and objects.
 */
#include "server/documents/html.h"

#include <string.h>

#include "server/documents/grow.h"
#include "server/documents/html_tree.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define SCRATCH_BYTES 256 // a byte of the HTML: tokens, of which each has a "<", and references
#define NOTE_TOKENS_MAX 8 // of the mark of a note: <sup><a><span>[</span>1<span>]</span></a></sup>
#define REFERENCE_TREE_RATIO                                                                       \
    3 // bytes of the references side by side, at most, to those of the HTML

struct reader {
    const char *html;
    struct html_tokens tokens;
    bool *kept;    // (tokens.count)
    int *blocks;   // (tokens.count+1) tags of blocks before each token
    int *mark_of;  // (tokens.count) its mark, or -1
    int *token_of; // of each mark; as many as there are tokens
    struct html_reference *references;
    int reference_count, next_reference;

    struct arena *arena; // of what is made
    struct html_text out;
    size_t room; // of out.text
    size_t line; // where the line begins
    int line_marks, line_objects;
    int object_capacity, mark_capacity;
    bool is_full;
};

/* ---- a line's bytes ---- */

static void append(struct reader *r, const char *bytes, size_t len, struct span source)
{
    const struct text_run run = { .to = (uint32_t)r->out.len,
                                  .to_len = (uint32_t)len,
                                  .from = source.from,
                                  .from_len = source.to - source.from };
    if (len > r->room - r->out.len || !text_map_add(&r->out.map, r->arena, run)) {
        r->is_full = true;
        return;
    }
    memcpy(r->out.text + r->out.len, bytes, len);
    r->out.len += len;
}

static bool is_at_space(const struct reader *r)
{
    return r->out.len == r->line || r->out.text[r->out.len - 1] == ' ';
}

/* The last mark, if it is at the end of the line and surrounds nothing: a point or an empty pair. */
static struct mark *last_empty_mark(const struct reader *r)
{
    const int last = r->out.mark_count - 1;
    if (last < 0 || r->out.len == r->line || r->out.marks[last].at != r->out.len)
        return NULL;
    struct mark *mark = &r->out.marks[last];
    const int partner = r->tokens.list[r->token_of[last]].partner;
    if (mark->kind == MARK_CLOSE && r->mark_of[partner] >= 0 &&
        r->out.marks[r->mark_of[partner]].at == mark->at)
        return mark;
    return mark->kind == MARK_POINT ? mark : NULL;
}

/* White space that is not in <pre>: one space, none at the beginning of a line. What surrounds
 * nothing and has spaces on both sides, such as an image, keeps them. */
static void append_space(struct reader *r, struct span source)
{
    struct mark *mark = last_empty_mark(r);
    if (!is_at_space(r))
        append(r, " ", 1, source);
    else if (mark && mark->source.to == source.from)
        mark->source.to = source.to;
}

static bool is_html_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static void append_literal(struct reader *r, uint32_t from, uint32_t to, bool in_pre)
{
    while (from < to && !in_pre) {
        uint32_t at = from;
        while (at < to && is_html_space(r->html[at]))
            at++;
        if (at > from)
            append_space(r, (struct span){ from, at });
        from = at;
        while (at < to && !is_html_space(r->html[at]))
            at++;
        if (at > from)
            append(r, r->html + from, at - from, (struct span){ from, at });
        from = at;
    }
    if (from < to)
        append(r, r->html + from, to - from, (struct span){ from, to });
}

static void append_reference(struct reader *r, const struct html_reference *reference)
{
    const struct span source = { reference->from, reference->to };
    const size_t literal = reference->to - reference->from;
    const bool is_one =
        reference->text && utf8_check(reference->text, reference->len, NULL) == STATUS_OK;
    if (is_one && reference->len == 1 && is_html_space(reference->text[0]))
        append_space(r, source);
    else if (is_one)
        append(r, reference->text, reference->len, source);
    else
        append(r, r->html + reference->from, literal, source);
}

static void append_text(struct reader *r, const struct html_token *token)
{
    uint32_t at = token->from;
    while (r->next_reference < r->reference_count) {
        const struct html_reference *reference = &r->references[r->next_reference];
        if (reference->from >= token->to)
            break;
        append_literal(r, at, reference->from, token->in_pre);
        append_reference(r, reference);
        at = reference->to;
        r->next_reference++;
    }
    append_literal(r, at, token->to, token->in_pre);
}

/* ---- marks and objects ---- */

static void append_object(struct reader *r, uint32_t from, uint32_t to)
{
    if (!GROW(r->arena, r->out.objects, r->out.object_count, r->object_capacity)) {
        r->is_full = true;
        return;
    }
    r->out.objects[r->out.object_count++] = (uint32_t)r->out.len;
    append(r, HTML_OBJECT, HTML_OBJECT_BYTES, (struct span){ from, to });
}

static void add_mark(struct reader *r, enum mark_kind kind, int token, uint32_t to)
{
    if (!GROW(r->arena, r->out.marks, r->out.mark_count, r->mark_capacity)) {
        r->is_full = true;
        return;
    }
    r->mark_of[token] = r->out.mark_count;
    r->token_of[r->out.mark_count] = token;
    r->out.marks[r->out.mark_count++] = (struct mark){
        .kind = kind, .at = (uint32_t)r->out.len, .source = { r->tokens.list[token].from, to }
    };
}

/* ---- lines ---- */

static void begin_line(struct reader *r)
{
    r->line = r->out.len;
    r->line_marks = r->out.mark_count;
    r->line_objects = r->out.object_count;
}

/* A line without letters is as if it had never been. */
static void end_line(struct reader *r)
{
    if (text_has_letters(r->out.text + r->line, r->out.len - r->line)) {
        const uint32_t end = text_map_end(&r->out.map, (uint32_t)r->out.len);
        append(r, "\n", 1, (struct span){ end, end });
    } else {
        for (int i = r->line_marks; i < r->out.mark_count; i++)
            r->mark_of[r->token_of[i]] = -1;
        r->out.len = r->line;
        r->out.mark_count = r->line_marks;
        r->out.object_count = r->line_objects;
        while (r->out.map.count > 0 && r->out.map.runs[r->out.map.count - 1].to >= r->line)
            r->out.map.count--;
    }
    begin_line(r);
}

static bool is_block(const struct html_token *token)
{
    return (token->kind == HTML_OPEN || token->kind == HTML_CLOSE) && token->traits & ELEMENT_BLOCK;
}

static bool has_blocks(const struct reader *r, int from, int to)
{
    return r->blocks[to] > r->blocks[from];
}

static bool has_letters(const struct reader *r, const struct html_token *token)
{
    return token->kind == HTML_TEXT &&
           text_has_letters(r->html + token->from, token->to - token->from);
}

static bool is_letter_before(const struct reader *r)
{
    size_t at = r->out.len;
    int bytes;
    if (at == r->line)
        return false;
    do
        at--;
    while (at > r->line && ((unsigned char)r->out.text[at] & 0xC0) == 0x80);
    return character_is_letter(utf8_next(r->out.text + at, r->out.len - at, &bytes));
}

/* Behind a token, whatever inline tags are between. */
static bool is_letter_behind(const struct reader *r, int token)
{
    int bytes, next = token + 1;
    while (next < r->tokens.count && next <= token + NOTE_TOKENS_MAX &&
           r->tokens.list[next].kind != HTML_TEXT && !is_block(&r->tokens.list[next]))
        next++;
    if (next >= r->tokens.count || r->tokens.list[next].kind != HTML_TEXT)
        return false;
    const struct html_token *text = &r->tokens.list[next];
    for (int i = r->next_reference; i < r->reference_count; i++) {
        const struct html_reference *reference = &r->references[i];
        if (reference->from > text->from)
            break;
        if (reference->from == text->from && reference->len > 0)
            return text_has_letters(reference->text, reference->len);
    }
    return character_is_letter(utf8_next(r->html + text->from, text->to - text->from, &bytes));
}

/* The mark of a note behind a word: raised, or in brackets, and without letters. */
static bool is_note(const struct reader *r, int token)
{
    const struct html_token *list = r->tokens.list, *tag = &list[token];
    const int partner = tag->partner;
    bool is_raised = false, has_bracket = false;
    if (partner < 0 || partner - token > NOTE_TOKENS_MAX || has_blocks(r, token, partner) ||
        !is_letter_before(r) || is_letter_behind(r, partner))
        return false;
    for (int i = token; i < partner; i++) {
        if (has_letters(r, &list[i]))
            return false;
        is_raised |= list[i].kind == HTML_OPEN && list[i].traits & ELEMENT_RAISED;
        has_bracket |= list[i].kind == HTML_TEXT && r->html[list[i].from] == '[';
    }
    return is_raised || has_bracket;
}

/* One token, or an element that stands as a whole; returns the last token of it. */
static int take(struct reader *r, int i)
{
    const struct html_token *token = &r->tokens.list[i];
    if (is_block(token) || (token->kind == HTML_TEXT && r->kept[i])) {
        end_line(r);
    } else if (token->kind == HTML_TEXT) {
        append_text(r, token);
    } else if (token->kind == HTML_OPEN && token->wish == HTML_KEEP && token->partner >= 0 &&
               !has_blocks(r, i, token->partner)) {
        append_object(r, token->from, r->tokens.list[token->partner].to);
        return token->partner;
    } else if (token->kind == HTML_OPEN && is_note(r, i)) {
        add_mark(r, MARK_POINT, i, r->tokens.list[token->partner].to);
        return token->partner;
    } else if (token->kind == HTML_OTHER || token->partner < 0) {
        add_mark(r, MARK_POINT, i, token->to);
    } else {
        add_mark(r, token->kind == HTML_OPEN ? MARK_OPEN : MARK_CLOSE, i, token->to);
    }
    return i;
}

/* References of texts that are passed over are passed over too. */
static void skip_references(struct reader *r, uint32_t to)
{
    while (r->next_reference < r->reference_count && r->references[r->next_reference].from < to)
        r->next_reference++;
}

static void set_partners(struct reader *r)
{
    for (int i = 0; i < r->out.mark_count; i++) {
        struct mark *mark = &r->out.marks[i];
        const int partner = r->tokens.list[r->token_of[i]].partner;
        if (mark->kind == MARK_POINT || partner < 0)
            mark->partner = MARK_ALONE;
        else
            mark->partner = r->mark_of[partner] >= 0 ? r->mark_of[partner] : MARK_ELSEWHERE;
    }
}

static void count_blocks(struct reader *r)
{
    r->blocks[0] = 0;
    for (int i = 0; i < r->tokens.count; i++) {
        r->blocks[i + 1] = r->blocks[i] + is_block(&r->tokens.list[i]);
        r->mark_of[i] = -1;
    }
}

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the HTML needs more memory than a request has: send it in parts");
}

static enum status prepare(struct reader *r, size_t len, struct arena *scratch, struct error *err)
{
    enum status status = html_scan(r->html, len, scratch, &r->tokens, err);
    if (status != STATUS_OK)
        return status;
    const int count = r->tokens.count;
    r->kept = arena_array(scratch, bool, count + 1);
    r->blocks = arena_array(scratch, int, count + 1);
    r->mark_of = arena_array(scratch, int, count + 1);
    r->token_of = arena_array(scratch, int, count + 1);
    if (!r->kept || !r->blocks || !r->mark_of || !r->token_of)
        return no_memory(err);
    count_blocks(r);
    const struct arena_mark mark = arena_mark(scratch);
    status = html_tree_kept(r->html, len, &r->tokens, scratch, r->kept, err);
    arena_rewind(scratch, mark);
    if (status == STATUS_OK)
        status = html_tree_references(r->html, &r->tokens, r->kept, scratch, &r->references,
                                      &r->reference_count, err);
    return status;
}

/* Decoded and with an object for each element it is at most twice as long. */
static enum status read_all(struct reader *r, size_t len, struct error *err)
{
    r->room = 2 * len + 16;
    r->out.text = arena_array(r->arena, char, r->room);
    if (!r->out.text)
        return no_memory(err);
    for (int i = 0; i < r->tokens.count && !r->is_full; i++) {
        i = take(r, i);
        skip_references(r, r->tokens.list[i].to);
    }
    end_line(r);
    set_partners(r);
    return r->is_full ? no_memory(err) : STATUS_OK;
}

enum status html_read(const char *html, size_t len, struct arena *arena, struct html_text *out,
                      struct error *err)
{
    struct arena scratch;
    struct reader reader = { .html = html, .arena = arena };
    const size_t bounded = len < HTML_BYTES_MAX ? len : HTML_BYTES_MAX; // html_scan refuses more
    if (!arena_init(&scratch, SCRATCH_BYTES * (bounded + 1000) +
                                  html_tree_bytes(REFERENCE_TREE_RATIO * bounded)))
        return error_set(err, STATUS_NO_MEMORY, "no memory to read the HTML");
    enum status status = prepare(&reader, len, &scratch, err);
    if (status == STATUS_OK)
        status = read_all(&reader, len, err);
    if (status == STATUS_OK)
        *out = reader.out;
    arena_release(&scratch);
    return status;
}

int html_escape(char c, char out[HTML_ESCAPE_BYTES_MAX])
{
    const char *escaped = c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : NULL;
    const int len = escaped ? (int)strlen(escaped) : 1;
    memcpy(out, escaped ? escaped : &c, (size_t)len);
    return len;
}
