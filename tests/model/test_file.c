/*
 * test_file.c - tensors survive the way through a file, and nothing that is
 * not exactly such a file gets in.
 */
#include "tests/helpers.h"

#include <pthread.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/files.h"
#include "base/rng.h"
#include "model/file.h"
#include "model/file_format.h"

static char folder[64], path[96];

static void begin(void)
{
    make_folder(folder);
    snprintf(path, sizeof path, "%s/m.safetensors", folder);
}

static void end(void)
{
    remove_folder(folder);
}

static void write_bytes(const void *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
}

static enum status open_and_close(struct error *err)
{
    struct tensor_file *file;
    enum status status = tensor_file_open(&file, path, err);
    ck_assert_msg((status == STATUS_OK) == (file != NULL), "the output is set only on success");
    tensor_file_close(file);
    return status;
}

/* A file of this header with its length in front and data_len bytes of zeros behind. */
static void write_raw(const char *header, size_t data_len)
{
    static char buffer[1 << 20];
    uint64_t len = strlen(header);
    ck_assert_uint_lt(len + data_len + 8, sizeof buffer);
    memset(buffer, 0, sizeof buffer);
    memcpy(buffer, &len, 8);
    memcpy(buffer + 8, header, len);
    write_bytes(buffer, 8 + len + data_len);
}

static void assert_refused(const char *header, size_t data_len, const char *reason)
{
    struct error err;
    write_raw(header, data_len);
    ck_assert_msg(open_and_close(&err) == STATUS_BAD_FILE, "accepted: %s", header);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s: \"%s\" does not say \"%s\"", header,
                  err.text, reason);
    ck_assert_ptr_nonnull(strstr(err.text, path));
}

static const float matrix[6] = { 1, -2, 0.5f, 3, -0.25f, 100 };
static const float vector[3] = { 7, 8, 9 };

/* Two tensors, the first of an odd number of bytes in F16 and I8, and two texts. */
static enum status write_small(enum dtype dtype, struct error *err)
{
    struct tensor_writer *w;
    enum status status = tensor_writer_new(&w, err);
    if (status == STATUS_OK)
        status = tensor_writer_text(w, "config", "{\"a\":1}", err);
    if (status == STATUS_OK)
        status = tensor_writer_text(w, "vocabulary", "0\t<pad>\né", err);
    if (status == STATUS_OK)
        status = tensor_writer_tensor(w, "matrix", 2, 3, dtype, matrix, err);
    if (status == STATUS_OK)
        status = tensor_writer_tensor(w, "vector", 3, 1, DTYPE_F32, vector, err);
    if (status == STATUS_OK)
        status = tensor_writer_commit(w, path, err);
    tensor_writer_free(w);
    return status;
}

static void read_whole(struct bytes *out)
{
    struct error err;
    bytes_init(out, 1 << 20);
    assert_ok(bytes_read_file(out, path, &err), err);
}

/* ---- round trips ---- */

START_TEST(what_was_written_is_read_back)
{
    struct error err;
    struct tensor_file *file;
    float values[6];

    begin();
    assert_ok(write_small(DTYPE_F32, &err), err);
    assert_ok(tensor_file_open(&file, path, &err), err);
    ck_assert_int_eq(tensor_file_count(file), 2);
    struct tensor_info info = tensor_file_info(file, 0);
    ck_assert_str_eq(info.name, "matrix");
    ck_assert_int_eq(info.dtype, DTYPE_F32);
    ck_assert_int_eq(info.rows, 2);
    ck_assert_int_eq(info.cols, 3);
    ck_assert_int_eq(tensor_file_info(file, 1).cols, 1);
    assert_ok(tensor_file_read(file, "matrix", 2, 3, values, &err), err);
    ck_assert_mem_eq(values, matrix, sizeof matrix);
    assert_ok(tensor_file_read(file, "vector", 3, 1, values, &err), err);
    ck_assert_mem_eq(values, vector, sizeof vector);
    ck_assert_str_eq(tensor_file_text(file, "config"), "{\"a\":1}");
    ck_assert_str_eq(tensor_file_text(file, "vocabulary"), "0\t<pad>\né");
    ck_assert_str_eq(tensor_file_text(file, "format"), FILE_FORMAT);
    ck_assert_str_eq(tensor_file_text(file, "digest"), tensor_file_digest(file));
    ck_assert_ptr_null(tensor_file_text(file, "card"));
    tensor_file_close(file);
    end();
}
END_TEST

