/*
 * sentences.c - one pass over each line, looking at what stands around an end mark.
 *
 *     ... said J. Smith ."  He ...
 *              |        || |
 *              |        || start: an upper-case or uncased letter, a digit, an opening quote
 *              |        |+ closers belong to the sentence
 *              |        + end mark: . ! ? … and kin
 *              + no end: what stands before the full stop is an initial
 *
 * When in doubt it does not split: two sentences translated as one lose less
 * than one translated as two halves.
 */
#include "tokenizer/sentences.h"

#include <string.h>
#include <utf8proc.h>
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

#define WORD_BYTES_BEFORE 24 // a longer word before a full stop is no abbreviation
#define LOOK_AHEAD 16        // characters of opening punctuation before a first letter

/* A line, or what is left of it. Offsets are into the whole text. */
struct scan {
    const char *text;
    size_t end;
};

/* The character at `at` and where the next is; -1 at the end. */
static int32_t peek(const struct scan *s, size_t at, size_t *next)
{
    int bytes = 0;
    int32_t c = at < s->end ? utf8_next(s->text + at, s->end - at, &bytes) : -1;
    *next = at + (size_t)bytes;
    return c;
}

/* Where the character before `at` starts; at > 0. */
static size_t step_back(const char *text, size_t at)
{
    do
        at--;
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80);
    return at;
}

static bool is_newline(int32_t c)
{
    return (c >= '\n' && c <= '\r') || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* What a sentence neither starts nor ends with: also a byte order mark and control characters,
 * so that each sentence has something to translate. */
static bool is_blank(int32_t c)
{
    return character_is_space(c) || c == 0xFEFF || utf8proc_category(c) == UTF8PROC_CATEGORY_CC;
}

/* Ends a sentence without white space behind it. */
static bool is_strong_mark(int32_t c)
{
    switch (c) {
    case 0x3002: // 。
    case 0xFF61: // ｡
    case 0xFF01: // ！
    case 0xFF1F: // ？
    case 0xFF0E: // ．
    case 0x0964: // ।
    case 0x0965: // ॥
    case 0x104B: // ။
    case 0x17D4: // ។
        return true;
    default:
        return false;
    }
}

static bool is_end_mark(int32_t c)
{
    switch (c) {
    case '.':
    case '!':
    case '?':
    case 0x2026: // …
    case 0x203C: // ‼
    case 0x2047: // ⁇
    case 0x2048: // ⁈
    case 0x2049: // ⁉
    case 0x061F: // ؟
    case 0x06D4: // ۔
    case 0x0589: // ։
    case 0x1362: // ።
        return true;
    default:
        return is_strong_mark(c);
    }
}

/* Directly behind an end mark. Opening quotes close in some languages („so.“ »so.«), but behind
 * a strong mark they open the next sentence. */
static bool is_closer(int32_t c, bool is_strong)
{
    if (c < 0)
        return false;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PF:
        return true;
    case UTF8PROC_CATEGORY_PI:
        return !is_strong;
    default:
        return c == '"' || c == '\'';
    }
}

/* May stand before the first letter of a sentence. */
static bool is_opener(int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PD:
        return true;
    default:
        return c == '"' || c == '\'' || c == 0xA1 || c == 0xBF || c == 0xBB || c == 0x203A ||
               c == '*' || c == '#' || c == '_' || c == 0x2022;
    }
}

