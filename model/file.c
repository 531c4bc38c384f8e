/*
 * file.c - reading a .safetensors file: everything its header claims is
 * checked against the file when it is opened, so that reading a tensor later
 * cannot leave the mapping.
 */
#include "model/file.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "model/file_format.h"

struct entry {
    struct tensor_info info;
    uint64_t begin, end; // bytes from the start of the tensors
};

struct tensor_file {
    struct file_map map;
    const char *header; // in the map
    size_t header_len;
    const unsigned char *data; // behind the header
    size_t data_len;
    json_t *root;          // holds names and texts
    json_t *metadata;      // in root; NULL if there is none
    struct entry *entries; // in the order of their bytes
    int count;
    struct sha256 *hash;
    const char *digits; // of the digest in the header, which count as zeros; NULL: none
    bool has_digester;
    pthread_t digester;            // which computes the digest
    char digest[SHA256_HEX_BYTES]; // empty until then
};

/* ---- the header ---- */

static enum status find_header(struct tensor_file *file, struct error *err)
{
    uint64_t len;
    if (file->map.len < LENGTH_BYTES)
        return error_set(err, STATUS_BAD_FILE, "%zu bytes are too few for a .safetensors file",
                         file->map.len);
    memcpy(&len, file->map.data, sizeof len);
    if (len > file->map.len - LENGTH_BYTES || len > HEADER_BYTES_MAX)
        return error_set(err, STATUS_BAD_FILE,
                         "the header claims %llu bytes in a file of %zu: it is cut short or not a "
                         ".safetensors file",
                         (unsigned long long)len, file->map.len);
    file->header = (const char *)file->map.data + LENGTH_BYTES;
    file->header_len = (size_t)len;
    file->data = file->map.data + LENGTH_BYTES + len;
    file->data_len = file->map.len - LENGTH_BYTES - file->header_len;
    return STATUS_OK;
}

static enum status check_metadata(const json_t *metadata, struct error *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata))
        return error_set(err, STATUS_BAD_FILE, "the metadata is not a JSON object");
    json_object_foreach ((json_t *)metadata, key, value) {
        if (!json_is_string(value))
            return error_set(err, STATUS_BAD_FILE, "the metadata \"%s\" is not a text", key);
    }
    return STATUS_OK;
}

static enum status parse_dtype(const json_t *value, struct tensor_info *info, struct error *err)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; text && i < DTYPE_COUNT; i++) {
        if (strcmp(text, dtypes[i].name) == 0) {
            info->dtype = (enum dtype)i;
            return STATUS_OK;
        }
    }
    return error_set(err, STATUS_BAD_FILE,
                     "the tensor %s is of dtype %s; only F32, F16, BF16, I8 and I32 can be read",
                     info->name, text ? text : "(none)");
}

static enum status parse_shape(const json_t *value, struct tensor_info *info, struct error *err)
{
    size_t rank = json_array_size(value);
    long long sizes[2] = { 1, 1 };

    if (rank != 1 && rank != 2)
        return error_set(err, STATUS_BAD_FILE,
                         "the tensor %s has %zu dimensions; a vector has 1, a matrix 2", info->name,
                         rank);
    for (size_t i = 0; i < rank; i++) {
        sizes[i] = json_integer_value(json_array_get(value, i)); // 0 if it is no integer
        if (sizes[i] < 1 || sizes[i] > INT_MAX)
            return error_set(err, STATUS_BAD_FILE,
                             "the tensor %s has a dimension that is no integer of 1 to %d",
                             info->name, INT_MAX);
    }
    info->rows = (int)sizes[0];
    info->cols = (int)sizes[1];
    return STATUS_OK;
}

static enum status parse_offsets(const json_t *value, struct entry *entry, struct error *err)
{
    const json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return error_set(err, STATUS_BAD_FILE, "the tensor %s has no valid data_offsets",
                         entry->info.name);
    entry->begin = (uint64_t)json_integer_value(begin);
    entry->end = (uint64_t)json_integer_value(end);
    return STATUS_OK;
}

static enum status parse_entry(const char *name, const json_t *value, struct entry *entry,
                               struct error *err)
{
    const json_t *dtype = json_object_get(value, "dtype"), *shape = json_object_get(value, "shape");
    const json_t *offsets = json_object_get(value, "data_offsets");
    enum status status;

