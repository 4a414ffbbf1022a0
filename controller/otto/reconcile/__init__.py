"""Watch, observe, decide, converge, verify. The loop alone owns queue, backoff and metrics."""
