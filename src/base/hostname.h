/* Names of hosts, compared by one rule wherever a plan looks for its node.
 *
 * Two names are of the same host if they are the same but for the case of ASCII
 * letters and a dot at the end, or if one of them has no dot and is the first label
 * of the other: N1, n1 and n1.cluster.example. are one host; n1.a.example and
 * n1.b.example are two, and an address (10.0.0.1) is one as a whole.
 *
 * The rule is not transitive: where two full names share their first label, the
 * short one may be either. Who knows all names must leave that name to the host
 * that is called so in full. Independent of the locale; any thread. */
#ifndef DFOPT_BASE_HOSTNAME_H
#define DFOPT_BASE_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

bool dfopt_hostname_same(const char *a, size_t a_len, const char *b, size_t b_len);

/* The same, but for full names only: case and the dot at the end do not count. */
bool dfopt_hostname_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/* Bytes of the first label; all of an address, or of a name without dots. */
size_t dfopt_hostname_label(const char *name, size_t len);

/* The label by which names of one host are found: the first one in lower case, in
 * `key`. Returns its length; 0: there is none, or it is too long to be a host's,
 * and the name is one as it stands. */
#define DFOPT_HOSTNAME_KEY_MAX 255
size_t dfopt_hostname_key(const char *name, size_t len,
                          char key[DFOPT_HOSTNAME_KEY_MAX]);

/* Whether the name is its first label, but for a dot at the end. */
bool dfopt_hostname_is_short(const char *name, size_t len);

/* A letter in lower case. */
char dfopt_hostname_fold(char c);

#endif
