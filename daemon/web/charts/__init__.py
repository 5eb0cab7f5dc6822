"""Options of the charts: plain dictionaries from plain data, no browser and no clock."""
