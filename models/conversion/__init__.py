"""From Keras to TensorFlow Lite, in a child process, with its manifest."""
