/* test_parameters.c - JSON, forms and queries as one object. */
#include "server/http/parameters.h"
#include "tests/helpers.h"

static const char *const names[] = { "q", "source", "alternatives", NULL };

static struct slice slice(const char *text)
{
    return text ? (struct slice){ text, strlen(text) } : (struct slice){ 0 };
}

static enum status read_message(json_t **out, const char *type, const char *query, const char *body,
                                struct error *err)
{
    struct message message = { .content_type = slice(type),
                               .query = slice(query),
                               .body = slice(body) };
    return parameters_read(out, &message, names, err);
}

static void assert_read(const char *type, const char *query, const char *body, const char *expected)
{
    struct error err;
    struct bytes text;
    json_t *object;
    bytes_init(&text, 10000);
    assert_ok(read_message(&object, type, query, body, &err), err);
    ck_assert(json_write(&text, object));
    ck_assert_str_eq(text.data, expected);
    json_decref(object);
    bytes_release(&text);
}

#define FORM "application/x-www-form-urlencoded"

START_TEST(json_is_taken_whole)
{
    assert_read("application/json", "q=x", "{\"q\":[\"a\"],\"other\":1}",
                "{\"q\":[\"a\"],\"other\":1}");
    assert_read("Application/JSON; charset=utf-8", NULL, "{}", "{}");
}
END_TEST

START_TEST(a_form_is_decoded)
{
    assert_read(FORM, NULL, "q=a+b%2Bc%C3%A9&source=en", "{\"q\":\"a b+cé\",\"source\":\"en\"}");
    assert_read(FORM "; charset=UTF-8", NULL, "%71=a", "{\"q\":\"a\"}");
}
END_TEST

START_TEST(a_percent_sign_without_digits_is_itself)
{
    assert_read(FORM, NULL, "q=100%&source=%4", "{\"q\":\"100%\",\"source\":\"%4\"}");
    assert_read(FORM, NULL, "q=%zz%g1", "{\"q\":\"%zz%g1\"}");
}
END_TEST

START_TEST(crlf_becomes_lf)
{
    assert_read(FORM, NULL, "q=a%0D%0Ab%0Dc%0Ad%0D%0A%0D%0A", "{\"q\":\"a\\nb\\rc\\nd\\n\\n\"}");
}
END_TEST

START_TEST(the_query_comes_before_the_body_and_the_first_counts)
{
    assert_read(FORM, "q=1&q=2", "q=3&source=en", "{\"q\":\"1\",\"source\":\"en\"}");
    assert_read(NULL, "q=1", "q=2", "{\"q\":\"1\"}");
}
END_TEST

START_TEST(odd_forms_do_no_harm)
{
    assert_read(FORM, NULL, "", "{}");
    assert_read(FORM, NULL, "&&=&=x&q&source=&&", "{\"source\":\"\"}");
    assert_read(FORM, NULL, "unknown=1&api_key=2&a-name-of-more-than-thirty-two-bytes-is-none=3",
                "{}");
    assert_read(FORM, NULL, "q=a=b", "{\"q\":\"a=b\"}");
}
END_TEST

START_TEST(what_is_malformed_is_said)
{
    struct error err;
    json_t *object;
    assert_status(read_message(&object, "application/json", NULL, "[1]", &err), STATUS_BAD_INPUT);
    ck_assert_str_eq(err.text, "Invalid JSON format");
    ck_assert_ptr_null(object);
    assert_status(read_message(&object, "application/json", NULL, "", &err), STATUS_BAD_INPUT);
    assert_status(read_message(&object, FORM, NULL, "q=%ff", &err), STATUS_BAD_INPUT);
    ck_assert_str_eq(err.text, "Invalid request: q is not valid UTF-8");
    ck_assert_ptr_null(object);
}
END_TEST

#define MULTIPART "multipart/form-data; boundary=b"
#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"

