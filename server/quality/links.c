/*
 * links.c - sets of links as sorted rows: text, symmetrisation, other words, error rate.
 */
#include "server/quality/links.h"

#include <string.h>

#include "base/memory.h"
#include "tokenizer/character.h"
#include "tokenizer/utf8.h"

/* ---- a set ---- */

void links_release(struct links *links)
{
    memory_free(links->items);
    *links = (struct links){ 0 };
}

void links_clear(struct links *links)
{
    links->count = 0;
}

static int compare(const struct link *a, int source, int target)
{
    if (a->target != target)
        return a->target < target ? -1 : 1;
    return a->source == source ? 0 : a->source < source ? -1 : 1;
}

/* The place of the first that is not before it. */
static int find(const struct links *links, int source, int target)
{
    int from = 0, to = links->count;
    if (to > 0 && compare(&links->items[to - 1], source, target) < 0)
        return to;
    while (from < to) {
        const int middle = from + (to - from) / 2;
        if (compare(&links->items[middle], source, target) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool links_have(const struct links *links, int source, int target)
{
    const int at = find(links, source, target);
    return at < links->count && compare(&links->items[at], source, target) == 0;
}

static bool reserve_one(struct links *links)
{
    if (links->count < links->capacity)
        return true;
    const int capacity = links->capacity ? 2 * links->capacity : 64;
    struct link *items = memory_resize(links->items, (size_t)capacity, sizeof *items);
    if (!items)
        return false;
    links->items = items;
    links->capacity = capacity;
    return true;
}

bool links_add(struct links *links, int source, int target)
{
    const int at = find(links, source, target);
    if (at < links->count && compare(&links->items[at], source, target) == 0)
        return true;
    if (!reserve_one(links))
        return false;
    memmove(&links->items[at + 1], &links->items[at],
            (size_t)(links->count - at) * sizeof *links->items);
    links->items[at] = (struct link){ source, target };
    links->count++;
    return true;
}

static bool copy(const struct links *from, struct links *to)
{
    links_clear(to);
    for (int i = 0; i < from->count; i++)
        if (!links_add(to, from->items[i].source, from->items[i].target))
            return false;
    return true;
}

/* ---- text ---- */

/* The number at *at, which moves behind it; -1: there is none below the limit. */
static int read_number(const char *text, size_t len, size_t *at)
{
    int number = 0;
    size_t i = *at;
    for (; i < len && text[i] >= '0' && text[i] <= '9' && number < LINKS_WORD_MAX; i++)
        number = 10 * number + (text[i] - '0');
    const bool ok = i > *at && number < LINKS_WORD_MAX;
    *at = i;
    return ok ? number : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

enum status links_read(struct links *links, const char *text, size_t len, struct error *err)
{
    links_clear(links);
    for (size_t at = 0; at < len;) {
        if (is_blank(text[at])) {
            at++;
            continue;
        }
        const size_t start = at;
        const int source = read_number(text, len, &at);
        const bool joined = source >= 0 && at < len && text[at++] == '-';
        const int target = joined ? read_number(text, len, &at) : -1;
        if (target < 0 || (at < len && !is_blank(text[at])))
            return error_set(err, STATUS_BAD_INPUT,
                             "links are pairs of numbers below %d as \"0-0 1-2\", but at byte %zu "
                             "there is something else",
                             LINKS_WORD_MAX, start);
        if (links->count == LINKS_MAX)
            return error_set(err, STATUS_TOO_LARGE, "more than %d links of a sentence", LINKS_MAX);
        if (!links_add(links, source, target))
            return error_set(err, STATUS_NO_MEMORY, "no memory for the links of a sentence");
    }
    return STATUS_OK;
}

bool links_write(const struct links *links, struct bytes *out)
{
    for (int i = 0; i < links->count; i++)
        if (!bytes_printf(out, "%s%d-%d", i > 0 ? " " : "", links->items[i].source,
                          links->items[i].target))
            return false;
    return true;
}

/* ---- two directions as one ---- */

const char *const symmetrisation_names[SYMMETRISATIONS + 1] = { "intersection", "union",
                                                                "grow-diag-final-and", NULL };

static bool intersect(const struct links *a, const struct links *b, struct links *out)
{
    links_clear(out);
    for (int i = 0; i < a->count; i++)
        if (links_have(b, a->items[i].source, a->items[i].target) &&
            !links_add(out, a->items[i].source, a->items[i].target))
            return false;
    return true;
}

static bool unite(const struct links *a, const struct links *b, struct links *out)
{
    bool ok = copy(a, out);
    for (int i = 0; ok && i < b->count; i++)
        ok = links_add(out, b->items[i].source, b->items[i].target);
    return ok;
}

/* Which words have links already. */
struct taken {
    bool *source, *target; // one allocation
};

static bool taken_init(struct taken *taken, const struct links *all)
{
    int S = 0, T = 0;
    for (int i = 0; i < all->count; i++) {
        S = all->items[i].source >= S ? all->items[i].source + 1 : S;
        T = all->items[i].target >= T ? all->items[i].target + 1 : T;
    }
    taken->source = memory_zeroed((size_t)S + (size_t)T + 1, sizeof *taken->source);
    taken->target = taken->source ? taken->source + S : NULL;
    return taken->source != NULL;
}

static bool take(struct links *out, struct taken *taken, struct link link)
{
    taken->source[link.source] = taken->target[link.target] = true;
    return links_add(out, link.source, link.target);
}

static const struct link neighbours[] = { { -1, 0 },  { 0, -1 }, { 1, 0 },  { 0, 1 },
                                          { -1, -1 }, { -1, 1 }, { 1, -1 }, { 1, 1 } };

/* All neighbours of one link that may come in; *grew if one did. */
static bool grow_from(struct link link, const struct links *all, struct links *out,
                      struct taken *taken, bool *grew)
{
    for (size_t n = 0; n < sizeof neighbours / sizeof *neighbours; n++) {
        const struct link next = { link.source + neighbours[n].source,
                                   link.target + neighbours[n].target };
        if (!links_have(all, next.source, next.target) ||
            (taken->source[next.source] && taken->target[next.target]))
            continue;
        *grew = true;
        if (!take(out, taken, next))
            return false;
    }
    return true;
}

/* Links of the union in order, so that one that came in grows in the same round. */
static bool grow(const struct links *all, struct links *out, struct taken *taken)
{
    bool grew = true;
    while (grew) {
        grew = false;
        for (int i = 0; i < all->count; i++)
            if (links_have(out, all->items[i].source, all->items[i].target) &&
                !grow_from(all->items[i], all, out, taken, &grew))
                return false;
    }
    return true;
}

static bool final_and(const struct links *links, struct links *out, struct taken *taken)
{
    for (int i = 0; i < links->count; i++)
        if (!taken->source[links->items[i].source] && !taken->target[links->items[i].target] &&
            !take(out, taken, links->items[i]))
            return false;
    return true;
}

static bool grow_diag_final_and(const struct links *forward, const struct links *reverse,
                                struct links *out)
{
    struct links all = { 0 };
    struct taken taken = { 0 };
    bool ok = unite(forward, reverse, &all) && intersect(forward, reverse, out) &&
              taken_init(&taken, &all);
    for (int i = 0; ok && i < out->count; i++)
        taken.source[out->items[i].source] = taken.target[out->items[i].target] = true;
    ok = ok && grow(&all, out, &taken) && final_and(forward, out, &taken) &&
         final_and(reverse, out, &taken);
    memory_free(taken.source);
    links_release(&all);
    return ok;
}

bool links_symmetrise(enum symmetrisation method, const struct links *forward,
                      const struct links *reverse, struct links *out)
{
    if (method == INTERSECTION)
        return intersect(forward, reverse, out);
    if (method == UNION)
        return unite(forward, reverse, out);
    return grow_diag_final_and(forward, reverse, out);
}

/* ---- other words ---- */

int links_text_words(const char *text, size_t len, struct span *words)
{
    int bytes, count = 0;
    bool inside = false;
    for (size_t at = 0; at < len; at += (size_t)bytes) {
        const bool space = character_is_space(utf8_next(text + at, len - at, &bytes));
        if (!space && !inside)
            words[count++].from = (uint32_t)at;
        if (!space)
            words[count - 1].to = (uint32_t)(at + (size_t)bytes);
        inside = !space;
    }
    return count;
}

/* Words [*from,*to) share a byte with the span. */
static void overlapping(struct span span, const struct span *words, int count, int *from, int *to)
{
    *from = 0;
    while (*from < count && words[*from].to <= span.from)
        (*from)++;
    *to = *from;
    while (*to < count && words[*to].from < span.to)
        (*to)++;
}

bool links_map(const struct links *links, const struct word_spans *from,
               const struct word_spans *to, struct links *out)
{
    links_clear(out);
    for (int i = 0; i < links->count; i++) {
        int source, source_end, target_from, target_end;
        overlapping(from->source[links->items[i].source], to->source, to->S, &source, &source_end);
        overlapping(from->target[links->items[i].target], to->target, to->T, &target_from,
                    &target_end);
        for (; source < source_end; source++)
            for (int target = target_from; target < target_end; target++)
                if (!links_add(out, source, target))
                    return false;
    }
    return true;
}

bool links_shift(const struct links *links, int source, int target, int S, int T, struct links *out)
{
    links_clear(out);
    for (int i = 0; i < links->count; i++) {
        const int s = links->items[i].source + source, t = links->items[i].target + target;
        if (s >= 0 && s < S && t >= 0 && t < T && !links_add(out, s, t))
            return false;
    }
    return true;
}

/* ---- against links that people made ---- */

void link_counts_add(struct link_counts *counts, const struct links *links,
                     const struct links *sure, const struct links *possible)
{
    counts->links += links->count;
    counts->sure += sure->count;
    for (int i = 0; i < links->count; i++) {
        const struct link *link = &links->items[i];
        counts->links_possible += links_have(possible, link->source, link->target);
        counts->links_sure += links_have(sure, link->source, link->target);
    }
}

struct link_scores link_scores(const struct link_counts *c)
{
    const double all = (double)(c->links + c->sure);
    return (struct link_scores){
        .precision = c->links > 0 ? (double)c->links_possible / (double)c->links : 1,
        .recall = c->sure > 0 ? (double)c->links_sure / (double)c->sure : 1,
        .aer = all > 0 ? 1 - (double)(c->links_sure + c->links_possible) / all : 0,
    };
}
