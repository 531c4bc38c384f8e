/*
 * render.c - one view, six forms.
 */
#include "server/render/render.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/files.h"
#include "server/render/data.h"
#include "server/render/layouts.h"
#include "server/render/writers.h"

#define TITLE_BYTES 128

static const struct {
    const char *name, *type;
} forms[RENDER_FORMS] = {
    [RENDER_JSON] = { "json", "application/json" },
    [RENDER_CSV] = { "csv", "text/csv; charset=utf-8" },
    [RENDER_PHARAOH] = { "txt", "text/plain; charset=utf-8" },
    [RENDER_HTML] = { "html", "text/html; charset=utf-8" },
    [RENDER_SVG] = { "svg", "image/svg+xml" },
    [RENDER_PNG] = { "png", "image/png" },
};

const char *render_form_name(enum render_form form)
{
    return forms[form].name;
}

const char *render_form_type(enum render_form form)
{
    return forms[form].type;
}

void render_form_policy(enum render_form form, struct bytes *out)
{
    if (form == RENDER_HTML)
        page_policy(out);
    else
        bytes_append_text(out, "default-src 'none'");
    bytes_append_text(out, "; frame-ancestors 'none'; sandbox");
    if (form == RENDER_HTML)
        bytes_append_text(out, " allow-scripts");
}

enum status render_form_of_name(enum render_form *out, const char *name, struct error *err)
{
    for (int i = 0; i < RENDER_FORMS; i++)
        if (strcasecmp(name, forms[i].name) == 0) {
            *out = (enum render_form)i;
            return STATUS_OK;
        }
    return error_set(err, STATUS_BAD_USAGE,
                     "there is no form \"%s\": there are json, csv, txt "
                     "(links), html, svg and png",
                     name);
}

enum status render_form_of_path(enum render_form *out, const char *path, struct error *err)
{
    const char *dot = strrchr(path_name(path), '.');
    return render_form_of_name(out, dot ? dot + 1 : "", err);
}

/* ---- pictures and pages ---- */

static const char *title_of(const struct alignment_view *view, const struct render_options *options,
                            char made[TITLE_BYTES])
{
    if (options->title)
        return options->title;
    if (!view->source_language[0] || !view->target_language[0])
        return "Alignment";
    snprintf(made, TITLE_BYTES, "Alignment, %.40s to %.40s", view->source_language,
             view->target_language);
    return made;
}

static enum status write_scene(const struct alignment_view *view, enum render_form form,
                               struct scene *scene, bool dark, struct bytes *out, struct error *err)
{
    if (form == RENDER_HTML)
        return page_html(view, scene, dark, out, err);
    return form == RENDER_SVG ? svg_write(scene, false, out, err) : png_write(scene, out, err);
}

static enum status draw(const struct alignment_view *view, enum render_form form,
                        const struct render_options *options, struct bytes *out, struct error *err)
{
    const struct theme *theme = theme_of(options->dark);
    struct scene scene = { 0 };
    char made[TITLE_BYTES];
    enum status status = alignment_view_check(view, err);
    if (status == STATUS_OK)
        status = scene_init(&scene, title_of(view, options, made), theme->paper, err);
    scene.untitled = form == RENDER_HTML;
    if (status == STATUS_OK)
        status = options->ribbons ? ribbons_layout(&scene, view, theme, err)
                                  : matrix_layout(&scene, view, theme, err);
    if (status == STATUS_OK)
        status = write_scene(view, form, &scene, options->dark, out, err);
    scene_release(&scene);
    return status;
}

enum status render_alignment(const struct alignment_view *view, enum render_form form,
                             const struct render_options *options, struct bytes *out,
                             struct error *err)
{
    switch (form) {
    case RENDER_JSON:
        return data_json(view, out, err);
    case RENDER_CSV:
        return data_csv(view, out, err);
    case RENDER_PHARAOH:
        return data_pharaoh(view, out, err);
    default:
        return draw(view, form, options, out, err);
    }
}