START_TEST(the_header_is_padded_to_eight_bytes)
{
    struct error err;
    struct bytes whole;
    uint64_t len;

    begin();
    assert_ok(write_small(DTYPE_F32, &err), err);
    read_whole(&whole);
    memcpy(&len, whole.data, sizeof len);
    ck_assert_uint_eq(len % 8, 0);
    ck_assert_uint_eq(whole.len, 8 + len + sizeof matrix + sizeof vector);
    ck_assert_mem_eq(whole.data + 8 + len, matrix, sizeof matrix);
    bytes_release(&whole);
    end();
}
END_TEST

START_TEST(a_tensor_need_not_be_aligned)
{
    struct error err;
    struct tensor_file *file;
    float values[6];

    begin();
    assert_ok(write_small(DTYPE_I8, &err), err); // 6 bytes before two float vectors
    assert_ok(tensor_file_open(&file, path, &err), err);
    ck_assert_int_eq(tensor_file_count(file), 3);
    ck_assert_str_eq(tensor_file_info(file, 1).name, "matrix.scale");
    assert_ok(tensor_file_read(file, "matrix", 2, 3, values, &err), err);
    assert_ok(tensor_file_read(file, "vector", 3, 1, values, &err), err);
    ck_assert_mem_eq(values, vector, sizeof vector);
    tensor_file_close(file);
    end();
}
END_TEST

/* Write one tensor and read it into `back`. */
static void round_trip(int rows, int cols, enum dtype dtype, const float *values, float *back)
{
    struct error err;
    struct tensor_writer *w;
    struct tensor_file *file;

    assert_ok(tensor_writer_new(&w, &err), err);
    assert_ok(tensor_writer_tensor(w, "x", rows, cols, dtype, values, &err), err);
    assert_ok(tensor_writer_commit(w, path, &err), err);
    tensor_writer_free(w);
    assert_ok(tensor_file_open(&file, path, &err), err);
    assert_ok(tensor_file_read(file, "x", rows, cols, back, &err), err);
    tensor_file_close(file);
}

START_TEST(every_f16_value_survives)
{
    static float values[65536], back[65536];

    begin();
    for (uint32_t h = 0; h < 65536; h++)
        values[h] = float_of_f16((uint16_t)h);
    round_trip(256, 256, DTYPE_F16, values, back);
    for (uint32_t h = 0; h < 65536; h++) {
        if (isnan(values[h]))
            ck_assert_msg(isnan(back[h]), "%#x", h);
        else
            ck_assert_msg(float_bits(back[h]) == float_bits(values[h]), "%#x", h);
    }
    end();
}
END_TEST

START_TEST(f16_values_are_the_ieee_ones)
{
    ck_assert_float_eq(float_of_f16(0x3c00), 1.0f);
    ck_assert_float_eq(float_of_f16(0xc500), -5.0f);
    ck_assert_float_eq(float_of_f16(0x7bff), 65504.0f);
    ck_assert_float_eq(float_of_f16(0x0400), 0x1p-14f);
    ck_assert_float_eq(float_of_f16(0x03ff), 0x1p-14f - 0x1p-24f);
    ck_assert_float_eq(float_of_f16(0x0001), 0x1p-24f);
    ck_assert_uint_eq(float_bits(float_of_f16(0x8000)), 0x80000000u);
    ck_assert(isinf(float_of_f16(0x7c00)) && float_of_f16(0xfc00) < 0);
    ck_assert(isnan(float_of_f16(0x7c01)) && isnan(float_of_f16(0xfe00)));
    for (uint16_t h = 0; h < 0x7c00; h++) {
        const int exponent = h >> 10, mantissa = h & 1023;
        const float value = exponent > 0 ? ldexpf((float)(1024 + mantissa), exponent - 25)
                                         : ldexpf((float)mantissa, -24);
        ck_assert_uint_eq(float_bits(float_of_f16(h)), float_bits(value));
        ck_assert_uint_eq(float_bits(float_of_f16(h | 0x8000)), float_bits(-value));
    }
}
END_TEST

