/*
 * align_gold.c - links found, joined, shifted, brought to the words of the gold, counted.
 */
#include "server/cmd/align_gold.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "server/cmd/link_files.h"
#include "server/quality/gold.h"

#define SCORE_DIGITS 8 // significant, in JSON

enum { SET_FORWARD, SET_REVERSE, SET_JOINED, SETS = SET_JOINED + SYMMETRISATIONS };

static const char *set_name(int set)
{
    return set == SET_FORWARD   ? "forward"
           : set == SET_REVERSE ? "reverse"
                                : symmetrisation_names[set - SET_JOINED];
}

static const struct shift {
    const char *name;
    int source, target;
} shifts[] = { { "none", 0, 0 },
               { "target-1", 0, -1 },
               { "target+1", 0, 1 },
               { "source-1", -1, 0 },
               { "source+1", 1, 0 } };

#define SHIFTS (sizeof shifts / sizeof *shifts)

struct tally {
    struct link_counts counts[SETS][SHIFTS];
};

struct member { // what one thread has
    struct align_links found;
    struct links joined, shifted, of_gold;
    struct tally tally;
};

struct measuring {
    const struct gold_setup *setup;
    struct gold gold;
    bool both; // directions
    struct member *members;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "no memory for the links of a pair");
}

/* ---- a pair ---- */

static bool count_shifts(struct member *m, const struct gold_pair *gold,
                         const struct word_spans *words, const struct links *links, int set)
{
    for (size_t i = 0; i < SHIFTS; i++) {
        if (!links_shift(links, shifts[i].source, shifts[i].target, words->S, words->T,
                         &m->shifted) ||
            !links_map(&m->shifted, words, &gold->words, &m->of_gold))
            return false;
        link_counts_add(&m->tally.counts[set][i], &m->of_gold, &gold->sure, &gold->possible);
    }
    return true;
}

static bool count_sets(const struct measuring *g, struct member *m, const struct gold_pair *gold,
                       const struct word_spans *words, const struct links *links)
{
    if (!count_shifts(m, gold, words, &links[0], SET_FORWARD))
        return false;
    if (!g->both)
        return true;
    if (!count_shifts(m, gold, words, &links[1], SET_REVERSE))
        return false;
    for (int method = 0; method < SYMMETRISATIONS; method++)
        if (!links_symmetrise((enum symmetrisation)method, &links[0], &links[1], &m->joined) ||
            !count_shifts(m, gold, words, &m->joined, SET_JOINED + method))
            return false;
    return true;
}

/* ---- by models ---- */

static enum status explain(void *context, const struct align_answers *found, struct bytes *out,
                           struct error *err)
{
    struct measuring *g = context;
    struct member *m = &g->members[found->member];
    (void)out;
    enum status status = align_links_find(&m->found, found, &g->setup->rule, err);
    if (status != STATUS_OK)
        return status;
    return count_sets(g, m, &g->gold.items[found->number - 1], &m->found.words, m->found.of)
               ? STATUS_OK
               : no_memory(err);
}

static enum status run_block(struct align_block *block, const char *path, struct error *err)
{
    align_block_run(block);
    for (int i = 0; i < block->lines.count; i++) {
        const struct block_line *line = &block->lines.lines[i];
        if (line->err.status != STATUS_OK)
            return error_set(err, line->err.status, "%s: line %ld: %s", path, line->number,
                             line->err.text);
    }
    block_reset(&block->lines);
    return STATUS_OK;
}

static enum status count_by_models(struct measuring *g, struct error *err)
{
    const struct align_setup setup = { .engines = { g->setup->engines[0], g->setup->engines[1] },
                                       .swapped = g->setup->swapped,
                                       .threads = g->setup->threads,
                                       .explain = explain,
                                       .context = g };
    struct align_block *block;
    enum status status = align_block_new(&block, &setup, err);
    for (int i = 0; status == STATUS_OK && i < g->gold.count; i++) {
        const struct gold_pair *pair = &g->gold.items[i];
        status = block_add(&block->lines, i + 1, pair->source, strlen(pair->source), pair->target,
                           strlen(pair->target), err);
        if (status == STATUS_OK && (block_is_full(&block->lines) || i + 1 == g->gold.count))
            status = run_block(block, g->setup->path, err);
    }
    align_block_free(block);
    return status;
}

/* ---- of files ---- */

static enum status check_words(const struct links *links, const struct gold_pair *gold,
                               struct error *err)
{
    for (int i = 0; i < links->count; i++)
        if (links->items[i].source >= gold->words.S || links->items[i].target >= gold->words.T)
            return error_set(err, STATUS_BAD_INPUT,
                             "a link %d-%d, but the pair has %d and %d words: links of a file "
                             "count the words of the gold",
                             links->items[i].source, links->items[i].target, gold->words.S,
                             gold->words.T);
    return STATUS_OK;
}

static enum status count_line(struct measuring *g, const struct link_files *files,
                              struct error *err)
{
    if (files->line > g->gold.count)
        return error_set(err, STATUS_BAD_INPUT, "more lines than %s, which has %d", g->setup->path,
                         g->gold.count);
    const struct gold_pair *gold = &g->gold.items[files->line - 1];
    enum status status = check_words(&files->links[0], gold, err);
    if (status == STATUS_OK)
        status = check_words(&files->links[1], gold, err);
    if (status != STATUS_OK)
        return status;
    return count_sets(g, &g->members[0], gold, &gold->words, files->links) ? STATUS_OK
                                                                           : no_memory(err);
}

