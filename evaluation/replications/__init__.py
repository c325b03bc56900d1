"""From saved answers to numbers: cases, baselines, embeddings, metrics, replications."""
