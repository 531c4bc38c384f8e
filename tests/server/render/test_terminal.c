/*
 * test_terminal.c - the matrix in lines of characters.
 */
#include "tests/helpers.h"

#include "tests/server/render/example.h"
#include "tokenizer/display.h"

static struct error err;
static struct example x;

static const char *const mixed[] = { "a", "cafe\xCC\x81", "猫です", "👩‍👩‍👧",
                                     "incomprehensibilities" };

static struct bytes print(int width, bool colours)
{
    struct bytes out;
    bytes_init(&out, RENDER_BYTES_MAX);
    assert_ok(render_terminal(&x.view, width, colours, &out, &err), err);
    return out;
}

START_TEST(a_cell_stands_below_its_word_and_beside_its_row)
{
    static const char *const cats[] = { "A", "cat", "." };
    example_of(&x, cats, 3, 3, cats, 3, 2);
    struct bytes out = print(80, false);
    ck_assert_str_eq(out.data, "      A cat   . </s>\n"
                               "  A ███         ▒▒▒▒\n"
                               "cat ▒▒▒ ███         \n");
    bytes_release(&out);
}
END_TEST

START_TEST(all_lines_of_a_block_are_equally_wide_and_fit)
{
    example_of(&x, mixed, 5, 40, mixed, 5, 5);
    for (int width = 40; width <= 200; width += 7) {
        struct bytes out = print(width, false);
        int first = 0, lines = 0;
        for (char *at = out.data, *end; (end = strchr(at, '\n')); at = end + 1) {
            const int columns = text_columns(at, (size_t)(end - at));
            if (columns == 0)
                first = 0; // between two blocks
            else if (first == 0)
                first = columns;
            ck_assert_int_eq(columns, first);
            ck_assert_int_le(columns, width);
            lines++;
        }
        ck_assert_int_ge(lines, 6);
        bytes_release(&out);
    }
}
END_TEST

START_TEST(colours_are_ended_in_each_cell_and_come_with_the_weight)
{
    example_of(&x, mixed, 5, 2, mixed, 5, 1);
    struct bytes out = print(80, true);
    ck_assert_ptr_nonnull(strstr(out.data, "38;2;0;0;0m.75\x1b[0m"));
    ck_assert_ptr_nonnull(strstr(out.data, ".25"));
    bytes_release(&out);
}
END_TEST

START_TEST(a_token_cannot_speak_to_the_terminal)
{
    static const char *const evil[] = { "\x1b]0;title\x07", "a\nb\r", "\xE2\x80\xAE",
                                        "\x9b\xc2\x9b" };
    example_of(&x, evil, 4, 4, evil, 4, 4);
    struct bytes out = print(80, false);
    int lines = 0;
    for (size_t i = 0; i < out.len; i++) {
        lines += out.data[i] == '\n';
        ck_assert(out.data[i] == '\n' || (unsigned char)out.data[i] >= 0x20);
    }
    ck_assert_int_eq(lines, 5);
    ck_assert_ptr_null(strstr(out.data, "\xC2\x9b"));
    ck_assert_ptr_null(strstr(out.data, "\xE2\x80\xAE"));
    bytes_release(&out);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_cell_stands_below_its_word_and_beside_its_row),
    TEST(all_lines_of_a_block_are_equally_wide_and_fit),
    TEST(colours_are_ended_in_each_cell_and_come_with_the_weight),
    TEST(a_token_cannot_speak_to_the_terminal),
};
TEST_MAIN("server/render/terminal", cases)
