/*
 * v1_alignment.c - GET /v1/translations/{id}/alignment.{form}: a stored alignment as a file.
 *
 *     ?sentence=0&n=0&level=word|piece      which, both counted from 0
 *     &ribbons=true|false&theme=light|dark  how pictures look
 *
 * Pictures and pages come with a policy: whatever is in them, they are of no
 * origin and load nothing.
 */
#include <stdio.h>

#include "server/http/routes.h"
#include "server/http/v1_fields.h"
#include "server/http/v1_stored.h"
#include "server/render/render.h"

#define INDEX_MAX 1000000 // of a sentence or hypothesis; there are always fewer
#define POLICY_BYTES_MAX 512
#define HEADERS_BYTES_MAX 768

struct alignment_wish {
    struct v1_stored common;
    long long id;
    enum render_form form;
    int sentence, n, is_piece;
    struct render_options options;
};

static enum status read_options(const json_t *query, struct render_options *options,
                                struct error *err)
{
    static const char *const answers[] = { "false", "true", NULL };
    static const char *const themes[] = { "light", "dark", NULL };
    int ribbons = 0, dark = 0;
    enum status status = v1_fields_word(query, "ribbons", answers, &ribbons, err);
    if (status == STATUS_OK)
        status = v1_fields_word(query, "theme", themes, &dark, err);
    *options = (struct render_options){ .ribbons = ribbons, .dark = dark };
    return status;
}

static enum status read_wish(struct task *task, const json_t *query, struct error *err)
{
    static const char *const levels[] = { "word", "piece", NULL };
    struct alignment_wish *wish = task->owner;
    struct error unknown;
    enum status status = v1_stored_id(task, &wish->id, err);
    if (status == STATUS_OK &&
        render_form_of_name(&wish->form, task->x.values[1], &unknown) != STATUS_OK)
        status = error_set(err, STATUS_NOT_FOUND,
                           "an alignment is there as json, svg, png, html, csv and txt");
    if (status == STATUS_OK)
        status = v1_stored_int(query, "sentence", 0, INDEX_MAX, &wish->sentence, err);
    if (status == STATUS_OK)
        status = v1_stored_int(query, "n", 0, INDEX_MAX, &wish->n, err);
    if (status == STATUS_OK)
        status = v1_fields_word(query, "level", levels, &wish->is_piece, err);
    return status == STATUS_OK ? read_options(query, &wish->options, err) : status;
}

/* ---- beside the loop ---- */

static enum status choose_sentence(const struct stored_translation *t,
                                   const struct alignment_wish *wish,
                                   const struct engine_sentence **out, struct error *err)
{
    if (!t->text)
        return error_set(err, STATUS_NOT_FOUND,
                         "the service keeps no text: there are no words to align");
    if (t->suggestion_id)
        return error_set(err, STATUS_NOT_FOUND,
                         "these are people's words: no model has aligned them");
    if (wish->sentence >= t->answer.sentence_count)
        return error_set(err, STATUS_NOT_FOUND,
                         "there is no sentence %d: the text has %d, counted from 0", wish->sentence,
                         t->answer.sentence_count);
    *out = &t->answer.sentences[wish->sentence];
    if (wish->n >= (*out)->translation.count)
        return error_set(err, STATUS_NOT_FOUND,
                         "there is no translation %d of the sentence: it has %d, counted from 0",
                         wish->n, (*out)->translation.count);
    return STATUS_OK;
}

static enum status view_of(struct alignment_view *view, struct task *task,
                           const struct stored_translation *t, struct error *err)
{
    const struct alignment_wish *wish = task->owner;
    const struct engine_sentence *sentence = NULL;
    struct word_alignment words;
    enum status status = choose_sentence(t, wish, &sentence, err);
    if (status == STATUS_OK)
        status = (wish->is_piece ? piece_alignment : word_alignment)(
            t->vocabulary, sentence, wish->n, &task->arena, &words, err);
    if (status == STATUS_OK)
        status = alignment_view_of(view, t->text, sentence->texts[wish->n].text, &words,
                                   t->via ? t->via : t->source_language, t->target_language,
                                   &task->arena, err);
    return status;
}

static enum status draw(struct task *task, const struct alignment_view *view, struct error *err)
{
    struct alignment_wish *wish = task->owner;
    struct bytes bytes;
    bytes_init(&bytes, REPLY_BYTES_MAX);
    enum status status = render_alignment(view, wish->form, &wish->options, &bytes, err);
    if (status == STATUS_OK)
        status = v1_stored_keep(task, &bytes, err);
    bytes_release(&bytes);
    wish->common.type = render_form_type(wish->form);
    return status;
}

/* What it may do in a browser, and what it is called when it is saved. */
static enum status write_headers(struct task *task, struct error *err)
{
    struct alignment_wish *wish = task->owner;
    char tag[JOURNAL_TAG_BYTES], id[JOURNAL_ID_BYTES];
    struct bytes policy;
    char *headers = arena_alloc(&task->arena, HEADERS_BYTES_MAX);
    enum status status =
        headers ? v1_stored_tag(task, tag, err)
                : error_set(err, STATUS_NO_MEMORY, "there is no memory for the answer");
    if (status != STATUS_OK)
        return status;
    bytes_init(&policy, POLICY_BYTES_MAX);
    render_form_policy(wish->form, &policy);
    status = bytes_check(&policy, "the policy of the file", err);
    if (status == STATUS_OK) {
        journal_id_write(id, tag, wish->id);
        snprintf(headers, HEADERS_BYTES_MAX,
                 NO_STORE "Content-Security-Policy: %s\r\n"
                          "Content-Disposition: inline; filename=\"%s.%s\"\r\n",
                 policy.data, id, render_form_name(wish->form));
        wish->common.headers = headers;
    }
    bytes_release(&policy);
    return status;
}

static enum status write_file(struct task *task, struct error *err)
{
    const struct alignment_wish *wish = task->owner;
    struct stored_translation t;
    struct alignment_view view;
    struct db *db;
    enum status status = task_db(task, &db, err);
    if (status == STATUS_OK)
        status = journal_read(db, task->x.service->journal, wish->id, task->x.caller.rows,
                              &task->arena, &t, err);
    if (status == STATUS_OK)
        status = view_of(&view, task, &t, err);
    if (status == STATUS_OK)
        status = draw(task, &view, err);
    if (status == STATUS_OK)
        status = write_headers(task, err);
    return status;
}

void get_v1_alignment(struct exchange *x)
{
    static const char *const names[] = { "sentence", "n", "level", "ribbons", "theme", NULL };
    static const struct v1_stored_way way = { .names = names,
                                              .wish_bytes = sizeof(struct alignment_wish),
                                              .read = read_wish,
                                              .work = write_file };
    v1_stored_take(x, &way);
}
