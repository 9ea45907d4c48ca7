/* Compares host names by one rule, used wherever a plan is matched to its node.
 *
 * Two names denote the same host if they differ only in ASCII case and a trailing
 * dot, or if one has no dot and is the first label of the other: N1, n1 and
 * n1.cluster.example. are one host; n1.a.example and n1.b.example are two. An
 * address (10.0.0.1) is one label.
 *
 * The rule is not transitive: where two full names share their first label, the
 * short name may be either. A caller that knows all names must leave the short name
 * to the host that has exactly that name. Locale-independent; any thread. */
#ifndef DFOPT_BASE_HOSTNAME_H
#define DFOPT_BASE_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

bool dfopt_hostname_same(const char *a, size_t a_len, const char *b, size_t b_len);

/* The same for full names only: ignores case and a trailing dot. */
bool dfopt_hostname_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/* Length of the first label: the whole of an address or of a name without dots. */
size_t dfopt_hostname_label(const char *name, size_t len);

/* Writes the label under which a host's names are looked up, the first one in
 * lower case, to `key`. Returns its length; 0 if there is none or it is too
 * long for a host's: the name then stands only for itself. */
#define DFOPT_HOSTNAME_KEY_MAX 255
size_t dfopt_hostname_key(const char *name, size_t len,
                          char key[DFOPT_HOSTNAME_KEY_MAX]);

/* Whether the name is just its first label, a trailing dot aside. */
bool dfopt_hostname_is_short(const char *name, size_t len);

/* Folds an ASCII letter to lower case. */
char dfopt_hostname_fold(char c);

#endif
