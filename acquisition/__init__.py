"""From headsets and files to chunks of EEG. Imports no other package of this product."""
