/*
 * translate_page.c - a page read whole, translated by one thread, written whole.
 */
#include "server/cmd/translate_page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/documents/html_scan.h"

#define ARENA_BYTES ((size_t)4 << 30) // address space; what is not used costs nothing
#define SENTENCES_IN_FLIGHT 32
#define PIECES_A_SENTENCE 256
#define SENTENCES_A_PAGE 1000000

static enum status translate(struct engine_worker *worker, const struct engine *engine,
                             const struct search_options *search, const struct glossary *glossary,
                             const struct bytes *page, struct arena *arena,
                             struct engine_answer *answer, struct error *err)
{
    const struct document_options options = { .format = FORMAT_HTML, .glossary = glossary };
    struct document document;
    const char *text = page->data ? page->data : "";
    enum status status = document_open(&document, &options, text, page->len, arena, err);
    if (status == STATUS_OK)
        status = engine_translate(worker, &document.engine_text, 1, search, arena, answer, err);
    if (status == STATUS_OK)
        status = document_answer(&document, engine_vocabulary(engine), answer, arena, answer, err);
    return status;
}

static enum status write_page(const struct engine_answer *answer, struct error *err)
{
    if (fwrite(answer->text, 1, answer->len, stdout) != answer->len || fflush(stdout) != 0)
        return error_set(err, STATUS_IO, "writing the page: %s", strerror(errno));
    return STATUS_OK;
}

enum status translate_page(const struct engine *engine, const struct search_options *search,
                           const struct glossary *glossary, const char *path, struct error *err)
{
    const struct engine_limits limits = { .sentences = SENTENCES_IN_FLIGHT,
                                          .beam = search->beam,
                                          .pieces = PIECES_A_SENTENCE,
                                          .text_sentences = SENTENCES_A_PAGE };
    struct engine_worker *worker = NULL;
    struct engine_answer answer;
    struct bytes page;
    struct arena arena = { 0 };
    bytes_init(&page, HTML_BYTES_MAX);
    enum status status = bytes_read_file(&page, path, err);
    if (status == STATUS_OK && !arena_init(&arena, ARENA_BYTES))
        status = error_set(err, STATUS_NO_MEMORY, "no memory to translate a page");
    if (status == STATUS_OK)
        status = engine_worker_new(&worker, engine, &limits, err);
    if (status == STATUS_OK)
        status = translate(worker, engine, search, glossary, &page, &arena, &answer, err);
    if (status == STATUS_OK)
        status = write_page(&answer, err);
    else
        error_while(err, "%s: ", strcmp(path, "-") == 0 ? "standard input" : path);
    engine_worker_free(worker);
    arena_release(&arena);
    bytes_release(&page);
    return status;
}