START_TEST(f16_rounds_to_nearest_even)
{
    for (uint16_t low = 0; low < 0x7bff; low++) {
        uint16_t high = (uint16_t)(low + 1), even = low & 1 ? high : low;
        float middle = (float_of_f16(low) + float_of_f16(high)) / 2;
        ck_assert_uint_eq(f16_of_float(middle), even);
        ck_assert_uint_eq(f16_of_float(-middle), even | 0x8000);
        ck_assert_uint_eq(f16_of_float(nextafterf(middle, 0)), low);
        ck_assert_uint_eq(f16_of_float(nextafterf(middle, INFINITY)), high);
    }
    ck_assert_uint_eq(f16_of_float(nextafterf(65520, 0)), 0x7bff);
    ck_assert_uint_eq(f16_of_float(65520), 0x7c00);
    ck_assert_uint_eq(f16_of_float(1e30f), 0x7c00);
    ck_assert_uint_eq(f16_of_float(-INFINITY), 0xfc00);
    ck_assert_uint_eq(f16_of_float(1e-40f), 0);
}
END_TEST

START_TEST(bf16_rounds_to_nearest_even)
{
    for (uint16_t low = 0; low < 0x7f7f; low++) {
        uint16_t high = (uint16_t)(low + 1), even = low & 1 ? high : low;
        float middle = float_of_bits((uint32_t)low << 16 | 0x8000);
        ck_assert_uint_eq(bf16_of_float(float_of_bf16(low)), low);
        ck_assert_uint_eq(bf16_of_float(middle), even);
        ck_assert_uint_eq(bf16_of_float(-middle), even | 0x8000);
        ck_assert_uint_eq(bf16_of_float(nextafterf(middle, 0)), low);
        ck_assert_uint_eq(bf16_of_float(nextafterf(middle, INFINITY)), high);
    }
    ck_assert_uint_eq(bf16_of_float(INFINITY), 0x7f80);
    ck_assert(isnan(float_of_bf16(bf16_of_float(float_of_bits(0x7f800001)))));
    ck_assert(isnan(float_of_bf16(bf16_of_float(float_of_bits(0xffffffff)))));
}
END_TEST

START_TEST(bf16_survives_a_file)
{
    const float values[4] = { 1.5f, -INFINITY, float_of_bf16(1), -0.0f };
    float back[4];
    begin();
    round_trip(4, 1, DTYPE_BF16, values, back);
    ck_assert_mem_eq(back, values, sizeof values);
    end();
}
END_TEST

START_TEST(i8_is_within_half_a_step_of_each_row)
{
    enum { ROWS = 8, COLS = 100 };
    static float values[ROWS * COLS], back[ROWS * COLS];
    struct rng rng = rng_make(5, 0);

    begin();
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLS; c++)
            values[r * COLS + c] = (float)((2 * rng_uniform(&rng) - 1) * pow(10, r - 4));
    round_trip(ROWS, COLS, DTYPE_I8, values, back);
    for (int r = 0; r < ROWS; r++) {
        float largest = 0, step;
        for (int c = 0; c < COLS; c++)
            largest = fmaxf(largest, fabsf(values[r * COLS + c]));
        step = largest / 127;
        for (int c = 0; c < COLS; c++) {
            float error = fabsf(back[r * COLS + c] - values[r * COLS + c]);
            ck_assert_msg(error <= step * 0.50001f, "row %d: %g of %g", r, (double)error,
                          (double)step);
        }
    }
    end();
}
END_TEST

START_TEST(i8_keeps_rows_of_zeros_and_of_almost_nothing)
{
    const float values[6] = { 0, -0.0f, 0, 1e-45f, -1e-45f, 0 };
    float back[6];
    begin();
    round_trip(2, 3, DTYPE_I8, values, back);
    for (int i = 0; i < 6; i++)
        ck_assert_float_le(fabsf(back[i]), 1e-44f);
    end();
}
END_TEST

