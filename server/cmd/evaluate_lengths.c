/*
 * evaluate_lengths.c - sentences sorted into bins, a BLEU a bin, and lines through the bins.
 */
#include "server/cmd/evaluate_lengths.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "server/cmd/picture.h"
#include "server/render/chart.h"

#define SCORE_DIGITS 8 // significant, in JSON

/* ---- measuring ---- */

static enum status count_words(const char *text, int *words, struct error *err)
{
    const size_t len = strlen(text);
    struct span *spans = memory_alloc(len / 2 + 1, sizeof *spans);
    if (!spans)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the lengths of the sentences");
    *words = links_text_words(text, len, spans);
    memory_free(spans);
    return STATUS_OK;
}

static int bin_of(int words)
{
    const int bin = words > 0 ? (words - 1) / LENGTH_BIN_WORDS : 0;
    return bin < LENGTH_BINS ? bin : LENGTH_BINS - 1;
}

/* bin[i] of each sentence, and what a bin has beside BLEU. */
static enum status sort_sentences(struct length_bins *bins, const struct evaluation_set *set,
                                  const struct attention_counts *attention, int *bin,
                                  struct error *err)
{
    for (int i = 0; i < set->sources.count; i++) {
        int words = 0;
        enum status status = count_words(set->sources.items[i], &words, err);
        if (status != STATUS_OK)
            return status;
        bin[i] = bin_of(words);
        struct length_bin *to = &bins->items[bin[i]];
        to->words += (words - to->words) / (double)++to->sentences;
        if (attention)
            attention_add_up(&to->attention, &attention[i]);
    }
    return STATUS_OK;
}

static enum status measure_bin(struct length_bins *bins, const struct evaluation_set *set,
                               const struct text_list *list, const int *bin, int b, int system,
                               struct quality *quality, struct error *err)
{
    struct quality_scores scores;
    enum status status = STATUS_OK;
    quality_reset(quality);
    for (int i = 0; status == STATUS_OK && i < list->count; i++) {
        const char *references[QUALITY_REFERENCES_MAX];
        if (bin[i] == b)
            status = quality_add(quality, list->items[i], references,
                                 evaluation_set_references(set, i, references), err);
    }
    if (status == STATUS_OK) {
        quality_scores(quality, &scores);
        bins->items[b].bleu[system] = scores.bleu;
    }
    return status;
}

enum status length_bins_measure(struct length_bins *bins, const struct evaluation_set *set,
                                const struct text_list *const *lists, int systems,
                                const struct attention_counts *attention, struct error *err)
{
    struct quality *quality = NULL;
    int *bin = memory_alloc((size_t)set->sources.count + 1, sizeof *bin);
    *bins = (struct length_bins){ .systems = systems, .attention = attention != NULL };
    enum status status = bin ? quality_new(&quality, QUALITY_BLEU, err)
                             : error_set(err, STATUS_NO_MEMORY, "no memory for the sentences");
    if (status == STATUS_OK)
        status = sort_sentences(bins, set, attention, bin, err);
    for (int s = 0; s < systems; s++)
        for (int b = 0; status == STATUS_OK && b < LENGTH_BINS; b++)
            status = measure_bin(bins, set, lists[s], bin, b, s, quality, err);
    quality_free(quality);
    memory_free(bin);
    return status;
}

/* ---- as text ---- */

void attention_text(const struct attention_counts *counts, struct bytes *out)
{
    const struct attention_scores s = attention_scores(counts);
    bytes_printf(out, "%8.1f %9.3f %7.3f %7.3f %7.3f %6.1f %8.1f", 100 * s.covered,
                 s.coverage_deviation, s.coverage_penalty, s.entropy, s.source_entropy,
                 100 * s.on_end, 100 * s.on_punctuation);
}

static void range_text(int bin, char *text, size_t size)
{
    const int from = bin * LENGTH_BIN_WORDS + 1;
    if (bin == LENGTH_BINS - 1)
        snprintf(text, size, "%d-", from);
    else
        snprintf(text, size, "%d-%d", from, from + LENGTH_BIN_WORDS - 1);
}

void length_bins_text(const struct length_bins *bins, struct bytes *out)
{
    bytes_printf(out, "\nwords   sentences   BLEU%s", bins->systems > 1 ? "  against" : "");
    if (bins->attention)
        bytes_append_text(out, " covered deviation penalty entropy  source   </s> punctuation");
    bytes_append_char(out, '\n');
    for (int b = 0; b < LENGTH_BINS; b++) {
        const struct length_bin *bin = &bins->items[b];
        char range[32];
        if (bin->sentences == 0)
            continue;
        range_text(b, range, sizeof range);
        bytes_printf(out, "%-8s%9ld %6.2f", range, bin->sentences, bin->bleu[0]);
        if (bins->systems > 1)
            bytes_printf(out, "   %6.2f", bin->bleu[1]);
        if (bins->attention)
            attention_text(&bin->attention, out);
        bytes_append_char(out, '\n');
    }
}

/* ---- as JSON ---- */

static json_t *rounded(double value)
{
    return json_rounded(value, SCORE_DIGITS);
}

