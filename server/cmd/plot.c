/*
 * plot.c - "verso plot": the logs of trainings as curves, beside each other.
 *
 *     run.jsonl ... -> run_curves -> panels (loss, validation loss, BLEU, rate) -> SVG or PNG
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "server/cmd/commands.h"
#include "server/cmd/picture.h"
#include "server/cmd/run_curves.h"
#include "server/render/chart.h"

#define LOGS_MAX 8 // colours that are told apart
#define PANELS 4

struct plot {
    struct run_curves curves[LOGS_MAX];
    const char *names[LOGS_MAX];
    int count;
};

/* "runs/big.jsonl" is "big"; the caller's. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = memory_copy_text(slash && slash[1] ? slash + 1 : path);
    static const char *const endings[] = { ".gz", ".jsonl" };
    for (int i = 0; name && i < 2; i++) {
        const size_t len = strlen(name), end = strlen(endings[i]);
        if (len > end && strcmp(name + len - end, endings[i]) == 0)
            name[len - end] = '\0';
    }
    return name;
}

static enum status read_logs(struct plot *plot, const struct options *o, struct error *err)
{
    int given;
    const char *const *names = options_list(o, "name", &given);
    if (given > options_operand_count(o))
        return error_set(err, STATUS_BAD_USAGE, "there are %d names for %d logs", given,
                         options_operand_count(o));
    for (int i = 0; i < options_operand_count(o); i++) {
        const char *path = options_operand(o, i);
        char *name = i < given ? memory_copy_text(names[i]) : name_of(path);
        if (!name)
            return error_set(err, STATUS_NO_MEMORY, "no memory for a name");
        plot->names[plot->count++] = name;
        enum status status = run_curves_read(&plot->curves[i], path, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void release(struct plot *plot)
{
    for (int i = 0; i < plot->count; i++) {
        run_curves_release(&plot->curves[i]);
        memory_free((char *)plot->names[i]);
    }
}

/* ---- panels ---- */

static bool has_points(const double *y, int count)
{
    for (int i = 0; i < count; i++)
        if (isfinite(y[i]))
            return true;
    return false;
}

struct panels {
    struct chart_panel list[PANELS];
    struct chart_series series[PANELS][2 * LOGS_MAX];
    int count;
};

/* A line is there if it has a point, a panel if it has a line. */
static void add_series(struct panels *p, const struct plot *plot, int log, const double *x,
                       const double *y, int count, bool faint, bool points)
{
    if (has_points(y, count))
        p->series[p->count][p->list[p->count].series_count++] =
            (struct chart_series){ .name = plot->names[log],
                                   .x = x,
                                   .y = y,
                                   .count = count,
                                   .colour = log,
                                   .faint = faint,
                                   .points = points };
}

static void end_panel(struct panels *p, const char *title)
{
    struct chart_panel *panel = &p->list[p->count];
    panel->y_title = title;
    panel->series = p->series[p->count];
    p->count += panel->series_count > 0;
}

static void make_panels(struct panels *p, const struct plot *plot)
{
    const struct run_curves *c = plot->curves;
    for (int i = 0; i < plot->count; i++) {
        add_series(p, plot, i, c[i].updates, c[i].loss, c[i].count, true, false);
        add_series(p, plot, i, c[i].updates, c[i].smooth, c[i].count, false, false);
    }
    end_panel(p, "training loss");
    for (int i = 0; i < plot->count; i++)
        add_series(p, plot, i, c[i].validated, c[i].validation_loss, c[i].validations, false, true);
    end_panel(p, "validation loss");
    for (int i = 0; i < plot->count; i++)
        add_series(p, plot, i, c[i].validated, c[i].bleu, c[i].validations, false, true);
    end_panel(p, "BLEU");
    for (int i = 0; i < plot->count; i++)
        add_series(p, plot, i, c[i].updates, c[i].rate, c[i].count, false, false);
    end_panel(p, "learning rate");
}

/* ---- the command ---- */

static enum status draw(const struct plot *plot, const struct options *o, struct error *err)
{
    const char *path = options_text(o, "output");
    const char *title = options_text(o, "title");
    enum render_form form;
    enum status status = render_form_of_path(&form, path, err);
    if (status != STATUS_OK)
        return status;
    struct panels *panels = memory_zeroed(1, sizeof *panels);
    if (!panels)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the curves");
    make_panels(panels, plot);
    const struct chart chart = { .title = title              ? title
                                          : plot->count == 1 ? plot->names[0]
                                                             : NULL,
                                 .x_title = "update",
                                 .panels = panels->list,
                                 .panel_count = panels->count };
    struct bytes picture;
    bytes_init(&picture, RENDER_BYTES_MAX);
    status = chart_render(&chart, form, options_flag(o, "dark"), &picture, err);
    if (status == STATUS_OK)
        status = picture_save(path, &picture, err);
    bytes_release(&picture);
    memory_free(panels);
    return status;
}

static int run(const struct options *o)
{
    struct error err;
    struct plot plot = { .count = 0 };
    enum status status = options_need(o, &err, "output", NULL);
    if (status == STATUS_OK)
        status = read_logs(&plot, o, &err);
    if (status == STATUS_OK)
        status = draw(&plot, o, &err);
    release(&plot);
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "output", OPTION_TEXT, .letter = 'o', .value = "FILE",
      .help = "picture to write: .svg or .png" },
    { "name", OPTION_LIST, .value = "NAME",
      .help = "what the legend calls the first, the second, ... log; else their files' names" },
    { "title", OPTION_TEXT, .value = "TEXT",
      .help = "above the picture; else the name of the only log" },
    { "dark", OPTION_FLAG, .help = "bright lines on dark paper" },
    { 0 },
};

const struct command command_plot = {
    .name = "plot",
    .summary = "draw the logs of trainings as curves",
    .usage = "-o FILE [OPTION...] LOG...",
    .description =
        "Draws loss, validation loss, BLEU and learning rate of logs that \"verso train\n"
        "--log\" (or \"verso lm train --log\") writes, also of one that is still being\n"
        "written; several logs share the panels.\n",
    .examples = "  verso plot run.jsonl -o curve.svg\n"
                "  verso plot -o both.png --name small --name large a.jsonl b.jsonl\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = LOGS_MAX,
    .run = run,
};
