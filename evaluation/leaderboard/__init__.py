"""Our numbers beside the published ones: tables, verdicts, and pages that show them."""
