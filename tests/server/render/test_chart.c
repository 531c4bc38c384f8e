/*
 * test_chart.c - axes with round numbers, and lines where their points are.
 */
#include "tests/helpers.h"

#include "server/render/axis.h"
#include "server/render/chart.h"
#include "tests/server/render/example.h"

static struct error err;

/* ---- axes ---- */

static void assert_ticks(struct axis axis, const char *wanted)
{
    char all[400] = "", label[AXIS_LABEL_BYTES];
    for (int i = 0; i < axis.tick_count; i++) {
        axis_label(&axis, axis.ticks[i], label);
        strcat(strcat(all, i > 0 ? " " : ""), label);
        const double share = axis_share(&axis, axis.ticks[i]);
        ck_assert(share > -1e-6 && share < 1 + 1e-6);
    }
    ck_assert_str_eq(all, wanted);
}

START_TEST(ticks_are_at_round_numbers)
{
    assert_ticks(axis_of(1.3, 9.2, false), "0 2 4 6 8");
    assert_ticks(axis_of(2.4, 4.7, false), "2.5 3 3.5 4 4.5");
    assert_ticks(axis_of(0, 0.00097, false), "0 0.0002 0.0004 0.0006 0.0008 0.001");
    assert_ticks(axis_of(-3, 3, false), "-3 -2 -1 0 1 2 3");
    assert_ticks(axis_tight(0, 250000, false), "0 50k 100k 150k 200k 250k");
    assert_ticks(axis_tight(0, 8e6, false), "0 2M 4M 6M 8M");
    assert_ticks(axis_tight(1, 1e4, true), "1 10 100 1k 10k");
    assert_ticks(axis_tight(3, 30, true), "5 10 20");
    assert_ticks(axis_of(5, 5, false), "4.6 4.8 5 5.2 5.4");
    assert_ticks(axis_of(0, 0, false), "-0.4 -0.2 0 0.2 0.4");
}
END_TEST

START_TEST(an_axis_of_any_range_has_ticks_and_not_too_many)
{
    for (int exponent = -300; exponent <= 300; exponent += 7)
        for (int lead = 1; lead < 10; lead++) {
            const double high = lead * pow(10, exponent);
            struct axis axes[] = { axis_of(high / 3, high, false), axis_of(high / 3, high, true),
                                   axis_of(-high, high, false),
                                   axis_tight(high * 1e-5, high, true) };
            for (int i = 0; i < 4; i++)
                ck_assert_msg(axes[i].tick_count >= 1 && axes[i].tick_count < AXIS_TICKS_MAX,
                              "%g %d: %d", high, i, axes[i].tick_count);
        }
}
END_TEST

/* ---- charts ---- */

static const double xs[] = { 1, 2, 3, 4 };

static enum status draw(const double *y, int count, bool log_y, enum render_form form,
                        struct bytes *out)
{
    const struct chart_series series[] = {
        { .name = "<small>", .x = xs, .y = y, .count = count, .points = true },
        { .name = "large", .x = xs, .y = y, .count = count, .colour = 1 },
    };
    const struct chart_panel panel = { "loss", series, 2, log_y };
    const struct chart chart = {
        .title = "A & B", .x_title = "update", .panels = &panel, .panel_count = 1
    };
    bytes_init(out, RENDER_BYTES_MAX);
    return chart_render(&chart, form, false, out, &err);
}

static int occurrences(const struct bytes *out, const char *what)
{
    int count = 0;
    for (const char *at = out->data; (at = strstr(at, what)); at++)
        count++;
    return count;
}

START_TEST(a_chart_has_its_names_escaped_and_its_points)
{
    static const double y[] = { 1, 4, 2, 3 };
    struct bytes out;
    assert_ok(draw(y, 4, false, RENDER_SVG, &out), err);
    ck_assert_ptr_null(markup_wrong(out.data, out.len));
    ck_assert_ptr_nonnull(strstr(out.data, ">&lt;small&gt;</text>"));
    ck_assert_ptr_nonnull(strstr(out.data, ">A &amp; B</text>"));
    ck_assert_ptr_nonnull(strstr(out.data, ">update</text>"));
    ck_assert_ptr_nonnull(strstr(out.data, "<title>2: 4</title>"));
    ck_assert_int_eq(occurrences(&out, "<circle"), 4 + 1); // and one in the legend
    bytes_release(&out);
}
END_TEST

