/* What was decoded, as text. */
#ifndef DFOPT_TESTS_MESSAGES_FIXTURE_H
#define DFOPT_TESTS_MESSAGES_FIXTURE_H

#include "codec_fixture.h"
#include "json/write.h"

static struct dfopt_buf seen;

static inline int teardown_seen(void **state)
{
    dfopt_buf_free(&seen);
    return teardown(state);
}

static inline void show_value(const char *name, struct dfopt_value v)
{
    dfopt_buf_printf(&seen, " %s=", name);
    assert_int_equal(dfopt_json_write_value(dict, v, &seen), DFOPT_OK);
}

#endif
