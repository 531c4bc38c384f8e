/*
 * translate.c - "verso translate": lines in, their translations out, in order.
 *
 *     file or standard input -> block of lines -> all threads -> standard output
 *
 * What has been read is translated and written before waiting for more, so a
 * line typed or sent through a pipe is answered at once. A line that cannot be
 * translated is said on standard error, has an empty one in its place, and
 * makes the exit code 3.
 */
#include <errno.h>
#include <string.h>

#include "base/gzip.h"
#include "server/cmd/commands.h"
#include "server/cmd/picture.h"
#include "server/cmd/search_settings.h"
#include "server/cmd/translate_block.h"
#include "server/cmd/translate_page.h"
#include "server/engine/engine.h"

#define FAILED_LINE_BYTES_MAX 4096
#define GLOSSARY_ARENA_BYTES ((size_t)64 << 20)

struct translation_run {
    struct translate_block *block;
    enum answer_form form;
    long bad_lines;
};

static enum status write_out(const char *bytes, size_t len, struct error *err)
{
    if (len == 0 || fwrite(bytes, 1, len, stdout) == len)
        return STATUS_OK;
    return error_set(err, STATUS_IO, "writing the translations: %s", strerror(errno));
}

static enum status write_failed(enum answer_form form, const struct block_line *line,
                                struct error *err)
{
    struct bytes text;
    bytes_init(&text, FAILED_LINE_BYTES_MAX);
    translate_format_failed(&text, form, line->number, &line->err);
    enum status status = bytes_check(&text, "what stands for a line that failed", err);
    if (status == STATUS_OK)
        status = write_out(text.data, text.len, err);
    bytes_release(&text);
    return status;
}

static enum status write_block(struct translation_run *run, const char *name, struct error *err)
{
    enum status status = STATUS_OK;
    const struct block *block = &run->block->lines;
    for (int i = 0; status == STATUS_OK && i < block->count; i++) {
        const struct block_line *line = &block->lines[i];
        if (line->err.status == STATUS_OK) {
            status = write_out(line->out.data, line->out.len, err);
            continue;
        }
        fprintf(stderr, "verso translate: %s: line %ld: %s\n", name, line->number, line->err.text);
        run->bad_lines++;
        status = write_failed(run->form, line, err);
    }
    if (status == STATUS_OK && fflush(stdout) != 0)
        status = error_set(err, STATUS_IO, "writing the translations: %s", strerror(errno));
    return status;
}

