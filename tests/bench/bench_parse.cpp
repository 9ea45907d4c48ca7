/* simdjson on its own: its first stage, and its whole tree. */
#include "bench_parse.h"

#include <cstring>
#include <memory>
#include <simdjson.h>

namespace
{

constexpr size_t capacity = 1 << 16;
char padded[capacity + simdjson::SIMDJSON_PADDING];

bool copy(const char *at, size_t len)
{
    if (len > capacity)
        return false;
    std::memcpy(padded, at, len);
    return true;
}

} // namespace

size_t bench_parse_tokens(const char *const *at, const size_t *len, size_t n)
{
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    size_t good = 0;
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, 32, parser))
        return 0;
    for (size_t i = 0; i < n; i++)
        good +=
            copy(at[i], len[i]) && !parser->stage1((const uint8_t *)padded, len[i],
                                                   simdjson::stage1_mode::regular);
    return good;
}

size_t bench_parse_tree(const char *const *at, const size_t *len, size_t n)
{
    simdjson::dom::parser parser;
    size_t good = 0;
    if (parser.allocate(capacity, 32))
        return 0;
    for (size_t i = 0; i < n; i++)
        good += copy(at[i], len[i]) && !parser.parse(padded, len[i], false).error();
    return good;
}
