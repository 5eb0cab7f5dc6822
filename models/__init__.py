"""Training, evaluation, personalisation and the stored networks. Importing this imports no TensorFlow."""
