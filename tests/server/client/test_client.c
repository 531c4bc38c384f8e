/*
 * test_client.c - libverso-client against the real "verso serve".
 */
#include "tests/server/client/allocations.h"
#include "tests/server/client/follow.h"
#include "tests/server/client/real_server.h"

#define SUM_TOLERANCE 1e-3 // weights come with four decimals
#define ABSENT_ID "a1-0000000000001"

static struct real_server server;
static struct verso_client *client;
static struct verso_error err;

static const char *const sentences[] = { "The thin ant. In it an ant.", "Two \"ants\" é, in it!" };

#define assert_client(call, wanted)                                                                \
    do {                                                                                           \
        enum verso_status assert_client_got = (call);                                              \
        ck_assert_msg(assert_client_got == (wanted), "%s: %s (%s), expected %s", #call,            \
                      verso_status_name(assert_client_got), err.text, verso_status_name(wanted));  \
    } while (0)

static void connect_client(const struct verso_options *options)
{
    assert_client(verso_client_new(&client, "127.0.0.1", server.port, options, &err), VERSO_OK);
}

static void start(const char *words)
{
    real_server_start(&server, words);
    connect_client(NULL);
}

static void stop(void)
{
    verso_client_free(client);
    real_server_stop(&server);
}

static struct verso_request request_of(const char *const *texts, size_t count)
{
    return (struct verso_request){
        .texts = texts, .text_count = count, .source = "en", .target = "fr"
    };
}

static struct verso_translations *translate(const struct verso_request *request)
{
    struct verso_translations *got;
    assert_client(verso_translate(client, request, &got, &err), VERSO_OK);
    ck_assert_uint_eq(got->translation_count, request->text_count);
    follow_translations(got, request->texts);
    return got;
}

static void assert_rows_sum_to_one(const struct verso_alignment *alignment)
{
    ck_assert_ptr_nonnull(alignment->weights);
    for (size_t t = 0; t < alignment->rows; t++) {
        double sum = 0;
        for (size_t s = 0; s < alignment->columns; s++)
            sum += (double)alignment->weights[t * alignment->columns + s];
        ck_assert_double_eq_tol(sum, 1, SUM_TOLERANCE * (double)alignment->columns);
    }
}

/* ---- translations ---- */

START_TEST(a_text_comes_back_with_tokens_that_say_where_they_are)
{
    start("");
    const struct verso_request request = request_of(sentences, 1);
    struct verso_translations *got = translate(&request);
    const struct verso_translation *t = got->translations;
    ck_assert_str_eq(got->model, "en-fr");
    ck_assert_ptr_null(got->via);
    ck_assert_str_eq(t->origin, "model");
    ck_assert_ptr_nonnull(t->id);
    ck_assert_uint_eq(t->sentence_count, 2);
    for (size_t i = 0; i < t->sentence_count; i++) {
        const struct verso_sentence *s = &t->sentences[i];
        ck_assert_uint_gt(s->token_count, 0);
        ck_assert_ptr_null(s->alignment.weights);
        for (size_t k = 0; k < s->token_count; k++)
            ck_assert(strncmp(t->text + s->tokens[k].span.from, s->tokens[k].text,
                              strlen(s->tokens[k].text)) == 0);
        for (size_t k = 0; k < s->source_token_count; k++)
            ck_assert(strncmp(sentences[0] + s->source_tokens[k].span.from,
                              s->source_tokens[k].text, strlen(s->source_tokens[k].text)) == 0);
    }
    verso_free(got);
    stop();
}
END_TEST

START_TEST(texts_keep_their_order_and_carry_matrices_and_alternatives)
{
    start("--beam 5");
    struct verso_request request = request_of(sentences, 2);
    request.alignment = true;
    request.beam = 4;
    request.n_best = 3;
    struct verso_translations *got = translate(&request);
    ck_assert_uint_eq(got->translations[0].sentence_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct verso_sentence *s = got->translations[i].sentences;
        assert_rows_sum_to_one(&s->alignment);
        ck_assert_uint_gt(s->n_best_count, 0);
        assert_rows_sum_to_one(&s->n_best[0].alignment);
        ck_assert_double_ge(s->score, s->n_best[0].score);
    }
    struct verso_request second = request_of(sentences + 1, 1);
    second.beam = 4;
    struct verso_translations *alone = translate(&second);
    ck_assert_str_eq(alone->translations[0].text, got->translations[1].text);
    verso_free(alone);
    verso_free(got);
    stop();
}
END_TEST