static enum status count_files(struct measuring *g, struct error *err)
{
    struct link_files files;
    bool ended = false;
    enum status status = link_files_open(&files, g->setup->links[0], g->setup->links[1], err);
    while (status == STATUS_OK && !ended) {
        status = link_files_next(&files, &ended, err);
        if (status != STATUS_OK || ended)
            break;
        status = count_line(g, &files, err);
        if (status != STATUS_OK)
            error_while(err, "%s: line %ld", files.paths[0], files.line);
    }
    if (status == STATUS_OK && files.line - 1 != g->gold.count)
        status = error_set(err, STATUS_BAD_INPUT, "%s has %ld lines, but %s has %d pairs",
                           files.paths[0], files.line - 1, g->setup->path, g->gold.count);
    link_files_close(&files);
    return status;
}

/* ---- the report ---- */

static void add_up(struct measuring *g, struct tally *all)
{
    memset(all, 0, sizeof *all);
    for (int i = 0; i < g->setup->threads; i++)
        for (int set = 0; set < SETS; set++)
            for (size_t s = 0; s < SHIFTS; s++) {
                const struct link_counts *one = &g->members[i].tally.counts[set][s];
                struct link_counts *sum = &all->counts[set][s];
                sum->links += one->links;
                sum->sure += one->sure;
                sum->links_possible += one->links_possible;
                sum->links_sure += one->links_sure;
            }
}

static void report_text(const struct measuring *g, const struct tally *all, struct bytes *out)
{
    bytes_printf(out, "%-20s%10s%8s%8s%8s   AER", "", "precision", "recall", "AER", "links");
    for (size_t s = 1; s < SHIFTS; s++)
        bytes_printf(out, " %9s", shifts[s].name);
    bytes_append_char(out, '\n');
    for (int set = 0; set < (g->both ? SETS : SET_FORWARD + 1); set++) {
        const struct link_scores scores = link_scores(&all->counts[set][0]);
        bytes_printf(out, "%-20s%10.2f%8.2f%8.2f%8ld      ", set_name(set), 100 * scores.precision,
                     100 * scores.recall, 100 * scores.aer, all->counts[set][0].links);
        for (size_t s = 1; s < SHIFTS; s++)
            bytes_printf(out, " %9.2f", 100 * link_scores(&all->counts[set][s]).aer);
        bytes_append_char(out, '\n');
    }
    bytes_printf(out, "%d pairs, %ld sure links\n", g->gold.count, all->counts[0][0].sure);
}

static json_t *rate(double value)
{
    return json_rounded(100 * value, SCORE_DIGITS);
}

static json_t *set_json(const struct tally *all, int set)
{
    const struct link_scores scores = link_scores(&all->counts[set][0]);
    json_t *moved = json_object();
    for (size_t s = 1; s < SHIFTS; s++)
        if (json_object_set_new(moved, shifts[s].name,
                                rate(link_scores(&all->counts[set][s]).aer)) != 0) {
            json_decref(moved);
            return NULL;
        }
    return json_pack("{s:o,s:o,s:o,s:I,s:o}", "precision", rate(scores.precision), "recall",
                     rate(scores.recall), "aer", rate(scores.aer), "links",
                     (json_int_t)all->counts[set][0].links, "aer_shifted", moved);
}

static bool report_json(const struct measuring *g, const struct tally *all, struct bytes *out)
{
    json_t *root =
        json_pack("{s:i,s:I}", "pairs", g->gold.count, "sure", (json_int_t)all->counts[0][0].sure);
    bool ok = root != NULL;
    for (int set = 0; ok && set < (g->both ? SETS : SET_FORWARD + 1); set++)
        ok = json_object_set_new(root, set_name(set), set_json(all, set)) == 0;
    ok = ok && json_write(out, root) && bytes_append_char(out, '\n');
    json_decref(root);
    return ok;
}

/* ---- all together ---- */

static void release(struct measuring *g)
{
    for (int i = 0; g->members && i < g->setup->threads; i++) {
        struct member *m = &g->members[i];
        align_links_release(&m->found);
        links_release(&m->joined);
        links_release(&m->shifted);
        links_release(&m->of_gold);
    }
    memory_free(g->members);
    gold_release(&g->gold);
}

enum status align_gold(const struct gold_setup *setup, bool json, struct bytes *out,
                       struct error *err)
{
    struct measuring g = { .setup = setup, .both = setup->engines[1] || setup->links[1] };
    struct tally all;
    g.members = memory_zeroed((size_t)setup->threads, sizeof *g.members);
    enum status status = g.members ? gold_read(&g.gold, setup->path, err) : no_memory(err);
    if (status == STATUS_OK)
        status = setup->engines[0] ? count_by_models(&g, err) : count_files(&g, err);
    if (status == STATUS_OK) {
        add_up(&g, &all);
        if (!json)
            report_text(&g, &all, out);
        if (json && !report_json(&g, &all, out))
            status = no_memory(err);
    }
    release(&g);
    return status;
}
