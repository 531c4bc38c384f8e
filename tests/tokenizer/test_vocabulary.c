/*
 * test_vocabulary.c - a vocabulary is checked when it is made and survives any file.
 */
#include "tests/helpers.h"

#include <math.h>
#include "base/rng.h"
#include "tests/tokenizer/pieces.h"
#include "tokenizer/vocabulary.h"

static struct error err;

static const char *const learnt[] = { "▁t", "he", "▁the", "▁", "t", "h", "e" };

static struct vocabulary *make(struct vocabulary_options options)
{
    struct piece pieces[FIXED_PIECES + 7];
    int count = make_pieces(pieces, learnt, 7);
    struct vocabulary *v;
    assert_ok(vocabulary_new(&v, pieces, count, options, &err), err);
    return v;
}

START_TEST(pieces_are_found_by_text_and_byte)
{
    struct vocabulary *v = make((struct vocabulary_options){ FORM_NFKC, false });
    ck_assert_int_eq(vocabulary_size(v), 267);
    ck_assert_int_eq(vocabulary_find(v, "▁the", 6), 262);
    ck_assert_int_eq(vocabulary_find(v, "▁the", 4), 260);
    ck_assert_int_eq(vocabulary_find(v, "nothing", 7), -1);
    ck_assert_int_eq(vocabulary_find(v, "", 0), -1);
    ck_assert_int_eq(vocabulary_byte(v, 0xFF), 259);
    ck_assert_str_eq(vocabulary_piece(v, 4 + 'A')->text, "<0x41>");
    ck_assert_int_eq(vocabulary_piece(v, 4 + 'A')->byte, 'A');
    vocabulary_free(v);
}
END_TEST

START_TEST(pieces_are_copied)
{
    char text[] = "abc";
    const char *const texts[] = { text };
    struct piece pieces[FIXED_PIECES + 1];
    struct vocabulary *v;
    int count = make_pieces(pieces, texts, 1);
    assert_ok(vocabulary_new(&v, pieces, count, (struct vocabulary_options){ 0 }, &err), err);
    text[0] = 'x';
    ck_assert_str_eq(vocabulary_piece(v, 260)->text, "abc");
    vocabulary_free(v);
}
END_TEST

static void spoil_control(struct piece *p)
{
    p[2].text = "<x>";
}
static void spoil_control_kind(struct piece *p)
{
    p[3].kind = PIECE_NORMAL;
}
static void spoil_byte(struct piece *p)
{
    p[9].byte = 200;
}
static void spoil_byte_kind(struct piece *p)
{
    p[10].kind = PIECE_NORMAL;
}
static void spoil_twin(struct piece *p)
{
    p[264].text = "h";
}
static void spoil_nan(struct piece *p)
{
    p[265].score = NAN;
}
static void spoil_infinite(struct piece *p)
{
    p[265].score = -INFINITY;
}
static void spoil_empty(struct piece *p)
{
    p[265].len = 0;
}
static void spoil_null(struct piece *p)
{
    p[265].text = NULL;
}
static void spoil_tab(struct piece *p)
{
    p[265].text = "\t";
}
static void spoil_utf8(struct piece *p)
{
    p[265].text = "\xC3";
}
static void spoil_long(struct piece *p)
{
    static char text[PIECE_BYTES_MAX + 2];
    memset(text, 'a', sizeof text - 1);
    p[265].text = text;
    p[265].len = PIECE_BYTES_MAX + 1;
}

static const struct {
    void (*spoil)(struct piece *pieces);
    const char *wanted;
} spoilt[] = {
    { spoil_control, "piece 2 \"<x>\" is not the control piece" },
    { spoil_control_kind, "piece 3 \"</s>\" must be of kind control" },
    { spoil_byte, "piece 9 \"<0x05>\" is a byte piece but not named" },
    { spoil_byte_kind, "the vocabulary has no piece for byte <0x06>" },
    { spoil_twin, "piece 265 \"h\" has the text of piece 264" },
    { spoil_nan, "piece 265 \"h\" has a score" },
    { spoil_infinite, "piece 265 \"h\" has a score" },
    { spoil_empty, "piece 265 \"\" has no text" },
    { spoil_null, "piece 265 \"\" has no text" },
    { spoil_tab, "piece 265 \"?\" holds a control character" },
    { spoil_utf8, "piece 265 \"?\" is not valid UTF-8" },
    { spoil_long, "piece 265 \"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is too long" },
};

START_TEST(what_is_wrong_with_a_piece_is_said)
{
    struct piece pieces[FIXED_PIECES + 7];
    struct vocabulary *v;
    int count = make_pieces(pieces, learnt, 7);
    spoilt[_i].spoil(pieces);
    assert_status(vocabulary_new(&v, pieces, count, (struct vocabulary_options){ 0 }, &err),
                  STATUS_BAD_INPUT);
    ck_assert_msg(!strncmp(err.text, spoilt[_i].wanted, strlen(spoilt[_i].wanted)), "%s", err.text);
    ck_assert_ptr_null(v);
}
END_TEST

