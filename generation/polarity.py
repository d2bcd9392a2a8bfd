"""Two texts in, whether one denies what the other says out. Counts negations and opposites; English and Chinese."""

import re
from collections.abc import Callable, Sequence

_NEGATION_EN = re.compile(
    r"\b(?:not|never|no|none|neither|nor|nobody|nothing|nowhere|cannot|without|except|excluding|excludes?|unless|hardly|"
    r"rarely|seldom|r[au]n(?:s|ning)? out of|fail(?:s|ed)? to|refus(?:e|es|ed)|unable|lacks?|lacked)\b|n[’']t\b",
    re.IGNORECASE,
)
# "not only ... but", "no longer than", "no. 7" deny nothing, nor does a condition: "they lapse if not taken by June".
_NO_NEGATION_EN = re.compile(
    r"\bnot only\b|\bno\.? \d|\bno\.(?=\s|$)|\bnot (?:\w+ ){0,4}?(?:before|after|until)\b|"
    r"\bno (?:later|earlier|more|less|fewer|longer) than\b|\bnot (?:more|less|later) than\b|"
    r"\bno doubt\b|\bwhether or not\b|\bif (?:\w+ ){0,4}?(?:not|never)\b",
    re.IGNORECASE,
)
_NEGATION_ZH = re.compile(
    "[不没沒未无無勿]|切莫|莫[要再能]|并非|並非|绝非|而非|除外|[除]了?[^，。]{1,12}(?:之外|以外|外)(?!还|還|也)|禁止|拒绝|免于|避免"
)
_NUMBER_SIGN = re.compile(r"\bno\.(?=\s|$)", re.IGNORECASE)
_NO_NEGATION_ZH = re.compile(
    "不到(?=[\\d一二两三四五六七八九十百千万半])|不同|不仅|不僅|不但|不过|不過|不断|不斷|不少|不久|不管|不论|不論|不只|不锈|不单|不一|不等|不足以外|未来|未來|未必|无论|無論|无线|無線|无锡|"
    "没收|没有不|不得不|不丹|不惜|无数|無數|无名|无限|不动产|不動產|不列颠|不莱梅|无机|不久|不时|不由|数不胜|數不勝|不计其|不計其"
)
_YES_NO = re.compile(r"^\W*(?:yes|no|是的|不是|对|不对|没有|不)(?:[,，.。!！:：]\s*|$)", re.IGNORECASE)
_YES = re.compile(r"^\W*(?:yes|是的?|对|可以|会|能|有)\W*$", re.IGNORECASE)
_NO = re.compile(r"^\W*(?:no|不是?|不对|没有|不可以|不会|不能|否)\W*$", re.IGNORECASE)

_OPPOSITES_EN = tuple(
    (re.compile(rf"\b(?:{one})\b", re.IGNORECASE), re.compile(rf"\b(?:{other})\b", re.IGNORECASE))
    for one, other in (
        (
            r"increas\w+|rises?|rose|risen|grow\w*|grew",
            r"decreas\w+|declin\w+|falls?|fell|fallen|reduc\w+|drop\w*|shr[aiu]nk",
        ),
        (r"before|prior to|earlier than", r"after|later than|following"),
        ("above|over|more than|exceed\\w*|higher than", "below|under|less than|fewer than|lower than"),
        ("maximum|at most|up to|no more than|not more than", "minimum|at least|no less than|not less than"),
        ("most|largest|highest|biggest|greatest|longest", "least|smallest|lowest|shortest"),
        ("first|earliest", "last|latest|final"),
        (r"won|wins?|winning|victor\w*", r"lost|loses?|losing|defeat\w*"),
        (r"allow\w*|permit\w*|may|can", r"prohibit\w*|forb[ia]d\w*|bann?(?:ed|s)?"),
        (r"accept\w*|approv\w*", r"reject\w*|declin\w*|den(?:y|ies|ied)"),
        ("north\\w*", "south\\w*"),
        ("east\\w*", "west\\w*"),
        (r"opens?|opened|opening", r"clos(?:e|es|ed|ing)"),
        (r"includ\w+", r"exclud\w+"),
        (r"begins?|began|starts?|started", r"ends?|ended|finish\w*"),
        (r"imports?|imported", r"exports?|exported"),
        ("always", "never|sometimes"),
        ("all|every|each", "some|few"),
        ("mandatory|required|must|compulsory", "optional|voluntary"),
    )
)
_OPPOSITES_ZH = tuple(
    (re.compile(one), re.compile(other))
    for one, other in (
        ("增加|增长|上升|提高|上涨|增大", "减少|下降|降低|下跌|缩减|減少"),
        ("之前|以前|早于", "之后|以后|晚于|之後|以後"),
        ("以上|高于|超过|大于|多于", "以下|低于|不足|小于|少于"),
        ("最多|至多|上限|不超过", "最少|至少|下限|不少于"),
        ("最大|最高|最长", "最小|最低|最短"),
        ("允许|可以|准许", "禁止|不得|不许|严禁"),
        ("首次|第一|最早", "最后|末次|最晚"),
        ("开始|开幕|开业", "结束|闭幕|停业"),
        ("胜|赢|击败", "负于|输|败给|战败"),
        ("进口", "出口"),
        ("接受|批准|通过", "拒绝|驳回|否决"),
        ("必须|强制", "可选|自愿|无需"),
        ("北部|北方|以北", "南部|南方|以南"),
        ("东部|东方|以东", "西部|西方|以西"),
    )
)
# Opposites only where they stand at the same place: "all members" for "some members", "most" for "largest".
_AMOUNTS = tuple(
    (re.compile(rf"^(?:{one})$", re.IGNORECASE), re.compile(rf"^(?:{other})$", re.IGNORECASE))
    for one, other in (
        ("all|every|each|both", "some|few|most|many|several|part|one"),
        ("many|much|several", "few|little"),
        ("more|greater|higher|over|above", "less|fewer|lower|under|below"),
        ("before|until", "after|since"),
        (r"increas\w*|rise\w*|rose", r"decreas\w*|reduc\w*|fell|fall\w*"),
        ("全部|所有|全体|全體|全", "部分|一些|大部分|多数|多數|少数|少數|有些"),
        ("提高|提升|增加|增长|上升|上涨", "降低|下降|减少|下跌"),
        ("前|之前|以前", "后|後|之后|之後|以后|以後"),
        ("至少|最少", "至多|最多"),
        ("以上", "以下"),
        ("首次|首", "末次|末"),
    )
)
# A table's cells and a record's fields are clauses too.
_SHARE_OF_DENIAL = 0.2  # of the claim, in another clause that may be what it denies
_CLAUSE = re.compile(r"[,，;；:：。!?！？\n|]\s*|\.(?!\d)\s*|\s(?=but\b|whereas\b|while\b)|(?=但|而是|然而)")


