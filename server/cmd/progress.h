/*
 * progress.h - how far a long job is, for whoever waits for it.
 *
 *     struct progress p = progress_start(stderr, "training");
 *     progress_show(&p, 0.3, "epoch %d, loss %.3f", epoch, loss);       // as often as you like
 *     progress_clear(&p);                                               // before other output
 *     progress_end(&p);
 *
 * On a terminal: one line that is drawn over, ten times a second, with a bar
 * and the time left. Elsewhere: a plain line every ten seconds, so that a log
 * stays readable and a short job leaves none. Colour only on a terminal that
 * has it and without NO_COLOR. One thread.
 */
#ifndef SERVER_CMD_PROGRESS_H
#define SERVER_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/status.h"

struct progress {
    FILE *out;         // NULL: nothing is shown
    const char *label; // borrowed
    bool terminal, colour;
    bool drawn;       // there is a bar on the terminal's line
    int64_t start_ms; // of the first call
    int64_t next_ms;  // nothing is drawn before
    double first;     // fraction at the first call: a resumed job does not start at 0
};

struct progress progress_start(FILE *out, const char *label); // NULL: nothing is shown
/* fraction: 0 to 1 of the whole job. */
void progress_show(struct progress *p, double fraction, const char *fmt, ...) PRINTF_LIKE(3, 4);
void progress_clear(struct progress *p); // take the bar off the line; the next call draws it again
void progress_end(struct progress *p);

#endif
