/*
 * language.c - what the trainer asks, answered by chunks of streams and lm.
 */
#include "model/train/language.h"

#include <string.h>

#include "base/memory.h"

#define ID_END 3              // </s>
#define VALID_HORIZON 64      // for memory alone: states are carried on
#define VALID_BATCH_STREAMS 8 // of a validation batch
#define VALID_STREAMS_MAX 64
#define VALID_STREAM_PIECES 2048 // a stream has at least so many, if there is more than one

static const struct language_task *of(const struct task *task)
{
    return (const struct language_task *)(const void *)task;
}

/* ---- where streams and chunks are ---- */

struct text { // a text in `streams` parts, `horizon` pieces at a time
    const int32_t *ids;
    int64_t count;
    int streams, horizon;
};

static struct text training_text(const struct language_task *t)
{
    return (struct text){ piece_stream_ids(t->train), piece_stream_count(t->train),
                          t->options.streams, t->options.horizon };
}

static struct text validation_text(const struct language_task *t)
{
    return (struct text){ piece_stream_ids(t->valid), piece_stream_count(t->valid),
                          t->valid_streams, VALID_HORIZON };
}

static int64_t stream_start(const struct text *text, int64_t stream)
{
    const int64_t whole = text->count / text->streams, left = text->count % text->streams;
    return stream * whole + (stream < left ? stream : left);
}

static int64_t chunk_count(const struct text *text)
{
    const int64_t longest = stream_start(text, 1);
    return (longest + text->horizon - 1) / text->horizon;
}

/* Predictions of a stream in a chunk: all but the last chunk are full. */
static int chunk_len(const struct text *text, int64_t chunk, int stream)
{
    const int64_t left =
        stream_start(text, stream + 1) - stream_start(text, stream) - chunk * text->horizon;
    return left <= 0 ? 0 : left < text->horizon ? (int)left : text->horizon;
}

static int row_count(struct rows rows, int all)
{
    return rows.first >= all ? 0 : (all - rows.first - 1) / rows.stride + 1;
}

/* ---- a batch of some streams ---- */

struct room { // (B) rows of T
    int32_t *ids;
    int *len;
    real *state, *last_state;
};

static void lay_out(struct room *room, const struct lm *lm, int B, int T, struct arena *arena)
{
    const size_t rows = (size_t)B, width = (size_t)lm_state_width(lm);
    room->ids = arena_array(arena, int32_t, rows * ((size_t)T + 1));
    room->len = arena_array(arena, int, rows);
    room->state = arena_array(arena, real, rows * width);
    room->last_state = arena_array(arena, real, rows * width);
}

static size_t batch_bytes(const struct lm *lm, int B, int T)
{
    struct arena measure = arena_measure();
    struct room room;
    if (B == 0)
        return 0;
    lay_out(&room, lm, B, T, &measure);
    return measure.used + lm_loss_bytes(lm, B, T);
}

/* Row r is stream first + r stride. The piece before a stream's first is read too. */
static struct lm_batch fill(const struct room *room, const struct text *text, int64_t chunk,
                            struct rows rows, int B)
{
    const int T = chunk_len(text, chunk, 0); // the first stream is one of the longest
    for (int r = 0; r < B; r++) {
        const int stream = rows.first + r * rows.stride;
        const int64_t from = stream_start(text, stream) + chunk * text->horizon;
        int32_t *ids = room->ids + (size_t)r * ((size_t)T + 1);
        room->len[r] = chunk_len(text, chunk, stream);
        memset(ids, 0, ((size_t)T + 1) * sizeof *ids);
        ids[0] = from > 0 ? text->ids[from - 1] : ID_END;
        memcpy(ids + 1, text->ids + from, (size_t)room->len[r] * sizeof *ids);
    }
    return (struct lm_batch){ .ids = room->ids,
                              .len = room->len,
                              .state = room->state,
                              .last_state = room->last_state,
                              .B = B,
                              .T = T };
}

/* ---- training ---- */

