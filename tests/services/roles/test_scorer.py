"""The scorer: what is heard, how repeats and late turns count, and whom a party speaks of."""

from __future__ import annotations

from app.services.roles.scorer import PartyTurn, hear, leaning


def weights(act: str, *turns: tuple[str, str]) -> list[float]:
    heard = hear([PartyTurn(*turn) for turn in turns], "en")
    return [round(item.weight, 3) for item in heard if item.act == act]


def test_an_agent_counts_up_and_a_customer_down() -> None:
    heard = hear([PartyTurn("a", "How can I help you?"), PartyTurn("b", "How much is it?")], "en")
    signs = {(item.party, item.act): item.weight > 0 for item in heard}
    assert signs["a", "how_can_help"] is True
    assert signs["b", "asks_price"] is False


def test_an_act_heard_again_adds_less() -> None:
    first, second, third = weights("asks_price", *[("b", "how much is it")] * 3)
    assert first < second < third < 0


def test_early_turns_weigh_more() -> None:
    idle = [("a", "right"), ("b", "so")] * 3
    early = weights("asks_price", ("b", "how much is it"))
    late = weights("asks_price", *idle, ("b", "how much is it"))
    assert early[0] < late[0] < 0


def test_english_is_heard_in_calls_of_any_language() -> None:
    turns = [PartyTurn("a", "thank you for calling, en qué puedo ayudarle")]
    assert {"company_greeting", "how_can_help"} <= {item.act for item in hear(turns, "es")}
    assert {item.act for item in hear(turns, "ja")} == {"company_greeting"}
    assert hear(turns, None) == hear(turns, "en") == hear(turns, "en-GB")


def test_leaning_is_towards_whoever_is_spoken_of() -> None:
    turns = [
        PartyTurn("a", "your account and your plan, can you see it?"),
        PartyTurn("b", "I lost my card and my phone"),
        PartyTurn("c", "the weather is nice"),
    ]
    leans = leaning(turns, "en")
    assert leans["a"] > 0 > leans["b"]
    assert leans["c"] == 0
