/*
 * test_render.c - an alignment in its six forms, against files that were looked at.
 *
 * VERSO_GOLDEN=write writes the files of tests/golden/render anew.
 */
#include "tests/helpers.h"

#include <pthread.h>

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "tests/server/render/example.h"

static struct error err;
static struct example x;

static const char *const cats[] = { "A", "cat", "sleeps", "." };
static const char *const chats[] = { "Un", "chat", "dort", "." };

static const struct render_options plain = { 0 };

static void cat_example(void)
{
    example_of(&x, cats, 4, 4, chats, 4, 4);
}

static struct bytes draw(enum render_form form, const struct render_options *options)
{
    struct bytes out;
    bytes_init(&out, RENDER_BYTES_MAX);
    assert_ok(render_alignment(&x.view, form, options, &out, &err), err);
    return out;
}

static void assert_golden(const struct bytes *out, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/golden/render/%s", TESTS_DIR, name);
    if (getenv("VERSO_GOLDEN")) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        fwrite(out->data, 1, out->len, file);
        fclose(file);
    }
    struct bytes wanted;
    bytes_init(&wanted, RENDER_BYTES_MAX);
    assert_ok(bytes_read_file(&wanted, path, &err), err);
    ck_assert_msg(out->len == wanted.len && memcmp(out->data, wanted.data, out->len) == 0,
                  "not as in %s:\n%.*s", path, (int)out->len, out->data);
    bytes_release(&wanted);
}

/* ---- forms ---- */

START_TEST(each_form_is_as_the_file_that_was_looked_at)
{
    static const struct {
        enum render_form form;
        struct render_options options;
        const char *name;
    } rows[] = {
        { RENDER_JSON, { 0 }, "cat.json" },
        { RENDER_CSV, { 0 }, "cat.csv" },
        { RENDER_PHARAOH, { 0 }, "cat.txt" },
        { RENDER_SVG, { 0 }, "matrix.svg" },
        { RENDER_SVG, { .ribbons = true, .dark = true, .title = "a1-0" }, "ribbons-dark.svg" },
        { RENDER_HTML, { 0 }, "page.html" },
    };
    cat_example();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes out = draw(rows[i].form, &rows[i].options);
        assert_golden(&out, rows[i].name);
        bytes_release(&out);
    }
}
END_TEST

START_TEST(json_is_json_with_the_weights_and_none_for_a_word_without_link)
{
    json_t *root;
    cat_example();
    x.links[2] = -1;
    struct bytes out = draw(RENDER_JSON, &plain);
    assert_ok(json_parse(&root, out.data, out.len, &err), err);
    const json_t *rows = json_object_get(root, "alignment");
    ck_assert_uint_eq(json_array_size(rows), 4);
    ck_assert_uint_eq(json_array_size(json_array_get(rows, 1)), 5);
    ck_assert_double_eq(json_real_value(json_array_get(json_array_get(rows, 1), 0)), 0.25);
    ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(root, "links"), 2)), -1);
    json_decref(root);
    bytes_release(&out);
}
END_TEST

START_TEST(csv_keeps_quotes_commas_and_lines_inside_a_field)
{
    static const char *const odd[] = { "a\"b", "c,d", "e\nf" };
    example_of(&x, odd, 3, 3, odd, 3, 1);
    struct bytes out = draw(RENDER_CSV, &plain);
    ck_assert_str_eq(out.data, "\"\",\"a\"\"b\",\"c,d\",\"e\nf\",\"</s>\"\r\n"
                               "\"a\"\"b\",0.7500,0.0000,0.0000,0.2500\r\n");
    bytes_release(&out);
}
END_TEST

START_TEST(a_form_is_found_by_its_name_and_by_the_end_of_a_path)
{
    enum render_form form;
    for (int i = 0; i < RENDER_FORMS; i++) {
        char path[64];
        snprintf(path, sizeof path, "a.b/c.%s", render_form_name((enum render_form)i));
        assert_ok(render_form_of_path(&form, path, &err), err);
        ck_assert_int_eq(form, i);
        ck_assert_ptr_nonnull(strchr(render_form_type(form), '/'));
    }
    assert_ok(render_form_of_name(&form, "SVG", &err), err);
    assert_status(render_form_of_path(&form, "a.svg/b", &err), STATUS_BAD_USAGE);
    assert_status(render_form_of_name(&form, "gif", &err), STATUS_BAD_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "png"));
}
END_TEST

/* ---- what must not get through ---- */

static const char *const wicked[] = { "<script>alert(1)</script>",
                                      "\"onload='x()'",
                                      "]]>-->&amp;&#60;",
                                      "\x01\x1b[31m\x7f",
                                      "\xff\xc3(\xed\xa0\x80",
                                      "a\xE2\x80\xAE-b", // turns the direction
                                      "\xEF\xBF\xBF",
                                      "" };
