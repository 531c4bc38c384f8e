/*
 * test_without_fonts.c - a machine that has no font: pictures have boxes for letters.
 *
 * A program of its own, for fonts are looked for once.
 */
#include "tests/helpers.h"

#include "tests/server/render/example.h"

static struct error err;
static struct example x;

static void hide_fonts(const char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/fonts.conf", folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n"
            "<fontconfig><dir>%s/none</dir><cachedir>%s/cache</cachedir></fontconfig>\n",
            folder, folder);
    fclose(file);
    setenv("FONTCONFIG_FILE", path, 1);
}

START_TEST(without_fonts_a_picture_is_drawn_all_the_same)
{
    static const char *const words[] = { "cat", "قطة", "猫", "हस्ताक्षर", "🙂", "\xff" };
    char folder[64];
    make_folder(folder);
    hide_fonts(folder);
    example_of(&x, words, 6, 6, words, 6, 6);
    for (int ribbons = 0; ribbons < 2; ribbons++) {
        const struct render_options options = { .ribbons = ribbons == 1 };
        struct bytes out;
        bytes_init(&out, RENDER_BYTES_MAX);
        assert_ok(render_alignment(&x.view, RENDER_PNG, &options, &out, &err), err);
        ck_assert_uint_gt(out.len, 1000);
        ck_assert_mem_eq(out.data, "\x89PNG\r\n\x1a\n", 8);
        bytes_release(&out);
    }
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(without_fonts_a_picture_is_drawn_all_the_same),
};
TEST_MAIN("server/render/without_fonts", cases)
