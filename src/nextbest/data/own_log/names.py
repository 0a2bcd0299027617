"""What columns of logs are called: patterns by role, and names for what has none yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

NAMES = {
    "propensity": (
        r"propens", r"p_?score$", r"logging_p", r"label_probability", r"^p_?(log\w*|b|0)?$",
        r"(^|_)prob(s|ab\w*)?(_|$)", r"likelihood", r"(^|_)chances?(_|$)", r"wahrscheinlich",
        r"probab", r"pi_?b$", r"(^|_)(ipw|iptw|ips|importance_weight|inverse_p\w*)(_|$)",
    ),
    "time": (
        r"decided", r"decision_(time|date|ts)", r"impression", r"shown", r"served", r"sent",
        r"timestamp",
        r"(^|_)(time|ts|datetime|date|when|day|at|on|fecha|hora|datum|zeit)(_|$)|(zeit(punkt)?|datum)$",
    ),
    "outcome": (
        r"(^|_)([ck]li[ck]|clk$)", r"reward", r"conver", r"visit", r"respon", r"purchas", r"bought",
        r"(^|_)(buy|order|sale|kauf|gekauf|geklickt|compra|achat)", r"success",
        r"(^|_)(open|geoffnet|abierto|ouvert)", r"accept", r"label$", r"outcome", r"sign_?up",
        r"subscri", r"(^|_)react", r"watch", r"like[ds]?$", r"target$", r"^y$", r"redeem",
        r"install", r"antwort", r"respuesta", r"eingelost|abgeschlossen|contratad", r"retention",
    ),
    "money": (
        r"spen[dt]", r"revenue", r"amount|(^|_)amt(_|$)", r"(^|_)value", r"sales", r"gmv",
        r"margin", r"profit", r"paid", r"basket", r"income", r"importe", r"umsatz", r"betrag",
        r"montant", r"eur(os?)?$", r"usd$", r"price", r"ltv", r"ingreso",
    ),
    "action": (
        r"^(chosen_|selected_)?(action|treatment|arm)(_?(id|name|taken))?$", r"label_action$",
        r"treat", r"(^|_)arm", r"action", r"offer|oferta|angebot|offre", r"creative", r"banner",
        r"(^|_)ad_?(group|set)?(_?id)?$", r"campaign|kampagne", r"variant|variation", r"experiment",
        r"(^|_)group$", r"bucket", r"item", r"product|producto|produkt", r"movie|video", r"article",
        r"content", r"sku", r"recommend", r"^(chosen|selected|choice|pick|displayed)(_|$)",
        r"massnahme|aktion", r"(^|_)(version|landing_page|layout|design)$",
        r"template|newsletter|mail_name|plantilla|vorlage", r"promo|coupon|voucher|gutschein",
        r"segment",
    ),
    "channel": (
        r"channel", r"medium", r"placement", r"position", r"(^|_)slot", r"kanal", r"canal",
        r"touchpoint",
    ),
    "decision": (
        r"(decision|impression|event|request|log|record|row|interaction|message|send|mailing|"
        r"transaction|exposure|assignment|nachricht|vorgang|contact|kontakt)s?_?"
        r"(id|key|uuid|no|nr|number|nummer)$",
        r"(^|_)ad_?(id|key)$", r"^id$", r"uuid", r"guid", r"(^|_)id$",
        r"^(decision|impression|event|request|message|vorgang|nachricht)$",
    ),
    "customer": (
        r"(customer|user|client|member|visitor|person|subscriber|account|patient|cust|cliente|"
        r"kunden?|reader|player|driver)(_?(id|key|no|nr|number|nummer|hash|uuid))?$",
        r"^uid$", r"^cid$", r"cookie", r"session_?id", r"device_?id", r"msisdn", r"e_?mail$",
    ),
    "eligible": (
        r"eligib|elegib", r"candidat", r"slate", r"avail", r"arms$", r"choices", r"options",
        r"actions$", r"offers$", r"pool", r"^a$",
    ),
    "policy": (r"polic", r"strateg", r"(^|_)logger", r"algo"),
    "control": (r"control", r"hold_?out", r"held_?out"),
}  # fmt: skip
SINGLE = NAMES["decision"][0]  # names a decision, or what is one to whoever logs
ITSELF = rf"{SINGLE}|^id$|uuid|guid"  # names a row
CONTROL = re.compile(  # a value that says that nothing was done
    r"none|no[ _-].*|control( group)?|ctrl|holdout|hold[ _-]out|nothing|untreated|not treated|"
    r"kein\w*( .*)?|ning[uú]n\w*( .*)?|sin .*|nada|aucune?( .*)?",
    re.I,
)
_CAME = (
    "[ck]li[ck]|klick|conver|churn|buy|purchas|kauf|open|respon|visit|order|sale|default|cancel|"
    "attrition|subscri|redeem|accept|up_?sell|cross_?sell|sign_?up|renew|reward|success|outcome"
)
PREDICTED = re.compile(  # what a model says will come, and not how something was chosen
    r"predict|expected|estimat|forecast|uplift|p_(resp|click|conv)|^q_|score_model|"
    r"(propensity|likelihood)_to_|abwander|"
    rf"(^|_)({_CAME})\w*(prob|propens|likel|chance|rate$|wahrsch)|"
    rf"(^|_)(p|prob\w*|propensity|likelihood|chance)(_of|_for)?_({_CAME})"
)
BEFORE = re.compile(
    r"(^|_)(prior|past|last|prev\w*|previous|history|lifetime|avg|mean|since|vorjahr|letzte\w*|"
    r"rate|bisher\w*|anterior\w*)(_|$)"
)
AFTER = re.compile(
    r"(^|_)(expos|[ck]li[ck]|geklickt|open|geoffnet|visit|conver|outcome|reward|respon|deliver|"
    r"bounce|result|purchas|bought|redeem|gekauft|kauf(?!kraft)|bestell|ergebnis|resultado|"
    r"event_type|status|dwell|play_time|time_spent|long_view|follow(ed)?(_|$))|"
    r"^((call|session|visit)_)?duration(_|$)|unsub|churned|after|(^|_)post_"
)
UNWISHED = re.compile(  # what came, and nobody hoped for
    r"unsub|opt_?out|complain|(^|_)(bounce|churn|cancel|return(ed)?$|refund|spam|dislike|hide|"
    r"hidden|skip|ignor|reject|declin|dismiss|fraud|fail|error|block)|abgemeldet|abmeld|abbestell|"
    r"beschwer|retour|gekundigt|kundigung|(^|_)(baja|queja)|devol|desabon|"
    r"^(no|not|non|never|kein|nicht|sin)_"
)
COST = re.compile(r"(^|_)(costs?|loss|regret|penalty|kosten|costes?|couts?|verlust)$")
DATED = re.compile(r"time_?stamp|(^|_)(ts|date|datetime|datum|fecha)(_|$)|zeitpunkt")  # not a day
BORN = re.compile(r"birth|(^|_)dob$|geburt|nacimient|naissance|expir|valid_(to|until)")
_RESERVED = (
    "customer_id as_of decision_id decided_at treatment action_id channel propensity policy "
    "reason_code eligible rejected matured reward value policy_version control_group seed "
    "p_response expected_value model_version"
)
RESERVED = frozenset(_RESERVED.split(" "))  # names of the log's own columns


def word(name: str) -> str:
    """A name as small words joined by _, without accents: userId and User-ID are user_id."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = unicodedata.normalize("NFKD", apart.replace("ß", "ss"))
    bare = "".join(letter for letter in plain.lower() if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")


def rank(role: str, named: str) -> int | None:
    """How well a word fits a role: the position of the first pattern found in it, from 0."""
    return next((at for at, part in enumerate(NAMES[role]) if re.search(part, named)), None)


def free_name(named: str, taken: Container[str]) -> str:
    """A name for a column that is not taken; it begins with a letter."""
    named = re.sub(r"^[^a-z]+", "", named) or "column"
    while named in taken or not _plain(named):
        named = f"log_{named}"
    return named


def kind_name(named: str) -> str:
    """What a column's kind of outcome is called."""
    named = re.sub(r"^[^a-z]+", "", named) or "response"
    return f"{named}_outcome" if named in RESERVED else named


def _plain(named: str) -> bool:
    """Whether a rule can name it without backticks: `alter` is a word of SQL's own."""
    try:
        return isinstance(sqlglot.parse_one(named, dialect="spark"), exp.Column)
    except ParseError:
        return False
