/* No JSON starts with any of these. */
#include "transport/file/magic.h"

#include <string.h>

#define TAR_AT 257

static const char gzip[] = "\x1f\x8b";

static const struct {
    const char *bytes;
    size_t len;
    const char *is;
} magics[] = {
    {gzip, 2, NULL},
    {"\x28\xb5\x2f\xfd", 4, "is compressed by zstd; unpack it with zstd -dc"},
    {"\xfd\x37zXZ", 5, "is compressed by xz; unpack it with xz -dc"},
    {"BZh", 3, "is compressed by bzip2; unpack it with bzip2 -dc"},
    {"\x04\x22\x4d\x18", 4, "is compressed by lz4; unpack it with lz4 -dc"},
    {"PK\x03\x04", 4, "is a zip archive; unpack it with unzip -p"},
    {"\xff\xfe\0\0", 4, "is UTF-32; make it UTF-8 with iconv -f UTF-32 -t UTF-8"},
    {"\0\0\xfe\xff", 4, "is UTF-32; make it UTF-8 with iconv -f UTF-32 -t UTF-8"},
    {"\xff\xfe", 2, "is UTF-16; make it UTF-8 with iconv -f UTF-16 -t UTF-8"},
    {"\xfe\xff", 2, "is UTF-16; make it UTF-8 with iconv -f UTF-16 -t UTF-8"},
    {"{\0", 2, "is UTF-16; make it UTF-8 with iconv -f UTF-16LE -t UTF-8"},
    {"[\0", 2, "is UTF-16; make it UTF-8 with iconv -f UTF-16LE -t UTF-8"},
    {"\0{", 2, "is UTF-16; make it UTF-8 with iconv -f UTF-16BE -t UTF-8"},
    {"\0[", 2, "is UTF-16; make it UTF-8 with iconv -f UTF-16BE -t UTF-8"},
    {"\x1e", 1,
     "is a JSON text sequence (RFC 7464); convert it to lines with tr -d '\\036'"},
    {"\x89HDF", 4, "is an HDF5 file; dfopt-log dump shows a decision log"},
};

#define N_MAGICS (sizeof magics / sizeof *magics)

bool dfopt_magic_is_gzip(const char *data, size_t len)
{
    return len >= 2 && memcmp(data, gzip, 2) == 0;
}

const char *dfopt_magic_of(const char *data, size_t len)
{
    for (size_t i = 0; i < N_MAGICS; i++)
        if (len >= magics[i].len &&
            memcmp(data, magics[i].bytes, magics[i].len) == 0)
            return magics[i].is;
    return len >= DFOPT_TAR_BYTES && !strchr("{[ \t\r\n", data[0]) &&
                   memcmp(data + TAR_AT, "ustar", 5) == 0
               ? "is a tar archive; unpack it with tar -xO"
               : NULL;
}

bool dfopt_magic_may_come(const char *data, size_t len)
{
    for (size_t i = 0; i < N_MAGICS; i++)
        if (len < magics[i].len && memcmp(data, magics[i].bytes, len) == 0)
            return true;
    return false;
}
