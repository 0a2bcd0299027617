"""What columns of logs are called: patterns by role, the surest first."""

from __future__ import annotations

import re

NAMES = {
    "propensity": (
        r"propens", r"pscore", r"logging_p", r"label_probability", r"^p_?(log\w*|b|0)?$",
        r"(^|_)prob(ability)?(_|$)", r"likelihood", r"(^|_)chance", r"wahrscheinlich",
        r"probabil", r"pi_?b$",
    ),
    "time": (
        r"decided", r"decision_(time|date|ts)", r"impression", r"shown", r"served", r"sent",
        r"timestamp",
        r"(^|_)(time|ts|datetime|date|when|day|at|fecha|hora|datum|zeit|zeitpunkt)(_|$)",
    ),
    "outcome": (
        r"[ck]li[ck]", r"reward", r"conver", r"visit", r"respon", r"purchas", r"bought",
        r"(^|_)(buy|order|sale|kauf|compra|achat)", r"success", r"open", r"accept", r"label$",
        r"outcome", r"sign_?up", r"subscri", r"react", r"watch", r"like[ds]?$", r"target$",
        r"^y$", r"redeem", r"install", r"antwort", r"respuesta",
    ),
    "money": (
        r"spen[dt]", r"revenue", r"amount", r"(^|_)value", r"sales", r"gmv", r"margin", r"profit",
        r"paid", r"basket", r"income", r"importe", r"umsatz", r"betrag", r"montant", r"eur(os?)?$",
        r"usd$", r"price", r"ltv", r"ingreso",
    ),
    "action": (
        r"^(chosen_|selected_)?(action|treatment|arm)(_?(id|name|taken))?$", r"label_action$",
        r"treat", r"(^|_)arm", r"action", r"offer|oferta|angebot|offre", r"creative", r"banner",
        r"(^|_)ad(_?id)?$", r"campaign", r"variant|variation", r"experiment", r"(^|_)group$",
        r"bucket", r"item", r"product|producto|produkt", r"movie", r"article", r"content", r"sku",
        r"recommend", r"segment",
    ),
    "channel": (
        r"channel", r"medium", r"placement", r"position", r"(^|_)slot", r"kanal", r"canal",
        r"touchpoint",
    ),
    "decision": (
        r"(decision|impression|event|request|log|record|row|ad|interaction|message|send|"
        r"transaction|exposure)_?(id|key|uuid|no|nr|number)$",
        r"^id$", r"uuid", r"guid", r"(^|_)id$",
        r"^(decision|impression|event|request|message)$",
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
CONTROL = re.compile(  # a value that says that nothing was done
    r"none|no[ _-].*|control( group)?|ctrl|holdout|hold[ _-]out|nothing|untreated|not treated|"
    r"kein\w*( .*)?|ning[uú]n\w*( .*)?|sin .*|nada|aucune?( .*)?",
    re.I,
)
PREDICTED = re.compile(r"predict|expected|estimat|p_(resp|click|conv)|^q_|score_model")
AFTER = re.compile(
    r"expos|[ck]li[ck]|open|visit|conver|outcome|reward|respon|deliver|bounce|unsub|churned|after|"
    r"post_|result|purchas|bought|redeem"
)


def rank(role: str, word: str) -> int | None:
    """How well a name fits a role: the position of the first pattern found in it, from 0."""
    return next((at for at, part in enumerate(NAMES[role]) if re.search(part, word)), None)
