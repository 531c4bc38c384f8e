/*
 * test_normalise.c - normalisation against utf8proc's own, and where each character came from.
 */
#include "tests/helpers.h"

#include <utf8proc.h>
#include "tests/tokenizer/random_text.h"
#include "tokenizer/character.h"
#include "tokenizer/normalise.h"

#define TEXT_MAX 4096
#define CHARACTERS_MAX (TEXT_MAX * 18)
#define ARENA_BYTES (8u << 20)

struct result {
    struct character chars[CHARACTERS_MAX];
    size_t count;
    char text[4 * CHARACTERS_MAX];
    size_t len;
};

static struct result result;
static struct arena scratch;

static void run(const char *text, size_t len, struct vocabulary_options options)
{
    if (!scratch.base)
        ck_assert(arena_init(&scratch, ARENA_BYTES));
    arena_reset(&scratch);
    struct normalised_bound bound = normalise_bound(text, len, options);
    if (bound.characters > CHARACTERS_MAX ||
        !normalise(text, len, options, result.chars, &scratch, &result.count) ||
        result.count > bound.characters)
        ck_abort_msg("%zu characters of at most %zu", result.count, bound.characters);
    result.len = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < result.count; i++) {
        int32_t c = result.chars[i].c;
        result.len += (size_t)utf8_put(c, result.text + result.len);
        bytes += c == ' ' ? 2 : 0; // as "▁"
    }
    if (result.len + bytes > bound.bytes)
        ck_abort_msg("%zu bytes of at most %zu", result.len + bytes, bound.bytes);
    result.text[result.len] = 0;
}

static void assert_normal(const char *text, struct vocabulary_options options, const char *wanted)
{
    run(text, strlen(text), options);
    ck_assert_str_eq(result.text, wanted);
}

static const struct vocabulary_options nfc = { FORM_NFC, false }, nfkc = { FORM_NFKC, false },
                                       folded = { FORM_NFKC, true };

START_TEST(forms_differ_in_compatibility_characters)
{
    assert_normal("e\u0301 ﬁ ① Å ２", nfc, "é ﬁ ① Å ２");
    assert_normal("e\u0301 ﬁ ① Å ２", nfkc, "é fi 1 Å 2");
    assert_normal("\u1112\u1161\u11AB\uFEFF", nfc, "한\uFEFF");
    assert_normal("\uFFA1\uFFC2", nfkc, "가");
    assert_normal("\u0958", nfc, "\u0915\u093C"); // excluded from composition
    assert_normal("\uFF76\uFF9E", nfkc, "ガ");
}
END_TEST

START_TEST(case_is_folded_if_asked)
{
    assert_normal("Straße ΣΑΣ É", folded, "strasse σασ é");
    assert_normal("Straße", nfkc, "Straße");
}
END_TEST

START_TEST(spaces_collapse_and_controls_go)
{
    assert_normal(" \t a\n\n\u3000b\u00A0 \r\n", nfkc, "a b");
    assert_normal("a\001\002b\177c\302\205d\302\220e", nfc, "abc de");
    assert_normal("a\u0308b \u00A8 c", nfkc, "äb \u0308 c");
    assert_normal("e\001\u0301", nfc, "é");
    assert_normal("", nfc, "");
    assert_normal(" \n\001", nfc, "");
}
END_TEST

static void assert_span(size_t i, uint32_t from, uint32_t to)
{
    ck_assert_uint_lt(i, result.count);
    ck_assert_uint_eq(result.chars[i].from, from);
    ck_assert_uint_eq(result.chars[i].to, to);
}

START_TEST(characters_know_their_bytes)
{
    assert_normal(" e\u0301  ﬁx", nfkc, "é fix");
    assert_span(0, 1, 4);
    assert_span(1, 4, 6); // both spaces
    assert_span(2, 6, 9); // f and i share the ligature
    assert_span(3, 6, 9);
    assert_span(4, 9, 10);
}
END_TEST

START_TEST(marks_that_change_places_share_their_bytes)
{
    assert_normal("x\u0301\u0323y", nfc, "x\u0323\u0301y");
    assert_span(0, 0, 1);
    assert_span(1, 1, 5);
    assert_span(2, 1, 5);
    assert_span(3, 5, 6);
    assert_normal("a\u0327\u0301", nfc, "á\u0327");
    assert_span(0, 0, 5);
    assert_span(1, 1, 5);
}
END_TEST

/* The same by utf8proc: controls and spaces by hand, then its normaliser, then spaces again. */
static char *by_utf8proc(const char *text, size_t len, struct vocabulary_options options)
{
    static char cleaned[TEXT_MAX + 1];
    size_t used = 0, kept = 0;
    int bytes, flags = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        int32_t c = utf8_next(text + at, len - at, &bytes);
        if (character_is_space(c))
            cleaned[used++] = ' ';
        else if (utf8proc_category(c) != UTF8PROC_CATEGORY_CC)
            used += (size_t)utf8_put(c, cleaned + used);
    }
    utf8proc_uint8_t *out;
    flags |= options.form == FORM_NFKC ? UTF8PROC_COMPAT : 0;
    flags |= options.casefold ? UTF8PROC_CASEFOLD : 0;
    utf8proc_ssize_t size = utf8proc_map((const utf8proc_uint8_t *)cleaned, (utf8proc_ssize_t)used,
                                         &out, (utf8proc_option_t)flags);
    ck_assert_int_ge(size, 0);
    for (utf8proc_ssize_t i = 0; i < size; i++)
        if (out[i] != ' ' || (kept && out[kept - 1] != ' '))
            out[kept++] = out[i];
    kept -= kept && out[kept - 1] == ' ';
    out[kept] = 0;
    return (char *)out;
}