START_TEST(pieces_are_finer_than_words)
{
    start("");
    struct verso_request request = request_of(sentences, 1);
    struct verso_translations *words = translate(&request);
    request.level = VERSO_LEVEL_PIECE;
    struct verso_translations *pieces = translate(&request);
    ck_assert_str_eq(words->translations[0].text, pieces->translations[0].text);
    ck_assert_uint_gt(pieces->translations[0].sentences[0].token_count,
                      words->translations[0].sentences[0].token_count);
    verso_free(words);
    verso_free(pieces);
    stop();
}
END_TEST

START_TEST(a_page_keeps_its_tags_and_a_glossary_its_terms)
{
    static const char *const pages[] = { "<p title=\"é\">the <b>thin</b> ant. in it 12 ants.</p>",
                                         "\n<p>the <i>ant</i></p>" };
    static const struct verso_term glossary[] = { { "ant", "FOURMI" } };
    start("");
    struct verso_request request = request_of(pages, 2);
    request.format = VERSO_FORMAT_HTML;
    request.alignment = true;
    request.glossary = glossary;
    request.glossary_count = 1;
    struct verso_translations *got = translate(&request);
    ck_assert_ptr_nonnull(strstr(got->translations[0].text, "<p title=\"é\">"));
    ck_assert_ptr_nonnull(strstr(got->translations[1].text, "FOURMI"));
    verso_free(got);
    stop();
}
END_TEST

START_TEST(a_language_between_is_named_and_its_text_is_there)
{
    static const char *const french[] = { "the thin ant." };
    start("");
    struct verso_request request = request_of(french, 1);
    request.source = "fr";
    request.target = "de";
    struct verso_translations *got = translate(&request);
    ck_assert_str_eq(got->via, "en");
    ck_assert_ptr_nonnull(got->translations[0].source_text);
    verso_free(got);
    request.target = "fr";
    got = translate(&request);
    ck_assert_str_eq(got->translations[0].origin, "unchanged");
    ck_assert_ptr_null(got->model);
    verso_free(got);
    stop();
}
END_TEST

START_TEST(languages_are_detected)
{
    start("");
    struct verso_detections *found;
    assert_client(verso_detect(client, sentences, 2, &found, &err), VERSO_OK);
    ck_assert_uint_eq(found->detection_count, 2);
    follow_detections(found);
    struct verso_request request = request_of(sentences, 1);
    request.source = "auto";
    struct verso_translations *got;
    const enum verso_status status = verso_translate(client, &request, &got, &err);
    if (status == VERSO_OK) { // what the random detector says decides
        ck_assert_ptr_nonnull(got->translations[0].detected_language);
        ck_assert_double_le(got->translations[0].detected_confidence, 1);
        follow_translations(got, sentences);
    }
    ck_assert(status == VERSO_OK || status == VERSO_NOT_FOUND || status == VERSO_REFUSED);
    verso_free(got);
    verso_free(found);
    stop();
}
END_TEST

START_TEST(a_given_translation_is_aligned)
{
    const struct verso_pair pair = {
        .source_text = "the thin ant", .target_text = "in it, thin", .source = "en", .target = "fr"
    };
    struct verso_translations *got;
    start("");
    assert_client(verso_align(client, &pair, &got, &err), VERSO_OK);
    follow_translations(got, &pair.source_text);
    const struct verso_translation *t = got->translations;
    ck_assert_str_eq(t->text, pair.target_text);
    ck_assert_str_eq(t->origin, "given");
    ck_assert_ptr_null(t->id);
    assert_rows_sum_to_one(&t->sentences[0].alignment);
    ck_assert_uint_eq(t->sentences[0].alignment.columns, 4);
    verso_free(got);
    stop();
}
END_TEST

START_TEST(a_model_without_attention_translates_and_links_nothing)
{
    char path[128];
    make_folder(server.folder);
    snprintf(path, sizeof path, "%s/en-fr.safetensors", server.folder);
    write_tiny_model_with(path, "en", "fr", 2, ATTENTION_NONE);
    real_server_run(&server, "");
    connect_client(NULL);
    struct verso_request request = request_of(sentences, 2);
    request.alignment = true;
    struct verso_translations *got = translate(&request);
    ck_assert_uint_gt(strlen(got->translations[0].text), 0);
    ck_assert_uint_eq(got->translations[0].sentences[0].tokens[0].link_count, 0);
    verso_free(got);
    stop();
}
END_TEST

