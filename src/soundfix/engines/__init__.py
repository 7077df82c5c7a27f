"""Where work is done, in processes of this machine or on a cluster; what the work is, nothing in here knows."""
