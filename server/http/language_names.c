/* language_names.c - English names of ISO 639-1 codes. */
#include "server/http/language_names.h"

#include <stdlib.h>
#include <string.h>

struct named {
    const char *code;
    const char *name;
};

/* In order of code. */
/* clang-format off */
static const struct named languages[] = {
    { "aa", "Afar" }, { "ab", "Abkhazian" }, { "af", "Afrikaans" }, { "ak", "Akan" },
    { "am", "Amharic" }, { "an", "Aragonese" }, { "ar", "Arabic" }, { "as", "Assamese" },
    { "ay", "Aymara" }, { "az", "Azerbaijani" }, { "ba", "Bashkir" }, { "be", "Belarusian" },
    { "bg", "Bulgarian" }, { "bm", "Bambara" }, { "bn", "Bengali" }, { "bo", "Tibetan" },
    { "br", "Breton" }, { "bs", "Bosnian" }, { "ca", "Catalan" }, { "ce", "Chechen" },
    { "co", "Corsican" }, { "cs", "Czech" }, { "cv", "Chuvash" }, { "cy", "Welsh" },
    { "da", "Danish" }, { "de", "German" }, { "dv", "Divehi" }, { "dz", "Dzongkha" },
    { "ee", "Ewe" }, { "el", "Greek" }, { "en", "English" }, { "eo", "Esperanto" },
    { "es", "Spanish" }, { "et", "Estonian" }, { "eu", "Basque" }, { "fa", "Persian" },
    { "ff", "Fulah" }, { "fi", "Finnish" }, { "fj", "Fijian" }, { "fo", "Faroese" },
    { "fr", "French" }, { "fy", "Western Frisian" }, { "ga", "Irish" },
    { "gd", "Scottish Gaelic" }, { "gl", "Galician" }, { "gn", "Guarani" }, { "gu", "Gujarati" },
    { "gv", "Manx" }, { "ha", "Hausa" }, { "he", "Hebrew" }, { "hi", "Hindi" },
    { "hr", "Croatian" }, { "ht", "Haitian Creole" }, { "hu", "Hungarian" }, { "hy", "Armenian" },
    { "ia", "Interlingua" }, { "id", "Indonesian" }, { "ig", "Igbo" }, { "io", "Ido" },
    { "is", "Icelandic" }, { "it", "Italian" }, { "iu", "Inuktitut" }, { "ja", "Japanese" },
    { "jv", "Javanese" }, { "ka", "Georgian" }, { "kk", "Kazakh" }, { "kl", "Kalaallisut" },
    { "km", "Khmer" }, { "kn", "Kannada" }, { "ko", "Korean" }, { "ks", "Kashmiri" },
    { "ku", "Kurdish" }, { "kw", "Cornish" }, { "ky", "Kyrgyz" }, { "la", "Latin" },
    { "lb", "Luxembourgish" }, { "lg", "Ganda" }, { "li", "Limburgish" }, { "ln", "Lingala" },
    { "lo", "Lao" }, { "lt", "Lithuanian" }, { "lv", "Latvian" }, { "mg", "Malagasy" },
    { "mi", "Maori" }, { "mk", "Macedonian" }, { "ml", "Malayalam" }, { "mn", "Mongolian" },
    { "mr", "Marathi" }, { "ms", "Malay" }, { "mt", "Maltese" }, { "my", "Burmese" },
    { "nb", "Norwegian Bokmål" }, { "ne", "Nepali" }, { "nl", "Dutch" },
    { "nn", "Norwegian Nynorsk" }, { "no", "Norwegian" }, { "nv", "Navajo" }, { "ny", "Nyanja" },
    { "oc", "Occitan" }, { "om", "Oromo" }, { "or", "Odia" }, { "os", "Ossetian" },
    { "pa", "Punjabi" }, { "pl", "Polish" }, { "ps", "Pashto" }, { "pt", "Portuguese" },
    { "qu", "Quechua" }, { "rm", "Romansh" }, { "rn", "Kirundi" }, { "ro", "Romanian" },
    { "ru", "Russian" }, { "rw", "Kinyarwanda" }, { "sa", "Sanskrit" }, { "sc", "Sardinian" },
    { "sd", "Sindhi" }, { "se", "Northern Sami" }, { "si", "Sinhala" }, { "sk", "Slovak" },
    { "sl", "Slovenian" }, { "sm", "Samoan" }, { "sn", "Shona" }, { "so", "Somali" },
    { "sq", "Albanian" }, { "sr", "Serbian" }, { "ss", "Swati" }, { "st", "Southern Sotho" },
    { "su", "Sundanese" }, { "sv", "Swedish" }, { "sw", "Swahili" }, { "ta", "Tamil" },
    { "te", "Telugu" }, { "tg", "Tajik" }, { "th", "Thai" }, { "ti", "Tigrinya" },
    { "tk", "Turkmen" }, { "tl", "Tagalog" }, { "tn", "Tswana" }, { "to", "Tongan" },
    { "tr", "Turkish" }, { "ts", "Tsonga" }, { "tt", "Tatar" }, { "tw", "Twi" },
    { "ty", "Tahitian" }, { "ug", "Uyghur" }, { "uk", "Ukrainian" }, { "ur", "Urdu" },
    { "uz", "Uzbek" }, { "ve", "Venda" }, { "vi", "Vietnamese" }, { "vo", "Volapük" },
    { "wa", "Walloon" }, { "wo", "Wolof" }, { "xh", "Xhosa" }, { "yi", "Yiddish" },
    { "yo", "Yoruba" }, { "za", "Zhuang" }, { "zh", "Chinese" }, { "zu", "Zulu" },
};
/* clang-format on */

static int compare(const void *code, const void *named)
{
    return strcmp(code, ((const struct named *)named)->code);
}

const char *language_name(const char *code)
{
    const struct named *found = bsearch(code, languages, sizeof languages / sizeof languages[0],
                                        sizeof languages[0], compare);
    return found ? found->name : code;
}