static enum status position(struct task *task, int64_t epoch, int64_t batch, struct task_batch *out,
                            struct error *err)
{
    struct language_task *t = (struct language_task *)(void *)task;
    const struct text text = training_text(t);
    const int64_t chunks = chunk_count(&text);
    (void)epoch;
    (void)err;
    t->chunk = batch;
    if (batch == 0)
        memset(task->carried, 0, task->carried_count * sizeof(real));
    *out = (struct task_batch){ .epoch_before = (double)batch / (double)chunks,
                                .ends_epoch = batch + 1 == chunks };
    for (int s = 0; s < t->options.streams; s++) {
        const int len = chunk_len(&text, batch, s);
        out->pieces += len;
        out->examples += len > 0;
    }
    return STATUS_OK;
}

static size_t bytes(const struct task *task, struct rows rows)
{
    const struct language_task *t = of(task);
    return batch_bytes(&t->shape, row_count(rows, t->options.streams), t->options.horizon);
}

/* Rows of the carried states, in or out. */
static void copy_states(const struct language_task *t, struct rows rows, int B, bool out,
                        real *carried, real *dense)
{
    const size_t width = (size_t)lm_state_width(&t->shape);
    for (int r = 0; r < B; r++) {
        real *row = carried + (size_t)(rows.first + r * rows.stride) * width;
        real *mine = dense + (size_t)r * width;
        memcpy(out ? row : mine, out ? mine : row, width * sizeof(real));
    }
}

static enum status loss(const struct task *task, const struct weights *weights, struct rows rows,
                        const struct loss_options *options, struct arena *arena, real *gradients,
                        struct loss *out, struct error *err)
{
    const struct language_task *t = of(task);
    const struct text text = training_text(t);
    const int B = row_count(rows, t->options.streams);
    struct room room;
    *out = (struct loss){ 0 };
    if (B == 0)
        return STATUS_OK;
    lay_out(&room, &t->shape, B, t->options.horizon, arena);
    if (!room.last_state)
        return error_set(err, STATUS_NO_MEMORY, "the rows of a chunk do not fit");
    copy_states(t, rows, B, false, task->carried, room.state);
    const struct lm_batch batch = fill(&room, &text, t->chunk, rows, B);
    enum status status = lm_loss(&t->shape, weights, &batch, options, arena, gradients, out, err);
    if (status == STATUS_OK)
        copy_states(t, rows, B, true, task->carried_next, room.last_state);
    return status;
}

/* ---- validation ---- */

static struct rows valid_rows(const struct language_task *t, int i, int *B)
{
    const int first = i * VALID_BATCH_STREAMS, left = t->valid_streams - first;
    *B = left < VALID_BATCH_STREAMS ? left : VALID_BATCH_STREAMS;
    return (struct rows){ .first = first, .stride = 1 };
}

static size_t valid_bytes(const struct task *task, int i)
{
    const struct language_task *t = of(task);
    int B;
    (void)valid_rows(t, i, &B);
    return batch_bytes(&t->shape, B, VALID_HORIZON);
}

static enum status valid_loss(const struct task *task, const struct weights *weights, int i,
                              struct arena *arena, struct loss *out, struct error *err)
{
    const struct language_task *t = of(task);
    const struct text text = validation_text(t);
    const struct loss_options options = { .scale = 1 };
    enum status status = STATUS_OK;
    struct room room;
    int B;
    const struct rows rows = valid_rows(t, i, &B);
    *out = (struct loss){ 0 };
    lay_out(&room, &t->shape, B, VALID_HORIZON, arena);
    if (!room.last_state)
        return error_set(err, STATUS_NO_MEMORY, "the rows of a chunk do not fit");
    memset(room.state, 0, (size_t)B * (size_t)lm_state_width(&t->shape) * sizeof(real));
    for (int64_t chunk = 0; chunk < chunk_count(&text) && status == STATUS_OK; chunk++) {
        struct loss part;
        const struct lm_batch batch = fill(&room, &text, chunk, rows, B);
        status = lm_loss(&t->shape, weights, &batch, &options, arena, NULL, &part, err);
        if (status != STATUS_OK)
            break;
        out->nats += part.nats;
        out->smoothed += part.smoothed;
        out->pieces += part.pieces;
        real *left = room.last_state;
        room.last_state = room.state;
        room.state = left;
    }
    return status;
}

