/* UTF-8 as Unicode defines it: no overlong forms, surrogates, or anything above
 * U+10FFFF. */
#ifndef DFOPT_JSON_UTF8_H
#define DFOPT_JSON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the character at `at` (1..4), or 0 if the bytes before `end` do not
 * start with a complete valid one. at < end. */
size_t dfopt_utf8_char(const char *at, const char *end);

bool dfopt_utf8_valid(const char *text, size_t len);

/* The length of the longest prefix of at most `max` bytes that ends between
 * characters; each invalid byte counts as a character. */
size_t dfopt_utf8_cut(const char *text, size_t len, size_t max);

#endif