def negations(text: str) -> int:
    """Count the words that deny something; a leading "No," or "Yes," answers a question and doesn't count."""
    text = _YES_NO.sub("", text, count=1)
    text = _NO_NEGATION_ZH.sub(" ", _NO_NEGATION_EN.sub(" ", text))
    return len(_NEGATION_EN.findall(text)) + len(_NEGATION_ZH.findall(text))


def yes_or_no(text: str) -> bool | None:
    """Tell whether a text is nothing but "yes" (True) or "no" (False); None for anything else."""
    return True if _YES.match(text) else False if _NO.match(text) else None


def contradicts(claim: str, evidence: str, overlap: Callable[[str], float]) -> str:
    """Give the reason why `evidence` denies `claim`, "" when it doesn't.

    `overlap` tells how much of the claim a piece of text holds. Only the best matching clause of the evidence is
    judged, for a sentence may deny one thing and state another. An even number of denials and opposites is agreement.
    """
    evidence = _NUMBER_SIGN.sub("number", evidence)
    clauses = [clause for clause in _CLAUSE.split(evidence) if clause and clause.strip()]
    if not clauses:
        return ""
    clause = max(clauses, key=overlap)
    if overlap(clause) < 0.5:  # the claim joins several clauses: judge those that have a share in it
        clause = ", ".join(part for part in clauses if overlap(part) >= 0.15) or evidence
    denied = min(negations(claim), 1), min(negations(clause), 1)
    denials = [part for part in clauses if negations(part)]
    if denied == (1, 0) and any(overlap(part) >= _SHARE_OF_DENIAL or part.strip("。. ") in claim for part in denials):
        return ""
    flips = _flips(claim, clause)
    if (sum(denied) + len(flips)) % 2 == 0:
        return ""
    if flips:
        return f"the quote says the opposite ({flips[0]})"
    return "the claim denies what the quote says" if denied[0] else "the quote denies what the claim says"


def opposed(said: str, instead: str) -> str:
    """Give the words of two texts at the same place that say the opposite of each other, "" where there are none."""
    return next(iter(_flips(said, instead, (*_OPPOSITES_EN, *_OPPOSITES_ZH, *_AMOUNTS))), "")


def _flips(claim: str, clause: str, opposites: Sequence[tuple[re.Pattern[str], re.Pattern[str]]] = ()) -> list[str]:
    found = []
    for one, other in opposites or (*_OPPOSITES_EN, *_OPPOSITES_ZH):
        for mine, theirs in ((one, other), (other, one)):
            said, answered = mine.search(claim), theirs.search(clause)
            if said and answered and not mine.search(clause) and not theirs.search(claim):
                found.append(f"{said.group()} / {answered.group()}")
    return found
