/* journal_id.c - ids as text. */
#include "server/store/journal_id.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LETTERS 13

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool journal_tag_is_valid(const char *tag)
{
    size_t len = 0;
    while (isalnum((unsigned char)tag[len]) && (unsigned char)tag[len] < 0x80)
        len++;
    return len > 0 && len < JOURNAL_TAG_BYTES && tag[len] == '\0';
}

void journal_id_write(char out[JOURNAL_ID_BYTES], const char *tag, long long id)
{
    char letters[LETTERS + 1] = { 0 };
    assert(journal_tag_is_valid(tag));
    for (int i = LETTERS - 1; i >= 0; i--, id >>= 5)
        letters[i] = alphabet[id & 31];
    snprintf(out, JOURNAL_ID_BYTES, "%s-%s", tag, letters);
}

static int digit_of(char c)
{
    c = (char)toupper((unsigned char)c);
    c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    const char *found = c ? strchr(alphabet, c) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

bool journal_id_read(const char *text, long long *id)
{
    unsigned long long n = 0;
    char tag[JOURNAL_TAG_BYTES];
    const char *dash = strchr(text, '-');
    if (dash) {
        if (dash - text >= JOURNAL_TAG_BYTES)
            return false;
        snprintf(tag, sizeof tag, "%.*s", (int)(dash - text), text);
        if (!journal_tag_is_valid(tag))
            return false;
        text = dash + 1;
    }
    if (strlen(text) != LETTERS || digit_of(text[0]) > 7) // 7: the sign bit is not set
        return false;
    for (int i = 0; i < LETTERS; i++) {
        const int digit = digit_of(text[i]);
        if (digit < 0)
            return false;
        n = n << 5 | (unsigned)digit;
    }
    *id = (long long)n;
    return true;
}
