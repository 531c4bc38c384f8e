/*
 * test_shared_models.c - the tokenizer against the reference models' vocabularies: a thousand real
 * sentences each way must give exactly the ids that the reference run had.
 */
#include "tests/helpers.h"

#include "base/gzip.h"
#include "base/json.h"
#include "tokenizer/tokenizer.h"

#define SENTENCES 1000
#define ARENA_BYTES (8u << 20)

static const char *const directions[] = { "en-fr", "fr-en" };

static struct error err;

struct reference {
    struct vocabulary *vocabulary;
    struct line_reader *lines;
    struct arena arena;
};

static void reference_open(struct reference *r, const char *direction)
{
    char path[256];
    snprintf(path, sizeof path, "%s/models/%s.vocab.tsv", SHARED_DIR, direction);
    assert_ok(vocabulary_load_tsv(&r->vocabulary, path, &err), err);
    snprintf(path, sizeof path, "%s/models/%s.greedy.jsonl.gz", SHARED_DIR, direction);
    assert_ok(line_reader_open(&r->lines, path, &err), err);
    ck_assert(arena_init(&r->arena, ARENA_BYTES));
}

static void reference_close(struct reference *r)
{
    arena_release(&r->arena);
    line_reader_close(r->lines);
    vocabulary_free(r->vocabulary);
}

static json_t *next_sentence(struct reference *r)
{
    struct line line;
    json_t *root;
    assert_ok(line_reader_next(r->lines, &line, &err), err);
    if (!line.text)
        return NULL;
    assert_ok(json_parse(&root, line.text, line.len, &err), err);
    return root;
}

static int32_t *read_ids(const json_t *array, struct arena *arena, int *count)
{
    *count = (int)json_array_size(array);
    int32_t *ids = arena_array(arena, int32_t, *count);
    ck_assert_ptr_nonnull(ids);
    for (int i = 0; i < *count; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(array, (size_t)i));
    return ids;
}

START_TEST(source_texts_get_the_ids_of_the_reference)
{
    struct reference r;
    int sentences = 0;
    reference_open(&r, directions[_i]);
    for (json_t *s; (s = next_sentence(&r)); json_decref(s), sentences++) {
        const char *text = json_string_value(json_object_get(s, "source"));
        struct tokens tokens;
        int count;
        arena_reset(&r.arena);
        int32_t *ids = read_ids(json_object_get(s, "source_ids"), &r.arena, &count);
        assert_ok(tokenizer_encode(r.vocabulary, text, strlen(text), &r.arena, &tokens, &err), err);
        ck_assert_msg(tokens.count == count &&
                          !memcmp(tokens.ids, ids, (size_t)count * sizeof *ids),
                      "sentence %d: %s", sentences, text);
    }
    ck_assert_int_eq(sentences, SENTENCES);
    reference_close(&r);
}
END_TEST

START_TEST(greedy_ids_give_the_text_of_the_reference)
{
    struct reference r;
    int sentences = 0;
    reference_open(&r, directions[_i]);
    for (json_t *s; (s = next_sentence(&r)); json_decref(s), sentences++) {
        struct detokenised out;
        int count;
        arena_reset(&r.arena);
        int32_t *ids = read_ids(json_object_get(s, "greedy_ids"), &r.arena, &count);
        if (count && ids[count - 1] == ID_EOS)
            count--;
        assert_ok(tokenizer_decode(r.vocabulary, ids, count, &r.arena, &out, &err), err);
        ck_assert_str_eq(out.text, json_string_value(json_object_get(s, "greedy")));
    }
    ck_assert_int_eq(sentences, SENTENCES);
    reference_close(&r);
}
END_TEST

static const struct test_case cases[] = {
    TEST_LOOP(source_texts_get_the_ids_of_the_reference, 2),
    TEST_LOOP(greedy_ids_give_the_text_of_the_reference, 2),
};

int main(void)
{
    SKIP_WITHOUT_SHARED();
    return test_run("tokenizer/shared_models", cases, sizeof cases / sizeof cases[0]);
}
