/* Names of streams and ack states. */
#include "model/message.h"

#include "base/names.h"

const char *dfopt_stream_name(uint32_t stream)
{
    DFOPT_RETURN_NAME(DFOPT_STREAM_LIST, DFOPT_NAME_TEXT, stream);
}

const char *dfopt_ack_status_name(uint32_t status)
{
    DFOPT_RETURN_NAME(DFOPT_ACK_STATUS_LIST, DFOPT_NAME_TEXT, status);
}
