"""Methods against each other, on the same windows: conditions -> rows -> tables and pictures."""
