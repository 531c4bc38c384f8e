/*
 * html_tree.c - gumbo, on a text of which only tag names are left, in bounded memory.
 *
 * gumbo calls its allocator without looking at what it gets, and frees a tree
 * by recursion: so its memory is a pool that is thrown away as a whole, and a
 * pool that is full leaves gumbo by longjmp.
 */
#include "server/documents/html_tree.h"

#include <gumbo.h>
#include <setjmp.h>
#include <string.h>

#include "server/documents/grow.h"

#define POOL_ALIGNMENT 16
#define SEPARATOR "<br>"

static enum status no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY,
                     "the HTML needs more memory than there is for it: send it in parts");
}

/* ---- gumbo in a pool ---- */

struct pool {
    char *at;
    size_t left;
    jmp_buf full;
};

static void *pool_alloc(void *context, size_t bytes)
{
    struct pool *pool = context;
    const size_t rounded = (bytes + POOL_ALIGNMENT - 1) / POOL_ALIGNMENT * POOL_ALIGNMENT;
    if (rounded < bytes || rounded > pool->left)
        longjmp(pool->full, 1);
    void *result = pool->at;
    pool->at += rounded;
    pool->left -= rounded;
    return result;
}

static void pool_free(void *context, void *pointer)
{
    (void)context;
    (void)pointer;
}

size_t html_tree_bytes(size_t len)
{
    const size_t bytes = HTML_TREE_BYTES_MIN + HTML_TREE_BYTES * len;
    return bytes < HTML_TREE_BYTES_MAX ? bytes : HTML_TREE_BYTES_MAX;
}

/* NULL: the pool is full. */
static GumboOutput *run_gumbo(struct pool *pool, const char *text, size_t len)
{
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = pool_alloc;
    options.deallocator = pool_free;
    options.userdata = pool;
    options.max_errors = 0;
    if (setjmp(pool->full))
        return NULL;
    return gumbo_parse_with_options(&options, text, len);
}

static enum status parse(const char *text, size_t len, struct arena *arena, GumboOutput **out,
                         struct error *err)
{
    struct pool *pool = arena_array(arena, struct pool, 1);
    if (!pool)
        return no_memory(err);
    pool->left = html_tree_bytes(len);
    pool->at = arena_alloc(arena, pool->left);
    if (!pool->at)
        return no_memory(err);
    *out = run_gumbo(pool, text, len);
    if (*out)
        return STATUS_OK;
    return error_set(err, STATUS_TOO_LARGE,
                     "the HTML makes a larger tree than its length allows: close inline elements "
                     "in the paragraph that opens them");
}

/* ---- which texts are kept ---- */

/* Only names of tags are left, and where text is. */
static char *make_skeleton(const char *html, size_t len, const struct html_tokens *tokens,
                           struct arena *arena)
{
    char *copy = arena_array(arena, char, len + 1);
    if (!copy)
        return NULL;
    memset(copy, ' ', len);
    for (int i = 0; i < tokens->count; i++) {
        const struct html_token *t = &tokens->list[i];
        if (t->kind == HTML_TEXT)
            memset(copy + t->from, 'x', t->to - t->from);
        if (t->kind != HTML_OPEN && t->kind != HTML_CLOSE)
            continue;
        const uint32_t name = t->from + (t->kind == HTML_CLOSE ? 2 : 1);
        for (uint32_t k = t->from; k < name + t->name_len; k++)
            copy[k] = html[k];
        for (uint32_t k = name; k < name + t->name_len; k++)
            if (!strchr("-:.", copy[k]) && !((copy[k] | 32) >= 'a' && (copy[k] | 32) <= 'z') &&
                !(copy[k] >= '0' && copy[k] <= '9'))
                copy[k] = 'x';
        copy[t->to - 1] = '>';
    }
    return copy;
}