json_t *attention_json(const struct attention_counts *counts)
{
    const struct attention_scores s = attention_scores(counts);
    return json_pack("{s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "source_words",
                     (json_int_t)counts->source_words, "target_words",
                     (json_int_t)counts->target_words, "covered", rounded(s.covered),
                     "coverage_deviation", rounded(s.coverage_deviation), "coverage_penalty",
                     rounded(s.coverage_penalty), "entropy", rounded(s.entropy), "source_entropy",
                     rounded(s.source_entropy), "on_end", rounded(s.on_end), "on_punctuation",
                     rounded(s.on_punctuation));
}

static json_t *bin_json(const struct length_bins *bins, int b)
{
    const struct length_bin *bin = &bins->items[b];
    const int from = b * LENGTH_BIN_WORDS + 1;
    json_t *json =
        json_pack("{s:i,s:I,s:o,s:o}", "from", from, "sentences", (json_int_t)bin->sentences,
                  "words", rounded(bin->words), "bleu", rounded(bin->bleu[0]));
    bool ok = json != NULL;
    if (ok && b < LENGTH_BINS - 1)
        ok = json_object_set_new(json, "to", json_integer(from + LENGTH_BIN_WORDS - 1)) == 0;
    if (ok && bins->systems > 1)
        ok = json_object_set_new(json, "bleu_against", rounded(bin->bleu[1])) == 0;
    if (ok && bins->attention)
        ok = json_object_set_new(json, "attention", attention_json(&bin->attention)) == 0;
    if (ok)
        return json;
    json_decref(json);
    return NULL;
}

json_t *length_bins_json(const struct length_bins *bins)
{
    json_t *list = json_array();
    for (int b = 0; list && b < LENGTH_BINS; b++)
        if (bins->items[b].sentences > 0 && json_array_append_new(list, bin_json(bins, b)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* ---- as a picture ---- */

enum {
    LINE_COVERED,
    LINE_DEVIATION,
    LINE_ENTROPY,
    LINE_SOURCE_ENTROPY,
    LINE_END,
    LINE_PUNCTUATION,
    LINES
};

struct curves {
    double words[LENGTH_BINS];
    double bleu[LENGTH_SYSTEMS][LENGTH_BINS];
    double lines[LINES][LENGTH_BINS];
    int count;
};

static void take_bins(const struct length_bins *bins, struct curves *c)
{
    for (int b = 0; b < LENGTH_BINS; b++) {
        const struct length_bin *bin = &bins->items[b];
        const struct attention_scores s = attention_scores(&bin->attention);
        const int i = c->count;
        if (bin->sentences == 0)
            continue;
        c->words[i] = bin->words;
        for (int k = 0; k < bins->systems; k++)
            c->bleu[k][i] = bin->bleu[k];
        c->lines[LINE_COVERED][i] = s.covered;
        c->lines[LINE_DEVIATION][i] = s.coverage_deviation;
        c->lines[LINE_ENTROPY][i] = s.entropy;
        c->lines[LINE_SOURCE_ENTROPY][i] = s.source_entropy;
        c->lines[LINE_END][i] = s.on_end;
        c->lines[LINE_PUNCTUATION][i] = s.on_punctuation;
        c->count++;
    }
}

static struct chart_series series(const char *name, const struct curves *c, const double *y,
                                  int colour)
{
    return (struct chart_series){
        .name = name, .x = c->words, .y = y, .count = c->count, .colour = colour, .points = true
    };
}

static enum status render(const struct length_bins *bins, const char *const *names,
                          enum render_form form, struct bytes *out, struct error *err)
{
    struct curves c = { .count = 0 };
    struct chart_series bleu[LENGTH_SYSTEMS];
    take_bins(bins, &c);
    for (int k = 0; k < bins->systems; k++)
        bleu[k] = series(names[k], &c, c.bleu[k], k);
    const struct chart_series coverage[] = { series("covered words", &c, c.lines[LINE_COVERED], 2),
                                             series("deviation of coverage", &c,
                                                    c.lines[LINE_DEVIATION], 3) };
    const struct chart_series entropy[] = {
        series("entropy of target words", &c, c.lines[LINE_ENTROPY], 4),
        series("entropy of source words", &c, c.lines[LINE_SOURCE_ENTROPY], 5)
    };
    const struct chart_series rest[] = { series("attention on </s>", &c, c.lines[LINE_END], 6),
                                         series("attention on punctuation", &c,
                                                c.lines[LINE_PUNCTUATION], 7) };
    const struct chart_panel panels[] = { { "BLEU", bleu, bins->systems, false },
                                          { "coverage", coverage, 2, false },
                                          { "entropy, nats", entropy, 2, false },
                                          { "share of attention", rest, 2, false } };
    const struct chart chart = { .x_title = "words of the source",
                                 .panels = panels,
                                 .panel_count = bins->attention ? 4 : 1 };
    return chart_render(&chart, form, false, out, err);
}

enum status length_bins_plot(const struct length_bins *bins, const char *const *names,
                             const char *path, struct error *err)
{
    enum render_form form;
    struct bytes picture;
    enum status status = render_form_of_path(&form, path, err);
    if (status != STATUS_OK)
        return status;
    bytes_init(&picture, RENDER_BYTES_MAX);
    status = render(bins, names, form, &picture, err);
    if (status == STATUS_OK)
        status = picture_save(path, &picture, err);
    bytes_release(&picture);
    return status;
}
