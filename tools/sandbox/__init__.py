"""The Python sandbox: bubblewrap, rlimits, seccomp; it refuses to run where it cannot isolate."""
