/*
 * test_tokenizer.c - encoding and decoding: the rule of the merges, round trips, and the bytes
 * each piece came from.
 */
#include "tests/helpers.h"

#include "tests/tokenizer/pieces.h"
#include "tests/tokenizer/random_text.h"
#include "tokenizer/bpe.h"
#include "tokenizer/character.h"
#include "tokenizer/normalise.h"
#include "tokenizer/tokenizer.h"

#define ARENA_BYTES (32u << 20)
#define TEXT_MAX 4096
#define PIECES_MAX 400

static struct error err;
static struct arena arena;
static struct vocabulary *vocabulary;

static const struct vocabulary_options nfkc = { FORM_NFKC, false };

static void use_pieces(const char *const *texts, int count, struct vocabulary_options options)
{
    struct piece pieces[FIXED_PIECES + PIECES_MAX];
    if (!arena.base)
        ck_assert(arena_init(&arena, ARENA_BYTES));
    arena_reset(&arena);
    vocabulary_free(vocabulary);
    make_pieces(pieces, texts, count);
    assert_ok(vocabulary_new(&vocabulary, pieces, FIXED_PIECES + count, options, &err), err);
}
#define USE_PIECES(...)                                                                            \
    do {                                                                                           \
        static const char *const use_texts[] = { __VA_ARGS__ };                                    \
        use_pieces(use_texts, (int)(sizeof use_texts / sizeof use_texts[0]), nfkc);                \
    } while (0)

/* The pieces of a text, with a space between. */
static const char *encoded(const char *text)
{
    static char out[8192];
    struct tokens tokens;
    size_t used = 0;
    assert_ok(tokenizer_encode(vocabulary, text, strlen(text), &arena, &tokens, &err), err);
    out[0] = 0;
    for (int i = 0; i < tokens.count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", i ? " " : "",
                                 vocabulary_piece(vocabulary, tokens.ids[i])->text);
    return out;
}

START_TEST(the_pair_with_the_highest_score_goes_first)
{
    USE_PIECES("bc", "ab", "▁", "a", "b", "c");
    ck_assert_str_eq(encoded("abc"), "▁ a bc");
    USE_PIECES("ab", "bc", "▁", "a", "b", "c");
    ck_assert_str_eq(encoded("abc"), "▁ ab c");
    USE_PIECES("bc", "ab", "abc", "▁", "a", "b", "c");
    ck_assert_str_eq(encoded("abc"), "▁ abc"); // whichever two make it
}
END_TEST

START_TEST(of_equal_pairs_the_leftmost_goes_first)
{
    USE_PIECES("aa", "▁", "a");
    ck_assert_str_eq(encoded("aaa"), "▁ aa a");
    ck_assert_str_eq(encoded("aaaaa"), "▁ aa aa a");
}
END_TEST

START_TEST(spaces_are_marked_and_one_is_put_in_front)
{
    USE_PIECES("▁a", "▁", "a");
    ck_assert_str_eq(encoded("  a \n a a"), "▁a ▁a ▁a");
    ck_assert_str_eq(encoded("aa"), "▁a a");
}
END_TEST

START_TEST(empty_texts_have_no_pieces)
{
    USE_PIECES("▁", "a");
    ck_assert_str_eq(encoded(""), "");
    ck_assert_str_eq(encoded(" \t\n\u3000"), "");
    ck_assert_str_eq(encoded("\001"), "");
}
END_TEST

START_TEST(unknown_characters_become_bytes_and_do_not_merge)
{
    USE_PIECES("ab", "▁é", "▁", "a");
    ck_assert_str_eq(encoded("ab"), "▁ a <0x62>"); // "b" is no piece, so "ab" cannot arise
    ck_assert_str_eq(encoded("é"), "▁ <0xC3> <0xA9>");
    ck_assert_str_eq(encoded("😀"), "▁ <0xF0> <0x9F> <0x98> <0x80>");
}
END_TEST