    entry->info.name = name;
    if (!dtype || !shape || !offsets || json_object_size(value) != 3)
        return error_set(err, STATUS_BAD_FILE,
                         "the tensor %s is not described by dtype, shape and data_offsets", name);
    status = parse_dtype(dtype, &entry->info, err);
    if (status == STATUS_OK)
        status = parse_shape(shape, &entry->info, err);
    if (status == STATUS_OK)
        status = parse_offsets(offsets, entry, err);
    if (status != STATUS_OK)
        return status;

    uint64_t bytes = tensor_bytes(entry->info.dtype, entry->info.rows, entry->info.cols);
    if (entry->end - entry->begin != bytes)
        return error_set(
            err, STATUS_BAD_FILE, "the tensor %s of %d x %d %s needs %llu bytes and claims %llu",
            name, entry->info.rows, entry->info.cols, dtypes[entry->info.dtype].name,
            (unsigned long long)bytes, (unsigned long long)(entry->end - entry->begin));
    return STATUS_OK;
}

static enum status parse_header(struct tensor_file *file, struct error *err)
{
    const char *key;
    json_t *value;
    enum status status;

    if (file->header_len == 0 || file->header[0] != '{')
        return error_set(err, STATUS_BAD_FILE, "the header is not a JSON object");
    status = json_parse(&file->root, file->header, file->header_len, err);
    if (status != STATUS_OK) {
        if (err && status == STATUS_BAD_INPUT) // it is not the user who wrote this JSON
            err->status = STATUS_BAD_FILE;
        if (err)
            error_while(err, "the header");
        return status == STATUS_BAD_INPUT ? STATUS_BAD_FILE : status;
    }
    if (json_object_size(file->root) > FILE_TENSORS_MAX + 1)
        return error_set(err, STATUS_BAD_FILE, "there are %zu tensors; at most %d can be read",
                         json_object_size(file->root), FILE_TENSORS_MAX);
    file->entries = memory_zeroed(json_object_size(file->root) + 1, sizeof *file->entries);
    if (!file->entries)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the table of tensors");

