/*
 * test_placeholders.c - what is a placeholder, where it ends, and what only looks like one.
 */
#include "tests/helpers.h"

#include "server/documents/placeholders.h"

/* All of a text, as "[code](number)" beside the rest. */
static const char *shown(const char *text)
{
    static char out[1000];
    size_t used = 0;
    const size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        enum placeholder_kind kind;
        const size_t found = placeholder_at(text, len, at, &kind);
        const char *form = !found ? "%.*s" : kind == PLACEHOLDER_CODE ? "[%.*s]" : "(%.*s)";
        const size_t step = found ? found : 1;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        used += (size_t)snprintf(out + used, sizeof out - used, form, (int)step, text + at);
#pragma GCC diagnostic pop
        at += step;
    }
    return out;
}

static const struct {
    const char *text, *shown;
} rows[] = {
    /* braces */
    { "Hello {name}!", "Hello [{name}]!" },
    { "{} {0} {user.name} {0:.2f} {a[1]}", "[{}] [{0}] [{user.name}] [{0:.2f}] [{a[1]}]" },
    { "{{ count }} and {{x}}", "[{{ count }}] and [{{x}}]" },
    { "${amount due} and ${x}", "[${amount due}] and [${x}]" },
    { "a {b c} d", "a {b c} d" },
    { "{un\nclosed}", "{un\nclosed}" },
    { "{ {x} {{y} }", "{ [{x}] {[{y}] }" },
    /* printf */
    { "%s of %d, %5.2f, %-8s, %1$s, %(name)s, %ld, %@",
      "[%s] of [%d], [%5.2f], [%-8s], [%1$s], [%(name)s], [%ld], [%@]" },
    { "100% sure, 50% of it", "(100)% sure, (50)% of it" },
    { "100%% of 5%s", "(100)[%%] of (5)%s" },
    { "%APPDATA% and %dpx and %", "[%APPDATA%] and [%d]px and %" },
    { "%s%s %ld%s", "[%s][%s] [%ld][%s]" },
    /* addresses */
    { "See https://example.org/a(b)?q=1&r=2#x.", "See [https://example.org/a(b)?q=1&r=2#x]." },
    { "(www.example.org), HTTP://X.ORG!", "([www.example.org]), [HTTP://X.ORG]!" },
    { "mailto:a@b.org; ftp://x", "[mailto:a@b.org]; [ftp://x]" },
    { "http://", "http://" },
    { "https://de.wikipedia.org/wiki/Käse ist", "[https://de.wikipedia.org/wiki/Käse] ist" },
    { "Write to first.last+tag@mail.example.org.", "Write to [first.last+tag@mail.example.org]." },
    { "a@b and @c and d@", "a@b and @c and d@" },
    /* numbers */
    { "3 cats, 1,000.50 euros, 10:30, 2020-01-05, 1/2.",
      "(3) cats, (1,000.50) euros, (10:30), (2020-01-05), (1/2)." },
    { "1st B2B 90s x2 \xC3\xA9\x33 5km", "1st B2B 90s x2 \xC3\xA9\x33 5km" },
    { "$5, 20%, -7, +33", "$(5), (20)%, -(7), +(33)" },
    /* what stands for others while they are away */
    { "X1 and X9, X0, X12, aX1, X", "[X1] and [X9], X0, X12, aX1, X" },
};

START_TEST(each_text_has_the_placeholders_that_a_reader_sees)
{
    ck_assert_str_eq(shown(rows[_i].text), rows[_i].shown);
}
END_TEST

/* Doubling a hostile text doubles the steps at most: this ends at once, or never. */
START_TEST(a_megabyte_of_beginnings_takes_no_time)
{
    static const char *const beginnings[] = { "{",  "{{", "${", "%",       "%(",  "a.",
                                              "1,", "a@", "X",  "http://", "www." };
    static char text[1 << 20];
    enum placeholder_kind kind;
    for (size_t b = 0; b < sizeof beginnings / sizeof *beginnings; b++) {
        const size_t len = strlen(beginnings[b]);
        for (size_t at = 0; at + len <= sizeof text; at += len)
            memcpy(text + at, beginnings[b], len);
        for (size_t at = 0; at < sizeof text; at++) {
            const size_t found = placeholder_at(text, sizeof text, at, &kind);
            ck_assert_uint_le(found, sizeof text - at);
            if (found)
                at += found - 1;
        }
    }
}
END_TEST

START_TEST(a_number_stands_alone_where_no_other_digit_belongs_to_it)
{
    static const char text[] = "13, 3.5 and 3 (X1) a3";
    ck_assert(!placeholder_stands_alone(text, strlen(text), 1, 2));
    ck_assert(!placeholder_stands_alone(text, strlen(text), 4, 5));
    ck_assert(!placeholder_stands_alone(text, strlen(text), 6, 7));
    ck_assert(placeholder_stands_alone(text, strlen(text), 12, 13));
    ck_assert(placeholder_stands_alone(text, strlen(text), 15, 17));
    ck_assert(!placeholder_stands_alone(text, strlen(text), 20, 21));
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(each_text_has_the_placeholders_that_a_reader_sees, sizeof rows / sizeof *rows),
    TEST(a_megabyte_of_beginnings_takes_no_time),
    TEST(a_number_stands_alone_where_no_other_digit_belongs_to_it),
};

TEST_MAIN("server/documents/placeholders", cases)
