/*
 * run_curves.c - lines of JSON to arrays of numbers.
 */
#include "server/cmd/run_curves.h"

#include <math.h>

#include "base/gzip.h"
#include "base/json.h"
#include "base/memory.h"

#define SMOOTH_SHARE 100 // one window is this part of all updates
#define CAPACITY_FIRST 1024

static bool grow(double **array, int capacity)
{
    double *larger = memory_resize(*array, (size_t)capacity, sizeof **array);
    if (larger)
        *array = larger;
    return larger != NULL;
}

static enum status make_room(double **arrays[], int arrays_count, int count, int *capacity,
                             const char *path, struct error *err)
{
    if (count < *capacity)
        return STATUS_OK;
    if (count >= RUN_UPDATES_MAX)
        return error_set(err, STATUS_TOO_LARGE, "%s: more than %d updates cannot be drawn", path,
                         RUN_UPDATES_MAX);
    const int more = *capacity > 0 ? 2 * *capacity : CAPACITY_FIRST;
    for (int i = 0; i < arrays_count; i++)
        if (!grow(arrays[i], more))
            return error_set(err, STATUS_NO_MEMORY, "no memory for the log %s", path);
    *capacity = more;
    return STATUS_OK;
}

/* NAN where it is null or not there. */
static double number_of(const json_t *line, const char *key)
{
    const json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static enum status add_update(struct run_curves *c, double update, const json_t *line,
                              const char *path, struct error *err)
{
    double **arrays[] = { &c->updates, &c->loss, &c->rate, &c->smooth };
    enum status status = make_room(arrays, 4, c->count, &c->capacity, path, err);
    if (status != STATUS_OK)
        return status;
    c->updates[c->count] = update;
    c->loss[c->count] = number_of(line, "loss");
    c->rate[c->count] = number_of(line, "rate");
    c->count++;
    return STATUS_OK;
}

static enum status add_validation(struct run_curves *c, double update, const json_t *line,
                                  const char *path, struct error *err)
{
    double **arrays[] = { &c->validated, &c->validation_loss, &c->bleu };
    enum status status = make_room(arrays, 3, c->validations, &c->validation_capacity, path, err);
    if (status != STATUS_OK)
        return status;
    c->validated[c->validations] = update;
    c->validation_loss[c->validations] = number_of(line, "validation_loss");
    c->bleu[c->validations] = number_of(line, "bleu");
    c->validations++;
    return STATUS_OK;
}

static enum status add_line(struct run_curves *c, const json_t *line, const char *path, long number,
                            struct error *err)
{
    const double update = number_of(line, "update");
    if (isnan(update))
        return error_set(err, STATUS_BAD_INPUT,
                         "%s:%ld: this is no line of a training's log (verso train --log FILE)",
                         path, number);
    if (json_object_get(line, "validation_loss"))
        return add_validation(c, update, line, path, err);
    if (json_object_get(line, "loss"))
        return add_update(c, update, line, path, err);
    return STATUS_OK; // gradient norms
}

/* A line that is no JSON is remembered: if it is the last one it does no harm. */
static enum status read_lines(struct run_curves *c, struct line_reader *in, const char *path,
                              struct error *err)
{
    struct error bad = { .status = STATUS_OK };
    enum status status;
    struct line line;
    while ((status = line_reader_next(in, &line, err)) == STATUS_OK && line.text) {
        json_t *root;
        struct error why;
        if (bad.status != STATUS_OK)
            return error_set(err, STATUS_BAD_INPUT, "%s", bad.text);
        if (json_parse(&root, line.text, line.len, &why) != STATUS_OK) {
            error_set(&bad, STATUS_BAD_INPUT,
                      "%s:%ld: this is no line of a training's log (verso train --log FILE): %s",
                      path, line.number, why.text);
            continue;
        }
        status = add_line(c, root, path, line.number, err);
        json_decref(root);
        if (status != STATUS_OK)
            return status;
    }
    if (status == STATUS_OK && c->count + c->validations == 0)
        status = error_set(err, STATUS_BAD_INPUT,
                           "%s has no line of a training's log (verso train --log FILE)", path);
    return status;
}

/* The mean over a window around each, of what is finite. */
static void smooth(struct run_curves *c)
{
    const int reach = c->count / SMOOTH_SHARE / 2;
    double sum = 0;
    int from = 0, to = 0, finite = 0;
    for (int i = 0; i < c->count; i++) {
        for (; to < c->count && to <= i + reach; to++)
            if (isfinite(c->loss[to])) {
                sum += c->loss[to];
                finite++;
            }
        for (; from < i - reach; from++)
            if (isfinite(c->loss[from])) {
                sum -= c->loss[from];
                finite--;
            }
        c->smooth[i] = finite > 0 ? sum / finite : NAN;
    }
}

enum status run_curves_read(struct run_curves *curves, const char *path, struct error *err)
{
    struct line_reader *in;
    *curves = (struct run_curves){ 0 };
    enum status status = line_reader_open(&in, path, err);
    if (status != STATUS_OK)
        return status;
    status = read_lines(curves, in, path, err);
    line_reader_close(in);
    if (status == STATUS_OK)
        smooth(curves);
    else
        run_curves_release(curves);
    return status;
}

void run_curves_release(struct run_curves *c)
{
    double *arrays[] = { c->updates,         c->loss, c->rate, c->smooth, c->validated,
                         c->validation_loss, c->bleu };
    for (int i = 0; i < 7; i++)
        memory_free(arrays[i]);
    *c = (struct run_curves){ 0 };
}
