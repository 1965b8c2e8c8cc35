"""Why a question is asked, and why the model's prediction set is no answer to it, in a sentence each."""

from components.models.prediction_sets import PredictionSets

MOST_NAMED = 6  # classes in a sentence
Classes = list[tuple[str, float]]  # each with its probability, the likeliest first


def reason(why: str, classes: Classes) -> str:
    """The strategy's reason with the model's guess, its runner-up and the confidence in both put in."""
    (guess, confidence), (runner_up, runner_up_confidence) = classes[0], classes[1]
    return why.format(
        guess=guess, confidence=confidence, runner_up=runner_up, runner_up_confidence=runner_up_confidence
    )


def undecided(inside: list[str], sets: PredictionSets) -> str | None:
    """Why the prediction set, the classes `inside`, is no answer; None where it is one, or always all."""
    size = len(inside)
    if size == 1 or sets.highest is None:
        return None
    names = inside
    if size > MOST_NAMED:
        names = [*names[: MOST_NAMED - 1], f"{size - MOST_NAMED + 1} others"]
    stated = f"at {100 * sets.coverage:g} % coverage"
    return f"The model cannot decide between {', '.join(names[:-1])} and {names[-1]} {stated}."
