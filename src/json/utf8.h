/* UTF-8 as Unicode defines it: no overlong forms, surrogates, or anything above
 * U+10FFFF. */
#ifndef DFOPT_JSON_UTF8_H
#define DFOPT_JSON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that starts at `at` (1..4), or 0 if the bytes before
 * `end` do not begin with a whole valid one. at < end. */
size_t dfopt_utf8_char(const char *at, const char *end);

bool dfopt_utf8_valid(const char *text, size_t len);

/* The length of the longest start of a text that has at most `max` bytes and
 * ends between two characters; bytes that are no UTF-8 count as characters. */
size_t dfopt_utf8_cut(const char *text, size_t len, size_t max);

#endif