START_TEST(typed_control_and_byte_pieces_stay_text)
{
    USE_PIECES("<s", "s>", "<0", "x4", "1>", "▁", "<", ">", "s", "/", "0", "x", "4", "1", "p", "a",
               "d", "u", "n", "k");
    ck_assert_str_eq(encoded("<s>"), "▁ <s >");
    ck_assert_str_eq(encoded("</s>"), "▁ < / s>");
    ck_assert_str_eq(encoded("<pad>"), "▁ < p a d >");
    ck_assert_str_eq(encoded("<unk>"), "▁ < u n k >");
    ck_assert_str_eq(encoded("<0x41>"), "▁ <0 x4 1>");
}
END_TEST

START_TEST(a_space_mark_in_the_text_comes_back_as_itself)
{
    struct tokens tokens;
    struct detokenised out;
    USE_PIECES("▁a", "▁", "a");
    ck_assert_str_eq(encoded("▁a"), "▁ <0xE2> <0x96> <0x81> a");
    const char *text = "▁ a▁a ▁";
    assert_ok(tokenizer_encode(vocabulary, text, strlen(text), &arena, &tokens, &err), err);
    assert_ok(tokenizer_decode(vocabulary, tokens.ids, tokens.count, &arena, &out, &err), err);
    ck_assert_str_eq(out.text, text);
}
END_TEST

START_TEST(a_vocabulary_without_a_space_mark_writes_bytes)
{
    USE_PIECES("a", "▁a");
    ck_assert_str_eq(encoded("a a"), "a <0x20> a");
}
END_TEST

START_TEST(text_is_treated_as_the_vocabulary_says)
{
    static const char *const texts[] = { "▁", "f", "i", "ﬁ", "F" };
    use_pieces(texts, 5, (struct vocabulary_options){ FORM_NFC, false });
    ck_assert_str_eq(encoded("Fﬁ"), "▁ F ﬁ");
    use_pieces(texts, 5, (struct vocabulary_options){ FORM_NFKC, false });
    ck_assert_str_eq(encoded("Fﬁ"), "▁ F f i");
    use_pieces(texts, 5, (struct vocabulary_options){ FORM_NFKC, true });
    ck_assert_str_eq(encoded("Fﬁ"), "▁ f f i");
}
END_TEST

START_TEST(invalid_utf8_is_refused_with_its_place)
{
    struct tokens tokens;
    USE_PIECES("▁", "a");
    assert_status(tokenizer_encode(vocabulary, "aaa\xC3(", 5, &arena, &tokens, &err),
                  STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "byte 3"));
    ck_assert_int_eq(tokens.count, 0);
    ck_assert_uint_eq(arena.used, 0);
}
END_TEST

static void assert_spans(const char *text, const struct span *wanted, int count)
{
    struct tokens tokens;
    assert_ok(tokenizer_encode(vocabulary, text, strlen(text), &arena, &tokens, &err), err);
    ck_assert_int_eq(tokens.count, count);
    for (int i = 0; i < count; i++)
        ck_assert_msg(tokens.spans[i].from == wanted[i].from && tokens.spans[i].to == wanted[i].to,
                      "piece %d has [%u,%u)", i, tokens.spans[i].from, tokens.spans[i].to);
}

START_TEST(spans_are_the_bytes_of_the_original)
{
    USE_PIECES("▁a", "bé", "▁", "a", "b", "é", "f", "i");
    assert_spans("  a  be\u0301", (struct span[]){ { 2, 3 }, { 3, 5 }, { 5, 9 } }, 3);
    assert_spans("ﬁ", (struct span[]){ { 0, 0 }, { 0, 3 }, { 0, 3 } }, 3);
    assert_spans("a€", (struct span[]){ { 0, 1 }, { 1, 4 }, { 1, 4 }, { 1, 4 } }, 4);
    assert_spans("a\001a", (struct span[]){ { 0, 1 }, { 2, 3 } }, 2);
}
END_TEST