static bool is_letter_or_digit(int32_t c)
{
    if (c < 0)
        return false;
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static bool is_digit(int32_t c)
{
    return c >= 0 && utf8proc_category(c) == UTF8PROC_CATEGORY_ND;
}

static bool is_hiragana(int32_t c)
{
    return c >= 0x3041 && c <= 0x309F;
}

static bool starts_sentence(const struct scan *s, size_t at)
{
    for (int i = 0; i < LOOK_AHEAD; i++) {
        size_t next;
        int32_t c = peek(s, at, &next);
        if (c < 0)
            return false;
        if (!is_opener(c) && !character_is_space(c)) {
            utf8proc_category_t category = utf8proc_category(c);
            bool is_symbol = category >= UTF8PROC_CATEGORY_SM && category <= UTF8PROC_CATEGORY_SO;
            return category != UTF8PROC_CATEGORY_LL && (is_letter_or_digit(c) || is_symbol);
        }
        at = next;
    }
    return false;
}

/* ---- abbreviations ---- */

struct word {
    const char *text;
    size_t len;
};

static bool is_in(struct word word, const char *const *list)
{
    for (; *list; list++)
        if (word.len == strlen(*list) && !memcmp(word.text, *list, word.len))
            return true;
    return false;
}

/* A sentence goes on after these. */
/* clang-format off */
static const char *const titles_and_links[] = {
    // en
    "Mr", "Mrs", "Ms", "Dr", "Prof", "St", "Mt", "Gen", "Sen", "Rep", "Gov", "Hon", "Rev", "Capt",
    "Lt", "Col", "Sgt", "Maj", "Cmdr", "Messrs", "vs", "approx", "e.g", "E.g", "i.e", "I.e", "cf",
    "Cf", "viz",
    // fr
    "Mme", "Mmes", "Mlle", "Mlles", "MM", "Mgr", "Ste", "p.ex", "P.ex", "c.-à-d", "env",
    // de
    "Hr", "Fr", "Frl", "z.B", "Z.B", "d.h", "D.h", "u.a", "bzw", "vgl", "Vgl", "ca", "Hrsg", "Dipl",
    "Ing", "evtl", "ggf", "inkl", "sog", "Mio", "Mrd", "Tel",
    // es
    "Sr", "Sra", "Sres", "Srta", "Dra", "Ud", "Uds", "p.ej", "P.ej", "Lic", NULL,
};
/* clang-format on */

/* A sentence goes on after these if a number follows. */
/* clang-format off */
static const char *const before_numbers[] = {
    "No", "no", "Nos", "nos", "Nr", "nr", "núm", "Núm", "Art", "art", "Fig", "fig", "Figs", "figs",
    "Abb", "Vol", "vol", "Bd", "Ch", "ch", "Chap", "chap", "Kap", "Sec", "sec", "Sect", "sect",
    "Eq", "eq", "pp", "pág", "págs", "par", "Abs", "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug",
    "Sep", "Sept", "Oct", "Nov", "Dec", "janv", "févr", "juil", "déc", NULL,
};
/* clang-format on */

/* What German puts after an ordinal: "am 3. Oktober", "im 19. Jahrhundert". */
/* clang-format off */
static const char *const after_ordinals[] = {
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
    "November", "Dezember", "Jahrhundert", "Jahrhunderts", "Weltkrieg", "Weltkriegs", NULL,
};
/* clang-format on */

/* Letters, digits, dots and hyphens up to the full stop at `at`, not before `from`; len 0 if
 * that is too long to be an abbreviation. */
static struct word word_before(const struct scan *s, size_t from, size_t at)
{
    size_t start = at;
    while (start > from) {
        size_t before = step_back(s->text, start), next;
        int32_t c = peek(s, before, &next);
        if (!is_letter_or_digit(c) && c != '.' && c != '-')
            break;
        if (at - before > WORD_BYTES_BEFORE)
            return (struct word){ s->text + at, 0 };
        start = before;
    }
    return (struct word){ s->text + start, at - start };
}

static struct word word_at(const struct scan *s, size_t at)
{
    size_t end = at, next;
    while (end - at <= WORD_BYTES_BEFORE && is_letter_or_digit(peek(s, end, &next)))
        end = next;
    return (struct word){ s->text + at, end - at };
}

static bool is_number(struct word word)
{
    for (size_t i = 0; i < word.len; i++)
        if ((word.text[i] < '0' || word.text[i] > '9') && word.text[i] != '.')
            return false;
    return word.len > 0;
}

/* Single letters, upper case if there are several: "J", "p", "U.S", "J.-P". */
static bool is_initials(struct word word)
{
    struct scan s = { word.text, word.len };
    int letters = 0;
    bool after_letter = false, is_upper = true;
    for (size_t at = 0, next; at < s.end; at = next) {
        int32_t c = peek(&s, at, &next);
        utf8proc_category_t category = utf8proc_category(c);
        if (c == '.' || c == '-') {
            after_letter = false;
            continue;
        }
        if (after_letter || (category != UTF8PROC_CATEGORY_LU && category != UTF8PROC_CATEGORY_LL))
            return false;
        is_upper = is_upper && category == UTF8PROC_CATEGORY_LU;
        after_letter = true;
        letters++;
    }
    return letters == 1 || (letters > 1 && is_upper);
}

/* Whether the full stop at `at`, of a sentence from `from`, only shortens the word before it.
 * `next` is where what follows starts. */
static bool is_abbreviation(const struct scan *s, size_t from, size_t at, size_t next)
{
    struct word word = word_before(s, from, at);
    bool is_first = word.text == s->text + from;
    size_t after;
    if (word.len == 0)
        return false;
    if (is_number(word))
        return (is_first && word.len <= 3) || // "1. Introduction"
               (word.len <= 2 && is_in(word_at(s, next), after_ordinals));
    if (word.len == 1 && word.text[0] == 'I')
        return is_first; // "So do I. He ..."
    return is_initials(word) || is_in(word, titles_and_links) ||
           (is_digit(peek(s, next, &after)) && is_in(word, before_numbers));
}

/* ---- ends ---- */

static size_t skip_blanks(const struct scan *s, size_t at)
{
    size_t next;
    for (int32_t c; (c = peek(s, at, &next)) >= 0 && is_blank(c);)
        at = next;
    return at;
}

static size_t skip_closers(const struct scan *s, size_t at, bool is_strong)
{
    size_t next;
    while (is_closer(peek(s, at, &next), is_strong))
        at = next;
    return at;
}

/* French sets its quotes off: behind "Viens ! » dit-il" and such the » belongs to what it closes.
 * Returns where that ends, or `at` if no such quote is there. */
static size_t skip_spaced_closer(const struct scan *s, size_t at)
{
    size_t next, after;
    int32_t c = peek(s, skip_blanks(s, at), &next);
    bool is_quote = c == 0xBB || c == 0x203A;
    return is_quote && !is_letter_or_digit(peek(s, next, &after)) ? next : at;
}

/* Whether the end marks at `at` end the sentence that started at `from`; *after is behind them
 * and their closers in either case. */
static bool ends_at(const struct scan *s, size_t from, size_t at, size_t *after)
{
    bool is_strong = false, is_full_width_stop = false;
    size_t marks_end = at, next, unused;
    for (int32_t c; (c = peek(s, marks_end, &next)) >= 0 && is_end_mark(c); marks_end = next) {
        is_strong = is_strong || is_strong_mark(c);
        is_full_width_stop = c == 0xFF0E;
    }
    size_t end = *after = skip_closers(s, marks_end, is_strong);
    int32_t c = peek(s, end, &unused);
    if (c < 0)
        return true;
    if (is_strong && is_full_width_stop && is_digit(c))
        return false;
    if (is_strong) // 「…。」と言った goes on
        return end == marks_end || !is_hiragana(c);
    if (!character_is_space(c))
        return false;
    end = *after = skip_spaced_closer(s, end);
    next = skip_blanks(s, end);
    if (next == s->end)
        return true;
    bool is_one_stop = marks_end == at + 1 && s->text[at] == '.';
    if (next == end || (is_one_stop && is_abbreviation(s, from, at, next)))
        return false;
    return starts_sentence(s, next);
}

static size_t line_end(const char *text, size_t len, size_t at)
{
    struct scan all = { text, len };
    size_t next;
    for (int32_t c; (c = peek(&all, at, &next)) >= 0 && !is_newline(c);)
        at = next;
    return at;
}

static size_t trim_end(const char *text, size_t from, size_t end)
{
    while (end > from) {
        int bytes;
        size_t before = step_back(text, end);
        if (!is_blank(utf8_next(text + before, end - before, &bytes)))
            break;
        end = before;
    }
    return end;
}

/* Where the sentence that starts at `from` ends, before trimming. */
static size_t sentence_end(const struct scan *s, size_t from)
{
    size_t at = from, next;
    for (int32_t c; (c = peek(s, at, &next)) >= 0; at = next)
        if (is_end_mark(c) && ends_at(s, from, at, &next))
            return next;
    return s->end;
}

/* The next sentence of a line from s->text[*at] on; false: there is none. */
static bool next_sentence(const struct scan *s, size_t *at, struct span *span)
{
    size_t from = skip_blanks(s, *at);
    if (from == s->end)
        return false;
    *at = sentence_end(s, from);
    *span = (struct span){ (uint32_t)from, (uint32_t)trim_end(s->text, from, *at) };
    return true;
}

/* All sentences of the text; spans may be NULL, to count them. */
static size_t find_sentences(const char *text, size_t len, struct span *spans)
{
    size_t count = 0;
    struct span span;
    for (size_t at = 0; at < len; at++) {
        struct scan line = { text, line_end(text, len, at) };
        while (next_sentence(&line, &at, &span)) {
            if (spans)
                spans[count] = span;
            count++;
        }
        at = line.end;
        if (at < len) {
            int bytes;
            utf8_next(text + at, len - at, &bytes);
            at += (size_t)bytes - 1;
        }
    }
    return count;
}

enum status sentences_split(const char *text, size_t len, struct arena *arena,
                            struct sentences *out, struct error *err)
{
    *out = (struct sentences){ NULL, 0 };
    if (len > TOKENIZER_TEXT_BYTES_MAX)
        return error_set(err, STATUS_TOO_LARGE,
                         "a text of %zu bytes is over the limit of %d: "
                         "cut it into parts",
                         len, TOKENIZER_TEXT_BYTES_MAX);
    enum status status = utf8_check(text, len, err);
    if (status != STATUS_OK)
        return status;
    size_t count = find_sentences(text, len, NULL);
    struct span *spans = arena_array(arena, struct span, count);
    if (!spans)
        return error_set(err, STATUS_NO_MEMORY,
                         "the text's %zu sentences do not fit into its memory: use a shorter text",
                         count);
    find_sentences(text, len, spans);
    *out = (struct sentences){ spans, (int)count };
    return STATUS_OK;
}

/* ---- cutting a long sentence ---- */

static bool is_clause_mark(int32_t c)
{
    return c == ',' || c == ';' || c == ':' || c == 0x2013 || c == 0x2014 || c == 0x060C ||
           c == 0x061B;
}

/* Clause marks of scripts that put no space behind them. */
static bool is_wide_clause_mark(int32_t c)
{
    return c == 0x3001 || c == 0xFF0C || c == 0xFF1B || c == 0xFF1A;
}

static bool is_joined_to_last(int32_t before, int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);
    return before == 0x200D || c == 0x200D || category == UTF8PROC_CATEGORY_MN ||
           category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
}

size_t sentences_clause_break(const char *text, size_t len, size_t limit)
{
    const struct scan s = { text, len };
    size_t clause = 0, space = 0, plain = 0, next;
    int32_t before = -1, mark = -1; // mark: the last character that was no space
    if (len <= limit)
        return len;
    for (size_t at = 0; at <= limit && at < len; at = next) {
        int32_t c = peek(&s, at, &next);
        bool is_space = character_is_space(c);
        if (at > 0 && !is_joined_to_last(before, c))
            plain = at;
        if (at > 0 && !is_space && is_wide_clause_mark(mark))
            clause = at;
        if (at > 0 && !is_space && before >= 0 && character_is_space(before)) {
            space = at;
            clause = is_clause_mark(mark) ? at : clause;
        }
        mark = is_space ? mark : c;
        before = c;
    }
    if (clause > limit / 2)
        return clause;
    if (space || plain)
        return space ? space : plain;
    // One character with more marks than the limit holds, or a limit below one character.
    size_t at = limit;
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    peek(&s, 0, &next);
    return at ? at : next;
}