/* ---- a stream ---- */

struct heard {
    char texts[2][4096];
    size_t tokens, rows, most;
};

static int hear(void *context, const struct verso_streamed_token *token)
{
    struct heard *heard = context;
    follow_streamed(token);
    strncat(heard->texts[token->index], token->text, 2000);
    heard->rows += token->alignment != NULL;
    return ++heard->tokens == heard->most;
}

START_TEST(tokens_of_a_stream_join_to_its_translations)
{
    static const char *const texts[] = { " the thin ant.\n\nin it 12 ants, in {x}.", "an ant" };
    struct heard heard = { 0 };
    struct verso_translations *got;
    start("");
    struct verso_request request = request_of(texts, 2);
    request.alignment = true;
    assert_client(verso_translate_stream(client, &request, hear, &heard, &got, &err), VERSO_OK);
    follow_translations(got, texts);
    ck_assert_uint_gt(heard.rows, 0);
    for (size_t i = 0; i < 2; i++)
        ck_assert_str_eq(got->translations[i].text, heard.texts[i]);
    assert_rows_sum_to_one(&got->translations[0].sentences[0].alignment);
    verso_free(got);
    request.n_best = 0;
    assert_client(verso_translate_stream(client, &request, NULL, NULL, &got, &err), VERSO_OK);
    verso_free(got);
    stop();
}
END_TEST

START_TEST(a_stream_ends_when_the_caller_wants_no_more)
{
    struct heard heard = { .most = 1 };
    struct verso_translations *got;
    start("");
    const struct verso_request request = request_of(sentences, 2);
    assert_client(verso_translate_stream(client, &request, hear, &heard, &got, &err),
                  VERSO_CANCELLED);
    ck_assert_ptr_null(got);
    ck_assert_uint_eq(heard.tokens, 1);
    verso_free(translate(&request)); // and the client goes on
    stop();
}
END_TEST

/* ---- what the server has ---- */

START_TEST(the_server_says_what_it_has)
{
    struct verso_languages *languages;
    struct verso_models *models;
    struct verso_health health;
    start("");
    assert_client(verso_languages(client, &languages, &err), VERSO_OK);
    follow_languages(languages);
    ck_assert_uint_eq(languages->language_count, 3);
    ck_assert_str_eq(languages->languages[1].code, "en");
    ck_assert_str_eq(languages->languages[1].name, "English");
    ck_assert_str_eq(languages->languages[1].targets[0], "de");
    verso_free(languages);
    assert_client(verso_models(client, &models, &err), VERSO_OK);
    follow_models(models);
    ck_assert_uint_eq(models->model_count, 3);
    ck_assert_str_eq(models->models[0].name, "en-de");
    ck_assert_uint_eq(strlen(models->models[0].digest), 64);
    ck_assert_uint_eq(models->models[0].hidden, TINY_WIDTH);
    ck_assert_ptr_nonnull(strstr(models->models[0].card, "\"en-de\""));
    verso_free(models);
    assert_client(verso_health(client, &health, &err), VERSO_OK);
    ck_assert(health.is_ready && health.is_storing);
    ck_assert_uint_eq(health.models, 3);
    stop();
}
END_TEST

static void assert_file(const char *id, const char *form, const char *type, const char *begin)
{
    const struct verso_picture picture = { .form = form };
    struct verso_file *file;
    assert_client(verso_alignment_file(client, id, &picture, &file, &err), VERSO_OK);
    ck_assert_msg(strncmp(file->content_type, type, strlen(type)) == 0, "%s", file->content_type);
    ck_assert_uint_gt(file->len, strlen(begin));
    ck_assert_int_eq(memcmp(file->bytes, begin, strlen(begin)), 0);
    ck_assert_int_eq(file->bytes[file->len], '\0');
    verso_free(file);
}

