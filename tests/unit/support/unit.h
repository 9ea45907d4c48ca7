/* For every unit test: cmocka, which wants these headers before its own, and the
 * length of an array. */
#ifndef DFOPT_TESTS_UNIT_H
#define DFOPT_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define N_OF(a) (sizeof(a) / sizeof *(a))

#endif
