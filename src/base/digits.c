/* Shortest digits, after Steele and White's free-format algorithm: r/s is the
 * rest of the real, in units of the next digit; low/s and high/s are the
 * distances to the halfway points below and above. Big integers make it exact.
 * Reals of few digits, the usual case, take one division. */
#include "base/digits.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WORDS        40 /* 1280 bits; needs 1074 + 53 + a few */
#define EXP_MIN      (-1074)
#define HIDDEN       (UINT64_C(1) << 52)
#define EXACT_POWERS 23 /* 10^22 is the largest exact power */

/* ---- big integers ---- */

struct big {
    int n; /* words in use */
    uint32_t word[WORDS];
};

static void big_set(struct big *b, uint64_t value)
{
    b->word[0] = (uint32_t)value;
    b->word[1] = (uint32_t)(value >> 32);
    b->n = b->word[1] ? 2 : b->word[0] ? 1 : 0;
}

static void big_times(struct big *b, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        b->word[b->n++] = (uint32_t)carry;
}

static void big_times_power(struct big *b, int power_of_ten)
{
    for (; power_of_ten >= 9; power_of_ten -= 9)
        big_times(b, 1000000000);
    for (; power_of_ten > 0; power_of_ten--)
        big_times(b, 10);
}

static void big_shift(struct big *b, int bits)
{
    const int words = bits / 32, rest = bits % 32;
    if (b->n == 0)
        return;
    memmove(b->word + words, b->word, (size_t)b->n * sizeof *b->word);
    memset(b->word, 0, (size_t)words * sizeof *b->word);
    b->n += words;
    if (rest)
        big_times(b, (uint32_t)1 << rest);
}

