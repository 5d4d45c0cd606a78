"""How everything here is measured: side by side in interleaved rounds, medians and ratios."""

from collections.abc import Callable
from statistics import median

Measure = Callable[[], float]


def side_by_side(contenders: dict[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Measure each contender once a round, so that a busy machine is unfair to all of them."""
    for measure in contenders.values():  # warm up
        measure()
    results: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            results[name].append(measure())
    return results


def report(title: str, unit: str, results: dict[str, list[float]], rival: str, floor: str) -> None:
    """Print medians, with the ratio of each round's figure to the rival's and to the floor's."""
    print(f"\n{title}")
    print(f"  {'':<26}{unit:>10}{'spread':>9}{'x ' + rival:>20}{'x floor':>9}")
    for name, figures in results.items():
        spread = (max(figures) - min(figures)) / median(figures)
        ratios = [
            median(own / other for own, other in zip(figures, results[against], strict=True))
            for against in (rival, floor)
        ]
        print(
            f"  {name:<26}{median(figures):>10.1f}{spread:>8.0%}{ratios[0]:>20.3f}{ratios[1]:>9.2f}"
        )
