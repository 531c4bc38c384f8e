/*
 * file_write.c - writing a .safetensors file: the header is laid out from what
 * was declared, then everything passes once through a buffer into the file and
 * the digest, whose digits are patched in last.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include "base/bytes.h"
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/file_format.h"

#define I8_LARGEST 127.0f // -128 stays unused, so that a row is symmetric
#define SINK_BYTES 65536
#define NAME_BYTES_MAX 200

struct planned {
    const char *name;
    const float *values; // to be rounded; NULL: bytes
    const void *bytes;   // as they are
    int rows, cols;
    enum dtype dtype;
};

struct tensor_writer {
    json_t *texts; // object of strings
    struct planned *tensors;
    int count;
};

enum status tensor_writer_new(struct tensor_writer **out, struct error *err)
{
    struct tensor_writer *w = memory_zeroed(1, sizeof *w);

    *out = NULL;
    if (w) {
        w->texts = json_object();
        w->tensors = memory_alloc(FILE_TENSORS_MAX, sizeof *w->tensors);
    }
    if (!w || !w->texts || !w->tensors) {
        tensor_writer_free(w);
        return error_set(err, STATUS_NO_MEMORY, "no memory to write tensors");
    }
    *out = w;
    return STATUS_OK;
}

enum status tensor_writer_text(struct tensor_writer *w, const char *key, const char *text,
                               struct error *err)
{
    assert(strcmp(key, "digest") != 0 && strcmp(key, "format") != 0);
    json_t *value = json_string(text);
    if (!value) { // for one of two reasons: this one does not look at the encoding
        json_t *unchecked = json_string_nocheck(text);
        json_decref(unchecked);
        if (unchecked)
            return error_set(err, STATUS_BAD_INPUT, "the text \"%s\" is not valid UTF-8", key);
    }
    if (!value || json_object_set_new(w->texts, key, value) != 0)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the text \"%s\"", key);
    return STATUS_OK;
}

/* Whether it takes two entries of the file. */
static bool has_scale(const struct planned *tensor)
{
    return tensor->dtype == DTYPE_I8 && tensor->values;
}

static bool ends_in_scale(const char *name)
{
    size_t len = strlen(name), suffix = sizeof SCALE_SUFFIX - 1;
    return len >= suffix && strcmp(name + len - suffix, SCALE_SUFFIX) == 0;
}

static enum status plan(struct tensor_writer *w, struct planned tensor, struct error *err)
{
    int entries = 1 + has_scale(&tensor);
    assert(tensor.rows > 0 && tensor.cols > 0);
    for (int i = 0; i < w->count; i++) {
        entries += 1 + has_scale(&w->tensors[i]);
        if (strcmp(w->tensors[i].name, tensor.name) == 0)
            return error_set(err, STATUS_BAD_INPUT, "there are two tensors %s to write",
                             tensor.name);
    }
    if (entries > FILE_TENSORS_MAX)
        return error_set(err, STATUS_TOO_LARGE, "more than %d tensors to write", FILE_TENSORS_MAX);
    w->tensors[w->count++] = tensor;
    return STATUS_OK;
}

enum status tensor_writer_tensor(struct tensor_writer *w, const char *name, int rows, int cols,
                                 enum dtype dtype, const float *values, struct error *err)
{
    assert(dtype != DTYPE_I32 && strlen(name) <= NAME_BYTES_MAX);
    if (ends_in_scale(name))
        return error_set(err, STATUS_BAD_INPUT,
                         "the tensor %s cannot be written: names in " SCALE_SUFFIX
                         " are for the scales of I8 tensors",
                         name);
    return plan(w, (struct planned){ name, values, NULL, rows, cols, dtype }, err);
}

enum status tensor_writer_bytes(struct tensor_writer *w, const char *name, int rows, int cols,
                                enum dtype dtype, const void *bytes, struct error *err)
{
    return plan(w, (struct planned){ name, NULL, bytes, rows, cols, dtype }, err);
}

void tensor_writer_free(struct tensor_writer *w)
{
    if (!w)
        return;
    json_decref(w->texts);
    memory_free(w->tensors);
    memory_free(w);
}

/* ---- the header ---- */

