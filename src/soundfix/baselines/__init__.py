"""Methods to compare with: classical ones, and the paper's rivals."""