static void assert_cannot_write(enum dtype dtype, const float *values, const char *reason)
{
    struct error err;
    struct tensor_writer *w;
    assert_ok(tensor_writer_new(&w, &err), err);
    assert_ok(tensor_writer_tensor(w, "big", 1, 2, dtype, values, &err), err);
    assert_status(tensor_writer_commit(w, path, &err), STATUS_BAD_INPUT);
    tensor_writer_free(w);
    ck_assert_msg(strstr(err.text, reason) && strstr(err.text, "big"), "%s", err.text);
    ck_assert_msg(access(path, F_OK) != 0, "a file was left");
}

START_TEST(values_a_dtype_cannot_hold_are_refused)
{
    begin();
    assert_cannot_write(DTYPE_F16, (float[]){ 1, 70000 }, "too large for F16");
    assert_cannot_write(DTYPE_I8, (float[]){ 1, NAN }, "not finite");
    assert_cannot_write(DTYPE_I8, (float[]){ -INFINITY, 0 }, "not finite");
    end();
}
END_TEST

START_TEST(what_cannot_be_declared_is_said)
{
    struct error err;
    struct tensor_writer *w;
    assert_ok(tensor_writer_new(&w, &err), err);
    assert_ok(tensor_writer_tensor(w, "a", 1, 1, DTYPE_F32, vector, &err), err);
    assert_status(tensor_writer_tensor(w, "a", 1, 1, DTYPE_F32, vector, &err), STATUS_BAD_INPUT);
    assert_status(tensor_writer_tensor(w, "a.scale", 1, 1, DTYPE_F32, vector, &err),
                  STATUS_BAD_INPUT);
    assert_status(tensor_writer_text(w, "card", "\xff", &err), STATUS_BAD_INPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "card"));

    static char names[FILE_TENSORS_MAX][16];
    for (int i = 1; i < FILE_TENSORS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i);
        assert_ok(tensor_writer_tensor(w, names[i], 1, 1, DTYPE_F32, vector, &err), err);
    }
    assert_status(tensor_writer_tensor(w, "last", 1, 1, DTYPE_F32, vector, &err), STATUS_TOO_LARGE);
    tensor_writer_free(w);
}
END_TEST

START_TEST(another_shape_or_name_is_refused_by_name)
{
    struct error err;
    struct tensor_file *file;
    float values[6];

    begin();
    assert_ok(write_small(DTYPE_F32, &err), err);
    assert_ok(tensor_file_open(&file, path, &err), err);
    assert_status(tensor_file_read(file, "matrix", 3, 2, values, &err), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, "matrix is 2 x 3 and should be 3 x 2"), "%s", err.text);
    assert_status(tensor_file_read(file, "vector", 1, 3, values, &err), STATUS_BAD_FILE);
    assert_status(tensor_file_check(file, "matri", 2, 3, &err), STATUS_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(err.text, "matri of 2 x 3 is missing"));
    tensor_file_close(file);
    end();
}
END_TEST

/* ---- damage ---- */

START_TEST(a_file_cut_anywhere_is_refused)
{
    struct error err;
    struct bytes whole;

    begin();
    assert_ok(write_small(DTYPE_F16, &err), err);
    read_whole(&whole);
    for (size_t len = 0; len < whole.len; len++) {
        write_bytes(whole.data, len);
        ck_assert_msg(open_and_close(&err) == STATUS_BAD_FILE, "cut at %zu of %zu", len, whole.len);
    }
    bytes_append_char(&whole, '\0');
    write_bytes(whole.data, whole.len);
    assert_status(open_and_close(&err), STATUS_BAD_FILE);
    bytes_release(&whole);
    end();
}
END_TEST