#define WICKED 8

START_TEST(no_token_gets_out_of_its_text)
{
    static const enum render_form forms[] = { RENDER_SVG, RENDER_HTML };
    example_of(&x, wicked, WICKED, WICKED, wicked, WICKED, WICKED);
    x.view.source_language = "\"><script>\xff\x02";
    for (int i = 0; i < 4; i++) {
        const struct render_options options = { .ribbons = i & 1, .title = wicked[0] };
        struct bytes out = draw(forms[i / 2], &options);
        const char *wrong = markup_wrong(out.data, out.len);
        ck_assert_msg(!wrong, "%s in %s", wrong, out.data);
        const char *script = strstr(out.data, "<script>");
        if (forms[i / 2] == RENDER_SVG)
            ck_assert_ptr_null(script);
        else
            ck_assert_ptr_null(strstr(script + 1, "<script>")); // the page's own
        ck_assert_ptr_null(strstr(out.data, "\xE2\x80\xAE"));
        ck_assert_ptr_nonnull(strstr(out.data, "&lt;script&gt;alert(1)&lt;/scri"));
        ck_assert_ptr_nonnull(strstr(out.data, "\xE2\x90\x81\xE2\x90\x9B[31m\xE2\x90\xA1")); // ␁␛
        bytes_release(&out);
    }
}
END_TEST

START_TEST(json_and_csv_are_utf8_whatever_the_tokens_are)
{
    json_t *root;
    example_of(&x, wicked, WICKED, WICKED, wicked, WICKED, WICKED);
    struct bytes json = draw(RENDER_JSON, &plain), csv = draw(RENDER_CSV, &plain);
    assert_ok(json_parse(&root, json.data, json.len, &err), err);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(root, "source"), 3)),
                     "\x01\x1b[31m\x7f"); // a program gets what there is
    assert_ok(utf8_check(csv.data, csv.len, &err), err);
    json_decref(root);
    bytes_release(&json);
    bytes_release(&csv);
}
END_TEST

/* ---- pages ---- */

static void assert_hash_of(const char *page, const char *start, const char *end, const char *policy)
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    const char *from = strstr(page, start) + strlen(start), *to = strstr(from, end);
    ck_assert(sha256_of(from, (size_t)(to - from), digest));
    sha256_to_hex(digest, hex);
    /* The policy has it in base64: decode that. */
    const char *base64 = strstr(strstr(page, policy), "sha256-") + 7;
    uint32_t bits = 0;
    int have = 0, at = 0;
    for (; *base64 != '=' && *base64 != '\''; base64++) {
        static const char letters[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bits = bits << 6 | (uint32_t)(strchr(letters, *base64) - letters);
        have += 6;
        if (have >= 8) {
            have -= 8;
            ck_assert_uint_eq(bits >> have & 0xff, digest[at]);
            at++;
        }
    }
    ck_assert_int_eq(at, SHA256_BYTES);
}

START_TEST(a_page_lets_nothing_run_but_its_own_script_and_asks_for_nothing)
{
    cat_example();
    struct bytes out = draw(RENDER_HTML, &plain);
    ck_assert_ptr_nonnull(strstr(out.data, "default-src 'none'"));
    assert_hash_of(out.data, "<style>", "</style>", "style-src");
    assert_hash_of(out.data, "<script>", "</script>", "script-src");
    const char *address = strstr(out.data, "://"); // the name of SVG's elements is the only one
    ck_assert_ptr_null(strstr(address + 1, "://"));
    ck_assert_int_eq(strncmp(address, "://www.w3.org/2000/svg\"", 23), 0);
    ck_assert_ptr_null(strstr(out.data, " src="));
    ck_assert_ptr_null(strstr(out.data, "url("));
    ck_assert_ptr_null(strstr(out.data, "@import"));
    ck_assert_ptr_null(markup_wrong(out.data, out.len));
    bytes_release(&out);
}
END_TEST

/* ---- pictures ---- */

START_TEST(a_picture_says_in_words_what_it_shows)
{
    cat_example();
    struct bytes out = draw(RENDER_SVG, &plain);
    ck_assert_ptr_nonnull(strstr(out.data, "role=\"img\" aria-labelledby=\"title description\""));
    ck_assert_ptr_nonnull(strstr(out.data, "<title id=\"title\">Alignment, en to fr</title>"));
    ck_assert_ptr_nonnull(strstr(out.data, "Un - A (0.75); chat - cat (0.75);"));
    bytes_release(&out);
}
END_TEST

static double attribute(const char *text, const char *element, const char *name)
{
    char wanted[64];
    snprintf(wanted, sizeof wanted, " %s=\"", name);
    const char *at = strstr(text, element);
    ck_assert_msg(at != NULL, "no %s", element);
    return atof(strstr(at, wanted) + strlen(wanted));
}

