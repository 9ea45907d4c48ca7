/* One record, one line: newlines of a usable record are white space between
 * tokens and become spaces. A numbered line begins with a checksum of what comes
 * behind it. */
#include "journal/line.h"

#include "model/decision.h"
#include "json/utf8.h"
#include "json/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define BEGINNING_BYTES 64 /* of a record whose line would be too long */

#define CHECK_FORMAT "{\"check\":\"%016" PRIx64 "\","
#define CHECK_BYTES  DFOPT_RECORD_CHECK_BYTES

void dfopt_record_check(char *line, size_t len)
{
    char text[CHECK_BYTES + 1];
    snprintf(text, sizeof text, CHECK_FORMAT,
             XXH3_64bits(line + CHECK_BYTES, len - CHECK_BYTES));
    memcpy(line, text, CHECK_BYTES);
}

const char *dfopt_record_checked(const char *line, size_t len)
{
    char text[CHECK_BYTES + 1];
    if (len <= CHECK_BYTES)
        return NULL;
    snprintf(text, sizeof text, CHECK_FORMAT,
             XXH3_64bits(line + CHECK_BYTES, len - CHECK_BYTES));
    return memcmp(line, text, CHECK_BYTES) == 0 ? line + CHECK_BYTES : NULL;
}

/* Whether a text needs no escapes in JSON. */
static bool is_plain(const char *text)
{
    while (*text && (unsigned char)*text >= ' ' && *text != '"' && *text != '\\')
        text++;
    return *text == '\0';
}

/* Bytes as they came: a text where they are one, else hexadecimal digits. */
static enum dfopt_err write_raw(const struct dfopt_record *rec,
                                struct dfopt_buf *line)
{
    enum dfopt_err e = DFOPT_OK;
    if (rec->problem) {
        e = dfopt_buf_printf(line, "\"problem\":");
        if (!e)
            e = dfopt_json_write_text(rec->problem, strlen(rec->problem), line);
        if (!e)
            e = dfopt_buf_add(line, ",", 1);
    }
    const bool text = dfopt_utf8_valid(rec->data, rec->len);
    if (!e)
        e = dfopt_buf_printf(line, text ? "\"raw\":" : "\"raw_hex\":\"");
    if (!e && text)
        return dfopt_json_write_text(rec->data, rec->len, line);
    for (size_t i = 0; i < rec->len && !e; i++)
        e = dfopt_buf_printf(line, "%02x", (unsigned char)rec->data[i]);
    return e ? e : dfopt_buf_add(line, "\"", 1);
}

/* Escapes and hexadecimal digits make a line longer than its record. If it exceeds
 * what readers accept, writes the record's beginning and the reason instead. */
static enum dfopt_err write_unusable(const struct dfopt_recorded *r,
                                     struct dfopt_buf *line)
{
    const size_t start = line->len;
    enum dfopt_err e = write_raw(r->record, line);
    if (e || r->max_line == 0 || line->len < r->max_line) /* < : the closing } */
        return e;
    struct dfopt_record beginning = *r->record;
    if (beginning.len > BEGINNING_BYTES)
        beginning.len = BEGINNING_BYTES;
    beginning.problem = r->why;
    line->len = start;
    return write_raw(&beginning, line);
}

enum dfopt_err dfopt_record_line(const struct dfopt_recorded *r, bool numbered,
                                 struct dfopt_buf *line)
{
    const struct dfopt_record *rec = r->record;
    dfopt_buf_clear(line);
    enum dfopt_err e =
        numbered ? dfopt_buf_printf(line, CHECK_FORMAT "\"seq\":%" PRIu64 ",",
                                    (uint64_t)0, r->seq)
                 : dfopt_buf_printf(line, "{");
    if (!e && numbered && rec->unit == DFOPT_OFFSET_EVENT_ID &&
        is_plain(rec->origin))
        e = dfopt_buf_printf(line, "\"origin\":\"%s\",\"offset\":%" PRIu64 ",",
                             rec->origin, rec->offset);
    if (!e)
        e = dfopt_buf_printf(line, "\"stream\":\"%s\",%s",
                             dfopt_stream_name(r->stream),
                             r->usable ? "\"body\":" : "");
    if (e)
        return e;
    if (r->usable) {
        const size_t start = line->len;
        e = dfopt_buf_add(line, rec->data, rec->len);
        const bool ids =
            r->stream == DFOPT_STREAM_ACK || r->stream == DFOPT_STREAM_CONTROL;
        if (!e && ids && r->run)
            line->len = start + dfopt_plan_id_cut_run(line->data + start,
                                                      line->len - start, r->run);
        for (size_t i = start; !e && i < line->len; i++)
            if (line->data[i] == '\n' || line->data[i] == '\r')
                line->data[i] = ' ';
    } else {
        e = write_unusable(r, line);
    }
    if (!e)
        e = dfopt_buf_add(line, "}", 1);
    if (!e && numbered)
        dfopt_record_check(line->data, line->len);
    return e;
}
