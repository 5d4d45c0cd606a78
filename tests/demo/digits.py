"""A real model in pure Python: naive Bayes over the pixels of handwritten digits.

The model is trained with fixtures/digits/train.csv when this module is imported.  Importing takes a
few hundredths of a second at most.
"""

import json
from math import exp, log
from pathlib import Path

from sagemaker_runtime_client.emulator import ModelRequest, ModelResponse

DIGITS = Path(__file__).parent.parent.parent / "fixtures" / "digits"
PIXELS = 64


def read(text: str, columns: int) -> list[list[int]]:
    """Return the rows of a CSV string; raise ValueError if a row does not have *columns* numbers."""
    rows = [[int(cell) for cell in line.split(",")] for line in text.splitlines()]
    for number, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise ValueError(f"line {number} has {len(row)} numbers, not {columns}")
    return rows


class NaiveBayes:
    """A multinomial naive Bayes model with add-one smoothing.

    For each digit, the model adds up the grey values of each pixel over the training images.
    """

    def __init__(self, rows: list[list[int]]) -> None:
        self.labels = sorted({row[0] for row in rows})
        self.priors: list[float] = []
        self.weights: list[list[float]] = []
        for label in self.labels:
            images = [row[1:] for row in rows if row[0] == label]
            ink = [sum(pixels) + 1 for pixels in zip(*images, strict=True)]
            total = sum(ink)
            self.priors.append(log(len(images) / len(rows)))
            self.weights.append([log(pixel / total) for pixel in ink])

    def predict(self, image: list[int]) -> tuple[int, float]:
        """Return the most likely digit in *image*, and the logarithm of the digit's probability."""
        scores = [
            prior + sum(pixel * weight for pixel, weight in zip(image, weights, strict=True))
            for prior, weights in zip(self.priors, self.weights, strict=True)
        ]
        best = max(scores)
        evidence = best + log(sum(exp(score - best) for score in scores))
        return self.labels[scores.index(best)], best - evidence


MODEL = NaiveBayes(read((DIGITS / "train.csv").read_text(), PIXELS + 1))


def predict(request: ModelRequest) -> ModelResponse:
    """Respond to images, given as lines of 64 grey values, with a JSON document of predictions."""
    answers = [MODEL.predict(image) for image in read(request.body.decode(), PIXELS)]
    document = {
        "predictions": [digit for digit, _ in answers],
        "log_probabilities": [likelihood for _, likelihood in answers],
    }
    return ModelResponse(json.dumps(document).encode(), "application/json")
