/* Names of enumerators, from the same list that defines the enumeration. */
#ifndef DFOPT_BASE_NAMES_H
#define DFOPT_BASE_NAMES_H

#define DFOPT_NAME_TEXT(name, text)             text,
#define DFOPT_NAME_TEXT3(name, text, meaning)   text,
#define DFOPT_NAME_MEANING(name, text, meaning) (meaning),

/* Defines a function that names an enumerator; the list is in enumeration
 * order, from 0. Any other number is "unknown". */
#define DFOPT_NAME_FUNCTION(function, list, pick)                                  \
    const char *function(uint32_t i)                                               \
    {                                                                              \
        static const char *const names[] = {list(pick)};                           \
        return i < sizeof names / sizeof *names ? names[i] : "unknown";            \
    }

#endif