START_TEST(brightness_is_the_weight)
{
    cat_example();
    struct bytes out = draw(RENDER_SVG, &plain);
    const char *cell = strstr(out.data, "<title>chat - cat: 0.75</title>");
    const char *other = strstr(out.data, "<title>chat - A: 0.25</title>");
    ck_assert(cell && other);
    unsigned bright, dark;
    ck_assert_int_eq(sscanf(cell - 9, "#%06x", &bright), 1);
    ck_assert_int_eq(sscanf(other - 9, "#%06x", &dark), 1);
    ck_assert_int_eq((int)(bright & 0xff), 196); // of 18 to 255;
    ck_assert_int_lt((int)(dark & 0xff), (int)(bright & 0xff));
    bytes_release(&out);
}
END_TEST

START_TEST(a_line_that_runs_from_right_to_left_is_drawn_so)
{
    static const char *const arabic[] = { "قطة", "نائمة", "1992" };
    for (int ribbons = 0; ribbons < 2; ribbons++) {
        const struct render_options options = { .ribbons = ribbons == 1 };
        example_of(&x, arabic, 3, 3, chats, 3, 3);
        struct bytes out = draw(RENDER_SVG, &options);
        const char *first = strstr(out.data, ribbons ? ">قطة</text>" : "قطة: coverage");
        const char *last = strstr(out.data, ribbons ? ">1992</text>" : "1992: coverage");
        ck_assert(first && last);
        while (strncmp(first, "<text", 5) != 0)
            first--;
        while (strncmp(last, "<text", 5) != 0)
            last--;
        const char *name = ribbons ? "x=\"" : "translate(";
        ck_assert_double_gt(atof(strstr(first, name) + strlen(name)),
                            atof(strstr(last, name) + strlen(name)));
        bytes_release(&out);
    }
}
END_TEST

START_TEST(from_one_token_to_the_limit_everything_is_inside_the_picture)
{
    static const int counts[][2] = { { 0, 0 },  { 0, 3 },  { 3, 0 },     { 1, 1 },  { 2, 2 },
                                     { 60, 7 }, { 7, 60 }, { 120, 120 }, { 31, 31 } };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int ribbons = 0; ribbons < 2; ribbons++) {
            const struct render_options options = { .ribbons = ribbons == 1 };
            example_of(&x, cats, 4, counts[i][0], chats, 4, counts[i][1]);
            struct bytes out = draw(RENDER_SVG, &options);
            const double width = attribute(out.data, "<svg", "width");
            const double height = attribute(out.data, "<svg", "height");
            for (const char *at = strstr(out.data, "<rect x"); at; at = strstr(at + 1, "<rect x")) {
                ck_assert_double_ge(attribute(at, "<rect", "x"), 0);
                ck_assert_double_le(attribute(at, "<rect", "x") + attribute(at, "<rect", "width"),
                                    width);
                ck_assert_double_le(attribute(at, "<rect", "y") + attribute(at, "<rect", "height"),
                                    height);
            }
            bytes_release(&out);
        }
}
END_TEST

START_TEST(the_lines_behind_many_tokens_are_behind_the_words)
{
    int lines = 0;
    example_of(&x, cats, 4, 31, chats, 4, 31);
    struct bytes out = draw(RENDER_SVG, &plain);
    const char *words = strstr(out.data, "<rect x");
    const double left = attribute(words, "<rect", "x");
    const double right = left + attribute(words, "<rect", "width");
    for (const char *at = out.data; (at = strstr(at, " d=\"M")); at++, lines++) {
        double from, to;
        ck_assert_int_eq(sscanf(at, " d=\"M%lf %*fL%lf", &from, &to), 2);
        ck_assert_double_ge(from, left);
        ck_assert_double_le(to, right + 0.1);
    }
    ck_assert_int_eq(lines, 6 + 6);
    bytes_release(&out);
}
END_TEST

START_TEST(a_model_without_attention_is_said_to_have_no_weights)
{
    cat_example();
    memset(x.weights, 0, sizeof x.weights);
    struct bytes out = draw(RENDER_SVG, &plain);
    ck_assert_ptr_nonnull(strstr(out.data, "no attention"));
    bytes_release(&out);
}
END_TEST

START_TEST(weights_that_are_no_numbers_are_drawn_as_none)
{
    cat_example();
    for (int i = 0; i < 20; i++)
        x.weights[i] = i % 2 ? NAN : INFINITY;
    for (int form = RENDER_HTML; form <= RENDER_PNG; form++)
        for (int ribbons = 0; ribbons < 2; ribbons++) {
            const struct render_options options = { .ribbons = ribbons == 1 };
            struct bytes out = draw((enum render_form)form, &options);
            ck_assert_ptr_null(memmem(out.data, out.len, "nan", 3));
            bytes_release(&out);
        }
}
END_TEST

