"""Letters as people exchange them: without accents, two for one, from another script, and by their sound."""

import re
import unicodedata

_WITHOUT_MARK = {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"}
_TWO_FOR_ONE = str.maketrans({"å": "aa", "ä": "ae", "ö": "oe", "ø": "oe", "ü": "ue", "æ": "a"})
_CYRILLIC = dict(zip("абвгдезиклмнопрстуфыэіїєґ", "abvgdeziklmnoprstufyeiieg", strict=True)) | {
    "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya",
    "ђ": "d", "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ј": "j",
}  # fmt: skip
_GREEK = dict(zip("αβγδεζηικλμνξοπρσςτυφω", "avgdeziiklmnxoprsstyfo", strict=True)) | {"θ": "th", "χ": "ch", "ψ": "ps"}
_PLAIN = str.maketrans(_WITHOUT_MARK | _CYRILLIC | _GREEK)

_KEYS = {
    key: (row, column)
    for row, keys in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
    for column, key in enumerate(keys)
}

_SOUNDS = (
    ("sch|sj|sh|tj", "s"), ("ph", "f"), ("ck|kh|q|c(?![eiyh])|ch(?=[rlao])", "k"), ("x", "ks"), ("w", "v"), ("z", "s"),
    ("c(?=[eiy])", "s"), ("ou|oo", "u"), ("ee|ie", "i"), ("[aei]y|ai", "ei"), ("[yj]", "i"), ("(?<=[^aeiou])h", ""),
    (r"(.)\1+", r"\1"),
)  # fmt: skip
_BY_SOUND = [(re.compile(written), heard) for written, heard in _SOUNDS]


def fold(text: str) -> str:
    """The text in lower case, without accents and in plain Latin letters, also for Cyrillic and Greek ones."""
    if text.isascii():
        return text.lower()
    bare = _without_marks(_without_marks(text).casefold()).replace("ου", "ou")
    return bare.translate(_PLAIN)


def two_letters(spelling: str) -> str:
    """The folded text with two letters for one, such as oe for ö."""
    return fold(spelling.translate(_TWO_FOR_ONE))


def sound(plain: str) -> str:
    """What is alike in spellings of one name, as in Yousef and Youssef, Philip and Filip, Carlsson and Karlson."""
    for written, heard in _BY_SOUND:
        plain = written.sub(heard, plain)
    return plain


def are_neighbours(one: str, other: str) -> bool:
    """Whether two plain letters are beside each other on a keyboard."""
    if one not in _KEYS or other not in _KEYS:
        return True
    return all(abs(a - b) <= 1 for a, b in zip(_KEYS[one], _KEYS[other], strict=True))


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