START_TEST(every_flipped_bit_is_noticed)
{
    struct error err;
    struct bytes whole;

    begin();
    assert_ok(write_small(DTYPE_I8, &err), err);
    read_whole(&whole);
    for (size_t bit = 0; bit < 8 * whole.len; bit++) {
        whole.data[bit / 8] ^= (char)(1 << bit % 8);
        write_bytes(whole.data, whole.len);
        ck_assert_msg(open_and_close(&err) == STATUS_BAD_FILE, "byte %zu bit %zu", bit / 8,
                      bit % 8);
        whole.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    write_bytes(whole.data, whole.len);
    assert_ok(open_and_close(&err), err);
    bytes_release(&whole);
    end();
}
END_TEST

/* A file is read, then verified: `damaged` if its last byte is another than it was. */
static void read_then_verify(bool damaged)
{
    struct error err;
    struct tensor_file *file;
    struct bytes whole;
    float values[3];

    assert_ok(write_small(DTYPE_F16, &err), err);
    read_whole(&whole);
    whole.data[whole.len - 1] ^= (char)damaged;
    write_bytes(whole.data, whole.len);
    assert_ok(tensor_file_open_unverified(&file, path, &err), err);
    assert_ok(tensor_file_read(file, "vector", 3, 1, values, &err), err);
    ck_assert_float_eq(values[1], vector[1]);
    if (damaged) {
        assert_status(tensor_file_verify(file, &err), STATUS_BAD_FILE);
        ck_assert_msg(strstr(err.text, "the digest does not match"), "%s", err.text);
    } else {
        assert_ok(tensor_file_verify(file, &err), err);
        ck_assert_str_eq(tensor_file_digest(file), tensor_file_text(file, "digest"));
    }
    tensor_file_close(file);
    bytes_release(&whole);
}

START_TEST(a_file_may_be_read_before_it_is_verified)
{
    struct error err;
    struct tensor_file *file;

    begin();
    read_then_verify(false);
    read_then_verify(true);
    assert_ok(tensor_file_open_unverified(&file, path, &err), err);
    tensor_file_close(file); // without a word on its digest
    write_raw("{", 0);
    assert_status(tensor_file_open_unverified(&file, path, &err), STATUS_BAD_FILE);
    ck_assert_ptr_null(file);
    end();
}
END_TEST

static void *nothing(void *argument)
{
    return argument;
}

START_TEST(a_file_is_verified_where_no_thread_can_be_made)
{
    pthread_attr_t attributes;
    pthread_t thread;

    begin();
    pthread_attr_init(&attributes);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, (size_t)1 << 50), 0);
    ck_assert_int_eq(pthread_setattr_default_np(&attributes), 0);
    ck_assert_int_ne(pthread_create(&thread, NULL, nothing, NULL), 0);
    read_then_verify(false);
    read_then_verify(true);
    pthread_attr_destroy(&attributes);
    end();
}
END_TEST

#define TENSOR(name, dtype, shape, from, to)                                                       \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to   \
    "]}"

START_TEST(a_plain_file_without_digest_is_read)
{
    struct error err;
    begin();
    write_raw("{" TENSOR("a", "F32", "[2,2]", 0, 16) "," TENSOR("b", "BF16", "[3]", 16, 22) "}  ",
              22);
    assert_ok(open_and_close(&err), err);
    write_raw("{" TENSOR("b", "F16", "[3]", 16, 22) "," TENSOR("a", "F32", "[2,2]", 0, 16) "}",
              22); // in whatever order
    assert_ok(open_and_close(&err), err);
    write_raw("{}", 0);
    assert_ok(open_and_close(&err), err);
    end();
}
END_TEST