/* ---- the rule, again, as slowly as it reads ---- */

struct slow_symbol {
    char text[64];
    size_t len;
    bool is_bytes;
};

static int32_t find_both(const struct slow_symbol *a, const struct slow_symbol *b)
{
    char both[2 * sizeof a->text];
    memcpy(both, a->text, a->len);
    memcpy(both + a->len, b->text, b->len);
    return vocabulary_find(vocabulary, both, a->len + b->len);
}

static int slow_encode(const char *text, size_t len, struct slow_symbol *out)
{
    static struct character chars[TEXT_MAX];
    size_t count;
    int made = 1;
    ck_assert(normalise(text, len, nfkc, chars, &arena, &count));
    if (count == 0)
        return 0;
    out[0] = (struct slow_symbol){ "▁", 3, false };
    for (size_t i = 0; i < count; i++, made++) {
        struct slow_symbol *this = &out[made];
        this->len = (size_t)utf8_put(chars[i].c == ' ' ? SPACE_MARK : chars[i].c, this->text);
        this->is_bytes = chars[i].c == SPACE_MARK ||
                         vocabulary_find(vocabulary, this->text, this->len) < FIXED_PIECES;
    }
    for (;;) {
        int best = -1;
        float best_score = 0;
        for (int i = 0; i + 1 < made; i++) {
            int32_t id = find_both(&out[i], &out[i + 1]);
            if (out[i].is_bytes || out[i + 1].is_bytes || id < FIXED_PIECES)
                continue;
            float score = vocabulary_piece(vocabulary, id)->score;
            if (best < 0 || score > best_score) {
                best = i;
                best_score = score;
            }
        }
        if (best < 0)
            return made;
        memcpy(out[best].text + out[best].len, out[best + 1].text, out[best + 1].len);
        out[best].len += out[best + 1].len;
        made--;
        memmove(out + best + 1, out + best + 2, sizeof *out * (size_t)(made - best - 1));
    }
}

static void assert_same_as_slow(const char *text, size_t len)
{
    static struct slow_symbol slow[TEXT_MAX];
    struct tokens tokens;
    int count = slow_encode(text, len, slow), at = 0;
    assert_ok(tokenizer_encode(vocabulary, text, len, &arena, &tokens, &err), err);
    for (int i = 0; i < count; i++) {
        if (!slow[i].is_bytes) {
            ck_assert_int_lt(at, tokens.count);
            ck_assert_int_eq(tokens.ids[at++],
                             vocabulary_find(vocabulary, slow[i].text, slow[i].len));
            continue;
        }
        for (size_t k = 0; k < slow[i].len; k++)
            ck_assert_int_eq(tokens.ids[at++],
                             vocabulary_byte(vocabulary, (uint8_t)slow[i].text[k]));
    }
    ck_assert_int_eq(at, tokens.count);
}

/* Pieces "▁", a..c, and random strings of them, some with equal scores. */
static void use_random_pieces(struct rng *rng)
{
    static char texts[PIECES_MAX][32];
    static const char *const letters[] = { "a", "b", "c", "▁" };
    struct piece pieces[FIXED_PIECES + PIECES_MAX];
    const char *list[PIECES_MAX];
    int count = 0, wanted = 4 + (int)rng_below(rng, 40);
    for (int tries = 0; count < wanted && tries < 1000; tries++) {
        int same = 0;
        texts[count][0] = 0;
        uint64_t len = count < 4 ? 0 : 2 + rng_below(rng, 4);
        if (count < 4)
            strcpy(texts[count], letters[count]);
        for (uint64_t i = 0; i < len; i++)
            strcat(texts[count], letters[rng_below(rng, 4)]);
        for (int i = 0; i < count; i++)
            same += !strcmp(texts[i], texts[count]);
        list[count] = texts[count];
        count += !same;
    }
    vocabulary_free(vocabulary);
    make_pieces(pieces, list, count);
    for (int i = 0; i < count; i++)
        pieces[FIXED_PIECES + i].score = (float)rng_below(rng, 12);
    assert_ok(vocabulary_new(&vocabulary, pieces, FIXED_PIECES + count, nfkc, &err), err);
}

