/*
 * test_shortlist.c - lists of a sentence's own, and shortlists in files: kept, or refused.
 */
#include "tests/model/random_model.h"

#include "base/rng.h"

#define PIECES 140 // more than two words of marks
#define FIRST 4
#define BYTES 10 // pieces 4..13 go together

static const struct random_model small = { .V = PIECES, .width = 6, .seed = 3, .sharpness = 1 };
static const struct model_texts texts = { .vocabulary = RANDOM_VOCABULARY, .card = "{}" };

static struct error err;
static char folder[64], path[96], other[96];

static void begin(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    snprintf(other, sizeof other, "%s/other.safetensors", folder);
}

static void end(void)
{
    remove_folder(folder);
}

/* Always </s>, 139 and 64; together 4..13; source piece i has (7 i) % PIECES, 100 and i - 1, best
 * first, but for pieces that cannot be written. */
static struct shortlist *make_shortlist(void)
{
    struct shortlist *s = shortlist_new(PIECES, 4 * PIECES);
    int32_t used = 0;
    ck_assert_ptr_nonnull(s);
    for (int i = 0; i < PIECES; i++) {
        const int32_t always[] = { 139, 3, 64 }, row[] = { 7 * i % PIECES, 100, i - 1 };
        s->offsets[i] = used;
        for (int k = 0; i == SHORTLIST_TOGETHER && k < BYTES; k++)
            s->pieces[used++] = FIRST + k;
        for (int k = 0; i == SHORTLIST_ALWAYS && k < 3; k++)
            s->pieces[used++] = always[k];
        for (int k = 0; i >= FIRST && k < 3; k++)
            if (row[k] >= FIRST)
                s->pieces[used++] = row[k];
    }
    s->offsets[PIECES] = used;
    return s;
}

static bool holds(const int32_t *list, int count, int32_t piece)
{
    for (int i = 0; i < count; i++)
        if (list[i] == piece)
            return true;
    return false;
}

static void assert_list(const int32_t *ids, int len, int per_piece, const int32_t *wanted,
                        int wanted_count)
{
    struct shortlist *s = make_shortlist();
    struct arena arena;
    int count = 0;
    ck_assert(arena_init(&arena, 1 << 16));
    const int32_t *list = shortlist_choose(s, ids, len, per_piece, &arena, &count);
    ck_assert_int_eq(count, wanted_count);
    ck_assert_mem_eq(list, wanted, (size_t)count * sizeof *list);
    arena_release(&arena);
    shortlist_free(s);
}

/* ---- lists ---- */

START_TEST(a_list_has_the_rows_the_pieces_themselves_and_what_is_always_allowed)
{
    static const int32_t ids[] = { 30, 90, 3 };
    static const int32_t wanted[] = { 3, 29, 30, 64, 70, 89, 90, 100, 139 };
    assert_list(ids, 3, SHORTLIST_WHOLE, wanted, 9);
}
END_TEST

START_TEST(a_limit_takes_the_best_of_each_row_and_all_that_is_always_allowed)
{
    static const int32_t ids[] = { 30, 90, 3 };
    static const int32_t wanted[] = { 3, 30, 64, 70, 90, 139 };
    assert_list(ids, 3, 1, wanted, 6);
}
END_TEST

START_TEST(pieces_that_go_together_come_all_with_one)
{
    static const int32_t ids[] = { 8, 3 };
    static const int32_t wanted[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 56, 64, 139 };
    assert_list(ids, 2, 1, wanted, 14);
}
END_TEST

START_TEST(what_is_never_written_is_on_no_list)
{
    static const int32_t ids[] = { 0, 1, 2, 3 };
    static const int32_t wanted[] = { 3, 64, 139 };
    assert_list(ids, 4, SHORTLIST_WHOLE, wanted, 3);
}
END_TEST

START_TEST(lists_of_any_source_rise_and_hold_what_they_must)
{
    struct rng rng = rng_make(2, 2);
    struct shortlist *s = make_shortlist();
    struct arena arena;
    ck_assert(arena_init(&arena, 1 << 16));
    for (int round = 0; round < 200; round++) {
        int32_t ids[20];
        int count, len = 1 + (int)rng_below(&rng, 20);
        for (int i = 0; i < len; i++)
            ids[i] = i + 1 < len ? FIRST + (int32_t)rng_below(&rng, PIECES - FIRST) : 3;
        const int32_t *list =
            shortlist_choose(s, ids, len, (int)rng_below(&rng, 4), &arena, &count);
        for (int i = 1; i < count; i++)
            ck_assert_int_lt(list[i - 1], list[i]);
        for (int i = 0; i < len; i++)
            ck_assert(holds(list, count, ids[i]));
        ck_assert(holds(list, count, 139) && holds(list, count, 64));
        arena_reset(&arena);
    }
    arena_release(&arena);
    shortlist_free(s);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    static const int32_t ids[] = { 30, 90, 3 };
    struct shortlist *s = make_shortlist();
    char room[128];
    int count;
    for (size_t bytes = 0; bytes < sizeof room; bytes += 64) {
        struct arena arena = arena_over(room, bytes);
        ck_assert_ptr_null(shortlist_choose(s, ids, 3, SHORTLIST_WHOLE, &arena, &count));
    }
    shortlist_free(s);
}
END_TEST