/* ---- limits ---- */

START_TEST(more_tokens_than_a_picture_shows_are_refused_with_what_to_do)
{
    struct bytes out;
    example_of(&x, cats, 4, 121, chats, 4, 3);
    bytes_init(&out, RENDER_BYTES_MAX);
    for (int form = RENDER_HTML; form <= RENDER_PNG; form++)
        assert_status(render_alignment(&x.view, (enum render_form)form, &plain, &out, &err),
                      STATUS_TOO_LARGE);
    ck_assert_msg(strstr(err.text, "121") && strstr(err.text, "csv"), "%s", err.text);
    assert_ok(render_alignment(&x.view, RENDER_CSV, &plain, &out, &err), err);
    bytes_release(&out);
}
END_TEST

START_TEST(what_does_not_fit_is_said)
{
    struct bytes out;
    cat_example();
    for (int form = 0; form < RENDER_FORMS; form++) {
        bytes_init(&out, 10);
        assert_status(render_alignment(&x.view, (enum render_form)form, &plain, &out, &err),
                      STATUS_TOO_LARGE);
        bytes_release(&out);
    }
}
END_TEST

START_TEST(a_failed_allocation_is_a_status)
{
    cat_example();
    for (int form = 0; form < RENDER_FORMS; form++) {
        int failures = 0;
        for (long nth = 1;; nth++) {
            struct bytes out;
            bytes_init(&out, RENDER_BYTES_MAX);
            const long live = memory_live();
            memory_fail_at(nth);
            const enum status status =
                render_alignment(&x.view, (enum render_form)form, &plain, &out, &err);
            const bool failed = memory_failed();
            memory_fail_at(0);
            bytes_release(&out);
            ck_assert_int_eq(memory_live(), live);
            if (!failed)
                break;
            ck_assert_msg(status == STATUS_NO_MEMORY, "%s, %ld: %s",
                          render_form_name((enum render_form)form), nth, status_name(status));
            failures++;
        }
        ck_assert_int_gt(failures, 0);
    }
}
END_TEST

/* ---- threads ---- */

#define THREADS 6
#define ROUNDS 4

struct rendering {
    const struct bytes *wanted; // (RENDER_FORMS)
    bool same;
};

static void *render_all(void *context)
{
    struct rendering *r = context;
    r->same = true;
    for (int i = 0; i < ROUNDS * RENDER_FORMS; i++) {
        const enum render_form form = (enum render_form)(i % RENDER_FORMS);
        struct bytes out;
        struct error why;
        bytes_init(&out, RENDER_BYTES_MAX);
        r->same &= render_alignment(&x.view, form, &plain, &out, &why) == STATUS_OK &&
                   out.len == r->wanted[form].len &&
                   memcmp(out.data, r->wanted[form].data, out.len) == 0;
        bytes_release(&out);
    }
    return NULL;
}

START_TEST(several_threads_at_once_get_the_same_bytes)
{
    struct bytes wanted[RENDER_FORMS];
    struct rendering renderings[THREADS];
    pthread_t threads[THREADS];
    cat_example();
    for (int i = 0; i < RENDER_FORMS; i++)
        wanted[i] = draw((enum render_form)i, &plain);
    for (int i = 0; i < THREADS; i++) {
        renderings[i].wanted = wanted;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, render_all, &renderings[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        ck_assert(renderings[i].same);
    for (int i = 0; i < RENDER_FORMS; i++)
        bytes_release(&wanted[i]);
}
END_TEST

static const struct test_case cases[] = {
    TEST(each_form_is_as_the_file_that_was_looked_at),
    TEST(json_is_json_with_the_weights_and_none_for_a_word_without_link),
    TEST(csv_keeps_quotes_commas_and_lines_inside_a_field),
    TEST(a_form_is_found_by_its_name_and_by_the_end_of_a_path),
    TEST(no_token_gets_out_of_its_text),
    TEST(json_and_csv_are_utf8_whatever_the_tokens_are),
    TEST(a_page_lets_nothing_run_but_its_own_script_and_asks_for_nothing),
    TEST(a_picture_says_in_words_what_it_shows),
    TEST(brightness_is_the_weight),
    TEST(a_line_that_runs_from_right_to_left_is_drawn_so),
    TEST(from_one_token_to_the_limit_everything_is_inside_the_picture),
    TEST(the_lines_behind_many_tokens_are_behind_the_words),
    TEST(a_model_without_attention_is_said_to_have_no_weights),
    TEST(weights_that_are_no_numbers_are_drawn_as_none),
    TEST(more_tokens_than_a_picture_shows_are_refused_with_what_to_do),
    TEST(what_does_not_fit_is_said),
    TEST(a_failed_allocation_is_a_status),
    TEST(several_threads_at_once_get_the_same_bytes),
};
TEST_MAIN("server/render/render", cases)
