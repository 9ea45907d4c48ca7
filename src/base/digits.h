/* Converts reals to and from text independently of the locale, unlike printf and
 * strtod. */
#ifndef DFOPT_BASE_DIGITS_H
#define DFOPT_BASE_DIGITS_H

#define DFOPT_DIGITS_SIZE 18 /* at most 17 digits and a NUL */

/* Writes the fewest digits that read back as d (finite, above 0), the nearest
 * to d of those, without trailing zeros. Returns the decimal exponent of the
 * first digit: 0.05 is "5" and -2. Any thread, any locale and rounding mode. */
int dfopt_digits_shortest(double d, char digits[DFOPT_DIGITS_SIZE]);

#endif
