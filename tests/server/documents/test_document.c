/*
 * test_document.c - documents through a translator that says the words again (echo.h): what moves,
 * what stays byte for byte, and what can never be lost, doubled or made live.
 */
#include "tests/helpers.h"

#include "server/documents/html_scan.h"
#include "server/engine/word_links.h"
#include "tests/server/documents/echo.h"
#include "tokenizer/utf8.h"

#define ARENA_BYTES ((size_t)1 << 30)

static struct error err;
static struct arena arena;

static const struct document_options text_options = { .format = FORMAT_TEXT };
static const struct document_options html_options = { .format = FORMAT_HTML };

static void setup(void)
{
    ck_assert(arena_init(&arena, ARENA_BYTES));
}

static void teardown(void)
{
    arena_release(&arena);
}

static bool spans_are_equal(struct span a, struct span b)
{
    return a.from == b.from && a.to == b.to;
}

static const char *translate(enum echo_order order, const struct document_options *options,
                             const char *text)
{
    struct echo echo = { .order = order };
    const struct engine_answer *answer =
        echo_document(&echo, options, text, strlen(text), &arena, &err);
    echo_release(&echo);
    ck_assert_msg(answer != NULL, "%s", err.text);
    return answer->text;
}

/* ---- golden documents ---- */

struct golden {
    const char *text, *same, *reversed; // NULL: as the text
};

static const struct golden texts[] = {
    { "  two words.\n\n\tthree more words\r\n", NULL, "  words two.\n\n\twords more three\r\n" },
    { "hello {name}, see https://a.org/x now.", NULL, "now https://a.org/x see {name}, hello." },
    { "the file %s has 12 lines of 1,000.50 bytes", NULL,
      "bytes 1,000.50 of lines 12 has %s file the" },
    { "{name} {x}\n12 34\n", NULL, "{name} {x}\n12 34\n" }, // nothing to translate
    { "{a}{b}items and ({c}) too", NULL, "too ({c}) and items {a}{b}" },
    { "3 and 3 and {x} and {x}", NULL, "{x} and {x} and 3 and 3" },
    { "X1 and {name} and X2", NULL, "X2 and {name} and X1" },
};

