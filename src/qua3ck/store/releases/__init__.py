"""What a release is made of: prelude, model file, manifest, golden rows, MLflow form.

A process that serves predictions needs this package and nothing of the training side.
"""
