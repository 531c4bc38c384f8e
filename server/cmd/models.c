/*
 * models.c - "verso models": what is in a folder of models, in a model file,
 * making one from plain tensors, changing what one says of itself.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "model/file.h"
#include "model/model.h"
#include "server/cmd/commands.h"
#include "server/engine/engine.h"
#include "tokenizer/vocabulary.h"

#define MODEL_ENDING ".safetensors"
#define TEXT_BYTES_MAX ((size_t)64 << 20) // of a vocabulary or a card
#define DIGEST_SHOWN 12                   // digits of a digest in the list

/* ---- what a file says ---- */

struct description {
    struct tensor_file *file;
    json_t *config, *card; // card may be NULL
    off_t bytes;
};

static void description_release(struct description *d)
{
    json_decref(d->config);
    json_decref(d->card);
    tensor_file_close(d->file);
}

static enum status read_text(const struct tensor_file *file, const char *key, const char *path,
                             json_t **out, struct error *err)
{
    const char *text = tensor_file_text(file, key);
    *out = NULL;
    if (!text || json_parse(out, text, strlen(text), err) == STATUS_OK)
        return STATUS_OK;
    return error_while(err, "%s: its %s: ", path, key);
}

static enum status describe(struct description *d, const char *path, struct error *err)
{
    struct stat info;
    memset(d, 0, sizeof *d);
    enum status status = tensor_file_open(&d->file, path, err);
    if (status == STATUS_OK)
        status = read_text(d->file, "config", path, &d->config, err);
    if (status == STATUS_OK)
        status = read_text(d->file, "card", path, &d->card, err);
    if (status == STATUS_OK && !d->config)
        status = error_set(err, STATUS_BAD_FILE,
                           "%s holds tensors but no model of verso: \"verso models import\" makes "
                           "one of it",
                           path);
    if (status == STATUS_OK && stat(path, &info) == 0)
        d->bytes = info.st_size;
    if (status != STATUS_OK) {
        description_release(d);
        memset(d, 0, sizeof *d);
    }
    return status;
}

/* Numbers in a model; the scales of I8 tensors and integers are not weights. */
static double weight_count(const struct tensor_file *file)
{
    double count = 0;
    for (int i = 0; i < tensor_file_count(file); i++) {
        struct tensor_info t = tensor_file_info(file, i);
        size_t len = strlen(t.name);
        if (t.dtype != DTYPE_I32 && (len < 6 || strcmp(t.name + len - 6, ".scale") != 0))
            count += (double)t.rows * (double)t.cols;
    }
    return count;
}

static const char *card_text(const struct description *d, const char *field)
{
    const char *text = json_string_value(json_object_get(d->card, field));
    return text ? text : "-";
}

/* ---- list ---- */

static int is_model_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name), ending = strlen(MODEL_ENDING);
    return entry->d_name[0] != '.' && len > ending &&
           strcmp(entry->d_name + len - ending, MODEL_ENDING) == 0;
}

static enum status list_file(const char *folder, const char *name, struct error *err)
{
    char path[4096];
    struct description d;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return error_set(err, STATUS_TOO_LARGE, "%s/%s: the path is too long", folder, name);
    enum status status = describe(&d, path, err);
    if (status != STATUS_OK)
        return status;
    printf("%-16s %-6s %-6s %8.2f M %8.1f MB  %.*s  %s\n", card_text(&d, "name"),
           card_text(&d, "source"), card_text(&d, "target"), weight_count(d.file) / 1e6,
           (double)d.bytes / 1e6, DIGEST_SHOWN, tensor_file_digest(d.file), name);
    description_release(&d);
    return STATUS_OK;
}

