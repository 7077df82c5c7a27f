"""What is evaluated: three clips of the twin, by two quick methods."""

from soundfix.evaluation.request import EvaluateRequest

ASKED = EvaluateRequest(
    dataset="luvira-twin", methods="srp-phat,multilateration", microphones="6,4", subsets="spread", windows="0.128,0.25",
    unknown="0", sources="1", faults="none", clips=3, root=None, audio=(), seed=1, workers=1,
)  # fmt: skip
