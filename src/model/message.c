/* Names of streams and ack states. */
#include "model/message.h"

const char *dfopt_stream_name(uint32_t stream)
{
    static const char *const names[] = {
#define NAME(name, text) [DFOPT_STREAM_##name] = text,
        DFOPT_STREAM_LIST(NAME)
#undef NAME
    };
    return stream < DFOPT_STREAM_COUNT ? names[stream] : "unknown";
}

const char *dfopt_ack_status_name(uint32_t status)
{
    static const char *const names[] = {
#define NAME(name, text) [DFOPT_ACK_##name] = text,
        DFOPT_ACK_STATUS_LIST(NAME)
#undef NAME
    };
    return status < sizeof names / sizeof *names ? names[status] : "unknown";
}
