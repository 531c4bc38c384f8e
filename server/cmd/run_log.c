/*
 * run_log.c - lines of JSON, and where in a file those of later updates begin.
 */
#include "server/cmd/run_log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"

#define LOSS_DIGITS 7
#define TRACE_DIGITS 5
#define SPEED_DIGITS 6

struct run_log {
    char *path;
    int fd;
};

static enum status cannot(const char *what, const char *path, struct error *err)
{
    return error_set(err, STATUS_IO, "cannot %s the log %s: %s", what, path, strerror(errno));
}

/* ---- what is there already ---- */

enum line_kind { LINE_KEPT, LINE_LATER, LINE_UNKNOWN };

static enum line_kind kind_of(const char *line, const struct training_state *state)
{
    json_t *root;
    enum line_kind kind = LINE_UNKNOWN;
    if (json_parse(&root, line, strlen(line), NULL) != STATUS_OK)
        return kind;
    const json_t *update = json_object_get(root, "update");
    const bool validation = json_object_get(root, "validation_loss") != NULL;
    if (json_is_integer(update))
        kind = json_integer_value(update) > (validation ? state->validated_at : state->updates)
                   ? LINE_LATER
                   : LINE_KEPT;
    json_decref(root);
    return kind;
}

/* Bytes of the lines to keep. A last line that is cut short belongs to a training that was
 * killed. */
static enum status find_end(FILE *file, const char *path, const struct training_state *state,
                            off_t *end, struct error *err)
{
    char line[RUN_LOG_LINE_MAX + 2];
    *end = 0;
    while (fgets(line, sizeof line, file)) {
        const size_t len = strlen(line);
        const bool whole = len > 0 && line[len - 1] == '\n';
        const enum line_kind kind = whole ? kind_of(line, state) : LINE_LATER;
        if (kind == LINE_UNKNOWN || (!whole && line[0] != '{'))
            return error_set(err, STATUS_BAD_INPUT,
                             "%s is there and is not the log of a training: give another file",
                             path);
        if (kind == LINE_LATER)
            break;
        *end += (off_t)len;
    }
    return ferror(file) ? cannot("read", path, err) : STATUS_OK;
}

static enum status cut_back(struct run_log *log, const struct training_state *state,
                            struct error *err)
{
    off_t end;
    FILE *file = fopen(log->path, "r");
    if (!file)
        return cannot("read", log->path, err);
    enum status status = find_end(file, log->path, state, &end, err);
    fclose(file);
    if (status == STATUS_OK && ftruncate(log->fd, end) != 0)
        status = cannot("shorten", log->path, err);
    return status;
}

/* ---- life cycle ---- */

enum status run_log_open(struct run_log **out, const char *path, const struct training_state *state,
                         struct error *err)
{
    *out = NULL;
    struct run_log *log = memory_zeroed(1, sizeof *log);
    if (!log || !(log->path = memory_copy_text(path))) {
        memory_free(log);
        return error_set(err, STATUS_NO_MEMORY, "no memory to open the log %s", path);
    }
    log->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    enum status status = log->fd >= 0 ? STATUS_OK : cannot("open", path, err);
    if (status == STATUS_OK)
        status = cut_back(log, state, err);
    if (status != STATUS_OK) {
        run_log_close(log);
        return status;
    }
    *out = log;
    return STATUS_OK;
}

void run_log_close(struct run_log *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    memory_free(log->path);
    memory_free(log);
}

/* ---- writing ---- */

/* One call for a line, so that a kill leaves it whole or not there. Takes the object over. */
static enum status write_line(struct run_log *log, json_t *object, struct error *err)
{
    struct bytes line;
    enum status status = STATUS_OK;
    bytes_init(&line, RUN_LOG_LINE_MAX);
    if (!object || !json_write(&line, object) || !bytes_append_char(&line, '\n'))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for a line of the log");
    else if (write(log->fd, line.data, line.len) != (ssize_t)line.len)
        status = cannot("write", log->path, err);
    bytes_release(&line);
    json_decref(object);
    return status;
}

enum status run_log_update(struct run_log *log, const struct training_progress *p, double speed,
                           struct error *err)
{
    return write_line(
        log,
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:b}", "update", (json_int_t)p->state->updates,
                  "epoch", json_rounded(p->epochs, LOSS_DIGITS), "loss",
                  json_rounded(p->loss, LOSS_DIGITS), "rate", json_rounded(p->rate, LOSS_DIGITS),
                  "norm", json_rounded(p->norm, LOSS_DIGITS), "speed",
                  json_rounded(speed, SPEED_DIGITS), "skipped", p->skipped),
        err);
}

enum status run_log_validation(struct run_log *log, const struct training_validation *v,
                               double bleu, struct error *err)
{
    json_t *object = json_pack("{s:I, s:o}", "update", (json_int_t)v->state->updates,
                               "validation_loss", json_rounded(v->loss, LOSS_DIGITS));
    if (object && !isnan(bleu))
        json_object_set_new(object, "bleu", json_rounded(bleu, LOSS_DIGITS));
    return write_line(log, object, err);
}

enum status run_log_trace(struct run_log *log, int64_t update, const struct gradient_trace *trace,
                          struct error *err)
{
    json_t *norms = json_array();
    for (int k = 0; k < TRACE_STEPS && trace->counts[k] > 0; k++)
        json_array_append_new(
            norms, json_rounded(sqrt(trace->squares[k] / (double)trace->counts[k]), TRACE_DIGITS));
    return write_line(
        log, json_pack("{s:I, s:o}", "update", (json_int_t)update, "gradient_norms", norms), err);
}