START_TEST(headers_that_lie_are_refused)
{
    static const struct {
        const char *header;
        size_t data_len;
        const char *reason;
    } lies[] = {
        { "", 0, "not a JSON object" },
        { "[]", 0, "not a JSON object" },
        { " {}", 0, "not a JSON object" },
        { "{\"a\":", 0, "header" },
        { "{}x", 0, "header" },
        { "{\"a\":1}", 0, "not described by" },
        { "{\"a\":{}}", 0, "not described by" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4,
          "not described by" },
        { "{" TENSOR("a", "F64", "[1]", 0, 8) "}", 8, "dtype F64" },
        { "{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype (none)" },
        { "{" TENSOR("a", "F32", "[]", 0, 4) "}", 4, "0 dimensions" },
        { "{" TENSOR("a", "F32", "[1,1,1]", 0, 4) "}", 4, "3 dimensions" },
        { "{" TENSOR("a", "F32", "7", 0, 4) "}", 4, "0 dimensions" },
        { "{" TENSOR("a", "F32", "[0]", 0, 0) "}", 0, "no integer of 1 to" },
        { "{" TENSOR("a", "F32", "[-1]", 0, 4) "}", 4, "no integer of 1 to" },
        { "{" TENSOR("a", "F32", "[1.0]", 0, 4) "}", 4, "no integer of 1 to" },
        { "{" TENSOR("a", "F32", "[\"1\"]", 0, 4) "}", 4, "no integer of 1 to" },
        { "{" TENSOR("a", "F32", "[2147483648]", 0, 4) "}", 4, "no integer of 1 to" },
        { "{" TENSOR("a", "F32", "[2147483647,2147483647]", 0, 4) "}", 4, "needs" },
        { "{" TENSOR("a", "F32", "[1073741824,1073741824]", 0, 0) "}", 0, "needs" },
        { "{" TENSOR("a", "I8", "[65536,65536]", 0, 0) "}", 0, "needs 4294967296 bytes" },
        { "{" TENSOR("a", "F32", "[99999999999999999999]", 0, 4) "}", 4, "header" },
        { "{" TENSOR("a", "F32", "[2]", 0, 4) "}", 8, "needs 8 bytes and claims 4" },
        { "{" TENSOR("a", "F32", "[2]", -8, 0) "}", 8, "data_offsets" },
        { "{" TENSOR("a", "F32", "[2]", 8, 0) "}", 8, "data_offsets" },
        { "{" TENSOR("a", "F32", "[2]", 0, 8.0) "}", 8, "data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "data_offsets" },
        { "{" TENSOR("a", "F32", "[1]", 4, 8) "}", 8, "a gap before the tensor a" },
        { "{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("b", "F32", "[1]", 8, 12) "}", 12,
          "a gap before the tensor b" },
        { "{" TENSOR("a", "F32", "[2]", 0, 8) "," TENSOR("b", "F32", "[1]", 4, 8) "}", 8,
          "an overlap before the tensor b" },
        { "{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("b", "F32", "[1]", 0, 4) "}", 4,
          "an overlap" },
        { "{" TENSOR("a", "F32", "[2]", 0, 8) "}", 7, "need 8 bytes and the file has 7" },
        { "{" TENSOR("a", "F32", "[2]", 0, 8) "}", 9, "need 8 bytes and the file has 9" },
        { "{" TENSOR("a", "F32", "[1]", 9223372036854775800, 9223372036854775804) "}", 4, "a gap" },
        { "{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("a", "F32", "[1]", 4, 8) "}", 8,
          "header" },
        { "{\"__metadata__\":7}", 0, "metadata is not" },
        { "{\"__metadata__\":{\"config\":{}}}", 0, "\"config\" is not a text" },
        { "{\"__metadata__\":{\"format\":\"verso-1\"}}", 0, "digest is missing" },
        { "{\"__metadata__\":{\"digest\":\"12\"}}", 0, "64 hexadecimal digits" },
        { "{\"__metadata__\":{\"digest\":"
          "\"0000000000000000000000000000000000000000000000000000000000000000\"}}",
          0, "does not match" },
        { "{\"__metadata__\":{\"digest\" :"
          "\"0000000000000000000000000000000000000000000000000000000000000000\"}}",
          0, "64 hexadecimal digits" },
    };
    begin();
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        assert_refused(lies[i].header, lies[i].data_len, lies[i].reason);
    end();
}
END_TEST

START_TEST(header_lengths_that_lie_are_refused)
{
    static const uint64_t lengths[] = {
        0, 3, 7, 0x7fffffff, 1ull << 63, UINT64_MAX, UINT64_MAX - 7, HEADER_BYTES_MAX
    };
    struct error err;
    char bytes[16] = "........{}";

    begin();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        memcpy(bytes, &lengths[i], 8);
        write_bytes(bytes, 10);
        assert_status(open_and_close(&err), STATUS_BAD_FILE);
    }
    end();
}
END_TEST