/* A file that cannot be read is said, and the others are listed all the same. */
static enum status list(const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    enum status status = STATUS_OK;
    int count = scandir(folder, &entries, is_model_file, alphasort);
    if (count < 0)
        return error_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s", folder,
                         strerror(errno));
    if (count == 0)
        status =
            error_set(err, STATUS_NOT_FOUND, "%s has no files that end in " MODEL_ENDING, folder);
    else
        printf("%-16s %-6s %-6s %10s %11s  %-*s  %s\n", "NAME", "SOURCE", "TARGET", "WEIGHTS",
               "SIZE", DIGEST_SHOWN, "DIGEST", "FILE");
    for (int i = 0; i < count; i++) {
        struct error why;
        enum status one = list_file(folder, entries[i]->d_name, &why);
        if (one != STATUS_OK && status != STATUS_OK)
            fprintf(stderr, "verso models: %s\n", err->text);
        if (one != STATUS_OK)
            status = error_set(err, one, "%s", why.text);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* ---- show ---- */

static void show_tensors(const struct tensor_file *file)
{
    static const char *const names[] = { [DTYPE_F32] = "F32",
                                         [DTYPE_F16] = "F16",
                                         [DTYPE_BF16] = "BF16",
                                         [DTYPE_I8] = "I8",
                                         [DTYPE_I32] = "I32" };
    static const double sizes[] = {
        [DTYPE_F32] = 4, [DTYPE_F16] = 2, [DTYPE_BF16] = 2, [DTYPE_I8] = 1, [DTYPE_I32] = 4
    };
    for (int i = 0; i < tensor_file_count(file); i++) {
        struct tensor_info t = tensor_file_info(file, i);
        printf("  %-26s %7d x %-6d %-5s %12.0f bytes\n", t.name, t.rows, t.cols, names[t.dtype],
               sizes[t.dtype] * t.rows * t.cols);
    }
}

static void show_json(const char *title, const json_t *value)
{
    printf("%s\n", title);
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    printf("\n\n");
}

static enum status show(const char *path, struct error *err)
{
    struct description d;
    enum status status = describe(&d, path, err);
    if (status != STATUS_OK)
        return status;
    printf("file     %s\nsize     %lld bytes\ndigest   %s\nweights  %.0f in %d tensors\n\n", path,
           (long long)d.bytes, tensor_file_digest(d.file), weight_count(d.file),
           tensor_file_count(d.file));
    show_json("config", d.config);
    if (d.card)
        show_json("card", d.card);
    printf("tensors\n");
    show_tensors(d.file);
    description_release(&d);
    return STATUS_OK;
}

/* ---- import ---- */

/* What --card has, with the languages and the name put over it. */
static enum status make_card(const struct options *o, struct bytes *card, struct error *err)
{
    const char *source = options_text(o, "source"), *target = options_text(o, "target");
    const char *path = options_text(o, "card"), *name = options_text(o, "name");
    char pair[256];
    struct bytes text;
    json_t *root = NULL;
    enum status status = STATUS_OK;
    bytes_init(&text, TEXT_BYTES_MAX);
    if (path)
        status = bytes_read_file(&text, path, err);
    if (status == STATUS_OK)
        status = json_parse(&root, path ? text.data : "{}", path ? text.len : 2, err);
    if (status == STATUS_OK && !json_is_object(root))
        status = error_set(err, STATUS_BAD_INPUT, "a card must be a JSON object");
    if (status != STATUS_OK && path)
        error_while(err, "%s: ", path);
    snprintf(pair, sizeof pair, "%s-%s", source, target);
    if (status == STATUS_OK &&
        (json_object_set_new(root, "name", json_string(name ? name : pair)) != 0 ||
         json_object_set_new(root, "source", json_string(source)) != 0 ||
         json_object_set_new(root, "target", json_string(target)) != 0 || !json_write(card, root)))
        status = error_set(err, STATUS_BAD_INPUT, "the card's texts must be UTF-8");
    json_decref(root);
    bytes_release(&text);
    return status;
}

static enum status make_vocabulary(const char *path, struct bytes *tsv, struct error *err)
{
    struct vocabulary *v;
    enum status status = vocabulary_load_tsv(&v, path, err);
    if (status != STATUS_OK)
        return status;
    status = vocabulary_write_tsv(v, tsv, err); // with the line that names its options
    vocabulary_free(v);
    return status;
}

/* Made beside the target and loaded once as the server would, before it takes the name. */
static enum status import_checked(const char *weights, const struct model_texts *texts,
                                  const char *out, struct error *err)
{
    char candidate[4096];
    struct engine *engine;
    if (snprintf(candidate, sizeof candidate, "%s.candidate", out) >= (int)sizeof candidate)
        return error_set(err, STATUS_TOO_LARGE, "%s: the path is too long", out);
    enum status status = model_import(weights, texts, candidate, err);
    if (status != STATUS_OK)
        return status;
    status = engine_load(&engine, candidate, WEIGHT_F32, err);
    if (status == STATUS_OK) {
        engine_free(engine);
        if (rename(candidate, out) == 0)
            return STATUS_OK;
        status = error_set(err, STATUS_IO, "%s: %s", out, strerror(errno));
    }
    unlink(candidate);
    return status;
}

static enum status import(const struct options *o, struct error *err)
{
    struct bytes tsv, card;
    const char *out = options_text(o, "out");
    bytes_init(&tsv, TEXT_BYTES_MAX);
    bytes_init(&card, TEXT_BYTES_MAX);
    enum status status = options_need(o, err, "out", "source", "target", NULL);
    if (status == STATUS_OK)
        status = make_vocabulary(options_operand(o, 2), &tsv, err);
    if (status == STATUS_OK)
        status = make_card(o, &card, err);
    if (status == STATUS_OK) {
        struct model_texts texts = { .vocabulary = tsv.data, .card = card.data };
        status = import_checked(options_operand(o, 1), &texts, out, err);
    }
    if (status == STATUS_OK)
        status = show(out, err);
    bytes_release(&card);
    bytes_release(&tsv);
    return status;
}

/* ---- card ---- */

/* The keys of the file at --card put over those of the model's card. */
static enum status merge_card(const char *card, const char *path, struct bytes *merged,
                              struct error *err)
{
    json_t *root = NULL, *over = NULL;
    struct bytes text;
    bytes_init(&text, TEXT_BYTES_MAX);
    enum status status = bytes_read_file(&text, path, err);
    if (status == STATUS_OK)
        status = json_parse(&over, text.data, text.len, err);
    if (status == STATUS_OK)
        status = json_parse(&root, card ? card : "{}", card ? strlen(card) : 2, err);
    if (status == STATUS_OK && (json_object_update(root, over) != 0 || !json_write(merged, root)))
        status = error_set(err, STATUS_BAD_INPUT, "%s: a card must be a JSON object", path);
    json_decref(root);
    json_decref(over);
    bytes_release(&text);
    return status;
}

static enum status change_card(const struct options *o, struct error *err)
{
    const char *path = options_operand(o, 1);
    const char *out = options_text(o, "out") ? options_text(o, "out") : path;
    struct model *model = NULL;
    struct bytes card;
    bytes_init(&card, TEXT_BYTES_MAX);
    enum status status = options_need(o, err, "card", NULL);
    if (status == STATUS_OK)
        status = model_load_values(&model, path, err);
    if (status == STATUS_OK)
        status = merge_card(model_texts(model).card, options_text(o, "card"), &card, err);
    if (status == STATUS_OK)
        status = model_rewrite(path, out, card.data, NULL, err);
    model_free(model);
    bytes_release(&card);
    return status == STATUS_OK ? show(out, err) : status;
}

/* ---- the command ---- */

static enum status choose(const struct options *o, struct error *err)
{
    const char *what = options_operand(o, 0);
    const int operands = options_operand_count(o) - 1;
    if (strcmp(what, "list") == 0 && operands == 1)
        return list(options_operand(o, 1), err);
    if (strcmp(what, "show") == 0 && operands == 1)
        return show(options_operand(o, 1), err);
    if (strcmp(what, "import") == 0 && operands == 2)
        return import(o, err);
    if (strcmp(what, "card") == 0 && operands == 1)
        return change_card(o, err);
    return error_set(
        err, STATUS_BAD_USAGE,
        "it is \"list FOLDER\", \"show FILE\", \"import WEIGHTS VOCABULARY\" or \"card "
        "FILE\"; see verso models --help");
}

static int run(const struct options *o)
{
    struct error err;
    return options_finish(o, output_flush(choose(o, &err), &err), &err);
}

static const struct option_spec specs[] = {
    { "out", OPTION_TEXT, .letter = 'o', .value = "MODEL",
      .help = "import, card: model file to write" },
    { "source", OPTION_TEXT, .value = "CODE", .help = "import: language it translates from" },
    { "target", OPTION_TEXT, .value = "CODE", .help = "import: language it translates to" },
    { "name", OPTION_TEXT, .value = "NAME",
      .help = "import: what to call it; by default SOURCE-TARGET" },
    { "card", OPTION_TEXT, .value = "FILE",
      .help = "import, card: JSON object to put into the model's card: data, licences, scores" },
    { 0 },
};

const struct command command_models = {
    .name = "models",
    .summary = "list, show, import or describe model files",
    .usage = "list FOLDER | show FILE | import WEIGHTS VOCABULARY -o MODEL --source CODE "
             "--target CODE | card FILE --card JSON [-o MODEL]",
    .description = "import makes a model file of plain tensors, named as PyTorch reference runs\n"
                   "name them, and a vocabulary (lines of id, piece, score, kind).\n"
                   "card puts the keys of a JSON object over those of a model's card.\n",
    .examples = "  verso models list models/\n"
                "  verso models import weights.safetensors vocab.tsv -o en-fr.safetensors \\\n"
                "      --source en --target fr\n"
                "  verso models card en-fr.safetensors --card scores.json\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = 3,
    .run = run,
};