START_TEST(too_few_and_too_many_pieces_are_refused)
{
    struct piece pieces[FIXED_PIECES];
    struct vocabulary *v;
    make_pieces(pieces, learnt, 0);
    struct vocabulary_options options = { 0 };
    assert_status(vocabulary_new(&v, pieces, 259, options, &err), STATUS_BAD_INPUT);
    assert_status(vocabulary_new(&v, pieces, -1, options, &err), STATUS_BAD_INPUT);
    assert_status(vocabulary_new(&v, pieces, VOCABULARY_PIECES_MAX + 1, options, &err),
                  STATUS_TOO_LARGE);
    assert_ok(vocabulary_new(&v, pieces, 260, options, &err), err);
    vocabulary_free(v);
}
END_TEST

static char *written(const struct vocabulary *v, struct bytes *out)
{
    bytes_init(out, 1 << 20);
    assert_ok(vocabulary_write_tsv(v, out, &err), err);
    return out->data;
}

START_TEST(what_is_written_reads_the_same)
{
    struct vocabulary_options options = { _i & 1 ? FORM_NFC : FORM_NFKC, _i & 2 };
    struct vocabulary *v = make(options), *again;
    struct bytes text, text_again;
    written(v, &text);
    assert_ok(vocabulary_parse_tsv(&again, text.data, text.len, &err), err);
    ck_assert_int_eq(vocabulary_options(again).form, options.form);
    ck_assert_int_eq(vocabulary_options(again).casefold, options.casefold);
    ck_assert_str_eq(written(again, &text_again), text.data);
    vocabulary_free(v);
    vocabulary_free(again);
    bytes_release(&text);
    bytes_release(&text_again);
}
END_TEST

/* As a float it is a little more than as a double. */
START_TEST(the_largest_score_is_written_and_read)
{
    struct vocabulary *v, *again;
    struct bytes text;
    struct piece pieces[FIXED_PIECES + 1];
    const char *const he = "he";
    const int count = make_pieces(pieces, &he, 1);
    pieces[count - 1].score = 1e30f;
    assert_ok(vocabulary_new(&v, pieces, count, (struct vocabulary_options){ 0 }, &err), err);
    written(v, &text);
    assert_ok(vocabulary_parse_tsv(&again, text.data, text.len, &err), err);
    ck_assert_float_eq(vocabulary_piece(again, count - 1)->score, 1e30f);
    vocabulary_free(v);
    vocabulary_free(again);
    bytes_release(&text);
}
END_TEST

START_TEST(files_come_back_the_same)
{
    char folder[64], path[128];
    struct vocabulary *v = make((struct vocabulary_options){ FORM_NFC, true }), *again;
    snprintf(path, sizeof path, "%s/v.tsv", make_folder(folder));
    assert_ok(vocabulary_save_tsv(v, path, &err), err);
    assert_ok(vocabulary_load_tsv(&again, path, &err), err);
    ck_assert_int_eq(vocabulary_size(again), vocabulary_size(v));
    vocabulary_free(v);
    vocabulary_free(again);
    remove_folder(folder);
}
END_TEST

START_TEST(errors_of_a_file_name_it)
{
    char folder[64], path[128];
    struct vocabulary *v;
    snprintf(path, sizeof path, "%s/v.tsv", make_folder(folder));
    FILE *file = fopen(path, "w");
    fputs("0\t<pad>\t0\tcontrol\n2\t<unk>\t0\tunknown\n", file);
    fclose(file);
    assert_status(vocabulary_load_tsv(&v, path, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "v.tsv"));
    ck_assert_ptr_nonnull(strstr(err.text, "line 2"));
    assert_status(vocabulary_load_tsv(&v, "/nowhere/v.tsv", &err), STATUS_NOT_FOUND);
    ck_assert_ptr_null(v);
    remove_folder(folder);
}
END_TEST

/* A file with line 263 (after the header: id 261) replaced. */
static enum status parse_with(const char *line)
{
    struct vocabulary *v = make((struct vocabulary_options){ 0 }), *out;
    struct bytes text, changed;
    const char *at = written(v, &text);
    for (int i = 0; i < 262; i++)
        at = strchr(at, '\n') + 1;
    bytes_init(&changed, 1 << 20);
    bytes_append(&changed, text.data, (size_t)(at - text.data));
    bytes_append_text(&changed, line);
    bytes_append_text(&changed, strchr(at, '\n'));
    enum status status = vocabulary_parse_tsv(&out, changed.data, changed.len, &err);
    ck_assert((status == STATUS_OK) == (out != NULL));
    vocabulary_free(out);
    vocabulary_free(v);
    bytes_release(&text);
    bytes_release(&changed);
    return status;
}

static const char *const bad_lines[] = {
    "261\the\t-1",
    "261\the",
    "",
    "x",
    "\t\t\t",
    "260\the\t-1\tnormal",
    "262\the\t-1\tnormal",
    "261\the\tnan\tnormal",
    "261\the\tinf\tnormal",
    "261\the\t\tnormal",
    "261\the\t1e99\tnormal",
    "261\the\t0x10\tnormal",
    "261\the\t- 1\tnormal",
    "261\the\t-1\tNormal",
    "261\the\t-1\tnormal\t",
    "261\t\t-1\tnormal",
    "261\t▁t\t-1\tnormal",
    "261\the\t-1\tbyte",
    "261\t<0x41>\t-1\tbyte",
    "261\t<0x4g>\t-1\tbyte",
    "261\t\xFF\t-1\tnormal",
    "261.5\the\t-1\tnormal",
    "-261\the\t-1\tnormal",
    "99999999999999999999\the\t-1\tnormal",
    "1111111111111111111111111111111111111111111111111111111\the\t-1\tnormal",
};

