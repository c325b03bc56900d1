"""The command line, signatures, the stage graph and the ledger of runs."""

import os

# Threads that wait for each other sleep. By default they spin, and where other programs want the
# cores too a step costs several times its work. torch's OpenMP reads it when it is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
