/* The digits of a real: they read back as it, no fewer do, and the locale is not
 * asked. The input is the bits of reals. */
#include "base/digits.h"
#include "fuzz.h"

#include <math.h>

static double read_back(const char *digits, size_t n, int exp10)
{
    char text[64];
    snprintf(text, sizeof text, "%.*se%d", (int)n, digits, exp10 - (int)n + 1);
    return strtod(text, NULL);
}

static void check(double d)
{
    char digits[DFOPT_DIGITS_SIZE], nearest[64];
    const int exp10 = dfopt_digits_shortest(d, digits);
    const size_t n = strlen(digits);
    FUZZ_CHECK(n > 0 && n < sizeof digits && digits[0] != '0' &&
                   strspn(digits, "0123456789") == n,
               "%.17g: %s", d, digits);
    FUZZ_CHECK(n == 1 || digits[n - 1] != '0', "%.17g: %s", d, digits);
    FUZZ_CHECK(read_back(digits, n, exp10) == d, "%.17g: %se%d", d, digits, exp10);
    if (n > 1) { /* the nearest of one digit less */
        snprintf(nearest, sizeof nearest, "%.*e", (int)n - 2, d);
        FUZZ_CHECK(strtod(nearest, NULL) != d, "%.17g: %s, and %s would do", d,
                   digits, nearest);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    while (in.left > 0) {
        const uint64_t bits = fuzz_number(&in, sizeof bits);
        double d;
        memcpy(&d, &bits, sizeof d);
        d = fabs(d);
        if (isfinite(d) && d > 0)
            check(d);
    }
    return 0;
}
