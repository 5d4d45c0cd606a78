"""
How much of what a stranger sends is looked at, in one table.

Whatever is beyond a limit is refused before it costs anything.  AWS takes less of most of these.
"""

# Of a request to be verified.  The head: as much as an Application Load Balancer takes
# (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html);
# API Gateway takes 10 KiB, S3 8 KiB of headers.
LONGEST_HEAD = 64 * 1024
MOST_HEADERS = 256
MOST_QUERY_PARAMETERS = 1024
MOST_AUTHORIZATION_PARTS = 16  # of which three are known
# IAM's own have 16 to 128: https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
LONGEST_ACCESS_KEY_ID = 255
LONGEST_REGION_SET = 255
MOST_REGIONS = 16
# In seconds: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
LONGEST_EXPIRY = 604_800

# Of a body in chunks.  A chunk's line has 16 digits, a name and 144 characters of a signature; S3
# takes one checksum as trailer, and its signature.
LONGEST_CHUNK_HEAD = 512
LARGEST_CHUNK = 16 * 1024 * 1024
LONGEST_TRAILERS = 8 * 1024
MOST_TRAILERS = 16

# Of an event-stream message, as AWS has them:
# https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
MOST_EVENT_HEADERS = 128 * 1024
MOST_EVENT_PAYLOAD = 24 * 1024 * 1024

# Of an answer to be explained: a canonical request has some 8 KiB of headers at most, and S3 gives
# it twice, once in hexadecimal.
LONGEST_ERROR_RESPONSE = 256 * 1024

# Of a file that the command line reads.
LONGEST_INPUT = 64 * 1024 * 1024
