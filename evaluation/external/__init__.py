"""Predictions of other systems: files in the field's forms, understood, checked and made ours."""