/* Lines until the block is full, the file has ended, or the next one has to be waited for. */
static enum status read_block(struct block *block, struct line_reader *in, bool *ended,
                              struct error *err)
{
    struct line line;
    while (!block_is_full(block) && (block->count == 0 || line_reader_ready(in))) {
        enum status status = line_reader_next(in, &line, err);
        if (status == STATUS_TOO_LARGE) {
            error_set(err, status, "longer than the limit of %d bytes", LINE_BYTES_MAX);
            block_add_failed(block, line.number, err);
            continue;
        }
        *ended = status != STATUS_OK || !line.text;
        if (*ended)
            return status;
        status = block_add(block, line.number, line.text, line.len, NULL, 0, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status translate_file(struct translation_run *run, const char *path, struct error *err)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    struct line_reader *in;
    bool ended = false;
    enum status status = line_reader_open(&in, path, err);
    while (status == STATUS_OK && !ended) {
        struct error why;
        enum status read = read_block(&run->block->lines, in, &ended, &why);
        translate_block_run(run->block); // what was read before a failure, too
        status = write_block(run, name, err);
        block_reset(&run->block->lines);
        if (status == STATUS_OK && read != STATUS_OK)
            status = error_set(err, read, "%s", why.text);
    }
    line_reader_close(in);
    return status;
}

static enum status choose_json(const char *alignment, enum answer_form *form, struct error *err)
{
    *form = alignment ? ANSWER_JSON_MATRIX : ANSWER_JSON;
    if (!alignment || strcmp(alignment, "matrix") == 0)
        return STATUS_OK;
    return error_set(err, STATUS_BAD_USAGE,
                     "--alignment %s: with --json there is only \"matrix\"; links are always there",
                     alignment);
}

static enum status choose_form(const struct options *o, enum answer_form *form, struct error *err)
{
    const char *alignment = options_text(o, "alignment");
    bool n_best = options_int(o, "n-best") > 1;
    if (options_flag(o, "json"))
        return choose_json(alignment, form, err);
    *form = n_best ? ANSWER_N_BEST : ANSWER_PLAIN;
    if (!alignment)
        return STATUS_OK;
    if (n_best)
        return error_set(err, STATUS_BAD_USAGE,
                         "--alignment explains the best translation: leave --n-best out, or say "
                         "--json");
    if (strcmp(alignment, "pharaoh") == 0)
        *form = ANSWER_PHARAOH;
    else if (strcmp(alignment, "matrix") == 0)
        *form = ANSWER_MATRIX;
    else
        return error_set(err, STATUS_BAD_USAGE,
                         "--alignment %s: there are \"pharaoh\" (0-0 1-2 behind each translation) "
                         "and \"matrix\" (a table below it)",
                         alignment);
    return STATUS_OK;
}

/* ---- the picture of a sentence ---- */

struct drawing {
    const char *path;
    const struct engine *engine;
    struct render_options render;
};

static enum status draw_sentence(void *context, long number, const char *text,
                                 const struct engine_answer *answer, struct arena *arena,
                                 struct error *err)
{
    const struct drawing *d = context;
    if (answer->sentence_count == 0)
        return STATUS_OK;
    if (number > 1 || answer->sentence_count > 1)
        return error_set(err, STATUS_BAD_INPUT,
                         "--draw shows one sentence and there are more: give it one");
    const struct picture_options options = { .source_language = engine_source(d->engine),
                                             .target_language = engine_target(d->engine),
                                             .render = d->render };
    return picture_of_sentence(d->path, engine_vocabulary(d->engine), text, &answer->sentences[0],
                               &options, arena, err);
}

static enum status choose_drawing(const struct options *o, struct translate_setup *setup,
                                  struct drawing *drawing, struct error *err)
{
    enum render_form form;
    drawing->path = options_text(o, "draw");
    drawing->render = (struct render_options){ .ribbons = options_flag(o, "ribbons"),
                                               .dark = options_flag(o, "dark") };
    if (!drawing->path)
        return STATUS_OK;
    setup->look = draw_sentence;
    setup->context = drawing;
    return render_form_of_path(&form, drawing->path, err);
}

/* ---- pages ---- */

static enum status choose_format(const struct options *o, bool *is_html, struct error *err)
{
    static const char *const of_lines[] = { "n-best", "alignment", "json", "draw", NULL };
    const char *format = options_text(o, "format");
    *is_html = strcmp(format, "html") == 0;
    if (!*is_html && strcmp(format, "text") != 0)
        return error_set(err, STATUS_BAD_USAGE, "--format %s: there are \"text\" and \"html\"",
                         format);
    for (int i = 0; *is_html && of_lines[i]; i++)
        if (options_given(o, of_lines[i]))
            return error_set(err, STATUS_BAD_USAGE,
                             "--%s is for lines: leave it out with --format html", of_lines[i]);
    return STATUS_OK;
}

static enum status translate_pages(const struct engine *engine, const struct translate_setup *setup,
                                   const struct options *o, struct error *err)
{
    enum status status = STATUS_OK;
    const int count = options_operand_count(o);
    if (count == 0)
        return translate_page(engine, &setup->search, setup->glossary, "-", err);
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status =
            translate_page(engine, &setup->search, setup->glossary, options_operand(o, i), err);
    return status;
}

static enum status load_glossary(const struct options *o, struct arena *arena,
                                 struct translate_setup *setup, struct error *err)
{
    struct glossary *glossary;
    const char *path = options_text(o, "glossary");
    if (!path)
        return STATUS_OK;
    if (!arena_init(arena, GLOSSARY_ARENA_BYTES))
        return error_set(err, STATUS_NO_MEMORY, "no memory for a glossary");
    enum status status = glossary_load(&glossary, path, arena, err);
    if (status == STATUS_OK)
        setup->glossary = glossary;
    return status;
}

/* ---- the command ---- */

static enum status make_setup(const struct options *o, struct translate_setup *setup,
                              struct error *err)
{
    struct search_options search = search_settings(o);
    const int n_best = options_int(o, "n-best");
    search.n_best = n_best;
    if (search.beam < n_best && options_given(o, "beam"))
        return error_set(err, STATUS_BAD_USAGE, "--n-best %d needs a --beam of at least %d", n_best,
                         n_best);
    if (search.beam < n_best)
        search.beam = n_best;
    setup->search = search;
    setup->threads = options_threads(o, THREADS_MAX);
    return choose_form(o, &setup->form, err);
}

static enum status translate_lines(struct translation_run *run, const struct engine *engine,
                                   const struct translate_setup *setup, const struct options *o,
                                   struct error *err)
{
    const int count = options_operand_count(o);
    enum status status = translate_block_new(&run->block, engine, setup, err);
    if (status != STATUS_OK)
        return status;
    run->form = setup->form;
    if (count == 0)
        return translate_file(run, "-", err);
    for (int i = 0; status == STATUS_OK && i < count; i++)
        status = translate_file(run, options_operand(o, i), err);
    return status;
}

static int run(const struct options *o)
{
    struct error err;
    struct engine *engine = NULL;
    struct translation_run all = { 0 };
    struct drawing drawing;
    struct translate_setup setup = { 0 };
    struct arena glossary = { 0 };
    bool is_html = false;
    enum status status = options_need(o, &err, "model", NULL);
    if (status == STATUS_OK)
        status = choose_format(o, &is_html, &err);
    if (status == STATUS_OK)
        status = make_setup(o, &setup, &err);
    if (status == STATUS_OK)
        status = choose_drawing(o, &setup, &drawing, &err);
    if (status == STATUS_OK)
        status = load_glossary(o, &glossary, &setup, &err);
    if (status == STATUS_OK)
        status = search_engine(&engine, o, &err);
    drawing.engine = engine;
    if (status == STATUS_OK && is_html)
        status = translate_pages(engine, &setup, o, &err);
    else if (status == STATUS_OK)
        status = translate_lines(&all, engine, &setup, o, &err);
    translate_block_free(all.block);
    engine_free(engine);
    arena_release(&glossary);
    if (status == STATUS_OK && all.bad_lines > 0)
        return EXIT_BAD_INPUT;
    return options_finish(o, status, &err);
}

static const struct option_spec specs[] = {
    { "model", OPTION_LIST, .letter = 'm', .environment = true, .value = "FILE",
      .help = "model file to translate with; several of one vocabulary translate together" },
    SEARCH_OPTIONS,
    { "n-best", OPTION_INT, .value = "N", .fallback = "1", .min = 1, .max = BEAM_MAX,
      .help = "translations a line, best first, as \"LINE ||| TRANSLATION ||| SCORE\"" },
    { "alignment", OPTION_TEXT, .value = "FORM",
      .help = "what each word looked at: pharaoh (\"TRANSLATION ||| 0-0 1-2\", source-target) or "
              "matrix (a table)" },
    { "json", OPTION_FLAG,
      .help = "an object a line: words with spans, links, coverage, confidence, warnings; "
              "--alignment matrix adds the weights" },
    { "draw", OPTION_TEXT, .value = "FILE",
      .help = "also put the alignment of the only sentence there: .svg, .png or .html, .json, "
              ".csv or .txt (links)" },
    { "ribbons", OPTION_FLAG, .help = "draw bands between two lines of words, not a matrix" },
    { "dark", OPTION_FLAG, .help = "draw on dark paper" },
    { "format", OPTION_TEXT, .value = "FORMAT", .fallback = "text",
      .help = "text (a line for each line) or html (each file a page: tags, scripts, code stay)" },
    { "glossary", OPTION_TEXT, .value = "FILE",
      .help = "lines \"term<TAB>translation\": whole words, the longest first; a term without "
              "capitals is found however it is written" },
    { "threads", OPTION_INT, .letter = 't', .environment = true, .value = "N", .min = 1,
      .max = THREADS_MAX, .help = "threads; by default one a core" },
    { 0 },
};

const struct command command_translate = {
    .name = "translate",
    .summary = "translate lines of text",
    .usage = "--model FILE [OPTION...] [FILE...]",
    .description = "Reads the files (plain or gzipped), or standard input, and writes a line for\n"
                   "each line. A line that cannot be translated (it is not UTF-8, or over 1 MiB)\n"
                   "is said on standard error, has an empty one in its place (an object with\n"
                   "\"error\", with --json), and makes the exit code 3. Numbers, addresses and\n"
                   "placeholders such as {name} and %s come out as they are.\n",
    .examples =
        "  verso translate --model en-fr.safetensors < letter.txt\n"
        "  verso translate -m one.safetensors -m two.safetensors --lm fr.safetensors letter.txt\n"
        "  echo 'Good day.' | verso translate -m en-fr.safetensors --alignment matrix\n"
        "  echo 'Good day.' | verso translate -m en-fr.safetensors --draw good-day.svg\n"
        "  verso translate -m en-fr.safetensors --json letter.txt | jq -c .warnings\n"
        "  verso translate -m en-fr.safetensors --format html --glossary terms.tsv page.html\n",
    .options = specs,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
