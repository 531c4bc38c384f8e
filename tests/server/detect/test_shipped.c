/*
 * test_shipped.c - the detector in deploy/models: right on sentences of its languages, and honest
 * about what is in none of them. With the shared folder also measured on test sets: the first 300
 * sentences of each, or all of them if VERSO_LONG is set.
 */
#include "server/detect/detector.h"

#include <sys/stat.h>

#include "base/gzip.h"
#include "tests/helpers.h"
#include "tokenizer/character.h"

#define MODEL TESTS_DIR "/../deploy/models/detect.safetensors"
#define BYTES_MAX (1 << 20)
#define WORDS_MIN 5 // what is measured: sentences of so many words or more
#define ACCURACY_MIN 0.99
#define SENTENCES_SHORT 300

static struct detector *detector;
static struct arena arena;
static struct error err;

static void setup(void)
{
    assert_ok(detector_load(&detector, MODEL, &err), err);
    ck_assert(arena_init(&arena, detector_arena_bytes(detector)));
}

static void teardown(void)
{
    detector_free(detector);
    arena_release(&arena);
}

static struct detection detect(const char *text, size_t len)
{
    struct detection found;
    assert_ok(detector_detect(detector, text, len, &arena, &found, &err), err);
    return found;
}

static void assert_language(const char *text, const char *language, float at_least)
{
    const struct detection found = detect(text, strlen(text));
    ck_assert_msg(strcmp(found.language, language) == 0 && found.confidence >= at_least,
                  "\"%s\" is said to be %s with %.3f", text, found.language,
                  (double)found.confidence);
}

START_TEST(it_tells_four_languages_and_is_small)
{
    struct stat info;
    setup();
    ck_assert_int_eq(detector_language_count(detector), 4);
    ck_assert_int_eq(stat(MODEL, &info), 0);
    ck_assert_int_le(info.st_size, BYTES_MAX);
    teardown();
}
END_TEST

START_TEST(sentences_are_in_their_language)
{
    static const char *const sentences[][2] = {
        { "en", "The keys are on the kitchen table." },
        { "en", "I will call you tomorrow evening, if that suits you." },
        { "en", "Nobody knew why the train had stopped in the middle of the field." },
        { "en", "PLEASE CLOSE THE DOOR BEHIND YOU" },
        { "en", "The committee approved the budget for the new library." },
        { "fr", "Les clés sont sur la table de la cuisine." },
        { "fr", "Je t\u2019appellerai demain soir, si \u00E7a te convient." },
        { "fr", "Personne ne savait pourquoi le train s'était arrêté en pleine campagne." },
        { "fr", "ou est la gare s'il vous plait" },
        { "fr", "La commission a adopté le budget de la nouvelle bibliothèque." },
        { "de", "Die Schlüssel liegen auf dem Küchentisch." },
        { "de", "Ich rufe dich morgen Abend an, wenn es dir passt." },
        { "de", "Niemand wusste, warum der Zug mitten auf der Strecke gehalten hatte." },
        { "de", "wo ist bitte der naechste bahnhof" },
        { "de", "Der Ausschuss hat die Mittel für die neue Bibliothek bewilligt." },
        { "es", "Las llaves están en la mesa de la cocina." },
        { "es", "Te llamaré mañana por la tarde, si te viene bien." },
        { "es", "Nadie sabía por qué el tren se había parado en medio del campo." },
        { "es", "donde esta la estacion de tren por favor" },
        { "es", "La comisión ha aprobado el presupuesto de la nueva biblioteca." },
    };
    setup();
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        assert_language(sentences[i][1], sentences[i][0], 0.9f);
    teardown();
}
END_TEST

START_TEST(other_languages_are_none_of_them)
{
    static const char *const sentences[] = {
        "Le chiavi sono sul tavolo della cucina.",
        "As chaves estão na mesa da cozinha.",
        "De sleutels liggen op de keukentafel.",
        "Nycklarna ligger på köksbordet.",
        "Klucze leżą na stole w kuchni.",
        "Avaimet ovat keittiön pöydällä.",
        "A kulcsok a konyhaasztalon vannak.",
        "Ключи лежат на кухонном столе.",
        "Τα κλειδιά είναι στο τραπέζι της κουζίνας.",
        "鍵は台所のテーブルの上にあります。",
        "المفاتيح على طاولة المطبخ.",
        "钥匙在厨房的桌子上。",
    };
    setup();
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        assert_language(sentences[i], DETECTOR_UNKNOWN, 0);
    teardown();
}
END_TEST

