/* Names of streams and ack states. */
#include "model/message.h"

#include "base/names.h"

DFOPT_NAME_FUNCTION(dfopt_stream_name, DFOPT_STREAM_LIST, DFOPT_NAME_TEXT)
DFOPT_NAME_FUNCTION(dfopt_ack_status_name, DFOPT_ACK_STATUS_LIST, DFOPT_NAME_TEXT)
