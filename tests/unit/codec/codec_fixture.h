/* A dictionary and a decoder on it, made anew for each test. */
#ifndef DFOPT_TESTS_CODEC_FIXTURE_H
#define DFOPT_TESTS_CODEC_FIXTURE_H

#include "codec/codec.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dfopt_dict *dict;
static struct dfopt_codec *codec;

static inline int setup(void **state)
{
    (void)state;
    dict = NULL;
    codec = NULL;
    return dfopt_dict_create(&dict, false) ||
           dfopt_codec_create(&codec, dict, NULL);
}

static inline int teardown(void **state)
{
    (void)state;
    dfopt_codec_destroy(codec);
    dfopt_dict_destroy(dict);
    return 0;
}

/* Decodes a copy of exact size, so that the sanitizer sees each byte read too
 * far. */
static inline enum dfopt_err decode(int stream, const char *text, size_t len,
                                    struct dfopt_event *out,
                                    struct dfopt_error *err)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    *err = (struct dfopt_error){0};
    enum dfopt_err e = dfopt_codec_decode(codec, stream, copy, len, out, err);
    free(copy);
    return e;
}

static inline const char *text_of(dfopt_sym s)
{
    return dfopt_dict_text(dict, s, NULL);
}

#endif
