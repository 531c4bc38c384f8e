/*
 * show.c - "verso show": a stored translation, and which word looked at which.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/cmd/commands.h"
#include "server/cmd/database_option.h"
#include "server/cmd/print_text.h"
#include "server/engine/answer_json.h"
#include "server/render/render.h"
#include "server/store/journal_read.h"

#define WIDTH_DEFAULT 100
#define JSON_BYTES_MAX ((size_t)256 << 20)

struct showing {
    const struct options *options;
    struct db *db;
    struct arena *arena;
    char tag[JOURNAL_TAG_BYTES];
};

/* ---- as JSON ---- */

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static enum status as_json(struct showing *s, const struct stored_translation *t, struct error *err)
{
    char id[JOURNAL_ID_BYTES], created[CLOCK_TEXT_BYTES];
    const struct answer_json_options options = { .alignment = true };
    json_t *answer = NULL;
    struct bytes out;
    journal_id_write(id, s->tag, t->id);
    clock_format(t->created_ms, created);
    enum status status = STATUS_OK;
    if (t->text)
        status =
            answer_to_json(&answer, t->vocabulary, t->text, &t->answer, &options, s->arena, err);
    if (status != STATUS_OK)
        return status;
    json_t *root =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:i,s:i,s:i,s:f,s:o?}", "id", id, "created",
                  created, "origin", t->suggestion_id ? "suggestion" : "model", "model", t->model,
                  "source", t->source_language, "target", t->target_language, "source_text",
                  text_or_null(t->source_text), "target_text", text_or_null(t->target_text),
                  "source_length", t->source_length, "target_length", t->target_length, "beam",
                  t->beam, "took_ms", (double)t->took_us / 1000, "answer", answer);
    bytes_init(&out, JSON_BYTES_MAX);
    if (!root || !json_write(&out, root))
        status = error_set(err, STATUS_NO_MEMORY, "there is no memory for the translation as JSON");
    else
        puts(out.data);
    bytes_release(&out);
    json_decref(root);
    return status;
}

/* ---- for people ---- */

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return WIDTH_DEFAULT;
}

static enum status print_matrix(struct showing *s, const struct stored_translation *t,
                                const struct engine_sentence *sentence, struct error *err)
{
    struct word_alignment words;
    struct alignment_view view;
    struct bytes out;
    enum status status = word_alignment(t->vocabulary, sentence, 0, s->arena, &words, err);
    if (status == STATUS_OK)
        status = alignment_view_of(&view, t->text, sentence->texts[0].text, &words,
                                   t->source_language, t->target_language, s->arena, err);
    if (status != STATUS_OK)
        return status;
    bytes_init(&out, RENDER_BYTES_MAX);
    const bool colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    status = render_terminal(&view, terminal_width(), colours, &out, err);
    if (status == STATUS_OK)
        printf("\n%s", out.data ? out.data : "");
    bytes_release(&out);
    return status;
}

static void print_named(const char *name, const char *text)
{
    printf("%s: ", name);
    print_text(text);
    putchar('\n');
}

static enum status as_text(struct showing *s, const struct stored_translation *t, struct error *err)
{
    char id[JOURNAL_ID_BYTES], created[CLOCK_TEXT_BYTES];
    journal_id_write(id, s->tag, t->id);
    clock_format(t->created_ms, created);
    printf("%s  %s  %s  beam %d  %.1f ms%s\n", id, created, t->model, t->beam,
           (double)t->took_us / 1000, t->suggestion_id ? "  suggested by people" : "");
    if (!t->text) {
        printf("%d characters became %d; the service keeps no text\n", t->source_length,
               t->target_length);
        return STATUS_OK;
    }
    print_named(t->source_language, t->source_text);
    print_named(t->target_language, t->target_text);
    if (t->via) {
        fputs("through ", stdout);
        print_named(t->via, t->text);
    }
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < t->answer.sentence_count; i++)
        status = print_matrix(s, t, &t->answer.sentences[i], err);
    return status;
}

/* ---- the command ---- */

static enum status show(struct showing *s, const char *text, struct error *err)
{
    struct stored_translation t;
    long long id;
    if (!journal_id_read(text, &id))
        return error_set(err, STATUS_BAD_USAGE,
                         "\"%s\" is no id: they look like a1-01HF7YAT00W3S; verso history lists "
                         "them",
                         text);
    enum status status = journal_read(s->db, NULL, id, ANY_KEY, s->arena, &t, err);
    if (status != STATUS_OK)
        return error_while(err, "%s: ", text);
    return options_flag(s->options, "json") ? as_json(s, &t, err) : as_text(s, &t, err);
}

static enum status show_all(struct db *db, const struct options *o, struct arena *arena,
                            struct error *err)
{
    struct showing s = { .options = o, .db = db, .arena = arena };
    enum status status = journal_replica_of(db, s.tag, err);
    for (int i = 0; status == STATUS_OK && i < options_operand_count(o); i++) {
        arena_reset(arena);
        status = show(&s, options_operand(o, i), err);
    }
    return status;
}

static int run(const struct options *o)
{
    return database_ask(o, show_all);
}

static const struct option_spec specs[] = {
    DATABASE_OPTION,
    { "json", OPTION_FLAG, .help = "a line of JSON, with all hypotheses and their alignments" },
    { 0 },
};

const struct command command_show = {
    .name = "show",
    .summary = "show a stored translation, and which word looked at which",
    .usage = "[--database FILE] [--json] ID...",
    .description =
        "An id is what the service answered, or what \"verso history\" lists. Below the texts is\n"
        "a matrix for each sentence: a row a target word, a column a source word, as dark as\n"
        "the word was looked at.\n",
    .examples = "  verso show a1-01HF7YAT00W3S\n"
                "  verso show --database verso.db --json a1-01HF7YAT00W3S\n",
    .options = specs,
    .operands_min = 1,
    .operands_max = OPERANDS_MAX,
    .run = run,
};
