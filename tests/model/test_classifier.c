/*
 * test_classifier.c - a classifier is what was saved, and says the same bits in any company.
 */
#include "model/classifier.h"

#include "base/arena.h"
#include "base/rng.h"
#include "model/model.h"
#include "tests/helpers.h"

#define V 30
#define C 4
#define LABELS "[\"a\",\"b\",\"c\",\"d\"]"
#define SEQUENCES 23
#define LONGEST 40

static char folder[64], path[96];
static struct classifier shape;
static struct arena arena;

static struct model *make_model(void)
{
    const struct model_texts texts = { .vocabulary = "x", .labels = LABELS };
    struct config config = config_default(KIND_CLASSIFY);
    struct model *model;
    struct error err;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/classifier.safetensors", folder);
    config.vocabulary = V;
    config.embedding = 12;
    config.hidden = 20;
    config.classes = C;
    config.cell = CELL_GRU;
    classifier_init(&shape, &config);
    float *values = memory_zeroed(shape.params.total, sizeof *values);
    ck_assert(params_initialise(&shape.params, values, 4));
    assert_ok(model_save(path, &config, &shape.params, values, DTYPE_F32, &texts, &err), err);
    memory_free(values);
    assert_ok(model_load(&model, path, KIND_CLASSIFY, &err), err);
    ck_assert(arena_init(&arena, 16 << 20));
    return model;
}

static void end(struct model *model)
{
    model_free(model);
    arena_release(&arena);
    remove_folder(folder);
}

START_TEST(a_saved_classifier_is_loaded_with_its_labels)
{
    struct model *model = make_model();
    ck_assert_str_eq(model_texts(model).labels, LABELS);
    ck_assert_int_eq(model_config(model)->classes, C);
    ck_assert_int_eq(model_classifier(model)->output.embedding.rows, C);
    ck_assert_ptr_eq(model_weights(model)->params, &model_classifier(model)->params);
    end(model);
}
END_TEST

START_TEST(a_classifier_does_not_translate)
{
    struct model *model = make_model(), *other;
    struct error err;
    assert_status(model_load(&other, path, KIND_TRANSLATE, &err), STATUS_BAD_INPUT);
    ck_assert_ptr_null(other);
    ck_assert_msg(strstr(err.text, "verso detect"), "%s", err.text);
    end(model);
}
END_TEST

START_TEST(bits_do_not_depend_on_company)
{
    struct model *model = make_model();
    struct rng rng = rng_make(8, 8);
    struct error err;
    int32_t ids[SEQUENCES][LONGEST];
    const int32_t *rows[SEQUENCES];
    int len[SEQUENCES];
    float together[SEQUENCES * C], alone[C];
    for (int i = 0; i < SEQUENCES; i++) {
        len[i] = 1 + (int)rng_below(&rng, LONGEST);
        rows[i] = ids[i];
        for (int k = 0; k < len[i]; k++)
            ids[i][k] = 1 + (int32_t)rng_below(&rng, V - 1);
    }
    const struct classifier *classifier = model_classifier(model);
    assert_ok(classifier_log_probs(classifier, model_weights(model), rows, len, SEQUENCES, &arena,
                                   together, &err),
              err);
    for (int i = 0; i < SEQUENCES; i++) {
        assert_ok(classifier_log_probs(classifier, model_weights(model), &rows[i], &len[i], 1,
                                       &arena, alone, &err),
                  err);
        ck_assert_mem_eq(alone, together + i * C, sizeof alone);
    }
    end(model);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_saved_classifier_is_loaded_with_its_labels),
    TEST(a_classifier_does_not_translate),
    TEST(bits_do_not_depend_on_company),
};
TEST_MAIN("model/classifier", cases)