START_TEST(a_header_over_the_maximum_is_refused_though_the_file_has_it)
{
    struct error err;
    uint64_t len = HEADER_BYTES_MAX + 1ull;

    begin();
    write_bytes(&len, sizeof len);
    ck_assert_int_eq(truncate(path, (off_t)(len + 8)), 0);
    assert_status(open_and_close(&err), STATUS_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(err.text, "header claims"));
    end();
}
END_TEST

START_TEST(deep_json_is_refused_before_it_costs_stack)
{
    enum { DEPTH = 300000 };
    static char header[DEPTH + 16];

    begin();
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', DEPTH);
    assert_refused(header, 0, "header");
    end();
}
END_TEST

START_TEST(too_many_tensors_are_refused)
{
    struct bytes header;

    begin();
    bytes_init(&header, 1 << 20);
    for (int i = 0; i < FILE_TENSORS_MAX + 2; i++)
        bytes_printf(&header, "%s\"t%d\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
                     i ? "," : "{", i, i, i + 1);
    bytes_append_char(&header, '}');
    assert_refused(header.data, FILE_TENSORS_MAX + 2, "at most 1024");
    bytes_release(&header);
    end();
}
END_TEST

START_TEST(an_i8_tensor_needs_its_scales)
{
    static const char *const scales[] = {
        "",
        "," TENSOR("a.scale", "F16", "[2]", 4, 8),
        "," TENSOR("a.scale", "F32", "[1]", 4, 8),
        "," TENSOR("a.scale", "F32", "[2,1]", 4, 12),
    };
    static const size_t data_lens[] = { 4, 8, 8, 12 };
    struct error err;
    struct tensor_file *file;
    char header[512];

    begin();
    for (int i = 0; i < 4; i++) {
        snprintf(header, sizeof header, "{" TENSOR("a", "I8", "[2,2]", 0, 4) "%s}", scales[i]);
        write_raw(header, data_lens[i]);
        assert_ok(tensor_file_open(&file, path, &err), err);
        enum status status = tensor_file_check(file, "a", 2, 2, &err);
        tensor_file_close(file);
        ck_assert_int_eq(status, i == 3 ? STATUS_OK : STATUS_BAD_FILE);
    }
    ck_assert_ptr_nonnull(strstr(err.text, "a.scale"));
    end();
}
END_TEST

START_TEST(integers_and_bytes_are_kept_and_integers_are_no_weights)
{
    static const int32_t integers[] = { 0, -1, INT32_MAX, INT32_MIN };
    static const int8_t steps[] = { 1, -128, 127, 3 };
    static const float scales[] = { 0.5f, 2 };
    struct error err;
    struct tensor_writer *w;
    struct tensor_file *file;
    struct tensor_info info;
    int32_t read[4];
    float values[4];

    begin();
    assert_ok(tensor_writer_new(&w, &err), err);
    assert_ok(tensor_writer_bytes(w, "i", 4, 1, DTYPE_I32, integers, &err), err);
    assert_ok(tensor_writer_bytes(w, "x", 2, 2, DTYPE_I8, steps, &err), err);
    assert_ok(tensor_writer_bytes(w, "x.scale", 2, 1, DTYPE_F32, scales, &err), err);
    assert_ok(tensor_writer_commit(w, path, &err), err);
    tensor_writer_free(w);

    assert_ok(tensor_file_open(&file, path, &err), err);
    ck_assert(tensor_file_find(file, "i", &info) && info.dtype == DTYPE_I32 && info.rows == 4);
    ck_assert(!tensor_file_find(file, "none", &info));
    assert_ok(tensor_file_integers(file, "i", 4, read, &err), err);
    ck_assert_mem_eq(read, integers, sizeof integers);
    ck_assert_mem_eq(tensor_file_bytes(file, 1), steps, sizeof steps);
    assert_ok(tensor_file_read(file, "x", 2, 2, values, &err), err);
    ck_assert_float_eq(values[1], -64);
    assert_status(tensor_file_read(file, "i", 4, 1, values, &err), STATUS_BAD_FILE);
    ck_assert_msg(strstr(err.text, "I32"), "%s", err.text);
    assert_status(tensor_file_integers(file, "i", 3, read, &err), STATUS_BAD_FILE);
    assert_status(tensor_file_integers(file, "x.scale", 2, read, &err), STATUS_BAD_FILE);
    assert_status(tensor_file_integers(file, "none", 2, read, &err), STATUS_BAD_FILE);
    tensor_file_close(file);
    end();
}
END_TEST

