/*
 * run_log.h - what a training did, one JSON object a line, for programs that draw curves.
 *
 *     struct run_log *log;
 *     status = run_log_open(&log, "run.jsonl", state, &err);
 *     status = run_log_update(log, progress, speed, &err);
 *     status = run_log_validation(log, validation, bleu, &err);
 *     status = run_log_trace(log, update, trace, &err);
 *     run_log_close(log);
 *
 *     {"update":1,"epoch":0.25,"loss":9.1,"rate":2e-06,"norm":4.2,"speed":4321,"skipped":false}
 *     {"update":4,"validation_loss":8.7,"bleu":0.3}
 *     {"update":1,"gradient_norms":[0.031,0.012,0.0047]}
 *
 * Epochs are done ones, a fraction included; losses are nats a piece, the rate
 * is the one of the step, the norm that of the gradient before clipping, the
 * speed pieces a second. Gradient norms are by distance in time, from 0 on: of
 * the loss of a sequence's last piece alone, the norm of its gradient at the
 * lowest recurrent layer's state so many steps before, root mean square over
 * sequences, with the weights that the update found. What is not a finite number is null. A line is in the
 * file before the update it tells of can be in a checkpoint.
 */
#ifndef SERVER_CMD_RUN_LOG_H
#define SERVER_CMD_RUN_LOG_H

#include "base/status.h"
#include "model/train/trainer.h"

#define RUN_LOG_LINE_MAX 8192 // bytes

struct run_log;

/* Appends; lines of what comes after `state` are cut off, which a training that goes on from it
 * will write again. STATUS_BAD_INPUT: the file is there and is no such log. */
MUST_CHECK enum status run_log_open(struct run_log **out, const char *path,
                                    const struct training_state *state, struct error *err);
void run_log_close(struct run_log *log); // NULL is fine

MUST_CHECK enum status run_log_update(struct run_log *log, const struct training_progress *progress,
                                      double speed, struct error *err);
/* `bleu` is NAN where it was not measured, and left out. */
MUST_CHECK enum status run_log_validation(struct run_log *log,
                                          const struct training_validation *validation, double bleu,
                                          struct error *err);
/* Up to the longest distance that a sequence had. */
MUST_CHECK enum status run_log_trace(struct run_log *log, int64_t update,
                                     const struct gradient_trace *trace, struct error *err);

#endif