static const struct golden pages[] = {
    /* inline tags go with their words */
    { "<p>a <b>red</b> car</p>", NULL, "<p>car <b>red</b> a</p>" },
    { "<p>see <a href=\"x?a=1&amp;b\">the red <i>car</i></a> now.</p>", NULL,
      "<p>now <a href=\"x?a=1&amp;b\"><i>car</i> red the</a> see.</p>" },
    { "<b>All of it.</b> <i>And more.</i>", NULL, "<b>it of All.</b> <i>more And.</i>" },
    { "<b>one two</b> three.", NULL, "three <b>two one</b>." },
    { "one <b>two three. Four five</b> six.", NULL, "<b>three two one. six five Four</b>." },
    { "one<b> two </b>three", "one <b>two</b> three", "three <b>two</b> one" },
    { "a H<sub>2</sub>O b", NULL, "b H<sub>2</sub>O a" },
    { "over 10<sup>6</sup> of them", NULL, "them of 10<sup>6</sup> over" },
    { "a word<sup><a href=#n>[1]</a></sup> more", NULL,
      "more word<sup><a href=#n>[1]</a></sup> a" },
    { "an <img src=a> image<br>and <!-- no --> comment", NULL,
      "<img src=a> image an<br><!-- no --> comment and" },
    { "an <i></i> empty one", NULL, "one <i></i> empty an" },
    /* entities */
    { "<p>a &lt;script&gt; &amp; &quot;b&quot;</p>", "<p>a &lt;script&gt; &amp; \"b\"</p>",
      "<p>\"b\" &amp; &lt;script&gt; a</p>" },
    { "a &amp;lt; b", NULL, "b &amp;lt; a" },
    { "caf&eacute; &#x41;&#66; &copy AT&T &nosuch;",
      "caf\xC3\xA9 AB \xC2\xA9 AT&amp;T &amp;nosuch;",
      "&amp;nosuch; AT&amp;T \xC2\xA9 AB caf\xC3\xA9" },
    { "a < b and c > d", "a &lt; b and c &gt; d", "d &gt; c and b &lt; a" },
    /* what is kept */
    { "<p>run <code>ls  -l &amp;</code> now</p>", NULL,
      "<p>now <code>ls  -l &amp;</code> run</p>" },
    { "<p translate=no>not <b>this</b></p><p class=\"x notranslate\">nor this<p>but this", NULL,
      "<p translate=no>not <b>this</b></p><p class=\"x notranslate\">nor this<p>this but" },
    { "<div translate=no>not this <span translate=yes>but this</span></div>", NULL,
      "<div translate=no>not this <span translate=yes>this but</span></div>" },
    { "say <span translate='no'>New <b>York</b></span>, please", NULL,
      "please <span translate='no'>New <b>York</b></span>, say" },
    { "<script>if (a < b) c(\"</p>\");</script><style>p > a {}</style>go on", NULL,
      "<script>if (a < b) c(\"</p>\");</script><style>p > a {}</style>on go" },
    { "<script><!-- <script> not </script> yet --></script>go on", NULL,
      "<script><!-- <script> not </script> yet --></script>on go" },
    { "<svg><text>not this</text><svg></svg>nor</svg> but this", NULL,
      "<svg><text>not this</text><svg></svg>nor</svg> this but" },
    { "<textarea>not this</textarea><input value='not this' title=\"a>b\">go on", NULL,
      "<textarea>not this</textarea><input value='not this' title=\"a>b\">on go" },
    { "<title>one &amp; two</title>", NULL, "<title>two &amp; one</title>" },
    /* white space and blocks */
    { "<p>\n  one\n  two </p>\n\n<ul>\n <li>a b\n <li>c d</ul>",
      "<p>\n  one two </p>\n\n<ul>\n <li>a b\n <li>c d</ul>",
      "<p>\n  two one </p>\n\n<ul>\n <li>b a\n <li>d c</ul>" },
    { "<pre>\n  one two\n    three four  \n</pre>", NULL,
      "<pre>\n  two one\n    four three  \n</pre>" },
    { "<table><tr><td>a b<td>c d</table>e f", NULL, "<table><tr><td>b a<td>d c</table>f e" },
    /* malformed */
    { "a <b>b <i>c</b> d</i> e", NULL, "e d</i> <b><i>c b</b> a" },
    { "</div>one two</b></p><", "</div>one two</b></p><", "</div>two one</b></p><" },
    { "one <a href=\"two three", NULL, NULL },
    { "one two<!-- three", NULL, "two one<!-- three" },
    { "</><?php echo 1; ?><!DOCTYPE x>one two", NULL, "</><?php echo 1; ?><!DOCTYPE x>two one" },
    /* placeholders */
    { "<p>hi <b>{name}</b>, you have <i>3</i> of {{ n }}</p>", NULL,
      "<p>{{ n }} of <i>3</i> have you <b>{name}</b>, hi</p>" },
    { "go to {na<b>me} now</b>", NULL, "now {na<b>me} to go</b>" },
};

START_TEST(text_comes_back_with_its_spaces_and_placeholders)
{
    const struct golden *g = &texts[_i];
    setup();
    ck_assert_str_eq(translate(ECHO_SAME, &text_options, g->text), g->same ? g->same : g->text);
    ck_assert_str_eq(translate(ECHO_REVERSED, &text_options, g->text),
                     g->reversed ? g->reversed : g->text);
    teardown();
}
END_TEST

START_TEST(pages_come_back_with_their_markup)
{
    const struct golden *g = &pages[_i];
    setup();
    ck_assert_str_eq(translate(ECHO_SAME, &html_options, g->text), g->same ? g->same : g->text);
    ck_assert_str_eq(translate(ECHO_REVERSED, &html_options, g->text),
                     g->reversed ? g->reversed : g->text);
    teardown();
}
END_TEST

/* ---- properties ---- */

