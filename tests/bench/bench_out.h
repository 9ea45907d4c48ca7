/* Standard output in large writes, and numbers as text without printf. */
#ifndef BENCH_OUT_H
#define BENCH_OUT_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    FILE *file;
    size_t len;
    char bytes[1 << 20];
} out;

static inline void flush(void)
{
    if (fwrite(out.bytes, 1, out.len, out.file) != out.len) {
        perror("bench_gen");
        exit(1);
    }
    out.len = 0;
}

static inline void put(const char *text, size_t len)
{
    if (out.len + len > sizeof out.bytes)
        flush();
    memcpy(out.bytes + out.len, text, len);
    out.len += len;
}

static inline void puts_text(const char *text)
{
    put(text, strlen(text));
}
#define PUT(literal) put(literal, sizeof(literal) - 1)

static inline void put_digits(uint64_t n,
                              int width) /* zeros before it up to width */
{
    char text[24];
    int at = (int)sizeof text;
    while (n > 0 || width > 0 || at == (int)sizeof text) {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
        width--;
    }
    put(text + at, sizeof text - (size_t)at);
}

/* About what Python's repr gives for 0 <= x < 1e9: 16 digits, no zeros at the end.
 */
static inline void put_real(double x)
{
    const uint64_t whole = (uint64_t)x;
    int digits = 16;
    put_digits(whole, 0);
    for (uint64_t rest = whole; rest > 0; rest /= 10)
        digits--;
    uint64_t fraction = (uint64_t)((x - (double)whole) * pow(10, digits));
    while (digits > 1 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    PUT(".");
    put_digits(fraction, digits);
}

#endif
