/* What the module without a broker has kept; found by dlsym. */
#ifndef DFOPT_TESTS_FAKE_MOFKA_H
#define DFOPT_TESTS_FAKE_MOFKA_H

#include <stddef.h>

#define FAKE_MOFKA_BODIES 16
#define FAKE_MOFKA_BYTES  512

/* Copies body i, if there is one; returns how many there are. */
__attribute__((visibility("default"))) size_t
fake_mofka_sent(char body[FAKE_MOFKA_BYTES], size_t i);

#endif
