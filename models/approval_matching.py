"""Who may be counted for which level: people matched to the levels of a batch's approval.

Plain Python without Odoo. A *step* is one level of one rule; it needs a number of people. One
person counts once per batch, so who fits several steps has to be put where the rest can still be
completed: a matching in a bipartite graph, found by augmenting paths (Berge 1957, Kuhn 1955).

Steps of one rule may be in order. A step is *open* when all steps before it are complete; an
approval can only ever be counted for steps that were open when it was given, which is why each
approval carries its *choices*, fixed at that moment. Two facts make this work:

* an approval, once taken, is never dropped by those that follow, and a complete step stays
  complete: an augmenting path only moves people about;
* as long as everybody is refused whose approval would leave too few people for the rest, there is
  always somebody who may go next, up to the last step.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Person = TypeVar("Person", bound=Hashable)
Offer = tuple[Person, frozenset[int]]


@dataclass(frozen=True)
class Step:
    """One level of one rule.

    :param number: what it is known by within the batch
    :param need: how many people
    :param chain: the rule it belongs to
    :param position: its place in the rule; steps at the same place are side by side
    """

    number: int
    need: int
    chain: int = 0
    position: int = 0


class NotNow(Exception):
    """An approval that can't be counted.

    :ivar why: ``stranger``: the person belongs to no step; ``enough``: the person's steps have
        all the people they need; ``early``: the person's step comes later; ``reserved``: the
        person is needed for a later step, for which there would be too few people
    :ivar steps: the steps that this is about
    """

    def __init__(self, why: str, steps: Iterable[int] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.steps = frozenset(steps)


def assign(steps: Sequence[Step], offers: Iterable[Offer]) -> dict[Person, int]:
    """Put as many people as possible into steps; who was put somewhere keeps a place.

    :param offers: people in the order in which they came, each with the steps they fit; a person
        who comes twice is counted once
    :return: person → number of the step
    """
    need = {step.number: step.need for step in steps}
    inside: dict[int, list[Person]] = {number: [] for number in need}
    fits: dict[Person, frozenset[int]] = {}

    def find_place(person: Person, tried: set[int]) -> bool:
        for number in sorted(fits[person] & need.keys()):
            if number in tried:
                continue
            tried.add(number)
            if len(inside[number]) < need[number]:
                inside[number].append(person)
                return True
            for other in inside[number]:
                if find_place(other, tried):
                    inside[number].remove(other)
                    inside[number].append(person)
                    return True
        return False

    for person, choices in offers:
        if person not in fits:
            fits[person] = choices
            if not find_place(person, set()):
                del fits[person]
    return {person: number for number, people in inside.items() for person in people}


def missing(steps: Sequence[Step], assigned: Mapping[Person, int]) -> dict[int, int]:
    """How many people each step still needs; complete steps are left out."""
    filled = _filled(assigned)
    return {
        step.number: step.need - filled.get(step.number, 0)
        for step in steps
        if step.need > filled.get(step.number, 0)
    }


def open_steps(steps: Sequence[Step], assigned: Mapping[Person, int]) -> frozenset[int]:
    """The steps that may be approved now: those before them, in the same rule, are complete."""
    lacking = missing(steps, assigned)
    waits = {
        step.chain: min(
            other.position
            for other in steps
            if other.chain == step.chain and other.number in lacking
        )
        for step in steps
        if step.number in lacking
    }
    return frozenset(
        step.number
        for step in steps
        if step.chain not in waits or step.position <= waits[step.chain]
    )


def short_of_people(
    steps: Sequence[Step], offers: Sequence[Offer]
) -> list[tuple[frozenset[int], frozenset[Person]]]:
    """Which steps can't all be completed, and the people they would have to share.

    :param offers: everybody there is, with the steps they fit
    :return: (steps, all people who fit any of them) for each step that stays incomplete; by
        Hall's theorem (1935) the steps together need more people than that. Empty: all is well
    """
    fits = dict(offers)
    assigned = assign(steps, offers)
    found = []
    for number in sorted(missing(steps, assigned)):
        numbers, people = {number}, set()
        while True:
            more = {person for person, choices in fits.items() if choices & numbers} - people
            if not more:
                break
            people |= more
            numbers |= {assigned[person] for person in more if person in assigned}
        found.append((frozenset(numbers), frozenset(people)))
    return found


def admit(
    steps: Sequence[Step], taken: Sequence[Offer], offer: Offer, others: Sequence[Offer]
) -> frozenset[int]:
    """Decide whether one more person may approve now.

    :param taken: the approvals so far in their order, each with its choices
    :param offer: the person, with all steps they fit
    :param others: everybody else who could still approve, with the steps they fit
    :return: the choices of this approval: the open steps that the person fits
    :raises NotNow: it can't be counted, and why
    """
    person, fitting = offer
    numbers = {step.number for step in steps}
    if not fitting & numbers:
        raise NotNow("stranger", missing(steps, assign(steps, taken)))
    assigned = assign(steps, taken)
    open_now = open_steps(steps, assigned)
    choices = fitting & open_now
    after = [*taken, (person, choices)]
    if person not in assign(steps, after):
        later = fitting & missing(steps, assigned).keys() - open_now
        if later:
            raise NotNow("early", later)
        raise NotNow("enough", fitting)
    if not missing(steps, assign(steps, [*taken, offer, *others])):
        left = missing(steps, assign(steps, [*after, *others]))
        if left:
            raise NotNow("reserved", left)
    return choices


def _filled(assigned: Mapping[Person, int]) -> dict[int, int]:
    filled: dict[int, int] = {}
    for number in assigned.values():
        filled[number] = filled.get(number, 0) + 1
    return filled
