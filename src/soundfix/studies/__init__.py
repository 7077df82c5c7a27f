"""Methods trained alike and compared: the paper's tables and its ablations; no command line, and no method of its
own."""
