/*
 * test_lm.c - the language model in float, with the kernels of this processor, and as a file.
 */
#include "tests/model/lm_suite.h"

#include "model/model.h"

START_TEST(a_saved_language_model_is_loaded_as_one)
{
    static const struct model_texts texts = { .vocabulary = "0\t<pad>\t0\tcontrol\n" };
    struct fixture f;
    struct model *model;
    struct error err;
    char folder[64], path[96];
    make_folder(folder);
    snprintf(path, sizeof path, "%s/lm.safetensors", folder);
    fixture_open(&f, _i);
    assert_ok(model_save(path, &f.lm.config, &f.lm.params, f.values, DTYPE_F32, &texts, &err), err);
    assert_ok(model_load_values(&model, path, &err), err);
    ck_assert_ptr_eq(model_weights(model)->params, &model_lm(model)->params);
    for (int i = 0; i < f.lm.params.count; i++) {
        const struct tensor t = f.lm.params.entries[i].tensor;
        ck_assert(memcmp(weight(model_weights(model), t), f.values + t.offset,
                         (size_t)t.rows * (size_t)t.cols * sizeof *f.values) == 0);
    }
    model_free(model);
    assert_status(model_load(&model, path, KIND_TRANSLATE, &err), STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "verso lm"), "%s", err.text);
    fixture_close(&f);
    remove_folder(folder);
}
END_TEST

static const struct test_case cases[] = {
    LM_CASES,
    TEST_LOOP(a_saved_language_model_is_loaded_as_one, SYSTEM_COUNT),
};
TEST_MAIN("model/lm", cases)
