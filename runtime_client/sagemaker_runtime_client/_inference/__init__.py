"""One job: arguments, request, invocation, wait, output."""
