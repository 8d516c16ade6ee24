//! What this machine is: the fingerprint, from /proc and /sys.