/* ---- life cycle ---- */

static enum status describe(const struct task *task, json_t *settings, struct error *err)
{
    const struct language_task *t = of(task);
    const char *train = piece_stream_digest(t->train), *valid = piece_stream_digest(t->valid);
    int failed = json_object_set_new(settings, "streams", json_integer(t->options.streams));
    failed |= json_object_set_new(settings, "bptt", json_integer(t->options.horizon));
    failed |= json_object_set_new(settings, "training data", json_string(train));
    failed |= json_object_set_new(settings, "validation data", json_string(valid));
    return failed ? error_set(err, STATUS_NO_MEMORY, "no memory for the training's settings")
                  : STATUS_OK;
}

static void free_task(struct task *task)
{
    language_task_free((struct language_task *)(void *)task);
}

static const struct task_kind kind = {
    .position = position,
    .bytes = bytes,
    .loss = loss,
    .valid_bytes = valid_bytes,
    .valid_loss = valid_loss,
    .describe = describe,
    .free = free_task,
};

static enum status check(const struct config *config, const struct piece_stream *train,
                         const struct piece_stream *valid, struct language_options options,
                         struct error *err)
{
    const int64_t pieces = piece_stream_count(train);
    if (options.streams < 1 || options.streams > STREAMS_MAX || options.horizon < 1 ||
        options.horizon > HORIZON_MAX)
        return error_set(err, STATUS_BAD_INPUT,
                         "%d streams with a horizon of %d: there are 1 to %d streams and "
                         "horizons of 1 to %d",
                         options.streams, options.horizon, STREAMS_MAX, HORIZON_MAX);
    if (pieces < options.streams)
        return error_set(err, STATUS_BAD_INPUT,
                         "the training text has %lld pieces, too few to read as %d streams side by "
                         "side: use fewer, or more text",
                         (long long)pieces, options.streams);
    if (piece_stream_count(valid) == 0)
        return error_set(err, STATUS_BAD_INPUT, "the validation text is empty");
    return config_check(config, err);
}

static int streams_for(int64_t pieces)
{
    const int64_t streams = pieces / VALID_STREAM_PIECES;
    return streams < 1 ? 1 : streams > VALID_STREAMS_MAX ? VALID_STREAMS_MAX : (int)streams;
}

enum status language_task_new(struct language_task **out, const struct config *config,
                              const struct piece_stream *train, const struct piece_stream *valid,
                              struct language_options options, struct error *err)
{
    *out = NULL;
    enum status status = check(config, train, valid, options, err);
    if (status != STATUS_OK)
        return status;
    struct language_task *t = memory_zeroed(1, sizeof *t);
    if (!t)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a language task");
    lm_init(&t->shape, config);
    t->train = train;
    t->valid = valid;
    t->options = options;
    t->valid_streams = streams_for(piece_stream_count(valid));
    const size_t carried = (size_t)options.streams * (size_t)lm_state_width(&t->shape);
    t->states = memory_zeroed(2 * carried, sizeof *t->states);
    if (!t->states) {
        language_task_free(t);
        return error_set(err, STATUS_NO_MEMORY, "no memory for the states of %d streams",
                         options.streams);
    }
    t->task = (struct task){
        .kind = &kind,
        .config = &t->shape.config,
        .params = &t->shape.params,
        .valid_count = (t->valid_streams + VALID_BATCH_STREAMS - 1) / VALID_BATCH_STREAMS,
        .carried = t->states,
        .carried_next = t->states + carried,
        .carried_count = carried,
    };
    *out = t;
    return STATUS_OK;
}

void language_task_free(struct language_task *t)
{
    if (!t)
        return;
    memory_free(t->states);
    memory_free(t);
}
