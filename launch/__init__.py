"""The command line, signatures, the stage graph and the ledger of runs."""
