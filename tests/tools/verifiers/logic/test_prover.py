"""Z3 decides theories in the real sandbox."""

from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.protocol import Limits
from tools.verifiers.logic.formula import parse
from tools.verifiers.logic.prover import decide
from tools.verifiers.logic.theory import Theory, script_of, well_typed, without_misfits

LIMITS = Limits(wall_seconds=60, cpu_seconds=30)


def theory(conclusion: str, *premises: str) -> Theory:
    return Theory(tuple(parse(premise) for premise in premises), parse(conclusion))


async def test_what_follows_what_is_refuted_and_what_is_open() -> None:
    rule = "all x. (Cats(x) -> Mammal(x))"
    decisions = await decide(
        BubblewrapSandbox(),
        LIMITS,
        [
            theory("Mammal(tom)", rule, "Cat(tom)"),
            theory("not Mammal(tom)", rule, "Cat(tom)"),
            theory("Mammal(tom)", rule),
            theory("Mammal(tom)", "P(a)", "not P(a)"),
            theory("exists x. Likes(x, ann)", "all x. (Kind(x) -> Likes(x, ann))", "Kind(bob)"),
            theory("a = c", "a = b", "b = c"),
        ],
    )
    assert decisions == ("true", "false", "uncertain", "contradictory", "true", "true")


async def test_a_solver_that_would_never_end_is_stopped() -> None:
    endless = theory(
        "exists x. R(x, a)",
        "all x. exists y. R(x, y)",
        "all x. not R(x, x)",
        "all x, y, z. (R(x, y) and R(y, z) -> R(x, z))",
    )
    assert await decide(BubblewrapSandbox(), LIMITS, [endless]) == ("unknown",)


def test_only_made_up_names_reach_the_solver() -> None:
    script = script_of(theory("exit(tom)", "assert_false(tom)"))
    assert "exit" not in script.given + script.conclusion
    assert "false" not in script.given


def test_a_name_is_one_thing() -> None:
    assert well_typed(theory("Kind(tom)", "all x. (Cat(x) -> Kind(x))", "Cat(tom)"))
    assert not well_typed(theory("Kind(tom)", "Round(kind, smart)"))
    assert not well_typed(theory("Kind(tom)", "Kind -> Smart"))


def test_premises_that_use_a_name_as_something_else_are_left_out() -> None:
    rule, fact = "all x. (Cat(x) -> Kind(x))", "Cat(tom)"
    assert without_misfits(theory("Kind(tom)", rule, fact, "Purr(cat)")) == theory("Kind(tom)", rule, fact)
    assert without_misfits(theory("Kind(tom)", rule, fact)) == theory("Kind(tom)", rule, fact)
    assert without_misfits(theory("Tom(kind)", rule, "all x. (Kind(x) -> Big(x))", fact, "Big(tom)")) is None


async def test_plurals_and_singulars_are_one_kind() -> None:
    rules = ("all x. (Bunnies(x) -> Foxes(x))", "all x. (Fox(x) -> Cat(x))", "Bunny(tom)")
    assert await decide(BubblewrapSandbox(), LIMITS, [theory("Cats(tom)", *rules)]) == ("true",)