START_TEST(what_was_stored_is_there_by_its_id_also_as_a_picture)
{
    struct verso_stored *stored;
    start("");
    struct verso_request request = request_of(sentences, 1);
    request.durable = true;
    struct verso_translations *got = translate(&request);
    const char *id = got->translations[0].id;
    assert_client(verso_stored(client, id, VERSO_LEVEL_WORD, &stored, &err), VERSO_OK);
    follow_stored(stored);
    ck_assert_str_eq(stored->id, id);
    ck_assert_str_eq(stored->source_text, sentences[0]);
    ck_assert_str_eq(stored->target_text, got->translations[0].text);
    ck_assert_str_eq(stored->answer->text, got->translations[0].text);
    assert_rows_sum_to_one(&stored->answer->sentences[1].alignment);
    verso_free(stored);
    assert_file(id, "svg", "image/svg+xml", "<");
    assert_file(id, "png", "image/png", "\x89PNG");
    assert_file(id, "json", "application/json", "{");
    assert_file(id, "txt", "text/plain", "");
    verso_free(got);
    stop();
}
END_TEST

START_TEST(what_is_not_to_be_stored_has_no_id)
{
    start("");
    struct verso_request request = request_of(sentences, 1);
    request.not_stored = true;
    struct verso_translations *got = translate(&request);
    ck_assert_ptr_null(got->translations[0].id);
    verso_free(got);
    stop();
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(a_refusal_is_passed_on_in_the_servers_words)
{
    static const char *const empty[] = { "" };
    struct verso_translations *got;
    struct verso_stored *stored;
    struct verso_file *file;
    const struct verso_picture picture = { .form = "gif" };
    start("");
    struct verso_request request = request_of(sentences, 1);
    request.target = "zz";
    assert_client(verso_translate(client, &request, &got, &err), VERSO_REFUSED);
    ck_assert_ptr_null(got);
    ck_assert_int_eq(err.http_status, 400);
    ck_assert_ptr_nonnull(strstr(err.text, "target is \"zz\""));
    assert_client(verso_translate_stream(client, &request, NULL, NULL, &got, &err), VERSO_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.text, "target is \"zz\""));
    request.target = "fr";
    request.beam = 1000;
    assert_client(verso_translate(client, &request, &got, &err), VERSO_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.text, "beam"));
    request.beam = 0;
    request.model = "en-de";
    assert_client(verso_translate(client, &request, &got, &err), VERSO_NOT_FOUND);
    assert_client(verso_stored(client, ABSENT_ID, VERSO_LEVEL_WORD, &stored, &err),
                  VERSO_NOT_FOUND);
    assert_client(verso_alignment_file(client, ABSENT_ID, &picture, &file, &err), VERSO_NOT_FOUND);
    request = request_of(empty, 1);
    verso_free(translate(&request)); // an empty text is none to refuse
    ck_assert_int_eq(verso_translate(client, &(struct verso_request){ 0 }, &got, NULL),
                     VERSO_BAD_ARGUMENT);
    stop();
}
END_TEST

START_TEST(what_cannot_be_asked_for_is_not_sent)
{
    static const char *const damaged[] = { "an \xff ant" };
    static const char *const absent[] = { "an ant", NULL };
    struct verso_client *other;
    struct verso_translations *got;
    struct verso_stored *stored;
    struct verso_file *file;
    start("");
    struct verso_request request = request_of(damaged, 1);
    assert_client(verso_translate(client, &request, &got, &err), VERSO_BAD_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.text, "UTF-8"));
    request = request_of(absent, 2);
    assert_client(verso_translate(client, &request, &got, &err), VERSO_BAD_ARGUMENT);
    request = request_of(sentences, 1);
    request.target = NULL;
    assert_client(verso_translate(client, &request, &got, &err), VERSO_BAD_ARGUMENT);
    assert_client(verso_stored(client, "../../metrics", VERSO_LEVEL_WORD, &stored, &err),
                  VERSO_BAD_ARGUMENT);
    assert_client(verso_alignment_file(client, ABSENT_ID, &(struct verso_picture){ .form = "a/b" },
                                       &file, &err),
                  VERSO_BAD_ARGUMENT);
    assert_client(verso_client_new(&other, "a\r\nX: y", 5000, NULL, &err), VERSO_BAD_ARGUMENT);
    assert_client(verso_client_new(&other, "localhost", 65536, NULL, &err), VERSO_BAD_ARGUMENT);
    assert_client(verso_client_new(&other, "localhost", 5000,
                                   &(struct verso_options){ .api_key = "a\r\nb" }, &err),
                  VERSO_BAD_ARGUMENT);
    ck_assert_ptr_null(other);
    stop();
}
END_TEST

