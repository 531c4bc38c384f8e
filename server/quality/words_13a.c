/*
 * words_13a.c - the tokenisation of mteval-v13a, which published BLEU uses.
 *
 * In this order: the marks <skipped>, line ends and four XML entities are
 * undone; ASCII punctuation other than ' , - . stands alone; a period or comma
 * stands alone unless a digit comes before it, then unless one comes behind; a
 * dash stands alone behind a digit. Each rule reads what the one before wrote,
 * left to right, and a match never reaches into the match before it: "a.." is
 * cut once by the first of the two rules for periods.
 *
 * All rules are about ASCII, which never occurs inside a longer UTF-8
 * character, so they work on bytes.
 */
#include <string.h>
#include "server/quality/units.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

void words_13a_init(struct words_13a *w)
{
    bytes_init(&w->a, UNITS_BYTES_MAX);
    bytes_init(&w->b, UNITS_BYTES_MAX);
}

void words_13a_release(struct words_13a *w)
{
    bytes_release(&w->a);
    bytes_release(&w->b);
}

/* Replace each `from` by `to`, which is not longer, in place. */
static void replace(struct bytes *b, const char *from, const char *to)
{
    size_t from_len = strlen(from), to_len = strlen(to);
    char *first = memmem(b->data, b->len, from, from_len);
    if (!first)
        return;
    size_t kept = (size_t)(first - b->data);
    for (size_t at = kept; at < b->len;) {
        if (b->len - at >= from_len && memcmp(b->data + at, from, from_len) == 0) {
            memcpy(b->data + kept, to, to_len);
            kept += to_len;
            at += from_len;
        } else {
            b->data[kept++] = b->data[at++];
        }
    }
    b->len = kept;
}

static void undo_markup(struct bytes *b)
{
    replace(b, "<skipped>", "");
    replace(b, "-\n", "");
    replace(b, "\n", " ");
    replace(b, "&quot;", "\"");
    replace(b, "&amp;", "&");
    replace(b, "&lt;", "<");
    replace(b, "&gt;", ">");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_period_or_comma(char c)
{
    return c == '.' || c == ',';
}

static bool stands_alone(char c)
{
    return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* "x" -> " x " for each punctuation mark that always stands alone. */
static void part_punctuation(const struct bytes *in, struct bytes *out)
{
    bytes_reset(out);
    for (size_t i = 0; i < in->len; i++) {
        bool alone = stands_alone(in->data[i]);
        if (alone)
            bytes_append_char(out, ' ');
        bytes_append_char(out, in->data[i]);
        if (alone)
            bytes_append_char(out, ' ');
    }
}

/* A rule about a pair of characters: write it with spaces put in between and around. */
struct pair_rule {
    bool (*first)(char c);
    bool (*second)(char c);
    const char *before, *between, *behind;
};

static bool is_no_digit(char c)
{
    return !is_digit(c);
}

static bool is_dash(char c)
{
    return c == '-';
}

static const struct pair_rule pair_rules[] = {
    { is_no_digit, is_period_or_comma, "", " ", " " },
    { is_period_or_comma, is_no_digit, " ", " ", "" },
    { is_digit, is_dash, "", " ", " " },
};
#define PAIR_RULES (sizeof(pair_rules) / sizeof((pair_rules)[0]))

static void apply(const struct pair_rule *rule, const struct bytes *in, struct bytes *out)
{
    bytes_reset(out);
    for (size_t i = 0; i < in->len; i++) {
        if (i + 1 == in->len || !rule->first(in->data[i]) || !rule->second(in->data[i + 1])) {
            bytes_append_char(out, in->data[i]);
            continue;
        }
        bytes_append_text(out, rule->before);
        bytes_append_char(out, in->data[i]);
        bytes_append_text(out, rule->between);
        bytes_append_char(out, in->data[++i]);
        bytes_append_text(out, rule->behind);
    }
}

/* Length of the text without the white space at its end. */
static size_t trimmed(const char *text, size_t len)
{
    size_t end = 0;
    int bytes;
    for (size_t at = 0; at < len; at += (size_t)bytes)
        if (!character_is_space(utf8_next(text + at, len - at, &bytes)))
            end = at + (size_t)bytes;
    return end;
}

bool words_13a(struct words_13a *w, const char *text, size_t len, struct units *out)
{
    struct bytes *from = &w->a, *to = &w->b;
    bytes_reset(from);
    bytes_append_char(from, ' ');
    bytes_append(from, text, trimmed(text, len));
    bytes_append_char(from, ' ');
    if (from->failed)
        return false;
    undo_markup(from);
    part_punctuation(from, to);
    for (size_t i = 0; i < PAIR_RULES && !to->failed; i++) {
        struct bytes *swap = from;
        from = to;
        to = swap;
        apply(&pair_rules[i], from, to);
    }
    return !to->failed && units_of_words(out, to->data, to->len);
}
