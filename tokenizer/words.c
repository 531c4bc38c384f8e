/*
 * words.c - cuts text at spaces and between letters, digits and the rest.
 */
#include "tokenizer/words.h"

#include <string.h>
#include <utf8proc.h>
#include "tokenizer/bpe.h"
#include "tokenizer/utf8.h"

enum character_class { CLASS_LETTER, CLASS_DIGIT, CLASS_OTHER };

static enum character_class class_of(int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF: // joiners stand inside words
        return CLASS_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return CLASS_DIGIT;
    default:
        return CLASS_OTHER;
    }
}

size_t words_next(const struct character *chars, size_t count, size_t *at,
                  char word[WORD_BYTES_MAX])
{
    size_t i = *at, used = 0;
    while (i < count && chars[i].c == SPACE_MARK)
        i++; // stands for itself, as bytes: no piece holds it
    if (i == count) {
        *at = i;
        return 0;
    }
    if (i == 0 || chars[i].c == ' ') {
        memcpy(word, SPACE_MARK_TEXT, SPACE_MARK_BYTES);
        used = SPACE_MARK_BYTES;
        i += chars[i].c == ' ';
    }
    size_t end = i + WORD_CHARACTERS_MAX < count ? i + WORD_CHARACTERS_MAX : count;
    for (enum character_class class = i < end ? class_of(chars[i].c) : CLASS_OTHER; i < end; i++) {
        int32_t c = chars[i].c;
        if (c == ' ' || c == SPACE_MARK || class_of(c) != class)
            break;
        used += (size_t)utf8_put(c, word + used);
    }
    *at = i;
    return used;
}
