/*
 * picture.c - a sentence's words to a picture, a picture to a file.
 */
#include "server/cmd/picture.h"

#include "base/files.h"

enum status picture_of_sentence(const char *path, const struct vocabulary *vocabulary,
                                const char *text, const struct engine_sentence *sentence,
                                const struct picture_options *options, struct arena *arena,
                                struct error *err)
{
    struct word_alignment words;
    struct alignment_view view;
    enum render_form form;
    struct bytes picture;
    enum status status = render_form_of_path(&form, path, err);
    if (status == STATUS_OK)
        status = word_alignment(vocabulary, sentence, 0, arena, &words, err);
    if (status == STATUS_OK)
        status = alignment_view_of(&view, text, sentence->texts[0].text, &words,
                                   options->source_language, options->target_language, arena, err);
    if (status != STATUS_OK)
        return status;
    bytes_init(&picture, RENDER_BYTES_MAX);
    status = render_alignment(&view, form, &options->render, &picture, err);
    if (status == STATUS_OK)
        status = picture_save(path, &picture, err);
    bytes_release(&picture);
    return status;
}

enum status picture_save(const char *path, const struct bytes *picture, struct error *err)
{
    struct file_writer *w;
    enum status status = file_writer_open(&w, path, err);
    if (status != STATUS_OK)
        return status;
    status = file_writer_add(w, picture->data, picture->len, err);
    if (status == STATUS_OK)
        status = file_writer_commit(w, err);
    file_writer_close(w);
    return status;
}