START_TEST(the_heap_follows_the_rule_exactly)
{
    struct rng rng = rng_make(31, 0);
    USE_PIECES("▁");
    for (int round = 0; round < 2000; round++) {
        char text[64];
        size_t len = rng_below(&rng, 40);
        if (round % 20 == 0)
            use_random_pieces(&rng);
        for (size_t i = 0; i < len; i++)
            text[i] = "aabbc d"[rng_below(&rng, 7)];
        arena_reset(&arena);
        assert_same_as_slow(text, len);
    }
}
END_TEST

/* ---- any text ---- */

#define SOME_PIECES                                                                                \
    "▁a", "ab", "▁", "a", "b", "c", "d", "e", "é", "가", "ক", "क", "א", "ا", "م", "あ", "中", "😀", \
        "क्", "▁ا", "ab▁", "中中", "\u0301", "\u200D"

START_TEST(any_text_comes_back_normalised)
{
    static struct character chars[TEXT_MAX * 18];
    static char wanted[TEXT_MAX * 72];
    struct rng rng = rng_make(32, 0);
    USE_PIECES(SOME_PIECES);
    for (int round = 0; round < 30000; round++) {
        char text[TEXT_MAX];
        struct tokens tokens;
        struct detokenised out;
        size_t len = random_text(&rng, rng_below(&rng, 50), text), count, wanted_len = 0;
        arena_reset(&arena);
        ck_assert(normalise(text, len, nfkc, chars, &arena, &count));
        for (size_t i = 0; i < count; i++)
            wanted_len += (size_t)utf8_put(chars[i].c, wanted + wanted_len);
        wanted[wanted_len] = 0;
        assert_ok(tokenizer_encode(vocabulary, text, len, &arena, &tokens, &err), err);
        assert_ok(tokenizer_decode(vocabulary, tokens.ids, tokens.count, &arena, &out, &err), err);
        ck_assert_str_eq(out.text, wanted);
        ck_assert_uint_eq(out.len, wanted_len);
    }
}
END_TEST

/* From `from` on, all bytes that no span covers are white space or controls. */
static void assert_only_blank(const char *text, size_t from, size_t to)
{
    int bytes;
    for (; from < to; from += (size_t)bytes) {
        int32_t c = utf8_next(text + from, to - from, &bytes);
        ck_assert(character_is_space(c) || c < 0x20 || (c >= 0x7F && c < 0xA0));
    }
}

START_TEST(spans_are_in_order_whole_characters_and_leave_out_only_blanks)
{
    struct rng rng = rng_make(33, 0);
    USE_PIECES(SOME_PIECES);
    for (int round = 0; round < 30000; round++) {
        char text[TEXT_MAX];
        struct tokens tokens;
        size_t len = random_text(&rng, rng_below(&rng, 50), text), covered = 0;
        struct span before = { 0, 0 };
        arena_reset(&arena);
        assert_ok(tokenizer_encode(vocabulary, text, len, &arena, &tokens, &err), err);
        for (int i = 0; i < tokens.count; i++) {
            struct span span = tokens.spans[i];
            bool fine = span.from >= before.from && span.to >= before.to && span.to <= len &&
                        (span.from < span.to || i == 0) &&
                        utf8_check(text + span.from, span.to - span.from, NULL) == STATUS_OK;
            ck_assert_msg(fine, "round %d: piece %d has [%u,%u)", round, i, span.from, span.to);
            if (span.from > covered)
                assert_only_blank(text, covered, span.from);
            covered = span.to;
            before = span;
        }
        assert_only_blank(text, covered, len);
    }
}
END_TEST

