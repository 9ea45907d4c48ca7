/* Folded host labels. */
#include "base/hostname.h"

#include <string.h>

char dfopt_hostname_fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Without the trailing dot. */
static size_t trimmed(const char *name, size_t len)
{
    return len > 1 && name[len - 1] == '.' ? len - 1 : len;
}

static bool folded_equal(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (dfopt_hostname_fold(a[i]) != dfopt_hostname_fold(b[i]))
            return false;
    return true;
}

/* Digits and dots, or with a colon: IPv4 or IPv6. */
static bool is_address(const char *name, size_t len)
{
    size_t i = 0;
    while (i < len && ((name[i] >= '0' && name[i] <= '9') || name[i] == '.'))
        i++;
    return i == len || memchr(name, ':', len);
}

size_t dfopt_hostname_label(const char *name, size_t len)
{
    len = trimmed(name, len);
    const char *dot = len ? memchr(name, '.', len) : NULL;
    return !dot || dot == name || is_address(name, len) ? len
                                                        : (size_t)(dot - name);
}

size_t dfopt_hostname_key(const char *name, size_t len,
                          char key[DFOPT_HOSTNAME_KEY_MAX])
{
    const size_t n = dfopt_hostname_label(name, len);
    if (n > DFOPT_HOSTNAME_KEY_MAX)
        return 0;
    for (size_t i = 0; i < n; i++)
        key[i] = dfopt_hostname_fold(name[i]);
    return n;
}

bool dfopt_hostname_is_short(const char *name, size_t len)
{
    return dfopt_hostname_label(name, len) == trimmed(name, len);
}

bool dfopt_hostname_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    a_len = trimmed(a, a_len);
    b_len = trimmed(b, b_len);
    return a_len == b_len && folded_equal(a, b, a_len);
}

bool dfopt_hostname_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const size_t a_label = dfopt_hostname_label(a, a_len);
    const size_t b_label = dfopt_hostname_label(b, b_len);
    if (a_label != b_label || !folded_equal(a, b, a_label))
        return false;
    return dfopt_hostname_is_short(a, a_len) || dfopt_hostname_is_short(b, b_len) ||
           dfopt_hostname_equal(a, a_len, b, b_len);
}
