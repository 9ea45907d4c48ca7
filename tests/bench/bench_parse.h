/* What simdjson alone costs: the yardstick of bench_decode. */
#ifndef DFOPT_BENCH_PARSE_H
#define DFOPT_BENCH_PARSE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each copies a record to padded memory first. They return how many of n
 * records are good. */
size_t bench_parse_tokens(const char *const *at, const size_t *len, size_t n);
size_t bench_parse_tree(const char *const *at, const size_t *len, size_t n);

#ifdef __cplusplus
}
#endif
#endif
