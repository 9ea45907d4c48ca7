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

#endif