/* The token that begins at byte `from`, or has it. */
static int token_at(const struct html_tokens *tokens, uint32_t from)
{
    int low = 0, high = tokens->count - 1;
    while (low < high) {
        const int middle = low + (high - low + 1) / 2;
        if (tokens->list[middle].from <= from)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

struct level { // of the walk through the tree
    const GumboVector *children;
    unsigned next;
    bool is_kept;
};

struct walk {
    const char *skeleton;
    const struct html_tokens *tokens;
    struct level *levels; // (level_count)
    int level_count, level_capacity;
    bool *seen; // (tokens->count)
    bool *kept;
};

static bool is_element_kept(const struct walk *w, const GumboElement *element, bool is_kept)
{
    if (!element->original_tag.data || element->original_tag.length == 0)
        return is_kept;
    const int tag = token_at(w->tokens, (uint32_t)(element->original_tag.data - w->skeleton));
    switch (w->tokens->list[tag].wish) {
    case HTML_KEEP:
        return true;
    case HTML_TRANSLATE:
        return false;
    case HTML_INHERITS:
        break;
    }
    return is_kept;
}

static bool go_down(struct walk *w, const GumboVector *children, bool is_kept, struct arena *arena)
{
    if (!GROW(arena, w->levels, w->level_count, w->level_capacity))
        return false;
    w->levels[w->level_count++] = (struct level){ .children = children, .is_kept = is_kept };
    return true;
}

static bool visit(struct walk *w, const GumboNode *node, bool is_kept, struct arena *arena)
{
    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE) {
        const int token =
            token_at(w->tokens, (uint32_t)(node->v.text.original_text.data - w->skeleton));
        w->seen[token] = true;
        w->kept[token] = is_kept;
    } else if (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE) {
        return go_down(w, &node->v.element.children, is_element_kept(w, &node->v.element, is_kept),
                       arena);
    }
    return true;
}

static bool walk_tree(struct walk *w, const GumboOutput *tree, struct arena *arena)
{
    if (!go_down(w, &tree->document->v.document.children, false, arena))
        return false;
    while (w->level_count > 0) {
        struct level *level = &w->levels[w->level_count - 1];
        if (level->next == level->children->length)
            w->level_count--;
        else if (!visit(w, level->children->data[level->next++], level->is_kept, arena))
            return false;
    }
    return true;
}

/* A text that gumbo has joined to the one before it is kept as that is. */
static void spread(const struct walk *w)
{
    bool is_kept = true;
    for (int i = 0; i < w->tokens->count; i++) {
        if (w->tokens->list[i].kind != HTML_TEXT)
            w->kept[i] = true;
        else if (w->seen[i])
            is_kept = w->kept[i];
        else
            w->kept[i] = is_kept;
    }
}

enum status html_tree_kept(const char *html, size_t len, const struct html_tokens *tokens,
                           struct arena *arena, bool *kept, struct error *err)
{
    GumboOutput *tree;
    struct walk walk = { .tokens = tokens, .kept = kept };
    walk.skeleton = make_skeleton(html, len, tokens, arena);
    walk.seen = arena_array(arena, bool, tokens->count + 1);
    if (!walk.skeleton || !walk.seen)
        return no_memory(err);
    memset(walk.seen, 0, (size_t)tokens->count);
    enum status status = parse(walk.skeleton, len, arena, &tree, err);
    if (status != STATUS_OK)
        return status;
    if (!walk_tree(&walk, tree, arena))
        return no_memory(err);
    spread(&walk);
    return STATUS_OK;
}

/* ---- references ---- */

static bool is_of_reference(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "&name;", "&#123;" or either without its ";": where it ends. */
static uint32_t reference_end(const char *html, uint32_t at, uint32_t end)
{
    const uint32_t most = end - at > HTML_REFERENCE_BYTES_MAX ? at + HTML_REFERENCE_BYTES_MAX : end;
    uint32_t i = at + 1;
    if (i < most && html[i] == '#')
        i++;
    while (i < most && is_of_reference(html[i]))
        i++;
    return i < end && html[i] == ';' && i > at + 1 ? i + 1 : i;
}

struct references {
    struct html_reference *list; // (count)
    int count, capacity;
    size_t bytes; // of all
};

static bool gather(struct references *r, const char *html, const struct html_token *token,
                   struct arena *arena)
{
    for (uint32_t at = token->from; at < token->to;) {
        const char *found = memchr(html + at, '&', token->to - at);
        if (!found)
            break;
        const uint32_t from = (uint32_t)(found - html);
        at = reference_end(html, from, token->to);
        if (at == from + 1)
            continue;
        if (!GROW(arena, r->list, r->count, r->capacity))
            return false;
        r->list[r->count++] = (struct html_reference){ .from = from, .to = at };
        r->bytes += at - from;
    }
    return true;
}

static const GumboNode *child_of(const GumboNode *node, GumboTag tag)
{
    for (unsigned i = 0; i < node->v.element.children.length; i++) {
        const GumboNode *child = node->v.element.children.data[i];
        if (child->type == GUMBO_NODE_ELEMENT && child->v.element.tag == tag)
            return child;
    }
    return NULL;
}

/* The texts between the separators, one a reference; an empty one has no node. */
static void read_texts(struct references *r, const GumboNode *paragraph)
{
    int at = 0;
    const GumboVector *children = &paragraph->v.element.children;
    for (unsigned i = 0; i < children->length && at < r->count; i++) {
        const GumboNode *node = children->data[i];
        if (node->type == GUMBO_NODE_ELEMENT) {
            at++;
        } else {
            r->list[at].text = node->v.text.text;
            r->list[at].len = (uint32_t)strlen(node->v.text.text);
        }
    }
}

/* All of them as one text, since gumbo decodes nothing smaller. */
static char *join(const struct references *r, const char *html, struct arena *arena, size_t *len)
{
    char *text = arena_array(arena, char, r->bytes + (size_t)r->count * strlen(SEPARATOR) + 4);
    if (!text)
        return NULL;
    memcpy(text, "<p>", 3);
    *len = 3;
    for (int i = 0; i < r->count; i++) {
        memcpy(text + *len, html + r->list[i].from, r->list[i].to - r->list[i].from);
        *len += r->list[i].to - r->list[i].from;
        memcpy(text + *len, SEPARATOR, strlen(SEPARATOR));
        *len += strlen(SEPARATOR);
    }
    return text;
}

enum status html_tree_references(const char *html, const struct html_tokens *tokens,
                                 const bool *kept, struct arena *arena,
                                 struct html_reference **list, int *count, struct error *err)
{
    struct references r = { 0 };
    GumboOutput *tree = NULL;
    size_t len;
    *list = NULL;
    *count = 0;
    for (int i = 0; i < tokens->count; i++)
        if (!kept[i] && !gather(&r, html, &tokens->list[i], arena))
            return no_memory(err);
    if (r.count == 0)
        return STATUS_OK;
    const char *joined = join(&r, html, arena, &len);
    if (!joined)
        return no_memory(err);
    enum status status = parse(joined, len, arena, &tree, err);
    if (status != STATUS_OK)
        return status;
    const GumboNode *body = child_of(tree->root, GUMBO_TAG_BODY);
    const GumboNode *paragraph = body ? child_of(body, GUMBO_TAG_P) : NULL;
    if (paragraph)
        read_texts(&r, paragraph);
    *list = r.list;
    *count = r.count;
    return STATUS_OK;
}