START_TEST(a_multipart_is_a_form_that_is_not_encoded)
{
    assert_read(MULTIPART, NULL, PART("q") "a+%41\r\nb\r\n" PART("source") "en\r\n--b--\r\n",
                "{\"q\":\"a+%41\\nb\",\"source\":\"en\"}");
    assert_read("Multipart/Form-Data; charset=utf-8; boundary=\"b\"", NULL, PART("q") "\r\n--b--",
                "{\"q\":\"\"}");
    assert_read(MULTIPART, NULL, "before\r\n" PART("q") "a\r\n--c\r\n--b--\r\nbehind",
                "{\"q\":\"a\\n--c\"}");
    assert_read(MULTIPART, NULL,
                "--b  \r\nX: y\r\ncontent-disposition:form-data;name=q;x=y\r\n\r\na\r\n--b--",
                "{\"q\":\"a\"}");
}
END_TEST

START_TEST(files_and_unknown_names_of_a_multipart_are_left_out)
{
    assert_read(
        MULTIPART, NULL,
        "--b\r\nContent-Disposition: form-data; name=\"q\"; filename=\"f\"\r\n\r\nx\r\n" PART(
            "other") "y\r\n" PART("q") "a\r\n" PART("q") "again\r\n--b--",
        "{\"q\":\"a\"}");
    assert_read(MULTIPART, NULL,
                "--b\r\nContent-Disposition: form-data; filename=\"name=q\"\r\n\r\nx\r\n--b--",
                "{}");
}
END_TEST

START_TEST(a_damaged_multipart_is_refused)
{
    static const char *const bodies[] = { "",
                                          "x",
                                          "--b",
                                          "--b\r\n",
                                          "--bx\r\n\r\n\r\n--b--",
                                          PART("q"),
                                          PART("q") "a",
                                          PART("q") "a\r\n--",
                                          PART("q") "a\r\n--b" };
    struct error err;
    json_t *object;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        ck_assert_msg(read_message(&object, MULTIPART, NULL, bodies[i], &err) == STATUS_BAD_INPUT,
                      "%zu", i);
        ck_assert_ptr_null(object);
    }
    assert_status(read_message(&object, "multipart/form-data", NULL, "--b--", &err),
                  STATUS_BAD_INPUT);
}
END_TEST

START_TEST(every_beginning_of_a_multipart_is_refused_or_read)
{
    static const char body[] = PART("q") "a\r\n" PART("source") "\r\n--b--";
    struct error err;
    json_t *object;
    for (size_t len = 0; len < sizeof body; len++) {
        char *cut = malloc(len + 1); // so that a sanitizer sees what is read behind it
        memcpy(cut, body, len);
        const struct message message = { .content_type = slice(MULTIPART), .body = { cut, len } };
        if (parameters_read(&object, &message, names, &err) == STATUS_OK)
            json_decref(object);
        else
            ck_assert_ptr_null(object);
        free(cut);
    }
}
END_TEST

START_TEST(one_text_is_read_without_the_rest)
{
    char key[8];
    struct message message = { .content_type = slice("application/json"),
                               .body = slice("{\"q\":\"x\",\"api_key\":\"abc\"}") };
    ck_assert(parameters_text(&message, "api_key", key, sizeof key));
    ck_assert_str_eq(key, "abc");
    ck_assert(!parameters_text(&message, "other", key, sizeof key));
    message.body = slice("{\"api_key\":5}");
    ck_assert(!parameters_text(&message, "api_key", key, sizeof key));
    message.body = slice("{\"api_key\":\"12345678\"}"); // no room for its end
    ck_assert(!parameters_text(&message, "api_key", key, sizeof key));
    message.body = slice("{\"api_key\":\"\"}");
    ck_assert(!parameters_text(&message, "api_key", key, sizeof key));
    message.body = slice("{api_key");
    ck_assert(!parameters_text(&message, "api_key", key, sizeof key));
}
END_TEST

static const struct test_case cases[] = {
    TEST(json_is_taken_whole),
    TEST(a_form_is_decoded),
    TEST(a_percent_sign_without_digits_is_itself),
    TEST(crlf_becomes_lf),
    TEST(the_query_comes_before_the_body_and_the_first_counts),
    TEST(odd_forms_do_no_harm),
    TEST(what_is_malformed_is_said),
    TEST(a_multipart_is_a_form_that_is_not_encoded),
    TEST(files_and_unknown_names_of_a_multipart_are_left_out),
    TEST(a_damaged_multipart_is_refused),
    TEST(every_beginning_of_a_multipart_is_refused_or_read),
    TEST(one_text_is_read_without_the_rest),
};
TEST_MAIN("server/http/parameters", cases)