static bool describe(json_t *root, const char *name, enum dtype dtype, int rows, int cols,
                     uint64_t *at)
{
    uint64_t end = *at + tensor_bytes(dtype, rows, cols);
    json_t *shape = cols == 1 ? json_pack("[i]", rows) : json_pack("[i,i]", rows, cols);
    json_t *entry = json_pack("{s:s,s:o,s:[I,I]}", "dtype", dtypes[dtype].name, "shape", shape,
                              "data_offsets", (json_int_t)*at, (json_int_t)end);
    *at = end;
    return json_object_set_new(root, name, entry) == 0;
}

static bool describe_scale(json_t *root, const struct planned *tensor, uint64_t *at)
{
    char name[NAME_BYTES_MAX + sizeof SCALE_SUFFIX];
    snprintf(name, sizeof name, "%s" SCALE_SUFFIX, tensor->name);
    return describe(root, name, DTYPE_F32, tensor->rows, 1, at);
}

static bool describe_all(const struct tensor_writer *w, json_t *root)
{
    char zeros[SHA256_HEX_BYTES];
    uint64_t at = 0;
    json_t *texts = json_copy(w->texts);

    memset(zeros, '0', DIGEST_DIGITS);
    zeros[DIGEST_DIGITS] = '\0';
    if (json_object_set_new(texts, "format", json_string(FILE_FORMAT)) != 0 ||
        json_object_set_new(texts, "digest", json_string(zeros)) != 0) {
        json_decref(texts);
        return false;
    }
    if (json_object_set_new(root, METADATA_KEY, texts) != 0)
        return false;
    for (int i = 0; i < w->count; i++) {
        const struct planned *tensor = &w->tensors[i];
        if (!describe(root, tensor->name, tensor->dtype, tensor->rows, tensor->cols, &at))
            return false;
        if (has_scale(tensor) && !describe_scale(root, tensor, &at))
            return false;
    }
    return true;
}

/* The length and the header, padded with spaces to a multiple of 8 bytes. */
static enum status lay_out_header(const struct tensor_writer *w, struct bytes *out,
                                  struct error *err)
{
    uint64_t len = 0;
    json_t *root = json_object();
    bool described = root && describe_all(w, root);

    bytes_append(out, (const char *)&len, sizeof len);
    if (described)
        json_write(out, root);
    json_decref(root);
    if (!described)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the header");
    while (out->len % 8 && !out->failed)
        bytes_append_char(out, ' ');
    enum status status = bytes_check(out, "the header", err);
    if (status != STATUS_OK)
        return status;
    len = out->len - LENGTH_BYTES;
    memcpy(out->data, &len, sizeof len);
    return STATUS_OK;
}

/* ---- what passes into the file and the digest ---- */

struct sink {
    struct file_writer *file;
    struct sha256 *hash;
    unsigned char *buffer; // SINK_BYTES
    size_t used;
    enum status status; // of the first write that failed
    struct error *err;
};

static void flush(struct sink *sink)
{
    sha256_add(sink->hash, sink->buffer, sink->used);
    if (sink->status == STATUS_OK)
        sink->status = file_writer_add(sink->file, sink->buffer, sink->used, sink->err);
    sink->used = 0;
}

static void put(struct sink *sink, const void *value, size_t len)
{
    const unsigned char *from = value;
    while (len > 0) {
        size_t part = SINK_BYTES - sink->used < len ? SINK_BYTES - sink->used : len;
        memcpy(sink->buffer + sink->used, from, part);
        sink->used += part;
        from += part;
        len -= part;
        if (sink->used == SINK_BYTES)
            flush(sink);
    }
}

static enum status put_f16(struct sink *sink, const struct planned *tensor)
{
    size_t n = (size_t)tensor->rows * (size_t)tensor->cols;
    for (size_t i = 0; i < n; i++) {
        uint16_t half = f16_of_float(tensor->values[i]);
        if ((half & 0x7fff) == 0x7c00 && !isinf(tensor->values[i]))
            return error_set(sink->err, STATUS_BAD_INPUT,
                             "the tensor %s has a value of %g, too large for F16: write it as "
                             "BF16 or F32",
                             tensor->name, (double)tensor->values[i]);
        put(sink, &half, sizeof half);
    }
    return STATUS_OK;
}

static void put_bf16(struct sink *sink, const struct planned *tensor)
{
    size_t n = (size_t)tensor->rows * (size_t)tensor->cols;
    for (size_t i = 0; i < n; i++) {
        uint16_t brain = bf16_of_float(tensor->values[i]);
        put(sink, &brain, sizeof brain);
    }
}

