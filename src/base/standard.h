/* Standard input, output and error of the process. */
#ifndef DFOPT_BASE_STANDARD_H
#define DFOPT_BASE_STANDARD_H

#include <stdbool.h>

/* Makes sure that descriptors 0 to 2 are open, so that no file or library
 * socket gets one of their numbers: a closed one becomes a /dev/null opened in
 * the wrong direction, so that using it still fails. Call it before opening any
 * file. */
void dfopt_standard_open(void);

/* Whether standard input is readable, standard output writable. */
bool dfopt_standard_in_works(void);
bool dfopt_standard_out_works(void);

/* At the end of a program: writes what is left for standard output. Returns `code`;
 * or, if it is 0 and some of the output could not be written, 1, and standard error
 * says why. A reader that has left is no error. */
int dfopt_standard_flush(int code);

#endif
