/*
 * reference_file.h - tensors of the files in tests/reference, and comparing what KERNELS
 * computes with them.
 *
 * The files were made by an independent implementation in float64; their
 * "note" gives the equations. A tensor is {"shape":[...],"data":[...]}.
 */
#ifndef TESTS_MODEL_REFERENCE_FILE_H
#define TESTS_MODEL_REFERENCE_FILE_H

#include "base/bytes.h"
#include "base/json.h"
#include "model/kernels/kernels.h"
#include "tests/helpers.h"

#ifdef VERSO_DOUBLE
#define TOLERANCE 1e-9 // the reference has 12 digits
#define KERNELS (&kernels_reference)
#else
#define TOLERANCE 1e-5
#define KERNELS kernels_best()
#endif

static inline json_t *reference_open(const char *name)
{
    char path[512];
    struct error err;
    struct bytes text;
    json_t *root;
    snprintf(path, sizeof path, "%s/reference/%s", TESTS_DIR, name);
    bytes_init(&text, 1 << 20);
    assert_ok(bytes_read_file(&text, path, &err), err);
    assert_ok(json_parse(&root, text.data, text.len, &err), err);
    bytes_release(&text);
    return root;
}

/* "params/U": a path of keys. */
static inline json_t *reference_at(json_t *root, const char *path)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *save, *key = strtok_r(copy, "/", &save); key; key = strtok_r(NULL, "/", &save))
        root = json_object_get(root, key);
    ck_assert_msg(root, "the reference has no %s", path);
    return root;
}

static inline json_t *reference_data(json_t *root, const char *path)
{
    json_t *tensor = reference_at(root, path);
    return json_is_array(tensor) ? tensor : json_object_get(tensor, "data");
}

/* A new array of the tensor's elements; the caller frees it. */
static inline real *reference_reals(json_t *root, const char *path)
{
    json_t *data = reference_data(root, path);
    real *values = malloc((json_array_size(data) + 1) * sizeof *values);
    for (size_t i = 0; i < json_array_size(data); i++)
        values[i] = (real)json_number_value(json_array_get(data, i));
    return values;
}

static inline int *reference_ints(json_t *root, const char *path)
{
    json_t *data = reference_data(root, path);
    int *values = malloc((json_array_size(data) + 1) * sizeof *values);
    for (size_t i = 0; i < json_array_size(data); i++)
        values[i] = (int)json_number_value(json_array_get(data, i));
    return values;
}

static inline int reference_int(json_t *root, const char *path)
{
    return (int)json_number_value(reference_at(root, path));
}

static inline void assert_near(real got, double wanted, double tolerance, const char *what,
                               size_t i)
{
    ck_assert_msg(fabs((double)got - wanted) <= tolerance * (1 + fabs(wanted)),
                  "%s[%zu] is %.12g, not %.12g", what, i, (double)got, wanted);
}

static inline void assert_like_reference(const real *got, json_t *root, const char *path)
{
    json_t *data = reference_data(root, path);
    for (size_t i = 0; i < json_array_size(data); i++)
        assert_near(got[i], json_number_value(json_array_get(data, i)), TOLERANCE, path, i);
}

#endif