START_TEST(what_is_no_number_or_has_no_logarithm_is_a_gap)
{
    static const double y[] = { 1, NAN, 2, 3 }, zero[] = { 1, 0, 2, 3 };
    struct bytes with_nan, with_zero;
    assert_ok(draw(y, 4, false, RENDER_SVG, &with_nan), err);
    assert_ok(draw(zero, 4, true, RENDER_SVG, &with_zero), err);
    ck_assert_int_eq(occurrences(&with_nan, "<circle"), 3 + 1 + 2); // the lone points are dots
    ck_assert_int_eq(occurrences(&with_zero, "<circle"), 3 + 1 + 2);
    ck_assert_int_eq(occurrences(&with_nan, "r=\"2.6\""), 3 + 1 + 2); // as large as marked ones
    ck_assert_ptr_null(strstr(with_nan.data, "nan"));
    bytes_release(&with_nan);
    bytes_release(&with_zero);
}
END_TEST

START_TEST(a_long_line_keeps_its_extremes_and_not_its_points)
{
    enum { COUNT = 300000 };
    double *x = malloc(sizeof *x * COUNT), *y = malloc(sizeof *y * COUNT);
    for (int i = 0; i < COUNT; i++) {
        x[i] = i;
        y[i] = i == 123456 ? 100 : i == 200001 ? -100 : i % 7;
    }
    const struct chart_series series = { .name = "a", .x = x, .y = y, .count = COUNT };
    const struct chart_panel panel = { "y", &series, 1, false };
    const struct chart chart = { .x_title = "x", .panels = &panel, .panel_count = 1 };
    struct bytes out;
    bytes_init(&out, RENDER_BYTES_MAX);
    assert_ok(chart_render(&chart, RENDER_SVG, true, &out, &err), err);
    ck_assert_uint_lt(out.len, 100000);
    const char *line = strstr(out.data, "stroke-width=\"1.8\"");
    while (strncmp(line, "<path", 5) != 0)
        line--;
    double lowest = 1e9, highest = 0; // y is downwards
    for (const char *at = line + 9; *at != '"'; at++)
        if (*at == ' ') {
            lowest = fmin(lowest, atof(at));
            highest = fmax(highest, atof(at));
        }
    ck_assert_double_gt(highest - lowest, 340); // nearly all of the panel
    bytes_release(&out);
    free(x);
    free(y);
}
END_TEST

START_TEST(what_cannot_be_drawn_is_said)
{
    static const double none[] = { NAN, NAN }, y[] = { 1, 2 };
    struct bytes out;
    assert_status(draw(none, 2, false, RENDER_SVG, &out), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "loss"));
    assert_status(draw(y, 0, false, RENDER_SVG, &out), STATUS_BAD_INPUT);
    assert_status(draw(y, 2, false, RENDER_CSV, &out), STATUS_BAD_USAGE);
    const struct chart empty = { .x_title = "x" };
    assert_status(chart_render(&empty, RENDER_SVG, false, &out, &err), STATUS_BAD_INPUT);
    struct chart_series many[CHART_SERIES_MAX + 1] = {
        { .name = "a", .x = y, .y = y, .count = 2 }
    };
    const struct chart_panel panel = { "y", many, CHART_SERIES_MAX + 1, false };
    const struct chart chart = { .x_title = "x", .panels = &panel, .panel_count = 1 };
    assert_status(chart_render(&chart, RENDER_SVG, false, &out, &err), STATUS_TOO_LARGE);
    bytes_release(&out);
}
END_TEST

START_TEST(a_chart_is_a_png_too)
{
    static const double y[] = { 1, 4, 2, 3 };
    struct bytes out;
    assert_ok(draw(y, 4, false, RENDER_PNG, &out), err);
    ck_assert_mem_eq(out.data, "\x89PNG\r\n\x1a\n", 8);
    bytes_release(&out);
}
END_TEST

static const struct test_case cases[] = {
    TEST(ticks_are_at_round_numbers),
    TEST(an_axis_of_any_range_has_ticks_and_not_too_many),
    TEST(a_chart_has_its_names_escaped_and_its_points),
    TEST(what_is_no_number_or_has_no_logarithm_is_a_gap),
    TEST(a_long_line_keeps_its_extremes_and_not_its_points),
    TEST(what_cannot_be_drawn_is_said),
    TEST(a_chart_is_a_png_too),
};
TEST_MAIN("server/render/chart", cases)