static struct html_tokens scan(const char *html, size_t len)
{
    struct html_tokens tokens;
    assert_ok(html_scan(html, len, &arena, &tokens, &err), err);
    return tokens;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* All markup, in order of its bytes, or as it stands. */
static char **markup(const char *html, const struct html_tokens *tokens, bool only_blocks,
                     int *count)
{
    char **list = arena_array(&arena, char *, tokens->count + 1);
    *count = 0;
    for (int i = 0; i < tokens->count; i++) {
        const struct html_token *t = &tokens->list[i];
        const bool is_block = t->traits & ELEMENT_BLOCK && t->kind != HTML_OTHER;
        if (t->kind != HTML_TEXT && (is_block || !only_blocks))
            list[(*count)++] = arena_copy(&arena, html + t->from, t->to - t->from);
    }
    if (!only_blocks)
        qsort(list, (size_t)*count, sizeof *list, compare_texts);
    return list;
}

static int pairs_of(const struct html_tokens *tokens)
{
    int pairs = 0;
    for (int i = 0; i < tokens->count; i++)
        pairs += tokens->list[i].partner >= 0;
    return pairs;
}

static void assert_same_markup(const char *in, size_t in_len, const struct engine_answer *out)
{
    const struct html_tokens a = scan(in, in_len), b = scan(out->text, out->len);
    for (int only_blocks = 0; only_blocks < 2; only_blocks++) {
        int a_count, b_count;
        char **x = markup(in, &a, only_blocks, &a_count);
        char **y = markup(out->text, &b, only_blocks, &b_count);
        ck_assert_msg(a_count == b_count, "%d tags became %d:\n%s\n%s", a_count, b_count, in,
                      out->text);
        for (int i = 0; i < a_count; i++)
            ck_assert_msg(strcmp(x[i], y[i]) == 0, "%s became %s:\n%s\n%s", x[i], y[i], in,
                          out->text);
    }
}

/* Every span lies where it should, and words can be read from sentences. */
static void assert_sound_spans(size_t len, const struct vocabulary *vocabulary,
                               const struct engine_answer *answer)
{
    uint32_t from = 0, to = 0;
    for (int i = 0; i < answer->sentence_count; i++) {
        const struct engine_sentence *s = &answer->sentences[i];
        struct word_alignment words;
        ck_assert_uint_ge(s->source.from, from);
        ck_assert_uint_ge(s->target.from, to);
        ck_assert(s->source.to <= len && s->target.to <= answer->len);
        ck_assert_uint_eq(s->target.to - s->target.from, s->texts[0].len);
        ck_assert_mem_eq(answer->text + s->target.from, s->texts[0].text, s->texts[0].len);
        assert_ok(word_alignment(vocabulary, s, 0, &arena, &words, &err), err);
        for (int w = 0; w < words.S; w++)
            ck_assert(words.source[w].from <= words.source[w].to &&
                      words.source[w].from >= s->source.from && words.source[w].to <= s->source.to);
        for (int w = 0; w < words.T; w++)
            ck_assert(words.target[w].from <= words.target[w].to &&
                      words.target[w].to <= s->texts[0].len);
        from = s->source.to;
        to = s->target.to;
    }
}

/* What a reader reads, without its spaces. */
static const char *letters_of(const char *html, size_t len)
{
    struct html_text text;
    size_t kept = 0;
    assert_ok(html_read(html, len, &arena, &text, &err), err);
    char *copy = arena_copy(&arena, text.text, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \n", text.text[i]))
            copy[kept++] = text.text[i];
    copy[kept] = '\0';
    return copy;
}

static const struct engine_answer *check_page(struct echo *echo, const char *html, size_t len)
{
    const struct engine_answer *answer =
        echo_document(echo, &html_options, html, len, &arena, &err);
    ck_assert_msg(answer != NULL, "%s", err.text);
    assert_ok(utf8_check(answer->text, answer->len, &err), err);
    assert_same_markup(html, len, answer);
    assert_sound_spans(len, echo->vocabulary, answer);
    return answer;
}

static const char *const bits[] = {
    "word",
    " ",
    "two words",
    ". ",
    "And",
    ", ",
    "&lt;",
    "&amp;b",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<a x>",
    "</a>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<br>",
    "<img>",
    "<li>",
    "<!-- c -->",
    "<code>c d</code>",
    "\n",
    "a<",
    "é",
    "<pre>",
    "</pre>",
    "12",
    "10:30:20",
    "(",
    ")",
    "<s translate=no>k l</s>",
    "<sup>*</sup>",
    "<table>",
    "<td>",
    "</table>",
    "<span>",
    "</span>",
    "&eacute;",
    "&eacute",
    "X1",
    "<script>x<b>y</script>",
    "<u",
    "&#60;b&#62;",
};

static size_t random_page(struct rng *rng, int count, char *out, bool with_placeholders)
{
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        if (with_placeholders && i % 7 == 3)
            len += (size_t)sprintf(out + len, "{p%d}", i);
        else
            len +=
                (size_t)sprintf(out + len, "%s", bits[rng_below(rng, sizeof bits / sizeof *bits)]);
    }
    return len;
}

#define PAGES 300
#define PAGE_BITS 60

START_TEST(no_markup_of_a_random_page_is_lost_or_doubled)
{
    static char page[PAGE_BITS * 32];
    struct echo echo = { .order = (enum echo_order)_i, .seed = 5 };
    struct rng rng = rng_make(11, (uint64_t)_i);
    setup();
    for (int i = 0; i < PAGES; i++) {
        const struct arena_mark mark = arena_mark(&arena);
        const size_t len = random_page(&rng, 1 + (int)rng_below(&rng, PAGE_BITS), page, false);
        const struct engine_answer *answer = check_page(&echo, page, len);
        if (echo.order == ECHO_SAME)
            ck_assert_msg(strcmp(letters_of(answer->text, answer->len), letters_of(page, len)) == 0,
                          "%s\nbecame\n%s", page, answer->text);
        arena_rewind(&arena, mark);
    }
    echo_release(&echo);
    teardown();
}
END_TEST

static int occurrences(const char *text, const char *what)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

START_TEST(each_placeholder_comes_out_once_whatever_the_model_says)
{
    static char page[PAGE_BITS * 32];
    struct echo echo = { .order = ECHO_WILD, .seed = 6 };
    struct rng rng = rng_make(12, (uint64_t)_i);
    setup();
    for (int i = 0; i < PAGES; i++) {
        const struct arena_mark mark = arena_mark(&arena);
        const size_t len = random_page(&rng, 1 + (int)rng_below(&rng, PAGE_BITS), page, true);
        const struct engine_answer *answer =
            echo_document(&echo, _i ? &html_options : &text_options, page, len, &arena, &err);
        ck_assert_msg(answer != NULL, "%s", err.text);
        for (int p = 3; p < PAGE_BITS; p += 7) {
            char name[16];
            sprintf(name, "{p%d}", p);
            ck_assert_msg(occurrences(page, name) == occurrences(answer->text, name),
                          "%s is %d times in\n%s\nof\n%s", name, occurrences(answer->text, name),
                          answer->text, page);
        }
        arena_rewind(&arena, mark);
    }
    echo_release(&echo);
    teardown();
}
END_TEST

/* Pairs within pairs, and blocks around them. */
static size_t nested_page(struct rng *rng, int depth, char *out)
{
    static const char *const names[] = { "b", "i", "a", "span", "u" };
    size_t len = 0;
    for (int i = (int)rng_below(rng, 4); i >= 0; i--) {
        const char *name = names[rng_below(rng, 5)];
        len += (size_t)sprintf(out + len, "%s", i % 2 ? "word. Then " : " some more, ");
        if (depth == 0)
            continue;
        len += (size_t)sprintf(out + len, "<%s>", name);
        len += nested_page(rng, depth - 1, out + len);
        len += (size_t)sprintf(out + len, "</%s>", name);
    }
    return len;
}

START_TEST(pairs_stay_within_pairs)
{
    static char page[1 << 16];
    struct echo echo = { .order = (enum echo_order)_i, .seed = 7 };
    struct rng rng = rng_make(13, (uint64_t)_i);
    setup();
    for (int i = 0; i < 60; i++) {
        const struct arena_mark mark = arena_mark(&arena);
        const size_t len = nested_page(&rng, 3, page);
        const struct engine_answer *answer = check_page(&echo, page, len);
        const struct html_tokens in = scan(page, len), out = scan(answer->text, answer->len);
        ck_assert_msg(pairs_of(&in) == pairs_of(&out), "%s\n%s", page, answer->text);
        arena_rewind(&arena, mark);
    }
    echo_release(&echo);
    teardown();
}
END_TEST

static const char long_page[] =
    "<!DOCTYPE html><html><head><title>One &amp; two</title><script>if (a<b) x('</p>');</script>"
    "</head><body class='x y'><!-- c --><h1>The <em>first</em> one</h1>\n<p>See <a href=\"x\">the "
    "<code>ls -l</code> page</a><sup>[1]</sup>, {name} and caf&eacute; 10<sup>6</sup>. Then <b>it"
    " ends. Or</b> not.</p><ul><li>a <li>b c</ul><svg><path/></svg><pre>\n  x y\n</pre>"
    "<p translate=no>no</p><img alt='a b'>\xE6\x97\xA5\xE6\x9C\xAC &lt;b&gt;</body></html>";

START_TEST(every_beginning_of_a_page_is_a_page)
{
    struct echo echo = { .order = ECHO_WILD, .seed = 8 };
    setup();
    for (size_t len = 0; len < sizeof long_page; len++) {
        const struct arena_mark mark = arena_mark(&arena);
        if (utf8_check(long_page, len, NULL) == STATUS_OK)
            check_page(&echo, arena_copy(&arena, long_page, len), len);
        else
            ck_assert_ptr_null(echo_document(&echo, &html_options, long_page, len, &arena, &err));
        arena_rewind(&arena, mark);
    }
    echo_release(&echo);
    teardown();
}
END_TEST

/* ---- limits ---- */

static char *repeated(const char *what, size_t bytes, size_t *len)
{
    char *text = arena_array(&arena, char, bytes + 1);
    for (*len = 0; *len + strlen(what) <= bytes; *len += strlen(what))
        memcpy(text + *len, what, strlen(what));
    text[*len] = '\0';
    return text;
}

static const struct {
    const char *what;
    size_t bytes;
    const char *error; // NULL: none
} hostile[] = {
    { "<div>", 5 * HTML_DEPTH_MAX, NULL },
    { "<div>", 5 * (HTML_DEPTH_MAX + 1), "more than 512 elements open at byte 2560" },
    { "<p>a", 1 << 19, NULL },
    { "<b><p>", 1 << 19, "more than 512 elements open" },
    { "<b x><i y><u z><p>", 18 * 150, NULL },
    { "<svg>", 1 << 19, NULL },
    { "<!--", 1 << 19, NULL },
    { "<a href='", 1 << 19, NULL },
    { "&lt;", 1 << 19, NULL },
    { "&a", 1 << 19, NULL },
    { "</b>", 1 << 19, NULL },
    { "<title>", 1 << 19, NULL },
    { "<", 1 << 19, NULL },
    { "<a b=1>x</a>", 1 << 17, NULL },
    { " ", HTML_BYTES_MAX + 1, "over the limit of 4194304 bytes" },
};

START_TEST(hostile_pages_are_read_in_linear_time_or_refused)
{
    struct document d;
    size_t len;
    setup();
    const char *page = repeated(hostile[_i].what, hostile[_i].bytes, &len);
    const enum status status = document_open(&d, &html_options, page, len, &arena, &err);
    if (hostile[_i].error) {
        ck_assert_int_eq(status, STATUS_TOO_LARGE);
        ck_assert_msg(strstr(err.text, hostile[_i].error) != NULL, "%s", err.text);
    } else {
        assert_ok(status, err);
    }
    teardown();
}
END_TEST

/* Each paragraph opens again whatever is open: 41 elements of 14 names make a tree of a hundred
 * times the page. */
START_TEST(a_page_whose_tree_would_be_too_large_is_refused)
{
    struct document d;
    struct bytes page;
    setup();
    bytes_init(&page, 1 << 20);
    bytes_append_text(&page, "<p>");
    for (int i = 0; i < 3; i++)
        bytes_append_text(&page, "<a><b><big><font><i><s><small><strike><strong><tt><u><em>");
    for (int i = 0; i < 20000; i++)
        bytes_append_text(&page, "<p>a");
    ck_assert_int_eq(document_open(&d, &html_options, page.data, page.len, &arena, &err),
                     STATUS_TOO_LARGE);
    ck_assert_msg(strstr(err.text, "larger tree") != NULL, "%s", err.text);
    bytes_release(&page);
    teardown();
}
END_TEST

START_TEST(a_full_arena_is_an_error_and_no_more)
{
    setup();
    for (size_t bytes = 0; bytes < 200000; bytes += 3001) {
        struct arena small = arena_over(arena.base, bytes);
        struct document d;
        const enum status status =
            document_open(&d, &html_options, long_page, sizeof long_page - 1, &small, &err);
        ck_assert(status == STATUS_OK || status == STATUS_NO_MEMORY);
    }
    teardown();
}
END_TEST

/* ---- while it is found ---- */

/* A sentence of which so many pieces are known. */
static struct engine_sentence part_of(const struct echo *echo, const struct engine_sentence *whole,
                                      int pieces)
{
    struct engine_sentence part = *whole;
    struct hypothesis *h = arena_array(&arena, struct hypothesis, 1);
    *h = whole->translation.best[0];
    h->T = pieces;
    part.translation.best = h;
    part.texts = arena_array(&arena, struct detokenised, 1);
    assert_ok(tokenizer_decode(echo->vocabulary, h->ids, h->T, &arena, part.texts, &err), err);
    return part;
}

struct growing {
    struct document document;
    struct document_place place;
    struct engine_answer found;
    struct engine_sentence *told; // (told_count) as they were when they were whole
    int told_count;
    int early; // parts that were certain
};

static bool grow(const struct echo *echo, struct growing *g, const struct engine_sentence *so_far,
                 uint32_t next, bool is_whole, struct engine_sentence *out)
{
    assert_ok(document_grow(&g->document, &g->place, echo->vocabulary, so_far, next, is_whole,
                            &arena, out, &err),
              err);
    return out->translation.count > 0;
}

static void grow_sentence(const struct echo *echo, struct growing *g, int i)
{
    const struct engine_sentence *sentence = &g->found.sentences[i];
    const bool is_last = i + 1 == g->found.sentence_count;
    const uint32_t next = is_last ? (uint32_t)g->document.engine_text.len : sentence[1].source.from;
    const int pieces = sentence->translation.best[0].T;
    struct engine_sentence whole, *parts = arena_array(&arena, struct engine_sentence, pieces);
    int count = 0;
    for (int t = 0; t < pieces; t++) {
        const struct engine_sentence part = part_of(echo, sentence, t);
        if (grow(echo, g, &part, next, false, &parts[count]))
            count++;
    }
    g->early += count;
    if (!grow(echo, g, sentence, next, true, &whole)) {
        ck_assert_int_eq(count, 0);
        return;
    }
    g->told[g->told_count++] = whole;
    for (int k = 0; k < count; k++) {
        const struct detokenised *text = parts[k].texts;
        const struct hypothesis *h = parts[k].translation.best;
        if (h->T > 0 && vocabulary_piece(echo->vocabulary, h->ids[h->T - 1])->kind == PIECE_BYTE)
            continue; // perhaps not a whole character
        ck_assert(spans_are_equal(parts[k].source, whole.source));
        ck_assert_int_eq(memcmp(text->text, whole.texts->text, text->len), 0);
        for (int t = 0; t < h->T; t++)
            ck_assert(spans_are_equal(text->spans[t], whole.texts->spans[t]));
    }
}

static void assert_told(const struct growing *g, const struct engine_answer *answer)
{
    ck_assert_int_eq(g->told_count, answer->sentence_count);
    for (int i = 0; i < g->told_count; i++) {
        const struct engine_sentence *told = &g->told[i], *final = &answer->sentences[i];
        ck_assert(spans_are_equal(told->source, final->source));
        ck_assert_str_eq(told->texts->text, final->texts->text);
        for (int t = 0; t < final->translation.best[0].T; t++)
            ck_assert(spans_are_equal(told->texts->spans[t], final->texts->spans[t]));
        for (int s = 0; s < final->tokens.count; s++)
            ck_assert(spans_are_equal(told->tokens.spans[s], final->tokens.spans[s]));
    }
}

/* How much of a text was certain before its sentences were whole. */
static int count_early(enum echo_order order, const struct document_options *options,
                       const char *text)
{
    struct echo echo = { .order = order, .seed = 9 };
    struct growing g = { .early = 0 };
    struct engine_answer answer;
    assert_ok(document_open(&g.document, options, text, strlen(text), &arena, &err), err);
    g.found = echo_answer(&echo, &g.document.engine_text, &arena);
    g.told = arena_array(&arena, struct engine_sentence, g.found.sentence_count);
    for (int i = 0; i < g.found.sentence_count; i++)
        grow_sentence(&echo, &g, i);
    assert_ok(document_answer(&g.document, echo.vocabulary, &g.found, &arena, &answer, &err), err);
    assert_told(&g, &answer);
    echo_release(&echo);
    return g.early;
}

START_TEST(a_sentence_grows_to_what_it_will_be)
{
    setup();
    for (int order = ECHO_SAME; order <= ECHO_WILD; order++) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            (void)count_early((enum echo_order)order, &text_options, texts[i].text);
        for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
            (void)count_early((enum echo_order)order, &html_options, pages[i].text);
    }
    teardown();
}
END_TEST

