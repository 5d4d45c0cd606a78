"""Write fixtures/digits: images of handwritten digits, and the predictions of a scikit-learn model.

The images are the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak;
UCI Machine Learning Repository, CC BY 4.0), as distributed with scikit-learn.
"""

import json
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.naive_bayes import MultinomialNB

FOLDER = Path(__file__).parent.parent / "fixtures" / "digits"
TRAINED_ON = 897


def main() -> None:
    """Split the images, train on the first part, and write the predictions for the second."""
    images, labels = load_digits(return_X_y=True)
    rows = [",".join(str(int(pixel)) for pixel in image) for image in images]
    train = [f"{label},{row}" for label, row in zip(labels, rows, strict=True)][:TRAINED_ON]
    model = MultinomialNB().fit(images[:TRAINED_ON], labels[:TRAINED_ON])
    expected = {
        "labels": [int(label) for label in labels[TRAINED_ON:]],
        "predictions": [int(label) for label in model.predict(images[TRAINED_ON:])],
        "log_probabilities": [
            round(float(row.max()), 9) for row in model.predict_log_proba(images[TRAINED_ON:])
        ],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "train.csv").write_text("\n".join(train) + "\n")
    (FOLDER / "images.csv").write_text("\n".join(rows[TRAINED_ON:]) + "\n")
    (FOLDER / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
