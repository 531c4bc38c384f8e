/*
 * run_curves.h - the log of a training as curves.
 *
 *     struct run_curves curves = { 0 };
 *     status = run_curves_read(&curves, "run.jsonl", &err);
 *     ... curves.updates[i], curves.loss[i]
 *     run_curves_release(&curves);
 *
 * What a log has is in run_log.h. A last line that is cut short belongs to a
 * training that is still writing, and is left out.
 */
#ifndef SERVER_CMD_RUN_CURVES_H
#define SERVER_CMD_RUN_CURVES_H

#include "base/status.h"

#define RUN_UPDATES_MAX 10000000

struct run_curves {
    double *updates, *loss, *rate; // (count)
    double *smooth;                // (count) the mean loss of the updates around each
    int count, capacity;
    double *validated, *validation_loss, *bleu; // (validations) NAN where BLEU was not measured
    int validations, validation_capacity;
};

/* STATUS_BAD_INPUT: a line that is none of a training's log, or no line at all. On failure there is
 * nothing to release. */
MUST_CHECK enum status run_curves_read(struct run_curves *curves, const char *path,
                                       struct error *err);
void run_curves_release(struct run_curves *curves);

#endif
