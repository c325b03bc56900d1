"""What is left of an evaluation: results as JSON, tables, pictures, the audit of protocols."""
