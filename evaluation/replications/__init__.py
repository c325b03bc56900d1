"""From predictions to numbers: cases, baselines, embeddings, metrics, replications."""
