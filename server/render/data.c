/*
 * data.c - JSON, CSV and Pharaoh.
 */
#include "server/render/data.h"

#include <math.h>

#include "base/json.h"
#include "server/render/label.h"

#define DECIMALS 1e4
#define TOKEN_BYTES_MAX ((size_t)8 << 20)
#define END_COLUMN "</s>"

/* ---- JSON ---- */

static json_t *text_json(const char *text)
{
    struct bytes valid;
    bytes_init(&valid, TOKEN_BYTES_MAX);
    json_t *value = label_append_valid(&valid, text)
                        ? json_stringn(valid.data ? valid.data : "", valid.len)
                        : NULL;
    bytes_release(&valid);
    return value;
}

static json_t *number_json(float value)
{
    return json_real(round((double)value * DECIMALS) / DECIMALS + 0.0); // no -0.0
}

/* Takes the value; false if there is none or no memory. */
static bool append(json_t *list, json_t *value)
{
    return json_array_append_new(list, value) == 0;
}

static bool append_texts(json_t *list, const char *const *texts, int count)
{
    bool ok = true;
    for (int i = 0; ok && i < count; i++)
        ok = append(list, text_json(texts[i]));
    return ok;
}

static bool append_numbers(json_t *list, const float *values, int count)
{
    bool ok = true;
    for (int i = 0; ok && i < count; i++)
        ok = append(list, number_json(values[i]));
    return ok;
}

static bool append_rows(json_t *rows, const struct alignment_view *view)
{
    const size_t columns = (size_t)view->S + 1;
    bool ok = true;
    for (int t = 0; ok && t < view->T; t++) {
        json_t *row = json_array();
        ok = append_numbers(row, view->weights + (size_t)t * columns, (int)columns);
        ok = append(rows, row) && ok;
    }
    return ok;
}

static bool append_links(json_t *list, const int *links, int count)
{
    bool ok = true;
    for (int t = 0; ok && t < count; t++)
        ok = append(list, json_integer(links[t]));
    return ok;
}

enum status data_json(const struct alignment_view *view, struct bytes *out, struct error *err)
{
    json_t *source = json_array(), *target = json_array(), *rows = json_array();
    json_t *links = json_array(), *confidence = json_array(), *coverage = json_array();
    bool ok = append_texts(source, view->source, view->S) &&
              append_texts(target, view->target, view->T) && append_rows(rows, view) &&
              append_links(links, view->links, view->T) &&
              append_numbers(confidence, view->confidence, view->T) &&
              append_numbers(coverage, view->coverage, view->S);
    json_t *root =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "source_language",
                  text_json(view->source_language), "target_language",
                  text_json(view->target_language), "source", source, "target", target, "alignment",
                  rows, "links", links, "confidence", confidence, "coverage", coverage);
    ok = ok && root;
    if (ok) {
        json_write(out, root);
        bytes_append_char(out, '\n');
    }
    json_decref(root);
    if (!ok)
        return error_set(err, STATUS_NO_MEMORY, "there is no memory for the alignment as JSON");
    return bytes_check(out, "the alignment as JSON", err);
}

/* ---- CSV ---- */

static void append_field(struct bytes *out, const char *text)
{
    struct bytes valid;
    bytes_init(&valid, TOKEN_BYTES_MAX);
    if (!label_append_valid(&valid, text)) {
        out->failed = true;
        out->out_of_memory |= valid.out_of_memory;
    }
    bytes_append_char(out, '"');
    for (size_t i = 0; i < valid.len; i++) {
        if (valid.data[i] == '"')
            bytes_append_char(out, '"');
        bytes_append_char(out, valid.data[i]);
    }
    bytes_append_char(out, '"');
    bytes_release(&valid);
}

enum status data_csv(const struct alignment_view *view, struct bytes *out, struct error *err)
{
    append_field(out, "");
    for (int s = 0; s <= view->S; s++) {
        bytes_append_char(out, ',');
        append_field(out, s < view->S ? view->source[s] : END_COLUMN);
    }
    bytes_append_text(out, "\r\n");
    for (int t = 0; t < view->T && !out->failed; t++) {
        append_field(out, view->target[t]);
        for (int s = 0; s <= view->S; s++)
            bytes_printf(out, ",%.4f", (double)alignment_view_weight(view, t, s));
        bytes_append_text(out, "\r\n");
    }
    return bytes_check(out, "the alignment as CSV", err);
}

/* ---- Pharaoh ---- */

enum status data_pharaoh(const struct alignment_view *view, struct bytes *out, struct error *err)
{
    const char *between = "";
    for (int t = 0; t < view->T; t++)
        if (view->links[t] >= 0) {
            bytes_printf(out, "%s%d-%d", between, view->links[t], t);
            between = " ";
        }
    bytes_append_char(out, '\n');
    return bytes_check(out, "the links", err);
}
