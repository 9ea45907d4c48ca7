/* Interned strings and lists of strings. A repeated string (type, tag, node,
 * knob, scope) becomes a small number, so the planner compares numbers and a
 * finding is fixed-size plain data.
 *
 * The dictionary of rank 0 is the authority: it numbers strings in order of
 * first use. A replica, on another rank, receives numbers and texts
 * (dfopt_dict_define) and so uses the same numbers; a string that a replica
 * interns itself gets a local number (dfopt_sym_is_local), which means nothing
 * on another rank.
 *
 * Not thread-safe. Texts may hold any byte, NUL included; each is stored with a
 * trailing NUL and does not move until the dictionary is destroyed. */
#ifndef DFOPT_BASE_DICT_H
#define DFOPT_BASE_DICT_H

#include "dfopt/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t dfopt_sym;  /* a string; 0 is "" in every dictionary */
typedef uint32_t dfopt_list; /* a list of strings; 0 is the empty list */

#define DFOPT_SYM_EMPTY  ((dfopt_sym)0)
#define DFOPT_SYM_NONE   UINT32_MAX /* no string; also what a failed call returns */
#define DFOPT_LIST_EMPTY ((dfopt_list)0)
#define DFOPT_LIST_NONE  UINT32_MAX

struct dfopt_dict;

/* A dictionary with "" and the empty list. Returns owned: destroy. */
enum dfopt_err dfopt_dict_create(struct dfopt_dict **out, bool replica);
void dfopt_dict_destroy(struct dfopt_dict *d);

/* The number of a text, assigned if it is new. DFOPT_SYM_NONE: no memory. */
dfopt_sym dfopt_dict_intern(struct dfopt_dict *d, const char *text, size_t len);

/* The same for a NUL-terminated text. */
dfopt_sym dfopt_dict_intern_z(struct dfopt_dict *d, const char *text);

/* The number of a known text, else DFOPT_SYM_NONE. */
dfopt_sym dfopt_dict_find(const struct dfopt_dict *d, const char *text, size_t len);

/* The text of a number; sets *len unless len is NULL. Borrowed from the
 * dictionary. An unknown number, DFOPT_SYM_NONE included, gives "". */
const char *dfopt_dict_text(const struct dfopt_dict *d, dfopt_sym s, size_t *len);

/* Whether two numbers denote the same text (a local one may duplicate another). */
bool dfopt_dict_same(const struct dfopt_dict *d, dfopt_sym a, dfopt_sym b);

/* The number of a list of n strings (copied), assigned if it is new. */
dfopt_list dfopt_dict_intern_list(struct dfopt_dict *d, const dfopt_sym *items,
                                  size_t n);

/* The items of a list, and their count n. Borrowed. Unknown list: none. */
const dfopt_sym *dfopt_dict_items(const struct dfopt_dict *d, dfopt_list l,
                                  size_t *n);

/* How many strings and lists there are, numbered 0 .. count-1, local ones aside. */
uint32_t dfopt_dict_strings(const struct dfopt_dict *d);
uint32_t dfopt_dict_lists(const struct dfopt_dict *d);

/* Replica: how many strings and lists it has numbered itself; number i of them
 * is dfopt_local_number(i). Those that the authority has numbered since are
 * still counted and still found by the local number. */
uint32_t dfopt_dict_local_strings(const struct dfopt_dict *d);
uint32_t dfopt_dict_local_lists(const struct dfopt_dict *d);

/* Replica: adopts a number of the authority. Numbers may arrive in any order
 * and with gaps. Returns NOMEM, or ARG if the number already denotes another
 * text, is local, or the dictionary is the authority. */
enum dfopt_err dfopt_dict_define(struct dfopt_dict *d, dfopt_sym s,
                                 const char *text, size_t len);
enum dfopt_err dfopt_dict_define_list(struct dfopt_dict *d, dfopt_list l,
                                      const dfopt_sym *items, size_t n);

static inline uint32_t dfopt_local_number(uint32_t i)
{
    return i | 0x80000000u;
}

/* Whether a number was assigned by a replica itself. */
static inline bool dfopt_sym_is_local(dfopt_sym s)
{
    return (s & 0x80000000u) != 0 && s != DFOPT_SYM_NONE;
}

#endif
