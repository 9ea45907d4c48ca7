/* Growable bytes. Invariant: len <= cap, and data is NULL only if cap is 0. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum dfopt_err dfopt_buf_reserve(struct dfopt_buf *b, size_t extra)
{
    if (extra <= b->cap - b->len)
        return DFOPT_OK;
    if (extra > SIZE_MAX / 2 - b->len)
        return DFOPT_ERR_NOMEM;
    size_t need = b->len + extra, cap = b->cap ? b->cap : 256;
    while (cap < need)
        cap *= 2;
    char *data = realloc(b->data, cap);
    if (!data)
        return DFOPT_ERR_NOMEM;
    b->data = data;
    b->cap = cap;
    return DFOPT_OK;
}

void *dfopt_buf_grow(struct dfopt_buf *b, size_t n)
{
    if (dfopt_buf_reserve(b, n ? n : 1) != DFOPT_OK)
        return NULL;
    void *at = b->data + b->len;
    memset(at, 0, n);
    b->len += n;
    return at;
}

enum dfopt_err dfopt_buf_add(struct dfopt_buf *b, const void *bytes, size_t n)
{
    if (n == 0)
        return DFOPT_OK;
    enum dfopt_err e = dfopt_buf_reserve(b, n);
    if (e == DFOPT_OK) {
        memcpy(b->data + b->len, bytes, n);
        b->len += n;
    }
    return e;
}

enum dfopt_err dfopt_buf_printf(struct dfopt_buf *b, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    enum dfopt_err e = n < 0 ? DFOPT_ERR_ARG : dfopt_buf_reserve(b, (size_t)n + 1);
    if (e == DFOPT_OK) {
        vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return e;
}

void *dfopt_array_reserve(void *array, uint32_t *cap, uint32_t index, size_t size)
{
    if (index < *cap)
        return array;
    size_t n = *cap ? *cap : 64;
    while (n <= index)
        n *= 2;
    if (n > UINT32_MAX)
        return NULL;
    char *at = realloc(array, n * size);
    if (!at)
        return NULL;
    memset(at + *cap * size, 0, (n - *cap) * size);
    *cap = (uint32_t)n;
    return at;
}

void dfopt_buf_clear(struct dfopt_buf *b)
{
    b->len = 0;
}

void dfopt_buf_free(struct dfopt_buf *b)
{
    free(b->data);
    *b = (struct dfopt_buf){0};
}
