/* Values of options, checked: each mistake is said with the option's name. */
#ifndef DFOPT_CMD_MPI_OPTION_VALUES_H
#define DFOPT_CMD_MPI_OPTION_VALUES_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number in [lo, hi]. 0 or EINVAL. */
error_t dfopt_option_number(struct argp_state *state, const char *option,
                            const char *text, int64_t lo, int64_t hi, int64_t *out);

/* Seconds in [0, max_s], fractions allowed, as milliseconds. 0 or EINVAL. */
error_t dfopt_option_seconds(struct argp_state *state, const char *option,
                             const char *text, int64_t max_s, int64_t *ms);

/* One of n words, by its index. 0 or EINVAL. */
error_t dfopt_option_word(struct argp_state *state, const char *option,
                          const char *text, const char *const *words, size_t n,
                          int *out);

#define DFOPT_OPTION_WORD(state, option, text, out, ...)                           \
    dfopt_option_word(state, option, text, (const char *const[]){__VA_ARGS__},     \
                      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), \
                      out)

#endif
