"""The matching of people to levels, against trying out every possibility."""

import importlib.util
import itertools
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[2] / "models" / "approval_matching.py"


def _load():
    # models/ is a package of Odoo models: this one file of it needs no Odoo, so it is read alone.
    spec = importlib.util.spec_from_file_location("approval_matching", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


matching = _load()
Step = matching.Step


@st.composite
def situations(draw):
    """Up to four steps in up to two rules, and up to six people with the steps they fit."""
    count = draw(st.integers(1, 4))
    steps = [
        Step(
            number,
            draw(st.integers(1, 2)),
            chain=draw(st.integers(0, 1)),
            position=draw(st.integers(0, 2)),
        )
        for number in range(count)
    ]
    people = draw(st.integers(0, 6))
    offers = [
        (f"p{person}", draw(st.frozensets(st.integers(0, count - 1)))) for person in range(people)
    ]
    return steps, offers


def most_by_trying(steps, offers):
    """The largest number of people that can be put into steps, by trying all ways."""
    need = {step.number: step.need for step in steps}
    best = 0
    for places in itertools.product(*[[None, *sorted(choices)] for _who, choices in offers]):
        used = [place for place in places if place is not None]
        if all(used.count(number) <= need[number] for number in set(used)):
            best = max(best, len(used))
    return best


def complete_by_trying(steps, offers):
    return most_by_trying(steps, offers) == sum(step.need for step in steps)


@given(situations())
def test_as_many_people_as_possible_are_counted(situation):
    steps, offers = situation
    assigned = matching.assign(steps, offers)
    assert len(assigned) == most_by_trying(steps, offers)
    fits = dict(offers)
    assert all(number in fits[person] for person, number in assigned.items())
    for step in steps:
        assert list(assigned.values()).count(step.number) <= step.need


@given(situations())
def test_who_is_counted_is_never_dropped(situation):
    """Each newcomer leaves everybody before in some place, and every step as full as it was."""
    steps, offers = situation
    for length in range(len(offers)):
        before = matching.assign(steps, offers[:length])
        after = matching.assign(steps, offers[: length + 1])
        assert before.keys() <= after.keys()
        less, more = matching.missing(steps, after), matching.missing(steps, before)
        assert all(less[number] <= more[number] for number in less)


@given(situations())
def test_nobody_counts_twice(situation):
    steps, offers = situation
    assert matching.assign(steps, [*offers, *offers]) == matching.assign(steps, offers)


@given(situations())
def test_too_few_people_are_noticed_and_named(situation):
    steps, offers = situation
    found = matching.short_of_people(steps, offers)
    assert bool(found) != complete_by_trying(steps, offers)
    for numbers, people in found:
        assert people == {who for who, choices in offers if choices & numbers}
        assert len(people) < sum(step.need for step in steps if step.number in numbers)


def opened_by_the_book(steps, filled):
    """Open: every step of the same rule at an earlier position has all its people."""
    return {
        step.number
        for step in steps
        if all(
            filled.count(other.number) >= other.need
            for other in steps
            if other.chain == step.chain and other.position < step.position
        )
    }


@given(situations(), st.randoms(use_true_random=False))
def test_whatever_the_order_of_people_all_is_completed(situation, chance):
    """From any feasible start, in any order of people who may: no dead end, no early level."""
    steps, offers = situation
    assume(complete_by_trying(steps, offers))
    taken, waiting = [], list(offers)
    while matching.missing(steps, matching.assign(steps, taken)):
        chance.shuffle(waiting)
        for offer in waiting:
            others = [other for other in waiting if other != offer]
            try:
                choices = matching.admit(steps, taken, offer, others)
            except matching.NotNow:
                continue
            filled = list(matching.assign(steps, taken).values())
            assert choices == offer[1] & opened_by_the_book(steps, filled)
            taken.append((offer[0], choices))
            waiting.remove(offer)
            break
        else:
            pytest.fail(f"nobody may go next: {steps} {offers} {taken}")
    assigned = matching.assign(steps, taken)
    assert len(assigned) == len(taken) == sum(step.need for step in steps)


@given(situations(), st.randoms(use_true_random=False))
def test_only_who_can_be_counted_is_admitted(situation, chance):
    """Also where people are too few from the start: each admitted approval has a place."""
    steps, offers = situation
    taken, waiting = [], list(offers)
    chance.shuffle(waiting)
    for offer in list(waiting):
        waiting.remove(offer)
        try:
            taken.append((offer[0], matching.admit(steps, taken, offer, waiting)))
        except matching.NotNow as refused:
            assert refused.why in ("stranger", "enough", "early", "reserved")
        assert len(matching.assign(steps, taken)) == len(taken)


def test_somebody_is_moved_to_make_room():
    """Anna fits both levels, Ben one: whoever comes first, both count."""
    steps = [Step(1, 1), Step(2, 1, chain=1)]
    anna, ben = ("Anna", frozenset({1, 2})), ("Ben", frozenset({1}))
    for order in ([anna, ben], [ben, anna]):
        assert matching.assign(steps, order) == {"Anna": 2, "Ben": 1}


def refusal(steps, taken, offer, others=()):
    with pytest.raises(matching.NotNow) as caught:
        matching.admit(steps, taken, offer, list(others))
    return caught.value.why, caught.value.steps


def test_the_later_level_waits():
    steps = [Step(1, 1, position=0), Step(2, 1, position=1)]
    chief, clerk = ("Chief", frozenset({2})), ("Clerk", frozenset({1}))
    assert refusal(steps, [], chief, [clerk]) == ("early", {2})
    first = matching.admit(steps, [], clerk, [chief])
    assert matching.admit(steps, [("Clerk", first)], chief, []) == {2}


def test_who_is_needed_later_does_not_go_first():
    """Only the chief fits the second level; the chief's approval is kept for it."""
    steps = [Step(1, 1, position=0), Step(2, 1, position=1)]
    chief, clerk = ("Chief", frozenset({1, 2})), ("Clerk", frozenset({1}))
    assert refusal(steps, [], chief, [clerk]) == ("reserved", {2})
    first = matching.admit(steps, [], clerk, [chief])
    assert matching.admit(steps, [("Clerk", first)], chief, []) == {1, 2}


def test_strangers_and_latecomers_read_why():
    steps = [Step(1, 1)]
    assert refusal(steps, [], ("Zoe", frozenset())) == ("stranger", {1})
    assert refusal(steps, [("Anna", frozenset({1}))], ("Ben", frozenset({1}))) == ("enough", {1})