/* Adds a + b; *out may be neither. */
static void big_add(struct big *out, const struct big *a, const struct big *b)
{
    uint64_t carry = 0;
    const int n = a->n > b->n ? a->n : b->n;
    for (int i = 0; i < n; i++) {
        carry +=
            (uint64_t)(i < a->n ? a->word[i] : 0) + (i < b->n ? b->word[i] : 0);
        out->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    out->n = n;
    if (carry)
        out->word[out->n++] = (uint32_t)carry;
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    return 0;
}

/* a -= b, where a >= b. */
static void big_subtract(struct big *a, const struct big *b)
{
    int64_t borrow = 0;
    for (int i = 0; i < a->n; i++) {
        const int64_t d =
            (int64_t)a->word[i] - (i < b->n ? (int64_t)b->word[i] : 0) + borrow;
        a->word[i] = (uint32_t)d;
        borrow = d < 0 ? -1 : 0;
    }
    while (a->n > 0 && a->word[a->n - 1] == 0)
        a->n--;
}

/* The quotient, which is below 10; a becomes the remainder. */
static int big_divide(struct big *a, const struct big *b)
{
    int q = 0;
    for (; big_compare(a, b) >= 0; q++)
        big_subtract(a, b);
    return q;
}

/* ---- the algorithm ---- */

struct state {
    struct big r, s, low, high;
    bool even; /* the halfway points themselves read back as the real */
};

/* Whether r + high is above s, or equals it where halfway points count. */
static bool reaches(const struct state *t)
{
    struct big sum;
    big_add(&sum, &t->r, &t->high);
    const int order = big_compare(&sum, &t->s);
    return order > 0 || (order == 0 && t->even);
}

static void begin(struct state *t, uint64_t fraction, int exp2)
{
    const bool uneven = fraction == HIDDEN && exp2 > EXP_MIN; /* nearer below */
    const int up = uneven ? 2 : 1;
    big_set(&t->r, fraction);
    big_set(&t->s, 1);
    big_set(&t->low, 1);
    big_set(&t->high, 1);
    big_shift(&t->r, up + (exp2 > 0 ? exp2 : 0));
    big_shift(&t->s, up - (exp2 < 0 ? exp2 : 0));
    big_shift(&t->low, exp2 > 0 ? exp2 : 0);
    big_shift(&t->high, up - 1 + (exp2 > 0 ? exp2 : 0));
    t->even = fraction % 2 == 0;
}

/* Scales by 10^-exp10, where exp10 is the exponent of the first digit or one
 * less. Returns the exponent of the first digit. */
static int scale(struct state *t, int exp10)
{
    if (exp10 >= 0) {
        big_times_power(&t->s, exp10);
    } else {
        big_times_power(&t->r, -exp10);
        big_times_power(&t->low, -exp10);
        big_times_power(&t->high, -exp10);
    }
    struct big ten = t->s;
    big_times(&ten, 10);
    struct big sum;
    big_add(&sum, &t->r, &t->high);
    const int order = big_compare(&sum, &ten);
    if (order < 0 || (order == 0 && !t->even))
        return exp10;
    t->s = ten;
    return exp10 + 1;
}

/* Adds one in the last place. Returns whether the carry added a leading digit. */
static bool carry_one(char *digits, int n)
{
    while (n > 0 && digits[n - 1] == '9')
        digits[--n] = '0';
    if (n > 0) {
        digits[n - 1]++;
        return false;
    }
    digits[0] = '1';
    return true;
}

static int exact(uint64_t fraction, int exp2, double d, char *digits)
{
    struct state t;
    begin(&t, fraction, exp2);
    int exp10 = scale(&t, (int)floor(log10(d) - 1e-9)), n = 0;
    for (bool below = false, above = false; !below && !above;) {
        const int digit = big_divide(&t.r, &t.s);
        const int order = big_compare(&t.r, &t.low);
        below = order < 0 || (order == 0 && t.even);
        above = reaches(&t);
        digits[n++] = (char)('0' + digit);
        if (below || above) {
            big_times(&t.r, 2);
            const int half = big_compare(&t.r, &t.s);
            if (above && (!below || half > 0 || (half == 0 && digit % 2)))
                exp10 += carry_one(digits, n);
            break;
        }
        big_times(&t.r, 10);
        big_times(&t.low, 10);
        big_times(&t.high, 10);
    }
    digits[n] = '\0';
    return exp10;
}

/* At most one decimal of up to 15 digits equals a real; whole and power are
 * then exact and their quotient, rounded once, is the real. *power: the number
 * of digits after the point. Returns 0 if there is no such decimal. */
static uint64_t short_decimal(double d, int *power)
{
    static const double powers[EXACT_POWERS] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d < 1e-7 || fegetround() != FE_TONEAREST)
        return 0;
    for (int i = 0; i < EXACT_POWERS; i++) {
        const double whole = d * powers[i] + 0.5;
        if (!(whole < 1e15))
            return 0;
        const uint64_t n = (uint64_t)whole;
        if ((double)n / powers[i] == d) {
            *power = i;
            return n;
        }
    }
    return 0;
}

static int write_whole(uint64_t n, int power, char *digits)
{
    char reversed[DFOPT_DIGITS_SIZE];
    int len = 0;
    for (; n; n /= 10)
        reversed[len++] = (char)('0' + n % 10);
    for (int i = 0; i < len; i++)
        digits[i] = reversed[len - 1 - i];
    digits[len] = '\0';
    return len - 1 - power;
}

int dfopt_digits_shortest(double d, char digits[DFOPT_DIGITS_SIZE])
{
    int power, exp10;
    const uint64_t whole = short_decimal(d, &power);
    if (whole) {
        exp10 = write_whole(whole, power, digits);
    } else {
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        const int biased = (int)(bits >> 52);
        const uint64_t fraction = bits & (HIDDEN - 1);
        exp10 = biased ? exact(fraction | HIDDEN, biased - 1075, d, digits)
                       : exact(fraction, EXP_MIN, d, digits);
    }
    size_t n = strlen(digits);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    return exp10;
}
