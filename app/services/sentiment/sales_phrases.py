"""What turns of phrase mean in a sales call, where VADER would read their words one by one and wrongly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Phrase:
    """A turn of phrase that VADER would read word by word, and wrongly; it is read as one word, ``name``.

    ``before``: the word is put before the phrase, which then is read as well.
    """

    name: str
    valence: float
    expression: str
    before: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when it is first needed, which is never in a process that only knows of the engine."""
        return re.compile(self.expression)

    def mark(self, text: str) -> str:
        return self.pattern.sub(f" {self.name} \\g<0>" if self.before else f" {self.name} ", text)


_PARTS = {
    "NOT": r"(?:not|never|no longer|cannot|without|\w+n't"
    r"|(?:do|does|did|is|are|was|were|ca|wo|have|has|had|would)nt)",
    "UPTO2": r"(?:\s+[\w'-]+){0,2}?\s+",
    "UPTO3": r"(?:\s+[\w'-]+){0,3}?\s+",
    "WE": r"(?:i|we|us|me|you|they|he|she|our|my)",
    "TROUBLE": r"(?:problem|issue|headache|pain|hassle|trouble|mess|frustration|struggle|bottleneck|nightmare"
    r"|hitch|glitch|complaint|outage|error|delay)(?:e?s)?",
    "SOLVE": r"(?:solv|fix|remov|eliminat|end|resolv|address|clear|sort)(?:e|es|ed|s|ing)?",
    "MEANS": r"(?:budget|money|funds|funding|capacity|bandwidth|resources)",
}


def _phrase(name: str, valence: float, *patterns: str, before: bool = False) -> Phrase:
    joined = "|".join(patterns)
    for part, expression in _PARTS.items():
        joined = joined.replace(f"<{part}>", expression)
    return Phrase(name, valence, rf"(?<![\w'])(?:{joined})(?![\w'])", before)