/* The largest absolute value of a row becomes 127; not finite if the row is not. */
static float row_scale(const struct planned *tensor, int r)
{
    const float *row = tensor->values + (size_t)r * (size_t)tensor->cols;
    float largest = 0;
    for (int c = 0; c < tensor->cols; c++) {
        if (!isfinite(row[c]))
            return INFINITY;
        largest = fmaxf(largest, fabsf(row[c]));
    }
    return largest / I8_LARGEST;
}

static enum status put_i8(struct sink *sink, const struct planned *tensor)
{
    for (int r = 0; r < tensor->rows; r++) {
        const float *row = tensor->values + (size_t)r * (size_t)tensor->cols;
        float scale = row_scale(tensor, r);
        if (!isfinite(scale))
            return error_set(sink->err, STATUS_BAD_INPUT,
                             "the tensor %s has values that are not finite in row %d; I8 cannot "
                             "hold them",
                             tensor->name, r);
        for (int c = 0; c < tensor->cols; c++) {
            float steps = scale > 0 ? rintf(row[c] / scale) : 0;
            int8_t value = (int8_t)fmaxf(-I8_LARGEST, fminf(I8_LARGEST, steps));
            put(sink, &value, sizeof value);
        }
    }
    for (int r = 0; r < tensor->rows; r++) {
        float scale = row_scale(tensor, r);
        put(sink, &scale, sizeof scale);
    }
    return STATUS_OK;
}

static enum status put_tensor(struct sink *sink, const struct planned *tensor)
{
    const size_t bytes = (size_t)tensor_bytes(tensor->dtype, tensor->rows, tensor->cols);
    if (!tensor->values) {
        put(sink, tensor->bytes, bytes);
        return STATUS_OK;
    }
    switch (tensor->dtype) {
    case DTYPE_F32:
        put(sink, tensor->values, bytes);
        return STATUS_OK;
    case DTYPE_F16:
        return put_f16(sink, tensor);
    case DTYPE_BF16:
        put_bf16(sink, tensor);
        return STATUS_OK;
    case DTYPE_I8:
        return put_i8(sink, tensor);
    case DTYPE_I32:
        assert(false && "tensor_writer_tensor refuses it");
    }
    return STATUS_OK;
}

/* Header and tensors into the file; the digest of both into hex. */
static enum status put_all(struct sink *sink, const struct tensor_writer *w,
                           const struct bytes *header, char hex[SHA256_HEX_BYTES])
{
    uint8_t digest[SHA256_BYTES];

    put(sink, header->data, header->len);
    for (int i = 0; i < w->count && sink->status == STATUS_OK; i++) {
        enum status status = put_tensor(sink, &w->tensors[i]);
        if (status != STATUS_OK)
            return status;
    }
    flush(sink);
    sha256_finish(sink->hash, digest);
    sha256_to_hex(digest, hex);
    return sink->status;
}

enum status tensor_writer_commit(struct tensor_writer *w, const char *path, struct error *err)
{
    enum status status;
    char hex[SHA256_HEX_BYTES];
    struct bytes header;
    struct sink sink = { .hash = sha256_new(), .buffer = memory_alloc(SINK_BYTES, 1), .err = err };

    bytes_init(&header, LENGTH_BYTES + HEADER_BYTES_MAX);
    if (!sink.hash || !sink.buffer) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory to write tensors");
        goto done;
    }
    status = lay_out_header(w, &header, err);
    if (status == STATUS_OK)
        status = file_writer_open(&sink.file, path, err);
    if (status == STATUS_OK)
        status = put_all(&sink, w, &header, hex);
    if (status != STATUS_OK)
        goto done;

    const char *digits = digest_digits(header.data + LENGTH_BYTES, header.len - LENGTH_BYTES);
    status =
        file_writer_patch(sink.file, (uint64_t)(digits - header.data), hex, DIGEST_DIGITS, err);
    if (status == STATUS_OK)
        status = file_writer_commit(sink.file, err);
done:
    file_writer_close(sink.file);
    bytes_release(&header);
    memory_free(sink.buffer);
    sha256_free(sink.hash);
    if (status != STATUS_OK && err)
        error_while(err, "writing %s", path);
    return status;
}
