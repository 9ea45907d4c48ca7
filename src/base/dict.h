/* Interned strings and lists of strings. A string that repeats (type, tag,
 * node, knob, scope) becomes a small number, so that the planner compares
 * numbers and a finding is plain data of fixed size.
 *
 * The dictionary of rank 0 is the authority: it numbers strings in the order
 * of their first use. A replica, on another rank, receives numbers and texts
 * (dfopt_dict_define) and so uses the same numbers; what a replica interns by
 * itself gets a local number (dfopt_sym_is_local), which means nothing on
 * another rank.
 *
 * Not thread-safe. Texts may hold any byte, NUL included; they are stored with
 * a NUL behind them and stay where they are until the dictionary is destroyed. */
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

/* A dictionary that holds "" and the empty list. Returns owned: destroy. */
enum dfopt_err dfopt_dict_create(struct dfopt_dict **out, bool replica);
void dfopt_dict_destroy(struct dfopt_dict *d);

/* The number of a text, a new one if it has none yet. DFOPT_SYM_NONE: no memory. */
dfopt_sym dfopt_dict_intern(struct dfopt_dict *d, const char *text, size_t len);

/* The same for a NUL-terminated text. */
dfopt_sym dfopt_dict_intern_z(struct dfopt_dict *d, const char *text);

/* The number of a text if it has one, else DFOPT_SYM_NONE. */
dfopt_sym dfopt_dict_find(const struct dfopt_dict *d, const char *text, size_t len);

/* The text of a number, and its length if len is not NULL. Borrowed from the
 * dictionary. An unknown number, DFOPT_SYM_NONE included, gives "". */
const char *dfopt_dict_text(const struct dfopt_dict *d, dfopt_sym s, size_t *len);

/* Whether two numbers stand for the same text (a local one may repeat one). */
bool dfopt_dict_same(const struct dfopt_dict *d, dfopt_sym a, dfopt_sym b);

/* The number of a list of n strings (copied), a new one if it has none yet. */
dfopt_list dfopt_dict_intern_list(struct dfopt_dict *d, const dfopt_sym *items,
                                  size_t n);

/* The items of a list; n their number. Borrowed. Unknown: none. */
const dfopt_sym *dfopt_dict_items(const struct dfopt_dict *d, dfopt_list l,
                                  size_t *n);

/* How many strings and lists there are: numbers 0 .. count-1 (local ones aside). */
uint32_t dfopt_dict_strings(const struct dfopt_dict *d);
uint32_t dfopt_dict_lists(const struct dfopt_dict *d);

/* Replica: how many strings and lists it has numbered itself; the i-th of them
 * has the number dfopt_local_number(i). Those that the authority has numbered
 * since are still counted, and still found by that number. */
uint32_t dfopt_dict_local_strings(const struct dfopt_dict *d);
uint32_t dfopt_dict_local_lists(const struct dfopt_dict *d);

/* Replica: adopts a number of the authority. Numbers may come in any order
 * and leave gaps. Returns NOMEM, or ARG if the number stands for another text,
 * is local, or the dictionary is the authority. */
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
