/* Values of options. */
#include "cmd/mpi/option_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

error_t dfopt_option_number(struct argp_state *state, const char *option,
                            const char *text, int64_t lo, int64_t hi, int64_t *out)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < lo || v > hi) {
        argp_error(state, "--%s takes a whole number from %lld to %lld, not '%s'",
                   option, (long long)lo, (long long)hi, text);
        return EINVAL;
    }
    *out = v;
    return 0;
}

error_t dfopt_option_seconds(struct argp_state *state, const char *option,
                             const char *text, int64_t max_s, int64_t *ms)
{
    char *end;
    double s = strtod(text, &end);
    if (end == text || *end || !(s >= 0 && s <= (double)max_s)) {
        argp_error(state, "--%s takes seconds from 0 to %lld, not '%s'", option,
                   (long long)max_s, text);
        return EINVAL;
    }
    *ms = (int64_t)(s * 1000);
    return 0;
}

error_t dfopt_option_word(struct argp_state *state, const char *option,
                          const char *text, const char *const *words, size_t n,
                          int *out)
{
    char list[160] = "";
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (int)i;
            return 0;
        }
        if (i)
            strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, words[i], sizeof list - strlen(list) - 1);
    }
    argp_error(state, "--%s takes one of %s, not '%s'", option, list, text);
    return EINVAL;
}
