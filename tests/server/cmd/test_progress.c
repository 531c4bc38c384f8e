/*
 * test_progress.c - what a job says of itself into a file and on a terminal.
 */
#include "server/cmd/progress.c"

#include <fcntl.h>
#include "tests/helpers.h"

START_TEST(a_short_job_leaves_nothing_in_a_log)
{
    char text[256] = "";
    FILE *file = tmpfile();
    struct progress p = progress_start(file, "counting");
    for (int i = 0; i <= 1000; i++)
        progress_show(&p, i / 1000.0, "%d of 1000", i);
    progress_end(&p);
    rewind(file);
    ck_assert_uint_eq(fread(text, 1, sizeof text - 1, file), 0);
    fclose(file);
}
END_TEST

START_TEST(a_long_job_says_a_line_every_ten_seconds)
{
    char text[256] = "";
    FILE *file = tmpfile();
    struct progress p = progress_start(file, "counting");
    for (int second = 1; second <= 25; second++) {
        p.start_ms -= 1000; // as if a second had passed
        p.next_ms -= 1000;
        progress_show(&p, second / 50.0, "%d", second);
    }
    progress_end(&p);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    ck_assert_str_eq(text, "counting: 20 %, 10, 0:40 left\ncounting: 40 %, 20, 0:30 left\n");
    fclose(file);
}
END_TEST

/* All that a terminal of `columns` gets. */
static void show_on_terminal(int columns, const char *text, char out[4096])
{
    struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    ck_assert_int_eq(ioctl(master, TIOCSWINSZ, &size), 0);
    FILE *file = fopen(ptsname(master), "w");
    ck_assert_ptr_nonnull(file);
    struct progress p = progress_start(file, "work");
    progress_show(&p, 0.25, "%s", text);
    progress_show(&p, 0.26, "not drawn: it is too early");
    progress_clear(&p);
    progress_show(&p, 1.5, "%s", text);
    progress_end(&p);
    fclose(file);
    size_t len = 0;
    for (ssize_t got; (got = read(master, out + len, 4095 - len)) > 0;) // ends with EIO
        len += (size_t)got;
    out[len] = '\0';
    close(master);
}

START_TEST(a_terminal_has_a_bar_that_goes_away)
{
    char out[4096];
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    show_on_terminal(80, "text", out);
    ck_assert_str_eq(out, "\rwork [#####...............]  25 %  text\x1b[K\r\x1b[K"
                          "\rwork [####################] 100 %  text\x1b[K\r\x1b[K");
}
END_TEST

START_TEST(colour_is_only_where_it_is_welcome)
{
    char out[4096];
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    show_on_terminal(80, "text", out);
    ck_assert_ptr_nonnull(strstr(out, "\x1b[36m"));
    setenv("TERM", "dumb", 1);
    show_on_terminal(80, "text", out);
    ck_assert_ptr_null(strstr(out, "\x1b[36m"));
    setenv("TERM", "xterm", 1);
    setenv("NO_COLOR", "1", 1);
    show_on_terminal(80, "text", out);
    ck_assert_ptr_null(strstr(out, "\x1b[36m"));
}
END_TEST

START_TEST(a_bar_stays_within_its_terminal)
{
    char out[4096];
    setenv("NO_COLOR", "1", 1);
    show_on_terminal(30, "a text that is much too long for so narrow a terminal", out);
    ck_assert_ptr_nonnull(strstr(out, "\rwork [#####...............] "));
    ck_assert_uint_le(strcspn(out + 1, "\x1b"), 29);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_short_job_leaves_nothing_in_a_log), TEST(a_long_job_says_a_line_every_ten_seconds),
    TEST(a_terminal_has_a_bar_that_goes_away), TEST(colour_is_only_where_it_is_welcome),
    TEST(a_bar_stays_within_its_terminal),
};
TEST_MAIN("server/cmd/progress", cases)