START_TEST(a_key_opens_what_is_closed_without)
{
    struct verso_translations *got;
    char command[512], key[256] = "";
    make_folder(server.folder);
    real_server_model(server.folder, "en", "fr", 2);
    snprintf(command, sizeof command, "'%s/verso' keys add --database '%s/verso.db' --name a",
             PROGRAMS_DIR, server.folder);
    FILE *said = popen(command, "r");
    ck_assert_ptr_nonnull(said);
    ck_assert_int_eq(fscanf(said, "%255s", key), 1);
    ck_assert_int_eq(pclose(said), 0);
    real_server_run(&server, "--keys required");
    const struct verso_request request = request_of(sentences, 1);
    connect_client(NULL);
    assert_client(verso_translate(client, &request, &got, &err), VERSO_DENIED);
    ck_assert_int_eq(err.http_status, 401);
    verso_client_free(client);
    connect_client(&(struct verso_options){ .api_key = key });
    verso_free(translate(&request));
    stop();
}
END_TEST

START_TEST(a_limit_of_the_server_is_told_while_the_request_is_still_on_its_way)
{
    struct verso_translations *got;
    const size_t len = 8 << 20;
    char *text = memory_alloc(len + 1, 1);
    memset(text, 'a', len);
    text[len] = '\0';
    start("");
    const struct verso_request request = request_of((const char *const *)&text, 1);
    assert_client(verso_translate(client, &request, &got, &err), VERSO_TOO_LARGE);
    ck_assert_int_eq(err.http_status, 413);
    const struct verso_request next = request_of(sentences, 1);
    verso_free(translate(&next));
    memory_free(text);
    stop();
}
END_TEST

START_TEST(a_limit_of_requests_says_when_to_come_again)
{
    struct verso_translations *got = NULL;
    enum verso_status status = VERSO_OK;
    start("--rate 2");
    const struct verso_request request = request_of(sentences, 1);
    for (int i = 0; i < 10 && status == VERSO_OK; i++) {
        verso_free(got);
        status = verso_translate(client, &request, &got, &err);
    }
    ck_assert_int_eq(status, VERSO_BUSY);
    ck_assert_int_eq(err.http_status, 429);
    ck_assert_int_gt(err.retry_after_s, 0);
    stop();
}
END_TEST

/* It closes at once, so that the next request meets a connection that is open, closed or about to be. */
START_TEST(a_connection_that_the_server_ends_is_made_anew)
{
    start("--idle-time 1000"); // a new connection has as long to ask
    const struct verso_request request = request_of(sentences, 1);
    for (int i = 0; i < 2; i++) {
        verso_free(translate(&request));
        sleep(2);
    }
    verso_free(translate(&request));
    stop();
}
END_TEST

START_TEST(no_server_is_no_translation)
{
    struct verso_translations *got;
    start("");
    const struct verso_request request = request_of(sentences, 1);
    real_server_end(&server);
    assert_client(verso_translate(client, &request, &got, &err), VERSO_UNREACHABLE);
    ck_assert_int_eq(err.http_status, 0);
    verso_client_free(client);
    remove_folder(server.folder);
}
END_TEST

static const struct test_case cases[] = {
    TEST(a_text_comes_back_with_tokens_that_say_where_they_are),
    TEST(texts_keep_their_order_and_carry_matrices_and_alternatives),
    TEST(pieces_are_finer_than_words),
    TEST(a_page_keeps_its_tags_and_a_glossary_its_terms),
    TEST(a_language_between_is_named_and_its_text_is_there),
    TEST(languages_are_detected),
    TEST(a_given_translation_is_aligned),
    TEST(a_model_without_attention_translates_and_links_nothing),
    TEST(tokens_of_a_stream_join_to_its_translations),
    TEST(a_stream_ends_when_the_caller_wants_no_more),
    TEST(the_server_says_what_it_has),
    TEST(what_was_stored_is_there_by_its_id_also_as_a_picture),
    TEST(what_is_not_to_be_stored_has_no_id),
    TEST(a_refusal_is_passed_on_in_the_servers_words),
    TEST(what_cannot_be_asked_for_is_not_sent),
    TEST(a_key_opens_what_is_closed_without),
    TEST(a_limit_of_the_server_is_told_while_the_request_is_still_on_its_way),
    TEST(a_limit_of_requests_says_when_to_come_again),
    TEST(a_connection_that_the_server_ends_is_made_anew),
    TEST(no_server_is_no_translation),
};
TEST_MAIN("server/client/client", cases)