START_TEST(a_sentence_with_something_in_it_is_not_certain_before_it_is_whole)
{
    setup();
    ck_assert_int_eq(count_early(ECHO_SAME, &text_options, "it is {x} here"), 0);
    ck_assert_int_eq(count_early(ECHO_SAME, &text_options, "it is 12 here"), 0);
    ck_assert_int_eq(count_early(ECHO_SAME, &html_options, "<p>it <b>is</b> here</p>"), 0);
    const int bare = count_early(ECHO_SAME, &text_options, "it is here");
    ck_assert_int_gt(bare, 0);
    ck_assert_int_eq(count_early(ECHO_SAME, &text_options, "12 of it\nit is here\n{x} of it"),
                     bare);
    ck_assert_int_eq(
        count_early(ECHO_SAME, &html_options, "<p><i>of</i> it<p>it is here<p>12 of it"), bare);
    teardown();
}
END_TEST

/* ---- glossary ---- */

START_TEST(terms_come_out_as_the_glossary_says)
{
    struct glossary *glossary;
    setup();
    assert_ok(glossary_new(&glossary, &arena, &err), err);
    assert_ok(glossary_add(glossary, "red car", 7, "bagnole <rouge>", 15, &err), err);
    assert_ok(glossary_add(glossary, "car", 3, "auto", 4, &err), err);
    assert_ok(glossary_ready(glossary, &err), err);
    const struct document_options text = { .format = FORMAT_TEXT, .glossary = glossary };
    const struct document_options html = { .format = FORMAT_HTML, .glossary = glossary };
    const struct document_options kept = { .format = FORMAT_TEXT,
                                           .glossary = glossary,
                                           .side = GLOSSARY_TRANSLATIONS };
    ck_assert_str_eq(translate(ECHO_SAME, &text, "a red car, a Car"), "a bagnole <rouge>, a auto");
    ck_assert_str_eq(translate(ECHO_SAME, &html, "<p>a <b>red car</b> now</p>"),
                     "<p>a <b>bagnole &lt;rouge&gt;</b> now</p>");
    ck_assert_str_eq(translate(ECHO_SAME, &html, "<p>a <b>red</b> car</p>"),
                     "<p>a <b>red</b> auto</p>");
    ck_assert_str_eq(translate(ECHO_SAME, &text, "Car is car"), "Auto is auto");
    ck_assert_str_eq(translate(ECHO_REVERSED, &kept, "my auto here"), "here auto my");
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(text_comes_back_with_its_spaces_and_placeholders, sizeof texts / sizeof *texts),
    TEST_LOOP(pages_come_back_with_their_markup, sizeof pages / sizeof *pages),
    TEST_LOOP(no_markup_of_a_random_page_is_lost_or_doubled, 3),
    TEST_LOOP(each_placeholder_comes_out_once_whatever_the_model_says, 2),
    TEST_LOOP(pairs_stay_within_pairs, 3),
    TEST(every_beginning_of_a_page_is_a_page),
    TEST_LOOP(hostile_pages_are_read_in_linear_time_or_refused, sizeof hostile / sizeof *hostile),
    TEST(a_page_whose_tree_would_be_too_large_is_refused),
    TEST(a_full_arena_is_an_error_and_no_more),
    TEST(a_sentence_grows_to_what_it_will_be),
    TEST(a_sentence_with_something_in_it_is_not_certain_before_it_is_whole),
    TEST(terms_come_out_as_the_glossary_says),
};

TEST_MAIN("server/documents/document", cases)
