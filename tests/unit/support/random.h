/* Random numbers that are the same in every run. */
#ifndef DFOPT_TESTS_RANDOM_H
#define DFOPT_TESTS_RANDOM_H

#include <stdint.h>

/* xorshift64; *state must not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* 0..below - 1; any *state will do. */
static inline uint32_t random_below(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % below);
}

#endif