START_TEST(what_is_no_text_is_no_language)
{
    static const char *const texts[] = {
        "",
        "  \n\t",
        "1984",
        "+33 1 23 45 67 89",
        "😀 👍🏽",
        "?!...",
        "https://example.org/the/weather",
        "somebody@example.org",
    };
    setup();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_language(texts[i], DETECTOR_UNKNOWN, 0);
    teardown();
}
END_TEST

START_TEST(a_text_of_two_languages_is_some_of_both)
{
    char text[2048] = "";
    setup();
    for (int i = 0; i < 6; i++)
        strcat(text, "Nobody knew why the train had stopped in the middle of the field. ");
    for (int i = 0; i < 6; i++)
        strcat(text, "Niemand wusste, warum der Zug mitten auf der Strecke gehalten hatte. ");
    const struct detection found = detect(text, strlen(text));
    ck_assert_float_gt(found.languages[0].confidence, 0.3f);
    ck_assert_float_gt(found.languages[1].confidence, 0.3f);
    ck_assert_float_lt(found.languages[2].confidence, 0.1f);
    teardown();
}
END_TEST

/* ---- test sets ---- */

static const struct test_set {
    const char *language, *file;
    int column;
} sets[] = {
    { "en", "tatoeba.en-fr.test.tsv.gz", 1 },
    { "fr", "tatoeba.en-fr.test.tsv.gz", 2 },
    { "de", "tatoeba.en-de.test.tsv.gz", 2 },
    { "es", "tatoeba.en-es.test.tsv.gz", 2 },
    { "en", "pud.en-fr.test.tsv.gz", 1 },
    { "fr", "pud.en-fr.test.tsv.gz", 2 },
    { "de", "pud.en-de.test.tsv.gz", 2 },
    { "es", "pud.en-es.test.tsv.gz", 2 },
    { "en", "multi30k.en-fr.test_2016_flickr.tsv.gz", 1 },
    { "fr", "multi30k.en-fr.test_2016_flickr.tsv.gz", 2 },
    { "de", "multi30k.en-de.test_2016_flickr.tsv.gz", 2 },
};
#define SET_COUNT ((int)(sizeof sets / sizeof sets[0]))

/* Between spaces, with a letter. */
static int word_count(const char *text, size_t len)
{
    int words = 0;
    for (size_t at = 0, to; at < len; at = to + 1) {
        for (to = at; to < len && text[to] != ' '; to++)
            ;
        words += text_has_letters(text + at, to - at);
    }
    return words;
}

START_TEST(test_sets_are_told_right)
{
    char path[512];
    const struct test_set *set = &sets[_i];
    struct line_reader *in;
    struct line line;
    long right = 0, all = 0;
    snprintf(path, sizeof path, "%s/data/%s", SHARED_DIR, set->file);
    if (access(path, R_OK) != 0) {
        puts("skipped: there is no shared folder beside the checkout");
        return;
    }
    setup();
    const long most = getenv("VERSO_LONG") ? BYTES_MAX : SENTENCES_SHORT;
    assert_ok(line_reader_open(&in, path, &err), err);
    while (all < most && line_reader_next(in, &line, &err) == STATUS_OK && line.text) {
        const char *tab = strchr(line.text, '\t');
        const char *text = set->column == 1 ? line.text : tab + 1;
        const size_t len = set->column == 1 ? (size_t)(tab - line.text) : strlen(text);
        if (word_count(text, len) < WORDS_MIN)
            continue;
        right += strcmp(detect(text, len).language, set->language) == 0;
        all++;
    }
    line_reader_close(in);
    ck_assert_int_gt(all, SENTENCES_SHORT / 2);
    ck_assert_msg((double)right >= ACCURACY_MIN * (double)all, "%s of %s: %ld of %ld are right",
                  set->language, set->file, right, all);
    teardown();
}
END_TEST

static const struct test_case cases[] = {
    TEST(it_tells_four_languages_and_is_small),    TEST(sentences_are_in_their_language),
    TEST(other_languages_are_none_of_them),        TEST(what_is_no_text_is_no_language),
    TEST(a_text_of_two_languages_is_some_of_both), TEST_LOOP(test_sets_are_told_right, SET_COUNT),
};
TEST_MAIN("the shipped detector", cases)