    json_object_foreach (file->root, key, value) {
        if (strcmp(key, METADATA_KEY) == 0) {
            file->metadata = value;
            status = check_metadata(value, err);
        } else {
            status = parse_entry(key, value, &file->entries[file->count++], err);
        }
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static int by_begin(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Every byte behind the header belongs to exactly one tensor. */
static enum status check_layout(struct tensor_file *file, struct error *err)
{
    uint64_t at = 0;
    if (file->count)
        qsort(file->entries, (size_t)file->count, sizeof *file->entries, by_begin);
    for (int i = 0; i < file->count; i++) {
        const struct entry *entry = &file->entries[i];
        if (entry->begin != at)
            return error_set(err, STATUS_BAD_FILE,
                             "there is %s before the tensor %s at byte %llu of the tensors",
                             entry->begin > at ? "a gap" : "an overlap", entry->info.name,
                             (unsigned long long)entry->begin);
        at = entry->end;
    }
    if (at != file->data_len)
        return error_set(err, STATUS_BAD_FILE,
                         "the tensors need %llu bytes and the file has %zu: it is cut short or "
                         "damaged",
                         (unsigned long long)at, file->data_len);
    return STATUS_OK;
}

/* ---- the digest ---- */

/* What the metadata say of it; and all that computing it could lack. */
static enum status prepare_digest(struct tensor_file *file, struct error *err)
{
    const char *claimed = tensor_file_text(file, "digest");
    const char *format = tensor_file_text(file, "format");

    file->digits = claimed ? digest_digits(file->header, file->header_len) : NULL;
    if (!claimed && format && strcmp(format, FILE_FORMAT) == 0)
        return error_set(err, STATUS_BAD_FILE, "the digest is missing: the file is damaged");
    if (claimed && (!file->digits || strlen(claimed) != DIGEST_DIGITS))
        return error_set(err, STATUS_BAD_FILE, "the digest is not 64 hexadecimal digits");
    file->hash = sha256_new();
    if (!file->hash)
        return error_set(err, STATUS_NO_MEMORY, "no memory to compute the digest");
    return STATUS_OK;
}

static void compute_digest(struct tensor_file *file)
{
    const unsigned char *rest = file->map.data, *end = rest + file->map.len;
    uint8_t binary[SHA256_BYTES];

    if (file->digits) {
        char zeros[DIGEST_DIGITS];
        memset(zeros, '0', sizeof zeros);
        sha256_add(file->hash, rest, (size_t)((const unsigned char *)file->digits - rest));
        sha256_add(file->hash, zeros, sizeof zeros);
        rest = (const unsigned char *)file->digits + DIGEST_DIGITS;
    }
    sha256_add(file->hash, rest, (size_t)(end - rest));
    sha256_finish(file->hash, binary);
    sha256_to_hex(binary, file->digest);
}

static void *digester_main(void *argument)
{
    compute_digest(argument);
    return NULL;
}

/* Signals are for the program's own threads: this one takes none. Where no thread can be made,
 * tensor_file_verify computes. */
static void start_digester(struct tensor_file *file)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    file->has_digester = pthread_create(&file->digester, NULL, digester_main, file) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void join_digester(struct tensor_file *file)
{
    if (file->has_digester)
        pthread_join(file->digester, NULL);
    file->has_digester = false;
}

/* ---- public ---- */

/* All but the digest. */
static enum status read_header(struct tensor_file *file, struct error *err)
{
    enum status status = find_header(file, err);
    if (status == STATUS_OK)
        status = parse_header(file, err);
    if (status == STATUS_OK)
        status = check_layout(file, err);
    if (status == STATUS_OK)
        status = prepare_digest(file, err);
    return status;
}

static enum status open_file(struct tensor_file **out, const char *path, struct error *err)
{
    enum status status;
    struct tensor_file *file = memory_zeroed(1, sizeof *file);

    *out = NULL;
    if (!file)
        return error_set(err, STATUS_NO_MEMORY, "no memory to open %s", path);
    status = file_map_open(&file->map, path, err);
    if (status != STATUS_OK)
        goto done;
    status = read_header(file, err);
    if (status != STATUS_OK) {
        if (err)
            error_while(err, "%s", path);
        goto done;
    }
    *out = file;
    file = NULL; // the caller owns it now
done:
    tensor_file_close(file);
    return status;
}

enum status tensor_file_open(struct tensor_file **out, const char *path, struct error *err)
{
    struct tensor_file *file;
    enum status status = open_file(&file, path, err);

    *out = NULL;
    if (status != STATUS_OK)
        return status;
    status = tensor_file_verify(file, err);
    if (status != STATUS_OK) {
        tensor_file_close(file);
        return err ? error_while(err, "%s", path) : status;
    }
    *out = file;
    return STATUS_OK;
}

enum status tensor_file_open_unverified(struct tensor_file **out, const char *path,
                                        struct error *err)
{
    enum status status = open_file(out, path, err);
    if (status == STATUS_OK)
        start_digester(*out);
    return status;
}

enum status tensor_file_verify(struct tensor_file *file, struct error *err)
{
    const char *claimed = tensor_file_text(file, "digest");
    join_digester(file);
    if (!*file->digest)
        compute_digest(file);
    if (claimed && strcmp(claimed, file->digest) != 0)
        return error_set(
            err, STATUS_BAD_FILE,
            "the digest does not match: the file was changed or damaged; copy it anew");
    return STATUS_OK;
}

void tensor_file_close(struct tensor_file *file)
{
    if (!file)
        return;
    join_digester(file);
    sha256_free(file->hash);
    memory_free(file->entries);
    json_decref(file->root);
    file_map_close(&file->map);
    memory_free(file);
}

int tensor_file_count(const struct tensor_file *file)
{
    return file->count;
}

struct tensor_info tensor_file_info(const struct tensor_file *file, int i)
{
    assert(i >= 0 && i < file->count);
    return file->entries[i].info;
}

const void *tensor_file_bytes(const struct tensor_file *file, int i)
{
    assert(i >= 0 && i < file->count);
    return file->data + file->entries[i].begin;
}

static const struct entry *find_entry(const struct tensor_file *file, const char *name,
                                      const char *suffix)
{
    size_t len = strlen(name);
    for (int i = 0; i < file->count; i++) {
        const char *candidate = file->entries[i].info.name;
        if (strncmp(candidate, name, len) == 0 && strcmp(candidate + len, suffix) == 0)
            return &file->entries[i];
    }
    return NULL;
}

bool tensor_file_find(const struct tensor_file *file, const char *name, struct tensor_info *info)
{
    const struct entry *entry = find_entry(file, name, "");
    if (entry)
        *info = entry->info;
    return entry != NULL;
}

const char *tensor_file_text(const struct tensor_file *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

const char *tensor_file_digest(const struct tensor_file *file)
{
    assert(*file->digest);
    return file->digest;
}

static enum status check_shape(const struct entry *entry, const char *name, int rows, int cols,
                               struct error *err)
{
    if (!entry)
        return error_set(err, STATUS_BAD_FILE, "the tensor %s of %d x %d is missing", name, rows,
                         cols);
    if (entry->info.rows != rows || entry->info.cols != cols)
        return error_set(err, STATUS_BAD_FILE, "the tensor %s is %d x %d and should be %d x %d",
                         name, entry->info.rows, entry->info.cols, rows, cols);
    return STATUS_OK;
}

enum status tensor_file_check(const struct tensor_file *file, const char *name, int rows, int cols,
                              struct error *err)
{
    const struct entry *entry = find_entry(file, name, "");
    enum status status = check_shape(entry, name, rows, cols, err);
    if (status != STATUS_OK)
        return status;
    if (entry->info.dtype == DTYPE_I32)
        return error_set(err, STATUS_BAD_FILE, "the tensor %s is I32; weights are not integers",
                         name);
    if (entry->info.dtype != DTYPE_I8)
        return STATUS_OK;

    const struct entry *scale = find_entry(file, name, SCALE_SUFFIX);
    if (!scale || scale->info.dtype != DTYPE_F32 || scale->info.rows != rows ||
        scale->info.cols != 1)
        return error_set(err, STATUS_BAD_FILE,
                         "the I8 tensor %s needs a float32 vector %s" SCALE_SUFFIX
                         " with a scale for each of its %d rows",
                         name, name, rows);
    return STATUS_OK;
}

static void read_f16(const unsigned char *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, from + 2 * i, sizeof half);
        to[i] = float_of_f16(half);
    }
}

static void read_bf16(const unsigned char *from, size_t n, float *to)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t brain;
        memcpy(&brain, from + 2 * i, sizeof brain);
        to[i] = float_of_bf16(brain);
    }
}