START_TEST(bad_lines_are_refused)
{
    assert_status(parse_with(bad_lines[_i]), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(windows_line_ends_and_decimals_are_read)
{
    assert_status(parse_with("261\the\t-1.25e0\tnormal\r"), STATUS_OK);
}
END_TEST

START_TEST(a_strange_first_line_is_refused)
{
    static const char *const lines[] = {
        "#",
        "#verso-vocabulary",
        "#verso-vocabulary\tnfkc",
        "#verso-vocabulary\tnfd\tcased\n",
        "#verso-vocabulary\tnfc\tupper\n",
        "#other\tnfc\tcased\n",
    };
    struct vocabulary *v;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_status(vocabulary_parse_tsv(&v, lines[i], strlen(lines[i]), &err), STATUS_BAD_INPUT);
    assert_status(vocabulary_parse_tsv(&v, NULL, 0, &err), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(a_cut_file_is_refused_or_whole_lines)
{
    struct vocabulary *v = make((struct vocabulary_options){ 0 }), *out;
    struct bytes text;
    written(v, &text);
    for (size_t len = 0; len < text.len; len++) {
        char *copy = malloc(len + 1); // its own block, so that a sanitizer sees reads past it
        memcpy(copy, text.data, len);
        if (vocabulary_parse_tsv(&out, copy, len, &err) == STATUS_OK)
            ck_assert(text.data[len] == '\n' || text.data[len - 1] == '\n');
        else
            ck_assert_ptr_null(out);
        vocabulary_free(out);
        free(copy);
    }
    vocabulary_free(v);
    bytes_release(&text);
}
END_TEST

START_TEST(changed_bytes_never_crash_it)
{
    struct vocabulary *v = make((struct vocabulary_options){ 0 }), *out;
    struct rng rng = rng_make(11, 0);
    struct bytes text;
    written(v, &text);
    for (int round = 0; round < 3000; round++) {
        size_t at = rng_below(&rng, text.len);
        char before = text.data[at];
        text.data[at] = (char)rng_below(&rng, 256);
        if (vocabulary_parse_tsv(&out, text.data, text.len, &err) != STATUS_OK)
            ck_assert_ptr_null(out);
        vocabulary_free(out);
        text.data[at] = before;
    }
    vocabulary_free(v);
    bytes_release(&text);
}
END_TEST

START_TEST(huge_files_are_refused)
{
    size_t len = (64u << 20) + 1;
    struct vocabulary *v;
    char *text = malloc(len);
    memset(text, '\n', len);
    assert_status(vocabulary_parse_tsv(&v, text, len, &err), STATUS_TOO_LARGE);
    assert_status(vocabulary_parse_tsv(&v, text, VOCABULARY_PIECES_MAX + 1, &err),
                  STATUS_TOO_LARGE);
    free(text);
}
END_TEST

START_TEST(each_failing_allocation_is_survived)
{
    struct vocabulary *v = make((struct vocabulary_options){ 0 }), *out;
    struct bytes text;
    written(v, &text);
    long live = memory_live();
    for (long nth = 1;; nth++) {
        memory_fail_at(nth);
        enum status status = vocabulary_parse_tsv(&out, text.data, text.len, &err);
        bool failed = memory_failed();
        memory_fail_at(0);
        if (!failed) {
            assert_ok(status, err);
            vocabulary_free(out);
            break;
        }
        ck_assert_int_eq(status, STATUS_NO_MEMORY);
        ck_assert_ptr_null(out);
        ck_assert_int_eq(memory_live(), live);
    }
    vocabulary_free(v);
    bytes_release(&text);
}
END_TEST

static const struct test_case cases[] = {
    TEST(pieces_are_found_by_text_and_byte),
    TEST(pieces_are_copied),
    TEST_LOOP(what_is_wrong_with_a_piece_is_said, (int)(sizeof spoilt / sizeof spoilt[0])),
    TEST(too_few_and_too_many_pieces_are_refused),
    TEST_LOOP(what_is_written_reads_the_same, 4),
    TEST(the_largest_score_is_written_and_read),
    TEST(files_come_back_the_same),
    TEST(errors_of_a_file_name_it),
    TEST_LOOP(bad_lines_are_refused, (int)(sizeof bad_lines / sizeof bad_lines[0])),
    TEST(windows_line_ends_and_decimals_are_read),
    TEST(a_strange_first_line_is_refused),
    TEST(a_cut_file_is_refused_or_whole_lines),
    TEST(changed_bytes_never_crash_it),
    TEST(huge_files_are_refused),
    TEST(each_failing_allocation_is_survived),
};
TEST_MAIN("tokenizer/vocabulary", cases)
