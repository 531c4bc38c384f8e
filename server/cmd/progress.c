/*
 * progress.c - a bar on a terminal, lines elsewhere, neither of them too often.
 */
#include "server/cmd/progress.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/clock.h"

#define TERMINAL_MS 100
#define LINE_MS 10000
#define TEXT_BYTES 200
#define BAR_CELLS 20
#define COLUMNS_USUAL 80
#define COLUMNS_MAX 400

static bool has_colour(void)
{
    const char *kind = getenv("TERM"), *no = getenv("NO_COLOR");
    return kind && strcmp(kind, "dumb") != 0 && !(no && *no);
}

struct progress progress_start(FILE *out, const char *label)
{
    bool terminal = out && isatty(fileno(out)) == 1;
    int64_t now = clock_now_ms();
    return (struct progress){
        .out = out,
        .label = label,
        .terminal = terminal,
        .colour = terminal && has_colour(),
        .next_ms = terminal ? now : now + LINE_MS,
        .first = -1,
    };
}

/* "1:02:03" left at the speed so far; nothing while that is a guess. */
static void time_left(const struct progress *p, double fraction, int64_t now, char out[32])
{
    double done = fraction - p->first, passed = (double)(now - p->start_ms) / 1000;
    out[0] = '\0';
    if (done <= 0.001 || passed < 2)
        return;
    double seconds = passed * (1 - fraction) / done;
    if (seconds < 0 || seconds > 1e7)
        return;
    int s = (int)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, 32, ", %d:%02d:%02d left", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, 32, ", %d:%02d left", s / 60, s % 60);
}

static int terminal_columns(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_USUAL;
    return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

/* "label [#####.....]  50 %  text", cut to the width so that it stays one line. */
static void draw_bar(struct progress *p, double fraction, const char *text, const char *left)
{
    char bar[BAR_CELLS + 1], line[COLUMNS_MAX];
    int done = (int)(fraction * BAR_CELLS);
    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', (size_t)done);
    bar[BAR_CELLS] = '\0';
    snprintf(line, (size_t)terminal_columns(p->out), "%s [%s] %3.0f %%  %s%s", p->label, bar,
             100 * fraction, text, left);
    fprintf(p->out, "\r%s%s%s\x1b[K", p->colour ? "\x1b[36m" : "", line,
            p->colour ? "\x1b[0m" : "");
    fflush(p->out);
    p->drawn = true;
}

void progress_show(struct progress *p, double fraction, const char *fmt, ...)
{
    if (!p->out)
        return;
    int64_t now = clock_now_ms();
    if (p->first < 0) {
        p->first = fraction > 0 ? fraction : 0;
        p->start_ms = now;
    }
    if (now < p->next_ms)
        return;
    char text[TEXT_BYTES], left[32];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fraction = fraction >= 0 ? fraction : 0; // also of a number that is none
    fraction = fraction <= 1 ? fraction : 1;
    time_left(p, fraction, now, left);
    if (p->terminal)
        draw_bar(p, fraction, text, left);
    else
        fprintf(p->out, "%s: %.0f %%, %s%s\n", p->label, 100 * fraction, text, left);
    p->next_ms = now + (p->terminal ? TERMINAL_MS : LINE_MS);
}

void progress_clear(struct progress *p)
{
    if (p->drawn)
        fputs("\r\x1b[K", p->out);
    p->drawn = false;
    if (p->terminal)
        p->next_ms = 0;
}

void progress_end(struct progress *p)
{
    progress_clear(p);
    if (p->out)
        fflush(p->out);
}
