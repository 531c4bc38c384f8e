/*
 * test_glossary.c - whole words, the longest first, capitals, spaces, files, and what is no glossary.
 */
#include "tests/helpers.h"

#include "server/documents/glossary.h"

static struct error err;
static struct arena arena;
static struct glossary *glossary;

static void setup(void)
{
    ck_assert(arena_init(&arena, 64 << 20));
    assert_ok(glossary_new(&glossary, &arena, &err), err);
}

static void teardown(void)
{
    arena_release(&arena);
}

static enum status add(const char *term, const char *translation)
{
    return glossary_add(glossary, term, strlen(term), translation, strlen(translation), &err);
}

/* "[found=translation]" beside the rest. */
static const char *shown(enum glossary_side side, const char *text)
{
    static char out[2000];
    size_t used = 0;
    for (size_t at = 0; at < strlen(text);) {
        struct glossary_term term;
        const size_t found = glossary_at(glossary, side, text, strlen(text), at, &term);
        if (found)
            used += (size_t)snprintf(out + used, sizeof out - used, "[%.*s=%.*s]", (int)found,
                                     text + at, (int)term.translation_len, term.translation);
        size_t bytes = 1; // of the character here
        while (((unsigned char)text[at + bytes] & 0xC0) == 0x80)
            bytes++;
        if (!found)
            used += (size_t)snprintf(out + used, sizeof out - used, "%.*s", (int)bytes, text + at);
        at += found ? found : bytes;
    }
    return out;
}

START_TEST(terms_are_whole_words_and_the_longest_wins)
{
    setup();
    assert_ok(add("bank", "rive"), err);
    assert_ok(add("bank account", "compte"), err);
    assert_ok(add("New  York", "Nouvelle York"), err);
    assert_ok(add("C++", "Cpp"), err);
    assert_ok(add("\xC3\xA9t\xC3\xA9", "summer"), err);
    assert_ok(glossary_ready(glossary, &err), err);
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "A bank, banks, a bank account; embank."),
                     "A [bank=rive], banks, a [bank account=compte]; embank.");
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "bank\naccount, bank   account"),
                     "[bank=rive]\naccount, [bank   account=compte]");
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "New York new york"),
                     "[New York=Nouvelle York] new york");
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "c C++."), "c [C++=Cpp].");
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "\xC3\x89t\xC3\xA9 \xC3\xA9t\xC3\xA9s"),
                     "[\xC3\x89t\xC3\xA9=summer] \xC3\xA9t\xC3\xA9s");
    teardown();
}
END_TEST

START_TEST(a_term_with_capitals_comes_before_one_without)
{
    setup();
    assert_ok(add("Polish", "polonais"), err);
    assert_ok(add("polish", "cirer"), err);
    assert_ok(glossary_ready(glossary, &err), err);
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "Polish polish POLISH"),
                     "[Polish=polonais] [polish=cirer] [POLISH=cirer]");
    teardown();
}
END_TEST

START_TEST(between_two_models_the_translations_are_what_stays)
{
    setup();
    assert_ok(add("banque", "Bank AG"), err);
    assert_ok(add("rive", ""), err);
    assert_ok(glossary_ready(glossary, &err), err);
    ck_assert_str_eq(shown(GLOSSARY_TRANSLATIONS, "the Bank AG of the banque"),
                     "the [Bank AG=Bank AG] of the banque");
    teardown();
}
END_TEST

START_TEST(an_empty_glossary_finds_nothing)
{
    setup();
    assert_ok(glossary_ready(glossary, &err), err);
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "bank"), "bank");
    teardown();
}
END_TEST

START_TEST(what_cannot_be_a_term_is_refused_by_name)
{
    static char longer[GLOSSARY_BYTES_MAX + 2];
    setup();
    memset(longer, 'a', sizeof longer - 1);
    ck_assert_int_eq(add("  ", "x"), STATUS_BAD_INPUT);
    ck_assert_int_eq(add("a b c d e f g h i", "x"), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "\"a b c d e f g h i\" must have 1 to 8 words"));
    ck_assert_int_eq(add(longer, "x"), STATUS_TOO_LARGE);
    ck_assert_int_eq(add("x", longer), STATUS_TOO_LARGE);
    ck_assert_int_eq(add("\xFF", "x"), STATUS_BAD_INPUT);
    ck_assert_int_eq(add("x", "a\nb"), STATUS_BAD_INPUT);
    assert_ok(add("twice", "a"), err);
    assert_ok(add("twice", "b"), err);
    ck_assert_int_eq(glossary_ready(glossary, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "\"twice\" twice"));
    teardown();
}
END_TEST

START_TEST(a_file_is_lines_of_two_columns)
{
    char folder[64], path[128];
    setup();
    make_folder(folder);
    snprintf(path, sizeof path, "%s/terms.tsv", folder);
    FILE *file = fopen(path, "w");
    fputs("# comment\n\nbank\trive\r\ncat\tminou\n", file);
    fclose(file);
    assert_ok(glossary_load(&glossary, path, &arena, &err), err);
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "cat bank"), "[cat=minou] [bank=rive]");
    file = fopen(path, "a");
    fputs("no tab here\n", file);
    fclose(file);
    ck_assert_int_eq(glossary_load(&glossary, path, &arena, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "line 5: there is no tab"));
    remove_folder(folder);
    teardown();
}
END_TEST

START_TEST(no_more_terms_than_the_limit)
{
    char term[16];
    setup();
    for (int i = 0; i < GLOSSARY_TERMS_MAX; i++) {
        snprintf(term, sizeof term, "t%d", i);
        assert_ok(add(term, "x"), err);
    }
    ck_assert_int_eq(add("more", "x"), STATUS_TOO_LARGE);
    assert_ok(glossary_ready(glossary, &err), err);
    ck_assert_str_eq(shown(GLOSSARY_TERMS, "t9999 t10000"), "[t9999=x] t10000");
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(terms_are_whole_words_and_the_longest_wins),
    TEST(a_term_with_capitals_comes_before_one_without),
    TEST(between_two_models_the_translations_are_what_stays),
    TEST(an_empty_glossary_finds_nothing),
    TEST(what_cannot_be_a_term_is_refused_by_name),
    TEST(a_file_is_lines_of_two_columns),
    TEST(no_more_terms_than_the_limit),
};

TEST_MAIN("server/documents/glossary", cases)
