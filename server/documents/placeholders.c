/*
 * placeholders.c - one small recogniser a kind.
 */
#include "server/documents/placeholders.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

struct text {
    const char *bytes;
    size_t len;
};

static char byte_at(struct text t, size_t at)
{
    return at < t.len ? t.bytes[at] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static size_t before(struct text t, size_t at)
{
    while (at > 0 && ((unsigned char)t.bytes[--at] & 0xC0) == 0x80)
        ;
    return at;
}

/* A letter, a digit, or a mark on one. */
static bool is_wordly(int32_t c)
{
    return character_is_letter(c) || character_is_mark(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool word_ends_at(struct text t, size_t at)
{
    int bytes;
    const size_t from = before(t, at);
    return at > 0 && is_wordly(utf8_next(t.bytes + from, t.len - from, &bytes));
}

static bool word_begins_at(struct text t, size_t at)
{
    int bytes;
    return at < t.len && is_wordly(utf8_next(t.bytes + at, t.len - at, &bytes));
}

/* ---- braces ---- */

/* Bytes up to and with `end`, which comes within the limit, on this line and before any brace. */
static size_t braced(struct text t, size_t at, const char *end, bool with_spaces)
{
    const size_t end_len = strlen(end);
    for (size_t i = at; i < t.len && i - at <= PLACEHOLDER_BYTES_MAX; i++) {
        if (i + end_len <= t.len && memcmp(t.bytes + i, end, end_len) == 0)
            return i + end_len - at;
        if (is_one_of(t.bytes[i], "{}\n\r") || (!with_spaces && is_one_of(t.bytes[i], " \t")))
            return 0;
    }
    return 0;
}

static size_t braces_at(struct text t, size_t at)
{
    const bool is_double = byte_at(t, at + 1) == '{';
    const size_t inside = is_double ? braced(t, at + 2, "}}", true) : braced(t, at + 1, "}", false);
    return inside ? inside + (is_double ? 2 : 1) : 0;
}

static size_t dollar_at(struct text t, size_t at)
{
    const size_t inside = byte_at(t, at + 1) == '{' ? braced(t, at + 2, "}", true) : 0;
    return inside ? inside + 2 : 0;
}

/* ---- printf ---- */

static size_t skip_digits(struct text t, size_t at)
{
    while (is_digit(byte_at(t, at)))
        at++;
    return at;
}

/* %[(name)][n$][flags][width][.precision][length]conversion */
static size_t conversion_at(struct text t, size_t at)
{
    size_t end = at + 1;
    if (byte_at(t, end) == '(') {
        const size_t name = braced(t, end + 1, ")", false);
        if (name == 0)
            return 0;
        end += 1 + name;
    }
    const size_t number = skip_digits(t, end);
    if (number > end && byte_at(t, number) == '$')
        end = number + 1;
    while (is_one_of(byte_at(t, end), "-+0#'"))
        end++;
    end = skip_digits(t, end);
    if (byte_at(t, end) == '.')
        end = skip_digits(t, end + 1);
    for (int i = 0; i < 2 && is_one_of(byte_at(t, end), "hlLqjzt"); i++)
        end++;
    return is_one_of(byte_at(t, end), "diouxXeEfFgGaAcspn@%") ? end + 1 - at : 0;
}

/* %NAME% */
static size_t percent_name_at(struct text t, size_t at)
{
    size_t end = at + 1;
    while (
        end - at <= PLACEHOLDER_BYTES_MAX &&
        (is_ascii_letter(byte_at(t, end)) || is_digit(byte_at(t, end)) || byte_at(t, end) == '_'))
        end++;
    return end - at >= 3 && byte_at(t, end) == '%' && !is_digit(byte_at(t, at + 1)) ? end + 1 - at
                                                                                    : 0;
}

/* "100%s" is a share of something, "%dpx" is not. */
static size_t percent_at(struct text t, size_t at)
{
    const size_t conversion = conversion_at(t, at), name = percent_name_at(t, at);
    if (at > 0 && is_digit(t.bytes[at - 1]))
        return byte_at(t, at + 1) == '%' ? 2 : 0;
    return name && conversion + 1 != name ? name : conversion;
}

/* ---- addresses ---- */

static bool begins_with(struct text t, size_t at, const char *what)
{
    const size_t len = strlen(what);
    return t.len - at >= len && strncasecmp(t.bytes + at, what, len) == 0;
}

/* What may stand in an address, apart from letters of other scripts. */
static bool is_of_address(char c)
{
    return c > ' ' && c < 0x7F && !is_one_of(c, "<>\"`|\\^");
}

/* Punctuation that ends a sentence, or closes a bracket from before the address, is no part. */
static size_t without_end(struct text t, size_t from, size_t to)
{
    int open = 0;
    for (size_t i = from; i < to; i++)
        open += t.bytes[i] == '(' ? 1 : t.bytes[i] == ')' ? -1 : 0;
    while (to > from) {
        const char last = t.bytes[to - 1];
        if (last == ')' && open < 0)
            open++;
        else if (!is_one_of(last, ".,;:!?'*_]"))
            break;
        to--;
    }
    return to;
}

static size_t url_at(struct text t, size_t at)
{
    static const char *const schemes[] = { "http://", "https://", "ftp://", "mailto:", "www." };
    size_t end = 0;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0] && end == 0; i++)
        if (begins_with(t, at, schemes[i]))
            end = at + strlen(schemes[i]);
    if (end == 0 || word_ends_at(t, at))
        return 0;
    const size_t host = end;
    while (end < t.len) {
        int bytes = 1;
        if (!is_of_address(t.bytes[end]) &&
            ((unsigned char)t.bytes[end] < 0x80 ||
             !character_is_letter(utf8_next(t.bytes + end, t.len - end, &bytes))))
            break;
        end += (size_t)bytes;
    }
    end = without_end(t, host, end);
    return end > host ? end - at : 0;
}

static bool is_of_mailbox(char c)
{
    return is_ascii_letter(c) || is_digit(c) || is_one_of(c, "._%+-");
}

/* Only looked for where a run of such characters begins, so each byte is looked at once. */
static size_t email_at(struct text t, size_t at)
{
    size_t end = at;
    if (at > 0 && (is_of_mailbox(t.bytes[at - 1]) || word_ends_at(t, at)))
        return 0;
    while (is_of_mailbox(byte_at(t, end)))
        end++;
    if (end == at || byte_at(t, end) != '@')
        return 0;
    const size_t host = ++end;
    size_t dots = 0;
    while (is_ascii_letter(byte_at(t, end)) || is_digit(byte_at(t, end)) ||
           is_one_of(byte_at(t, end), ".-"))
        dots += byte_at(t, end++) == '.';
    while (end > host && is_one_of(t.bytes[end - 1], ".-"))
        dots -= t.bytes[--end] == '.';
    return end > host && dots > 0 ? end - at : 0;
}

/* ---- numbers and what stands for the others ---- */

#define SEPARATORS ".,:'/-"

static size_t number_at(struct text t, size_t at)
{
    size_t end = at;
    if (word_ends_at(t, at) ||
        (at > 1 && is_one_of(t.bytes[at - 1], SEPARATORS) && is_digit(t.bytes[at - 2])))
        return 0;
    while (is_digit(byte_at(t, end)) ||
           (end > at && is_one_of(byte_at(t, end), SEPARATORS) && is_digit(byte_at(t, end + 1))))
        end++;
    return word_begins_at(t, end) ? 0 : end - at;
}

static size_t stand_in_at(struct text t, size_t at)
{
    return is_digit(byte_at(t, at + 1)) && byte_at(t, at + 1) != '0' && !word_ends_at(t, at) &&
                   !word_begins_at(t, at + 2)
               ? 2
               : 0;
}

size_t placeholder_at(const char *text, size_t len, size_t at, enum placeholder_kind *kind)
{
    const struct text t = { text, len };
    const char c = text[at];
    size_t found = 0;
    *kind = PLACEHOLDER_CODE;
    if (c == '{')
        found = braces_at(t, at);
    else if (c == '$')
        found = dollar_at(t, at);
    else if (c == '%')
        found = percent_at(t, at);
    else if (c == 'X')
        found = stand_in_at(t, at);
    if (found == 0 && is_one_of(c, "hHfFmMwW"))
        found = url_at(t, at);
    if (found == 0 && is_of_mailbox(c))
        found = email_at(t, at);
    if (found == 0 && is_digit(c)) {
        *kind = PLACEHOLDER_NUMBER;
        found = number_at(t, at);
    }
    return found;
}

bool placeholder_word_ends(const char *text, size_t len, size_t at)
{
    return word_ends_at((struct text){ text, len }, at);
}

bool placeholder_word_begins(const char *text, size_t len, size_t at)
{
    return word_begins_at((struct text){ text, len }, at);
}

bool placeholder_stands_alone(const char *text, size_t len, size_t from, size_t to)
{
    const struct text t = { text, len };
    const bool is_number = from < to && is_digit(text[from]) && is_digit(text[to - 1]);
    if (word_ends_at(t, from) || word_begins_at(t, to))
        return false;
    if (!is_number)
        return true;
    return !(from > 1 && is_one_of(text[from - 1], SEPARATORS) && is_digit(text[from - 2])) &&
           !(is_one_of(byte_at(t, to), SEPARATORS) && is_digit(byte_at(t, to + 1)));
}