static void read_i8(const unsigned char *from, const unsigned char *scales, size_t rows,
                    size_t cols, float *to)
{
    for (size_t r = 0; r < rows; r++) {
        float scale;
        memcpy(&scale, scales + r * sizeof scale, sizeof scale);
        for (size_t c = 0; c < cols; c++)
            to[r * cols + c] = scale * (float)(int8_t)from[r * cols + c];
    }
}

enum status tensor_file_read(const struct tensor_file *file, const char *name, int rows, int cols,
                             float *values, struct error *err)
{
    enum status status = tensor_file_check(file, name, rows, cols, err);
    if (status == STATUS_OK)
        tensor_file_rows(file, name, 0, rows, values);
    return status;
}

void tensor_file_rows(const struct tensor_file *file, const char *name, int from, int count,
                      float *values)
{
    const struct entry *entry = find_entry(file, name, "");
    assert(entry && from >= 0 && count <= entry->info.rows - from);
    const enum dtype dtype = entry->info.dtype;
    const size_t rows = (size_t)count, cols = (size_t)entry->info.cols;
    const unsigned char *bytes = file->data + entry->begin + tensor_bytes(dtype, from, (int)cols);
    switch (dtype) {
    case DTYPE_F32:
        memcpy(values, bytes, rows * cols * sizeof *values);
        break;
    case DTYPE_F16:
        read_f16(bytes, rows * cols, values);
        break;
    case DTYPE_BF16:
        read_bf16(bytes, rows * cols, values);
        break;
    case DTYPE_I8:
        entry = find_entry(file, name, SCALE_SUFFIX);
        read_i8(bytes, file->data + entry->begin + tensor_bytes(DTYPE_F32, from, 1), rows, cols,
                values);
        break;
    case DTYPE_I32:
        assert(false && "tensor_file_check refuses it");
    }
}

enum status tensor_file_integers(const struct tensor_file *file, const char *name, int rows,
                                 int32_t *values, struct error *err)
{
    const struct entry *entry = find_entry(file, name, "");
    enum status status = check_shape(entry, name, rows, 1, err);
    if (status != STATUS_OK)
        return status;
    if (entry->info.dtype != DTYPE_I32)
        return error_set(err, STATUS_BAD_FILE, "the tensor %s is %s and should be I32", name,
                         dtypes[entry->info.dtype].name);
    memcpy(values, file->data + entry->begin, (size_t)rows * sizeof *values);
    return STATUS_OK;
}
