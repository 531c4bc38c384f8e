/*
 * test_plot.c - verso plot as a person starts it.
 */
#include "tests/server/cmd/program.h"

static const char log_text[] = "{\"update\":1,\"epoch\":0.1,\"loss\":8.5,\"rate\":0.001,\"norm\":1,"
                               "\"speed\":9,\"skipped\":false}\n"
                               "{\"update\":2,\"epoch\":0.2,\"loss\":null,\"rate\":0.002,\"norm\":"
                               "1,\"speed\":9,\"skipped\":true}\n"
                               "{\"update\":2,\"gradient_norms\":[0.5,0.25]}\n"
                               "{\"update\":3,\"epoch\":0.3,\"loss\":7.5,\"rate\":0.003,\"norm\":1,"
                               "\"speed\":9,\"skipped\":false}\n"
                               "{\"update\":3,\"validation_loss\":7.75,\"bleu\":1.5}\n";

/* Of verso plot with these words, on run.jsonl. */
static struct said plot(const char *words, const char *text)
{
    program_write("run.jsonl", text, strlen(text));
    return run_verso(words, "", 0);
}

static struct bytes picture_of(const char *text)
{
    struct bytes svg;
    struct said said = plot("plot run.jsonl -o curve.svg", text);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    said_release(&said);
    program_read("curve.svg", &svg);
    return svg;
}

START_TEST(a_log_has_a_panel_for_each_thing_it_tells)
{
    program_setup();
    struct bytes svg = picture_of(log_text);
    ck_assert_ptr_nonnull(strstr(svg.data, ">training loss</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">validation loss</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">BLEU</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">learning rate</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">run</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, "<title>3: 1.5</title>"));
    bytes_release(&svg);
    program_teardown();
}
END_TEST

START_TEST(a_log_that_is_still_written_is_drawn_and_has_no_empty_panel)
{
    char cut[sizeof log_text];
    program_setup();
    snprintf(cut, sizeof cut, "%.*s", (int)(strstr(log_text, "{\"update\":3,\"val") - log_text + 9),
             log_text);
    struct bytes svg = picture_of(cut);
    ck_assert_ptr_null(strstr(svg.data, ">BLEU</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">training loss</text>"));
    bytes_release(&svg);
    program_teardown();
}
END_TEST

START_TEST(logs_share_the_panels_and_have_names)
{
    struct bytes svg;
    program_setup();
    program_write("b.jsonl", log_text, strlen(log_text));
    struct said said = plot("plot run.jsonl b.jsonl --name '<big>' -o two.svg", log_text);
    ck_assert_msg(said.code == 0, "%s", said.errors.data);
    program_read("two.svg", &svg);
    ck_assert_ptr_nonnull(strstr(svg.data, ">&lt;big&gt;</text>"));
    ck_assert_ptr_nonnull(strstr(svg.data, ">b</text>"));
    bytes_release(&svg);
    said_release(&said);
    program_teardown();
}
END_TEST

START_TEST(what_cannot_be_drawn_is_said_and_no_file_is_written)
{
    static const struct {
        const char *words, *text, *wanted;
        int code;
    } rows[] = {
        { "plot run.jsonl -o x.gif", log_text, "there are json, csv", 2 },
        { "plot run.jsonl", log_text, "--output", 2 },
        { "plot run.jsonl -o x.svg", "{\"a\":1}\n", "run.jsonl:1", 3 },
        { "plot run.jsonl -o x.svg", "no\n{\"update\":1,\"loss\":2}\n", "run.jsonl:1", 3 },
        { "plot run.jsonl -o x.svg", "", "no line", 3 },
        { "plot absent -o x.svg", "", "absent", 5 },
        { "plot run.jsonl --name a --name b -o x.svg", log_text, "2 names", 2 },
    };
    char path[128];
    program_setup();
    snprintf(path, sizeof path, "%s/x.svg", program_folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct said said = plot(rows[i].words, rows[i].text);
        ck_assert_msg(said.code == rows[i].code && strstr(said.errors.data, rows[i].wanted),
                      "%s: %d, %s", rows[i].words, said.code, said.errors.data);
        ck_assert_int_ne(access(path, F_OK), 0);
        said_release(&said);
    }
    program_teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_log_has_a_panel_for_each_thing_it_tells),
    TEST(a_log_that_is_still_written_is_drawn_and_has_no_empty_panel),
    TEST(logs_share_the_panels_and_have_names),
    TEST(what_cannot_be_drawn_is_said_and_no_file_is_written),
};
TEST_MAIN("server/cmd/plot", cases)
