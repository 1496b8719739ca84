"""Telling languages apart by script and by their most frequent words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

CODES = {
    "en": "english", "es": "spanish", "fr": "french", "de": "german", "it": "italian", "pt": "portuguese",
    "nl": "dutch", "sv": "swedish", "pl": "polish", "tr": "turkish", "ru": "russian", "uk": "ukrainian",
    "el": "greek", "ar": "arabic", "he": "hebrew", "hi": "hindi", "th": "thai", "zh": "chinese",
    "ja": "japanese", "ko": "korean",
}  # fmt: skip

# Only words that are frequent in one language and rare in the others; shared ones decide nothing.
_FREQUENT = {
    "english": (
        "the of and to is that it for was with as on this are be at have from or by not but what all "
        "were when we there can an your which their said if do will each how them then she many some "
        "so these would other into has more her two like him see time could make than been its who "
        "now people my made over did down only way find use may long little very after words called "
        "just where most know he they you i his had about"
    ),
    "spanish": (
        "el la los las de que y en un una es por con para no su al lo como más pero sus le ya este sí "
        "porque esta entre cuando muy sin sobre también hasta hay donde quien desde todo nos durante "
        "todos uno les ni otros ese eso ante ellos e esto mí antes algunos unos yo otro otras otra él "
        "tanto esa estos mucho del está son fue ser tiene puede hola gracias"
    ),
    "french": (
        "le la les de des et un une est que qui dans pour pas sur au avec ce il elle sont nous vous "
        "ne se plus par mais ou où cette ces être avoir fait été tout comme aux leur même aussi bien "
        "peut ont son sa ses je tu du en donc alors très sans sous c'est"
    ),
    "german": (
        "der die das und ist nicht ein eine zu den von mit dem sich des auf für im als auch es an "
        "werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum "
        "war haben nur oder aber vor zur bis mehr durch man sein wurde sei ich wir ihr kann wenn "
        "diese"
    ),
    "italian": (
        "il lo la gli le di che è e un una per non con sono da del della in come più ma anche si al "
        "dei nel alla delle questo questa essere ha ho hanno perché quando molto tutto loro suo sua "
        "cui dove così dal degli nella sulla io tu noi voi"
    ),
    "portuguese": (
        "o os as de que e do da em um uma é para com não por mais dos das se na no ao como mas foi "
        "ele ela são seu sua ou ser quando muito há nos já está eu também só pelo pela até isso entre "
        "era depois sem mesmo aos ter seus quem nas me esse eles você tem"
    ),
    "dutch": (
        "de het een en van is dat op te in voor met niet zijn aan er maar om ook als dan bij nog naar "
        "uit door over worden wordt heeft hebben deze die wat ze hij kan geen meer ik je we wij moet "
        "veel onder tot"
    ),
    "swedish": (
        "och att det som en på är av för med den till inte har de ett om var jag men sig så han från "
        "vi kan när ska nu eller vara också efter hon upp mycket detta finns alla"
    ),
    "polish": (
        "i w na z do nie się to jest że o jak po co tak za od ale czy przez być był dla tym już jego "
        "są jej tylko może które który która oraz bardzo"
    ),
    "turkish": (
        "ve bir bu da de için ile çok olarak daha olan gibi ne var ama ben kadar sonra o en değil mi "
        "her şey olduğu iki ya ki"
    ),
    "russian": (
        "и в не на что я он с как это но они мы вы она так его все же от было по из у к за бы только "
        "мне еще нет да или если для есть был быть при этого"
    ),
    "ukrainian": (
        "і в не на що я він з як це але вони ми ви вона так його все від було по із у до за би тільки "
        "є та або якщо для був бути при цього також"
    ),
}
_SCRIPTS = (
    ("HIRAGANA", "japanese"), ("KATAKANA", "japanese"), ("HANGUL", "korean"), ("CJK", "chinese"),
    ("THAI", "thai"), ("DEVANAGARI", "hindi"), ("ARABIC", "arabic"), ("HEBREW", "hebrew"), ("GREEK", "greek"),
)  # fmt: skip
# Scripts without spaces between words: about this many characters make one.
_CHARACTERS_PER_WORD = 2.0
_BY_WORD: dict[str, list[str]] = {}
for _language, _words in _FREQUENT.items():
    for _word in set(_words.split()):
        _BY_WORD.setdefault(_word, []).append(_language)


def count_words_by_language(text: str) -> dict[str, float]:
    """
    Count the words that give away their language; a word of several languages is split among them.

        count_words_by_language("the cat and el gato")  ->  {"english": 2.0, "spanish": 1.0}
    """
    counts: Counter[str] = Counter()
    for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", _prose(text).lower()):
        script = _script_language(word)
        if script is not None:
            spaced = script not in ("japanese", "chinese", "thai")
            counts[script] += 1.0 if spaced else len(word) / _CHARACTERS_PER_WORD  # type: ignore[assignment]
            continue
        languages = _BY_WORD.get(word, [])
        for language in languages:
            counts[language] += 1 / len(languages)  # type: ignore[assignment]
    if counts["japanese"]:
        # Japanese is written with Chinese characters too.
        counts["japanese"] += counts.pop("chinese", 0)
    return {language: float(count) for language, count in counts.items() if count}


def detect_dominant_language(text: str) -> str | None:
    """Return the language that most words give away, or None when none does."""
    counts = count_words_by_language(text)
    return max(counts, key=lambda language: counts[language]) if counts else None


def _prose(text: str) -> str:
    """Leave out code, formulas and addresses, which belong to no language."""
    text = re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$", " ", text, flags=re.DOTALL)
    return re.sub(r"https?://\S+|<[^<>]*>|\\\w+", " ", text)


def _script_language(word: str) -> str | None:
    if word.isascii():
        return None
    names = [unicodedata.name(character, "") for character in word]
    return next((lang for script, lang in _SCRIPTS if any(n.startswith(script) for n in names)), None)