static void assert_same_as_utf8proc(const char *text, size_t len, struct vocabulary_options o)
{
    char *wanted = by_utf8proc(text, len, o);
    run(text, len, o);
    if (strcmp(result.text, wanted) != 0) // an assertion each would take minutes
        ck_abort_msg("\"%s\", wanted \"%s\"", result.text, wanted);
    free(wanted);
}

START_TEST(every_code_point_normalises_as_by_utf8proc)
{
    for (int32_t c = 0; c <= 0x10FFFF; c += c < 0x30000 ? 1 : 251) { // hardly any above
        char text[16];
        size_t len = 0;
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        len += (size_t)utf8_put(c, text + len);
        len += (size_t)utf8_put(0x0323, text + len);
        len += (size_t)utf8_put(c, text + len);
        assert_same_as_utf8proc(text, len, nfc);
        assert_same_as_utf8proc(text, len, nfkc);
        assert_same_as_utf8proc(text, len, folded);
    }
}
END_TEST

START_TEST(random_texts_normalise_as_by_utf8proc)
{
    struct rng rng = rng_make(21, 0);
    char text[TEXT_MAX];
    for (int round = 0; round < 30000; round++) {
        size_t len = random_text(&rng, 1 + rng_below(&rng, 40), text);
        assert_same_as_utf8proc(text, len, round % 3 == 0 ? nfc : round % 3 == 1 ? nfkc : folded);
    }
}
END_TEST

START_TEST(places_never_go_back_and_cover_all_text)
{
    struct rng rng = rng_make(22, 0);
    char text[TEXT_MAX];
    for (int round = 0; round < 30000; round++) {
        size_t len = random_text(&rng, 1 + rng_below(&rng, 40), text);
        bool covered[TEXT_MAX] = { false };
        run(text, len, round % 2 ? nfkc : nfc);
        for (size_t i = 0; i < result.count; i++) {
            struct character this = result.chars[i];
            ck_assert_uint_lt(this.from, this.to);
            ck_assert_uint_le(this.to, len);
            ck_assert(i == 0 ||
                      (this.from >= result.chars[i - 1].from && this.to >= result.chars[i - 1].to));
            ck_assert_int_eq(utf8_check(text + this.from, this.to - this.from, NULL), STATUS_OK);
            memset(covered + this.from, 1, this.to - this.from);
        }
        int bytes;
        for (size_t at = 0; at < len; at += (size_t)bytes) {
            int32_t c = utf8_next(text + at, len - at, &bytes);
            ck_assert(covered[at] || character_is_space(c) ||
                      utf8proc_category(c) == UTF8PROC_CATEGORY_CC);
        }
    }
}
END_TEST

START_TEST(normalising_twice_changes_nothing)
{
    struct rng rng = rng_make(23, 0);
    char text[TEXT_MAX];
    static char once[sizeof result.text];
    for (int round = 0; round < 30000; round++) {
        struct vocabulary_options o = round % 2 ? nfkc : nfc;
        run(text, random_text(&rng, 1 + rng_below(&rng, 30), text), o);
        strcpy(once, result.text);
        if (strlen(once) < TEXT_MAX)
            assert_normal(once, o, once);
    }
}
END_TEST

START_TEST(a_full_scratch_arena_is_said)
{
    struct arena small;
    const char *text = "x\u0301\u0323";
    ck_assert(arena_init(&small, 8));
    ck_assert(!normalise(text, strlen(text), nfc, result.chars, &small, &result.count));
    arena_release(&small);
}
END_TEST

/* A million marks in falling order of class: sorting them pairwise would take hours. */
START_TEST(time_is_linear_in_a_run_of_marks)
{
    const size_t count = 1000000;
    char *text = malloc(2 * count + 1);
    struct arena big;
    ck_assert(arena_init(&big, 64 * count));
    text[0] = 'a';
    for (size_t i = 0; i < count; i++)
        utf8_put(i % 2 ? 0x0323 : 0x0301, text + 1 + 2 * i);
    struct character *chars = arena_array(&big, struct character, count + 1);
    size_t made;
    ck_assert(normalise(text, 2 * count + 1, nfc, chars, &big, &made));
    ck_assert_uint_eq(made, count); // the first dot below joined the a
    ck_assert_int_eq(chars[0].c, 0x1EA1);
    free(text);
    arena_release(&big);
}
END_TEST

static const struct test_case cases[] = {
    TEST(forms_differ_in_compatibility_characters),
    TEST(case_is_folded_if_asked),
    TEST(spaces_collapse_and_controls_go),
    TEST(characters_know_their_bytes),
    TEST(marks_that_change_places_share_their_bytes),
    TEST(every_code_point_normalises_as_by_utf8proc),
    TEST(random_texts_normalise_as_by_utf8proc),
    TEST(places_never_go_back_and_cover_all_text),
    TEST(normalising_twice_changes_nothing),
    TEST(a_full_scratch_arena_is_said),
    TEST(time_is_linear_in_a_run_of_marks),
};
TEST_MAIN("tokenizer/normalise", cases)
