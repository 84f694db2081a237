"""What single words mean in a sales call, on top of VADER's general word list."""

from __future__ import annotations


def _words(listed: str) -> list[str]:
    return listed.split()


def _family(valence: float, listed: str) -> dict[str, float]:
    return dict.fromkeys(listed.split(), valence)


NOT_FEELINGS = frozenset(
    _words(
        # goods, departments, figures and papers: "the support team", "a grand a month"
        """
        ability accept accepted accepting accepts active actives admit admits adopt adopts advanced
        agreement agreements alert alerts allow amazon aml amortized asset assets assurance
        authority await awaited awaits backed backing block blocks bonus bonuses calm casual
        challenge challenges chance chances charge charged charges commit commits commitment
        commitments committed create created creates creating creation creative creator
        credit credited credits critical cut cuts cutting demand demanded demands determine
        determined drop effective empty energy engage engaged engages ensure ensures ensuring excel
        exclude exclusive excuse expand expands extend extends fan fit focused free gain gained
        gains gift gl grand grant granted grants gross growing growth hand handsome hard hide
        highlight holiday holidays huge important increase increased insurance interest interests
        join joined joke legal leave limited lobby low lower lowest lts mandatory matter matters
        mature miss missed natural novel number offer offers offline original outreach party passive
        pay play played plays popular prepared pressure prevent prevents profit profits progress
        prospect prospects protect protected protects reach reached reaches reaching risk risks safe
        safety secure secured secures security sentence sentences share shared shares sharing
        shortage solid solution solutions special spirit straight strength strengths strike support
        supported supporting supports top tops treasury update value valued values vested vip vision
        vital warning weird well wells xp
        """
    )
    # courtesies and small words of talk
    + _words(
        """
        agree agreed alright aok certain certainly clear clearly dear definite definitely fair
        fairly feeling fine forget ha haha hello hey honest honestly hope hopes hoping
        kind like lol ok okay please pretty promise promised promises sincerely sorry super sure
        surely surprise surprised true truly want wanted wants welcome wish yeah yep yes
        """
    )
)
"""Words of VADER's list that say nothing about the feeling of a sales call; they are taken out of it."""

WORDS: dict[str, float] = {
    # the price is too high
    **_family(-2.0, "expensive pricey costly overpriced unaffordable exorbitant steep"),
    # the contract ends
    **_family(-2.4, "cancel cancels cancelled canceled cancelling canceling cancellation cancellations"),
    **_family(-2.2, "terminate terminating termination unsubscribe downgrade downgrading quit quitting"),
    # the product fails
    **_family(-2.0, "outage outages downtime unreliable buggy glitchy"),
    **_family(-2.0, "laggy unusable unstable clunky outdated downhill deteriorated"),
    **_family(-1.8, "bug bugs glitch glitches error errors fails failed failing broken breaks breaking"),
    **_family(-1.5, "slow slower sluggish delay delays delayed complicated cumbersome confusing tedious"),
    **_family(-1.5, "issue issues hassle headache headaches struggle struggles struggling nuisance mess"),
    # the service fails
    **_family(-2.4, "unacceptable ridiculous outrageous unprofessional incompetent rude appalling"),
    **_family(-2.0, "refund refunds overcharged overcharge complaint complaints complain complaining"),
    **_family(-1.8, "escalate escalating lawyer lawyers lawsuit sue misled misleading misrepresented"),
    # doubt and refusal
    **_family(-1.5, "unfortunately sadly regrettably afraid"),
    **_family(-1.5, "hesitant reluctant sceptical skeptical unconvinced"),
    **_family(-1.5, "concerned concern concerns worried unsure decline declining reject refuse pointless"),
    **_family(-0.6, "no nope"),
    # thanks, in a call, are manners first
    **_family(0.6, "thank thanks appreciate appreciated glad happily"),
    # relief and praise
    **_family(0.8, "help helping recommend recommended recommending approved approve approves"),
    **_family(1.8, "patient attentive courteous polite"),
    **_family(1.8, "prompt promptly thorough professional knowledgeable"),
    **_family(1.5, "simpler simplify simplifies smoother quick"),
    **_family(1.5, "quickly generous reasonable gorgeous beautifully content"),
    **_family(2.0, "impressed impressive seamless seamlessly"),
    **_family(2.0, "smooth smoothly painless effortless intuitive"),
    **_family(2.0, "fantastic superb brilliant delighted thrilled reliable responsive straightforward"),
    **_family(1.2, "trust trusted trusts useful helpful valuable convenient"),
    **_family(1.2, "affordable handy helps helped faster quicker easier"),
}
"""Valences from -4 (worst) to 4 (best), as VADER's."""