/* ---- files ---- */

static void write_model(void)
{
    static struct seq2seq shape;
    float *values = random_values(&small, &shape);
    assert_ok(model_save(path, &shape.config, &shape.params, values, DTYPE_BF16, &texts, &err),
              err);
    memory_free(values);
}

static void assert_same_tensors(const char *one, const char *two)
{
    struct tensor_file *a, *b;
    assert_ok(tensor_file_open(&a, one, &err), err);
    assert_ok(tensor_file_open(&b, two, &err), err);
    for (int i = 0; i < tensor_file_count(a); i++) {
        const struct tensor_info x = tensor_file_info(a, i), y = tensor_file_info(b, i);
        const size_t bytes = (size_t)x.rows * (size_t)x.cols * (x.dtype == DTYPE_F32 ? 4 : 2);
        ck_assert_str_eq(x.name, y.name);
        ck_assert_int_eq(x.dtype, y.dtype);
        ck_assert_mem_eq(tensor_file_bytes(a, i), tensor_file_bytes(b, i), bytes);
    }
    tensor_file_close(a);
    tensor_file_close(b);
}

START_TEST(a_shortlist_put_into_a_model_is_loaded_with_it_and_changes_no_weight)
{
    begin();
    write_model();
    struct shortlist *s = make_shortlist();
    struct model *model;
    assert_ok(model_rewrite(path, other, NULL, s, &err), err);
    assert_same_tensors(path, other);
    assert_ok(model_load(&model, other, KIND_TRANSLATE, &err), err);
    const struct shortlist *loaded = model_shortlist(model);
    ck_assert_int_eq(loaded->vocabulary, PIECES);
    ck_assert_mem_eq(loaded->offsets, s->offsets, (PIECES + 1) * sizeof *s->offsets);
    ck_assert_mem_eq(loaded->pieces, s->pieces, (size_t)s->offsets[PIECES] * sizeof *s->pieces);
    ck_assert_str_eq(model_texts(model).card, "{}");
    model_free(model);
    assert_ok(model_load(&model, path, KIND_TRANSLATE, &err), err);
    ck_assert_ptr_null(model_shortlist(model));
    model_free(model);
    shortlist_free(s);
    end();
}
END_TEST

START_TEST(another_shortlist_takes_the_place_and_another_card_leaves_it)
{
    begin();
    write_model();
    struct shortlist *s = make_shortlist();
    struct model *model;
    assert_ok(model_rewrite(path, path, NULL, s, &err), err);
    s->pieces[s->offsets[50]] = 77;
    assert_ok(model_rewrite(path, path, NULL, s, &err), err);
    assert_ok(model_rewrite(path, path, "{\"name\":\"new\"}", NULL, &err), err);
    assert_ok(model_load(&model, path, KIND_TRANSLATE, &err), err);
    const struct shortlist *loaded = model_shortlist(model);
    ck_assert_ptr_nonnull(loaded);
    ck_assert_int_eq(loaded->pieces[loaded->offsets[50]], 77);
    ck_assert_str_eq(model_texts(model).card, "{\"name\":\"new\"}");
    model_free(model);
    shortlist_free(s);
    end();
}
END_TEST

START_TEST(a_shortlist_of_another_vocabulary_is_not_put_in)
{
    begin();
    write_model();
    struct shortlist *s = shortlist_new(PIECES + 1, 1);
    assert_status(model_rewrite(path, path, NULL, s, &err), STATUS_BAD_INPUT);
    ck_assert_msg(strstr(err.text, "141"), "%s", err.text);
    shortlist_free(s);
    end();
}
END_TEST

static void damage_offset_start(struct shortlist *s)
{
    s->offsets[0] = 1;
}

static void damage_offset_falls(struct shortlist *s)
{
    s->offsets[20] = s->offsets[21] + 1;
}

static void damage_offset_below(struct shortlist *s)
{
    s->offsets[30] = INT32_MIN;
}

static void damage_offset_above(struct shortlist *s)
{
    s->offsets[30] = INT32_MAX;
}

static void damage_piece_above(struct shortlist *s)
{
    s->pieces[50] = PIECES;
}

