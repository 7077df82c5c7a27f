"""soundfix as a service over HTTP; it decodes and computes nothing itself: processes that may be killed do."""