START_TEST(time_is_n_log_n_in_hostile_texts)
{
    static const char *const units[] = { "a", "ab", "\u0301", "😀", "ﷺ", "a ", " ", "▁" };
    const size_t len = 300000;
    struct arena big;
    char *text = malloc(len);
    USE_PIECES("aa", "aaaa", "aaaaaaaa", "ab", "abab", "▁", "a", "b");
    ck_assert(arena_init(&big, 512u << 20));
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
        struct tokens tokens;
        size_t used = 0, unit = strlen(units[u]);
        for (; used + unit <= len; used += unit)
            memcpy(text + used, units[u], unit);
        arena_reset(&big);
        assert_ok(tokenizer_encode(vocabulary, text, used, &big, &tokens, &err), err);
        ck_assert_uint_le(big.used, 64 + 12 * (size_t)tokens.count); // the scratch is given back
    }
    arena_release(&big);
    free(text);
}
END_TEST

START_TEST(a_full_arena_is_said_and_left_as_it_was)
{
    const char *text = "ab e\u0323\u0301\u0323 ab 😀";
    bool done = false;
    USE_PIECES(SOME_PIECES);
    for (size_t bytes = 0; !done; bytes += 64) {
        struct arena small;
        struct tokens tokens;
        ck_assert(arena_init(&small, bytes));
        enum status status =
            tokenizer_encode(vocabulary, text, strlen(text), &small, &tokens, &err);
        done = status == STATUS_OK;
        if (!done) {
            ck_assert_int_eq(status, STATUS_NO_MEMORY);
            ck_assert_uint_eq(small.used, 0);
            ck_assert_int_eq(tokens.count, 0);
        }
        arena_release(&small);
    }
}
END_TEST

START_TEST(a_text_over_the_limit_is_refused)
{
    struct tokens tokens;
    USE_PIECES("▁");
    assert_status(
        tokenizer_encode(vocabulary, "", TOKENIZER_TEXT_BYTES_MAX + 1, &arena, &tokens, &err),
        STATUS_TOO_LARGE);
}
END_TEST

/* ---- decoding ---- */

static struct detokenised decoded(const int32_t *ids, int count)
{
    struct detokenised out;
    assert_ok(tokenizer_decode(vocabulary, ids, count, &arena, &out, &err), err);
    ck_assert_uint_eq(strlen(out.text), out.len);
    return out;
}
#define DECODED(...)                                                                               \
    decoded((const int32_t[]){ __VA_ARGS__ }, (int)(sizeof((const int32_t[]){ __VA_ARGS__ }) / 4))
#define BYTE(b) (4 + (b))

START_TEST(wrong_bytes_become_replacement_characters)
{
    USE_PIECES("▁", "a");
    ck_assert_str_eq(DECODED(260, BYTE(0xF0), BYTE(0x9F), BYTE(0x98), BYTE(0x80)).text, "😀");
    ck_assert_str_eq(DECODED(260, BYTE(0xF0), BYTE(0x9F), 261).text, "\uFFFDa");
    ck_assert_str_eq(DECODED(BYTE(0x80), BYTE(0x80), 261).text, "\uFFFD\uFFFDa");
    ck_assert_str_eq(DECODED(BYTE(0xED), BYTE(0xA0), BYTE(0x80)).text, "\uFFFD\uFFFD\uFFFD");
    ck_assert_str_eq(DECODED(BYTE(0xC3), ID_EOS, BYTE(0xA9)).text, "\uFFFD\uFFFD");
}
END_TEST

START_TEST(control_pieces_and_control_characters_make_no_text)
{
    USE_PIECES("▁", "a");
    ck_assert_str_eq(DECODED(ID_BOS, 260, 261, ID_PAD, ID_UNK, 261, ID_EOS).text, "aa");
    ck_assert_str_eq(DECODED(261, BYTE('\n'), BYTE(0), BYTE(0xC2), BYTE(0x85), 261).text, "aa");
    ck_assert_str_eq(decoded(NULL, 0).text, "");
}
END_TEST