static void damage_piece_below(struct shortlist *s)
{
    s->pieces[50] = -1;
}

static void damage_piece_padding(struct shortlist *s)
{
    s->pieces[50] = 0;
}

static void damage_end(struct shortlist *s)
{
    s->pieces[s->offsets[SHORTLIST_ALWAYS] + 1] = 5;
}

static const struct {
    void (*damage)(struct shortlist *s);
    const char *reason;
} damages[] = {
    { damage_offset_start, "shortlist.offsets" },
    { damage_offset_falls, "shortlist.offsets" },
    { damage_offset_below, "shortlist.offsets" },
    { damage_offset_above, "shortlist.offsets" },
    { damage_piece_above, "140" },
    { damage_piece_below, "-1" },
    { damage_piece_padding, "0" },
    { damage_end, "</s>" },
};

START_TEST(a_damaged_shortlist_is_refused_with_the_reason)
{
    begin();
    write_model();
    struct shortlist *s = make_shortlist();
    struct model *model;
    damages[_i].damage(s);
    assert_ok(model_rewrite(path, other, NULL, s, &err), err);
    assert_status(model_load(&model, other, KIND_TRANSLATE, &err), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, damages[_i].reason), "%s", err.text);
    shortlist_free(s);
    end();
}
END_TEST

/* Beside what a model has: offsets of `rows` and a dtype, and pieces if there are any. */
static enum status load_with(int rows, enum dtype dtype, bool pieces)
{
    static const int32_t zeros[PIECES + 2];
    struct tensor_file *from;
    struct tensor_writer *w;
    struct model *model;
    assert_ok(tensor_file_open(&from, path, &err), err);
    assert_ok(tensor_writer_new(&w, &err), err);
    assert_ok(tensor_writer_text(w, "config", tensor_file_text(from, "config"), &err), err);
    assert_ok(tensor_writer_text(w, "vocabulary", RANDOM_VOCABULARY, &err), err);
    for (int i = 0; i < tensor_file_count(from); i++) {
        const struct tensor_info t = tensor_file_info(from, i);
        assert_ok(tensor_writer_bytes(w, t.name, t.rows, t.cols, t.dtype,
                                      tensor_file_bytes(from, i), &err),
                  err);
    }
    assert_ok(tensor_writer_bytes(w, "shortlist.offsets", rows, 1, dtype, zeros, &err), err);
    if (pieces)
        assert_ok(tensor_writer_bytes(w, "shortlist.pieces", 5, 1, DTYPE_I32, zeros, &err), err);
    assert_ok(tensor_writer_commit(w, other, &err), err);
    tensor_writer_free(w);
    tensor_file_close(from);
    const enum status status = model_load(&model, other, KIND_TRANSLATE, &err);
    model_free(model);
    return status;
}

START_TEST(tensors_of_another_shape_or_type_or_alone_are_refused)
{
    begin();
    write_model();
    assert_status(load_with(PIECES + 1, DTYPE_I32, false), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, "both"), "%s", err.text);
    assert_status(load_with(PIECES + 2, DTYPE_I32, true), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, "should be 141 x 1"), "%s", err.text);
    assert_status(load_with(PIECES + 1, DTYPE_F32, true), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, "should be I32"), "%s", err.text);
    end();
}
END_TEST

START_TEST(putting_in_and_loading_survive_every_failing_allocation)
{
    begin();
    write_model();
    struct shortlist *s = make_shortlist();
    const long live = memory_live();
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct model *model = NULL;
        memory_fail_at(n);
        enum status status = model_rewrite(path, other, NULL, s, &err);
        if (status == STATUS_OK)
            status = model_load(&model, other, KIND_TRANSLATE, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        model_free(model);
        ck_assert_int_eq(memory_live(), live);
    }
    shortlist_free(s);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_list_has_the_rows_the_pieces_themselves_and_what_is_always_allowed),
    TEST(a_limit_takes_the_best_of_each_row_and_all_that_is_always_allowed),
    TEST(pieces_that_go_together_come_all_with_one),
    TEST(what_is_never_written_is_on_no_list),
    TEST(lists_of_any_source_rise_and_hold_what_they_must),
    TEST(a_full_arena_is_said),
    TEST(a_shortlist_put_into_a_model_is_loaded_with_it_and_changes_no_weight),
    TEST(another_shortlist_takes_the_place_and_another_card_leaves_it),
    TEST(a_shortlist_of_another_vocabulary_is_not_put_in),
    TEST_LOOP(a_damaged_shortlist_is_refused_with_the_reason, sizeof damages / sizeof damages[0]),
    TEST(tensors_of_another_shape_or_type_or_alone_are_refused),
    TEST(putting_in_and_loading_survive_every_failing_allocation),
};

TEST_MAIN("model/shortlist", cases)
