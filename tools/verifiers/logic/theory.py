"""A theory as SMT-LIB: premises and a conclusion, their names replaced by safe ones."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.verifiers.logic.formula import Atom, Binary, Formula, Not, Quantified

_OPERATORS = {"and": "and", "or": "or", "xor": "xor", "implies": "=>", "iff": "="}


@dataclass(frozen=True, slots=True)
class Theory:
    """What is given, and what is to be decided."""

    premises: tuple[Formula, ...]
    conclusion: Formula


@dataclass(frozen=True, slots=True)
class Script:
    """SMT-LIB text: ``given`` declares the names and asserts the premises; ``conclusion`` is one term."""

    given: str
    conclusion: str


def script_of(theory: Theory) -> Script:
    """The theory for a solver. Only names that are made up here reach it, whatever the formulas call things."""
    formulas = (*theory.premises, theory.conclusion)
    names = _Names(formulas)
    asserted = [f"(assert {_term(formula, names, {})})" for formula in theory.premises]
    given = "\n".join((*names.declarations(), *asserted))
    return Script(given, _term(theory.conclusion, names, {}))


def well_typed(theory: Theory) -> bool:
    """Whether every name is one thing: a predicate of one arity, or a constant. A translation that mixes them up says
    something else than its sentences."""
    uses = {use for formula in (*theory.premises, theory.conclusion) for use in _uses(formula)}
    return len(uses) == len({name for name, _ in uses})


def without_misfits(theory: Theory) -> Theory | None:
    """The theory without the premises that use a name as another thing than most of its formulas do; None where the
    conclusion is one of those, or no premise is left. What follows from fewer premises follows from all."""
    used = {formula: _uses(formula) for formula in (*theory.premises, theory.conclusion)}
    counted: dict[str, Counter[int]] = {}
    for formula in (*theory.premises, theory.conclusion):
        for name, use in used[formula]:
            counted.setdefault(name, Counter())[use] += 1
    usual = {(name, uses.most_common(1)[0][0]) for name, uses in counted.items()}
    premises = tuple(premise for premise in theory.premises if used[premise] <= usual)
    return Theory(premises, theory.conclusion) if premises and used[theory.conclusion] <= usual else None


def _uses(formula: Formula) -> set[tuple[str, int]]:
    """Each name with the arity that it is used with, -1 for a constant."""
    uses: set[tuple[str, int]] = set()
    for atom, bound in _atoms(formula, ()):
        if atom.predicate != "=":
            uses.add((atom.predicate, len(atom.terms)))
        uses |= {(term, -1) for term in atom.terms if term not in bound}
    return uses


class _Names:
    """Predicates by name and arity, constants by name. A plural counts as its singular where both occur: a model that
    writes ``Cats`` in one line and ``Cat`` in another means the same."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        atoms = [found for formula in formulas for found in _atoms(formula, ())]
        self._seen = {atom.predicate for atom, _ in atoms}
        predicates = {(self._singular(atom.predicate), len(atom.terms)) for atom, _ in atoms if atom.predicate != "="}
        constants = {term for atom, bound in atoms for term in atom.terms if term not in bound}
        self._predicates = {key: f"p{index}" for index, key in enumerate(sorted(predicates))}
        self._constants = {name: f"c{index}" for index, name in enumerate(sorted(constants))}

    def declarations(self) -> Iterator[str]:
        yield "(declare-sort Thing 0)"
        for (_, arity), name in self._predicates.items():
            yield f"(declare-fun {name} ({' '.join(['Thing'] * arity)}) Bool)"
        for name in self._constants.values():
            yield f"(declare-const {name} Thing)"

    def predicate(self, atom: Atom) -> str:
        return self._predicates[self._singular(atom.predicate), len(atom.terms)]

    def constant(self, name: str) -> str:
        return self._constants[name]

    def _singular(self, name: str) -> str:
        for ending, singular in (("ies", "y"), ("es", ""), ("s", "")):
            if name.endswith(ending) and (found := name.removesuffix(ending) + singular) in self._seen:
                return found
        return name


def _atoms(formula: Formula, bound: tuple[str, ...]) -> Iterator[tuple[Atom, tuple[str, ...]]]:
    match formula:
        case Atom():
            yield formula, bound
        case Not(inner):
            yield from _atoms(inner, bound)
        case Binary(_, left, right):
            yield from _atoms(left, bound)
            yield from _atoms(right, bound)
        case Quantified(_, variable, inner):
            yield from _atoms(inner, (*bound, variable))


def _term(formula: Formula, names: _Names, variables: dict[str, str]) -> str:
    match formula:
        case Atom(predicate, terms):
            shown = [variables.get(term) or names.constant(term) for term in terms]
            name = "=" if predicate == "=" else names.predicate(formula)
            return f"({name} {' '.join(shown)})" if shown else name
        case Not(inner):
            return f"(not {_term(inner, names, variables)})"
        case Binary(connective, left, right):
            return f"({_OPERATORS[connective]} {_term(left, names, variables)} {_term(right, names, variables)})"
        case Quantified(quantifier, variable, inner):
            fresh = f"v{len(variables)}"
            scope = {**variables, variable: fresh}
            word = "forall" if quantifier == "all" else "exists"
            return f"({word} (({fresh} Thing)) {_term(inner, names, scope)})"
