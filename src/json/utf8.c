/* Which byte sequences are UTF-8 (the Unicode Standard, table 3-7). */
#include "json/utf8.h"

static bool between(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

size_t dfopt_utf8_char(const char *at, const char *end)
{
    const unsigned char *p = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    unsigned char lead = p[0];
    if (lead < 0x80)
        return 1;
    size_t n = between(lead, 0xc2, 0xdf)   ? 2
               : between(lead, 0xe0, 0xef) ? 3
               : between(lead, 0xf0, 0xf4) ? 4
                                           : 0;
    if (n == 0 || left < n)
        return 0;
    /* The second byte rules out overlong forms, surrogates and beyond U+10FFFF. */
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (!between(p[1], low, high))
        return 0;
    for (size_t i = 2; i < n; i++)
        if (!between(p[i], 0x80, 0xbf))
            return 0;
    return n;
}

bool dfopt_utf8_valid(const char *text, size_t len)
{
    const char *end = text + len;
    while (text < end) {
        size_t n = dfopt_utf8_char(text, end);
        if (n == 0)
            return false;
        text += n;
    }
    return true;
}

size_t dfopt_utf8_cut(const char *text, size_t len, size_t max)
{
    size_t cut = 0;
    while (cut < len) {
        size_t n = dfopt_utf8_char(text + cut, text + len);
        n = n ? n : 1;
        if (cut + n > max)
            break;
        cut += n;
    }
    return cut;
}
