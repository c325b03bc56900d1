"""The command line, signatures, the stage graph and the ledger of runs."""

import os

# Threads that wait for each other sleep after a while. torch's OpenMP lets them spin for ever, and
# where one other program wants a core a step costs twenty times its work; where they sleep at once
# (0), two threads train a small language model no faster than one. Clips a second of quickstart's,
# two cores of a Xeon, idle and beside one busy program: for ever 315 and 14, 0 195 and 166,
# 4,000 241 and 128, 8,000 322 and 108, 20,000 301 and 80. Read when torch is first imported.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "8000")  # outranks the policy where OpenMP is GNU's
