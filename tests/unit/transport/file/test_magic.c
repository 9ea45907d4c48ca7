/* What files are that are no JSON. */
#include "support/unit.h"
#include "transport/file/magic.h"

#include <string.h>

static const struct {
    const char *data;
    size_t len;
    const char *is; /* a word of it; NULL: not known */
    bool gzip, more;
} cases[] = {
    {"", 0, NULL, false, true},
    {"{", 1, NULL, false, true}, /* UTF-16? */
    {"{}", 2, NULL, false, false},
    {"{\"", 2, NULL, false, false},
    {"[", 1, NULL, false, true},
    {"\x1f", 1, NULL, false, true},
    {"\x1f\x8b", 2, NULL, true, false},
    {"\x1f\x8c", 2, NULL, false, false},
    {"\x28\xb5", 2, NULL, false, true},
    {"\x28\xb5\x2f\xfd", 4, "zstd", false, false},
    {"\xfd\x37zXZ", 5, "xz", false, false},
    {"BZ", 2, NULL, false, true},
    {"BZh9", 4, "bzip2", false, false},
    {"PK\x03\x04", 4, "zip", false, false},
    {"\xff\xfe{", 3, "UTF-16", false, false},
    {"\xff\xfe\0\0{", 5, "UTF-32", false, false},
    {"\0\0\xfe\xff", 4, "UTF-32", false, false},
    {"\0\0", 2, NULL, false, true},
    {"\xfe\xff", 2, "UTF-16", false, false},
    {"{\0", 2, "UTF-16", false, false},
    {"\0[", 2, "UTF-16", false, false},
    {"\xef\xbb\xbf{}", 5, NULL, false, false},
    {"\x1e{}", 3, "sequence", false, false},
    {"\x89HDF", 4, "HDF5", false, false},
};

static void test_magics(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(cases); i++) {
        const char *is = dfopt_magic_of(cases[i].data, cases[i].len);
        if ((is != NULL) != (cases[i].is != NULL) ||
            (is && !strstr(is, cases[i].is)))
            fail_msg("case %zu: %s", i, is ? is : "(nothing)");
        assert_int_equal(dfopt_magic_is_gzip(cases[i].data, cases[i].len),
                         cases[i].gzip);
        if (dfopt_magic_may_come(cases[i].data, cases[i].len) != cases[i].more)
            fail_msg("case %zu: more", i);
    }
}

static void test_tar(void **state)
{
    (void)state;
    char block[512] = "findings.jsonl";
    assert_null(dfopt_magic_of(block, sizeof block));
    memcpy(block + 257, "ustar", 5);
    assert_non_null(dfopt_magic_of(block, DFOPT_TAR_BYTES));
    assert_null(dfopt_magic_of(block, DFOPT_TAR_BYTES - 1));
    block[0] = '{'; /* a text that says so */
    assert_null(dfopt_magic_of(block, sizeof block));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_magics),
                                       cmocka_unit_test(test_tar)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