START_TEST(only_the_space_in_front_is_left_out)
{
    USE_PIECES("▁", "▁a", "a▁b");
    ck_assert_str_eq(DECODED(261, 261).text, "a a");
    ck_assert_str_eq(DECODED(260, 261, 260).text, " a ");
    ck_assert_str_eq(DECODED(262, 260, BYTE(' ')).text, "a b  ");
    ck_assert_str_eq(DECODED(BYTE('x'), 261).text, "x a");
}
END_TEST

START_TEST(decoded_spans_follow_the_text)
{
    USE_PIECES("▁", "▁a", "a");
    struct detokenised out = DECODED(ID_BOS, 261, BYTE(0xC3), BYTE(0xA9), 261, ID_EOS);
    static const struct span wanted[] = {
        { 0, 0 }, { 0, 1 }, { 1, 3 }, { 1, 3 }, { 3, 5 }, { 5, 5 },
    };
    ck_assert_str_eq(out.text, "aé a");
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_eq(out.spans[i].from, wanted[i].from);
        ck_assert_uint_eq(out.spans[i].to, wanted[i].to);
    }
}
END_TEST

START_TEST(ids_out_of_range_are_refused)
{
    struct detokenised out;
    USE_PIECES("▁", "a");
    const int32_t ids[] = { 261, 262, -1 };
    assert_status(tokenizer_decode(vocabulary, ids, 2, &arena, &out, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "262"));
    assert_status(tokenizer_decode(vocabulary, ids + 2, 1, &arena, &out, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_null(out.text);
    struct arena small;
    ck_assert(arena_init(&small, 64));
    assert_status(tokenizer_decode(vocabulary, ids, 1, &small, &out, &err), STATUS_NO_MEMORY);
    ck_assert_uint_eq(small.used, 0);
    arena_release(&small);
}
END_TEST

START_TEST(any_ids_make_valid_utf8)
{
    struct rng rng = rng_make(34, 0);
    USE_PIECES(SOME_PIECES);
    for (int round = 0; round < 30000; round++) {
        int32_t ids[64];
        int count = (int)rng_below(&rng, 64);
        for (int i = 0; i < count; i++)
            ids[i] = (int32_t)rng_below(&rng, (uint64_t)vocabulary_size(vocabulary));
        arena_reset(&arena);
        struct detokenised out = decoded(ids, count);
        ck_assert_int_eq(utf8_check(out.text, out.len, NULL), STATUS_OK);
        ck_assert(count == 0 || out.spans[count - 1].to == out.len);
    }
}
END_TEST

static const struct test_case cases[] = {
    TEST(the_pair_with_the_highest_score_goes_first),
    TEST(of_equal_pairs_the_leftmost_goes_first),
    TEST(spaces_are_marked_and_one_is_put_in_front),
    TEST(empty_texts_have_no_pieces),
    TEST(unknown_characters_become_bytes_and_do_not_merge),
    TEST(typed_control_and_byte_pieces_stay_text),
    TEST(a_space_mark_in_the_text_comes_back_as_itself),
    TEST(a_vocabulary_without_a_space_mark_writes_bytes),
    TEST(text_is_treated_as_the_vocabulary_says),
    TEST(invalid_utf8_is_refused_with_its_place),
    TEST(spans_are_the_bytes_of_the_original),
    TEST(the_heap_follows_the_rule_exactly),
    TEST(any_text_comes_back_normalised),
    TEST(spans_are_in_order_whole_characters_and_leave_out_only_blanks),
    TEST(time_is_n_log_n_in_hostile_texts),
    TEST(a_full_arena_is_said_and_left_as_it_was),
    TEST(a_text_over_the_limit_is_refused),
    TEST(wrong_bytes_become_replacement_characters),
    TEST(control_pieces_and_control_characters_make_no_text),
    TEST(only_the_space_in_front_is_left_out),
    TEST(decoded_spans_follow_the_text),
    TEST(ids_out_of_range_are_refused),
    TEST(any_ids_make_valid_utf8),
};
TEST_MAIN("tokenizer", cases)
