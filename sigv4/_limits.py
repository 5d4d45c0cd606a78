"""Limits on untrusted input.

Input that exceeds a limit is rejected before it is processed.  Most of AWS's own limits are lower.
"""

# Limits for a request whose signature is verified.  The maximum size of the head is that of an
# Application Load Balancer:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
# For comparison, API Gateway allows 10 KiB of headers, and S3 allows 8 KiB.
LONGEST_HEAD = 64 * 1024
MOST_HEADERS = 256
MOST_QUERY_PARAMETERS = 1024
MOST_AUTHORIZATION_PARTS = 16  # the specification defines only three parts
# IAM's access key IDs have 16 to 128 characters:
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html
LONGEST_ACCESS_KEY_ID = 255
LONGEST_REGION_SET = 255
MOST_REGIONS = 16
# The longest validity of a presigned URL, in seconds:
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
LONGEST_EXPIRY = 604_800

# Limits for a body in chunks.  The first line of a chunk contains the chunk's size in up to 16
# hexadecimal digits, a name and a signature of up to 144 characters.  S3 accepts two trailers: a
# checksum, and the trailer signature.
LONGEST_CHUNK_HEAD = 512
LARGEST_CHUNK = 16 * 1024 * 1024
LONGEST_TRAILERS = 8 * 1024
MOST_TRAILERS = 16

# AWS's limits for an event-stream message:
# https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
MOST_EVENT_HEADERS = 128 * 1024
MOST_EVENT_PAYLOAD = 24 * 1024 * 1024

# Limit for an error response that `explain` parses.  A canonical request contains at most about 8
# KiB of headers, and S3 returns the canonical request twice, once in hexadecimal.
LONGEST_ERROR_RESPONSE = 256 * 1024

# Limit for a file that the command-line tool reads into memory.
LONGEST_INPUT = 64 * 1024 * 1024