PHRASES: tuple[Phrase, ...] = (
    # small talk whose words only look like praise
    _phrase(
        "manners",
        0.0,
        r"good (?:morning|afternoon|evening|day)",
        r"feel free",
        r"(?:free|toll) (?:trial|free)",
        r"in charge",
        r"to be (?:perfectly |completely |quite )?(?:honest|fair|frank)",
        r"i'm afraid(?= (?:of|to say)\b)",
    ),
    _phrase(
        "harmless",
        0.4,
        r"(?:no|not an?|isn't an?) <TROUBLE>",
        r"no (?:worries|hurry|rush)",
    ),
    _phrase(
        "willing",
        0.4,
        r"(?:happy|glad|pleased|delighted) to",
    ),
    _phrase(
        "pleasure",
        1.0,
        r"my pleasure",
    ),
    # liking, and likeness
    _phrase(
        "likes",
        1.8,
        r"(?:i|we|they|he|she|team|everybody|staff) (?:really |do |all |also |quite )*(?:like|likes|liked)",
    ),
    # trouble that ends
    _phrase(
        "relief",
        2.2,
        r"<SOLVE><UPTO3><TROUBLE>",
        r"without (?:a |any |a single )?<TROUBLE>",
        r"(?:get|gets|getting|got) rid of<UPTO3><TROUBLE>",
    ),
    _phrase(
        "saving",
        2.2,
        r"sav(?:e|es|ed|ing)<UPTO3>(?:time|hours?|money|days?|weeks?|work|effort|fortune)",
    ),
    # refusals, polite ones too
    _phrase(
        "denial",
        -0.6,
        r"no,?(?= (?:i|we|it|that|this|they|he|she|you|there|not|my|our)\b)",
    ),
    _phrase(
        "unwilling",
        -2.2,
        r"<NOT><UPTO2>(?:interest|interested|keen|convinced|sold|comfortable)",
        r"no interest",
        r"<NOT><UPTO3>(?:go|going|move|moving) (?:ahead|forward|further|any further)",
        r"<NOT><UPTO2>(?:proceed|continu|renew|extend|sign)(?:e|ing)?",
        r"<NOT><UPTO2>(?:buy|buying|purchase|pay|paying|commit|justify|recommend)",
        r"(?:stay|staying|stick|sticking|happy|content|fine) with (?:what|the one) (?:i|we)",
        r"(?:stay|stick|happy|content|fine)(?:ing)? with (?:my|our|the) (?:current|existing|old|present)",
        r"(?:decid|chos|opt)(?:e|ed|en|ing)?(?: \w+)? (?:against|not|pass|elsewhere)",
        r"(?:we'll|i'll|will|to|gonna) pass(?: on (?:this|it|that))?",
        r"rather not",
        r"no thank(?:s| you)",
        r"not (?:really )?for (?:us|me)",
        r"not (?:really )?(?:a|the) (?:good |right |great )?fit",
        r"(?:take|remove|delete) (?:me|us|my|our)<UPTO3>(?:off|from|list|number|database)",
        r"(?:stop|quit) (?:calling|emailing|contacting|sending|ringing)",
        r"<NOT> (?:call|contact|email|ring)",
    ),
    _phrase(
        "unneeded",
        -1.6,
        r"<NOT><UPTO2>(?:need|see|worth|point in|the point|any use|benefit)",
        r"no (?:point|need|use|reason|benefit)",
        r"<NOT><UPTO2>(?:right|good|best) (?:time|moment|year|quarter)",
        r"bad (?:time|moment|year|quarter)",
    ),
    _phrase(
        "unlike",
        -1.8,
        r"<NOT> (?:what|how|as|like)<UPTO3>(?:told|promised|said|expected|ordered|agreed|sold|asked|paid)",
    ),
    # money and means
    _phrase(
        "pricey",
        -2.0,
        r"(?:over|above|beyond|outside|out of)<UPTO2>(?:budget|price range|reach)",
        r"more(?: \w+)? than <WE>(?: \w+){0,3} (?:spend|pay|afford|budgeted|expected|planned|hoped|wanted)",
        r"more than <WE> (?:budgeted|expected|planned|hoped|wanted|thought)",
        r"(?:a lot|too much|so much|that much|amount|kind|sort) (?:of )?money",
        r"cheaper",
        r"half the price",
        r"for less",
        r"(?:huge|big|hefty|massive|large|enormous) (?:amount|sum|price|bill|invoice|increase|jump|outlay)",
        r"<NOT><UPTO2>(?:afford|affordable)",
    ),
    _phrase(
        "means",
        -1.8,
        r"<NOT><UPTO3>(?:[\w'-]+ )?<MEANS>",
        r"no(?: \w+)? <MEANS>",
        r"<NOT> have (?:the |any |enough |much )?time",
        r"no time",
    ),
    _phrase(
        "excess",
        -1.4,
        r"(?<!me )(?<!you )(?<!us )(?<!that )too(?= (?!and |but |so |because |we |i )[\w'-])",
        before=True,
    ),
    # it does not do what it should
    _phrase(
        "failing",
        -2.0,
        r"<NOT><UPTO2>(?:works?|working|function|loads?|loading|open|connect)",
        r"<NOT><UPTO2>(?:syncs?|integrates?|respond|add up)",
        r"(?:stopped|stops) working",
        r"(?:went|goes|going|been|is|was) (?:down|offline)",
        r"falls? apart",
        r"(?:keeps?|kept) (?:crash|fail|break|freez|drop|disconnect|los|ask|chang|go|com)\w*",
    ),
    _phrase(
        "baffled",
        -1.6,
        r"(?:<NOT>|nobody|no one|none)<UPTO3>(?:figure|understands?|work out|makes? sense|follow)",
        r"(?:nobody|no one|none)<UPTO3>(?:can|could|uses?|used|wants?|likes?)",
    ),
    _phrase(
        "overbilled",
        -2.0,
        r"(?:charged|billed|invoiced)(?: \w+){0,2} (?:twice|double|again|wrongly|too much|for nothing)",
        r"(?:my|our|your|the) money back",
        r"(?:double|over|wrongly) (?:charged|billed)",
        r"hidden (?:fee|cost|charge)s?",
        r"(?:price|cost|fee|bill|rate)s?<UPTO2>(?:doubled|tripled|(?:gone|went|going) up|increased|risen)",
    ),
    # nobody cares
    _phrase(
        "ignored",
        -1.8,
        r"(?:<NOT>|nobody|no one)(?: \w+)? (?:told|tells?|called|calls|answers?|answered)",
        r"(?:<NOT>|nobody|no one)(?: \w+)? (?:replied|reply|heard|happened|knows|came|showed)",
        r"(?:<NOT>|nobody|no one)(?: \w+)? (?:arrived?|responds?|responded)",
        r"(?:been|sat|sitting|kept(?: me)?) on hold",
        r"(?:still|been|keep|kept) waiting",
        r"no (?:reply|response|answer)",
        r"still (?:<NOT>|no|nothing)",
        r"(?:heard|got|received|done) nothing",
        r"nothing (?:happened|happens|changed|changes|came|works|worked)",
        r"(?:second|third|fourth|fifth) time",
        r"again and again",
        r"over and over",
    ),
    _phrase(
        "anger",
        -2.4,
        r"(?:take|taking|took)<UPTO3>court",
        r"legal action",
        r"(?:fed up|had enough)",
        r"(?:let|letting) (?:me|us|you|them|everybody) down",
        r"(?:burned|burnt|stung|ripped off|cheated) by",
        r"rip off",
        r"(?:speak|talk|complain)(?:ing)? (?:to|with) (?:your|a|the) (?:manager|supervisor|boss)",
    ),
    _phrase(
        "leaving",
        -1.8,
        r"(?:switch|switching|move|moving|go|going) (?:to (?:another|a different|a competitor)|elsewhere)",
        r"(?:gone|go|going|went|signed) (?:with|for) (?:one of )?(?:your|an?|another|the) (?:\w+ )?"
        r"(?:competitors?|other|provider|vendor)",
        r"(?:someone|somebody|something) else instead",
        r"(?:end|ending|close|closing|leave|leaving) (?:my|our|the) (?:account|contract|subscription)",
    ),
    # intent
    _phrase(
        "eager",
        2.0,
        r"(?:can't|cannot|cant) wait",
        r"look(?:ing)? forward",
        r"(?:count|sign) (?:me|us) (?:in|up)",
        r"(?:i'm|we're) sold",
        r"(?:game|life) (?:changer|saver)",
        r"(?:beats|better than)(?= (?:any|every|all|the|our|what)\w*)",
        r"no brainer",
        r"(?:exactly|just) what (?:i|we|our|my)",
        r"(?:that|it) makes sense",
        r"works?(?: \w+)? for (?:me|us)",
        r"(?:been|are|were) looking for",
        r"ready to (?:sign|start|buy|go|move)",
        r"(?:let's|lets|let us) (?:go|get|move)(?: \w+){0,2} (?:ahead|started|signed|done|forward|going)",
        r"(?:let's|lets) (?:do it|start|sign)",
    ),
    _phrase(
        "unable",
        -0.9,
        r"can't",
        r"cant",
        r"cannot",
        r"couldn't",
        r"unable to",
        r"won't be able",
        before=True,
    ),
)
"""Applied in this order to lower-case text; word families and patterns with gaps, no whole sentences."""
