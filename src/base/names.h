/* Names of enumerators from the one list that also makes the enumeration. */
#ifndef DFOPT_BASE_NAMES_H
#define DFOPT_BASE_NAMES_H

#define DFOPT_NAME_TEXT(name, text)             text,
#define DFOPT_NAME_TEXT3(name, text, meaning)   text,
#define DFOPT_NAME_MEANING(name, text, meaning) meaning,

/* The body of a function that gives the name of an enumerator: the list's
 * entries are in the order of the enumeration, from 0. */
#define DFOPT_RETURN_NAME(list, pick, index)                                       \
    static const char *const names[] = {list(pick)};                               \
    return (index) < sizeof names / sizeof *names ? names[index] : "unknown"

#endif
