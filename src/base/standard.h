/* Standard input, output and error of the process. */
#ifndef DFOPT_BASE_STANDARD_H
#define DFOPT_BASE_STANDARD_H

#include <stdbool.h>

/* Makes sure that descriptors 0 to 2 are open, so that no file or socket of a
 * library gets one of their numbers: one that the caller has closed becomes a
 * /dev/null that can only be used the wrong way round, and fails as before. Call it
 * before anything opens a file. */
void dfopt_standard_open(void);

/* Whether standard input can be read, standard output be written. */
bool dfopt_standard_in_works(void);
bool dfopt_standard_out_works(void);

#endif