START_TEST(an_absent_file_and_a_folder_are_said)
{
    struct error err;
    begin();
    assert_status(open_and_close(&err), STATUS_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    snprintf(path, sizeof path, "%s", folder);
    ck_assert_int_ne(open_and_close(&err), STATUS_OK);
    end();
}
END_TEST

/* ---- memory ---- */

START_TEST(opening_survives_every_failing_allocation)
{
    struct error err;
    long n = 0;
    bool failed;

    begin();
    assert_ok(write_small(DTYPE_I8, &err), err);
    long live = memory_live();
    do {
        memory_fail_at(++n);
        enum status status = open_and_close(&err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        ck_assert_int_eq(memory_live(), live);
    } while (failed);
    ck_assert_int_gt(n, 1);
    end();
}
END_TEST

START_TEST(writing_survives_every_failing_allocation_and_leaves_the_old_file)
{
    struct error err;
    struct bytes before, after;
    long n = 0;
    bool failed;

    begin();
    assert_ok(write_small(DTYPE_F32, &err), err);
    read_whole(&before);
    long live = memory_live();
    for (;;) {
        memory_fail_at(++n);
        enum status status = write_small(DTYPE_F16, &err);
        failed = memory_failed();
        memory_fail_at(0);
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        ck_assert_int_eq(memory_live(), live);
        if (!failed)
            break;
        read_whole(&after);
        if (after.len != before.len) // the name was replaced; what failed is the folder's sync
            break;
        ck_assert_mem_eq(after.data, before.data, before.len);
        bytes_release(&after);
    }
    ck_assert_int_gt(n, 3);
    if (failed)
        bytes_release(&after);
    bytes_release(&before);
    end();
}
END_TEST

START_TEST(nobody_need_read_the_error)
{
    begin();
    write_raw("{", 0);
    assert_status(open_and_close(NULL), STATUS_BAD_FILE);
    end();
}
END_TEST

static const struct test_case cases[] = {
    TEST(what_was_written_is_read_back),
    TEST(the_header_is_padded_to_eight_bytes),
    TEST(a_tensor_need_not_be_aligned),
    TEST(every_f16_value_survives),
    TEST(f16_values_are_the_ieee_ones),
    TEST(f16_rounds_to_nearest_even),
    TEST(bf16_rounds_to_nearest_even),
    TEST(bf16_survives_a_file),
    TEST(i8_is_within_half_a_step_of_each_row),
    TEST(i8_keeps_rows_of_zeros_and_of_almost_nothing),
    TEST(values_a_dtype_cannot_hold_are_refused),
    TEST(what_cannot_be_declared_is_said),
    TEST(another_shape_or_name_is_refused_by_name),
    TEST(a_file_cut_anywhere_is_refused),
    TEST(every_flipped_bit_is_noticed),
    TEST(a_file_may_be_read_before_it_is_verified),
    TEST(a_file_is_verified_where_no_thread_can_be_made),
    TEST(a_plain_file_without_digest_is_read),
    TEST(headers_that_lie_are_refused),
    TEST(header_lengths_that_lie_are_refused),
    TEST(a_header_over_the_maximum_is_refused_though_the_file_has_it),
    TEST(deep_json_is_refused_before_it_costs_stack),
    TEST(too_many_tensors_are_refused),
    TEST(an_i8_tensor_needs_its_scales),
    TEST(integers_and_bytes_are_kept_and_integers_are_no_weights),
    TEST(an_absent_file_and_a_folder_are_said),
    TEST(opening_survives_every_failing_allocation),
    TEST(writing_survives_every_failing_allocation_and_leaves_the_old_file),
    TEST(nobody_need_read_the_error),
};

TEST_MAIN("model/file", cases)
