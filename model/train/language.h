/*
 * language.h - the task of predicting what comes next: a long text, lm's loss.
 *
 *     struct language_task *language;
 *     status = language_task_new(&language, &config, train, valid, options, &err);
 *     status = trainer_new(&trainer, &options, &language->task, &err);
 *     ...
 *     language_task_free(language);
 *
 * The training text, lines with </s> behind each, is cut into `streams` parts
 * of equal length that are read side by side, `horizon` pieces at a time:
 *
 *     stream 0  |-- chunk 0 --|-- chunk 1 --|-- ...     a batch is a chunk of every stream
 *     stream 1  |-- chunk 0 --|-- chunk 1 --|-- ...
 *
 * A chunk starts from the states that the one before it left (task.carried, a
 * row a stream), gradients end at its edge, and an epoch starts from zeros.
 * All pieces are predicted once an epoch; what stands before the first is </s>.
 *
 * The validation text is read in the same way with the states carried on, in
 * as many streams as it is long enough for and whole to the last piece, so its
 * loss does not depend on threads or on the training's streams and horizon.
 */
#ifndef MODEL_TRAIN_LANGUAGE_H
#define MODEL_TRAIN_LANGUAGE_H

#include "model/lm.h"
#include "model/train/piece_stream.h"
#include "model/train/task.h"

#define STREAMS_MAX 4096
#define HORIZON_MAX 4096

struct language_options {
    int streams; // 1..STREAMS_MAX, and at most the pieces there are
    int horizon; // T, 1..HORIZON_MAX
};

struct language_task {
    struct task task; // first, see task.h
    struct lm shape;
    const struct piece_stream *train, *valid;
    struct language_options options;
    int valid_streams;
    int64_t chunk; // the current one
    real *states;  // (2,streams,state width): carried and carried_next
};

/* The texts are borrowed until language_task_free. */
MUST_CHECK enum status language_task_new(struct language_task **out, const struct config *config,
                                         const struct piece_stream *train,
                                         const struct piece_stream *valid,
                                         struct language_options options, struct error *err);
void language_task_free(struct language_task *language); // NULL is fine

#endif
