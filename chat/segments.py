"""Words of text that has no spaces between them, for the index of the search.

Chinese and Japanese are not cut into words by databases. Each two neighbouring characters become a word here, and so
does the last one of a run: whatever is looked for is then one word, or several in a row.
"""

from __future__ import annotations

import re

# Han with its extensions, kana, hangul; without the punctuation among them.
_CJK = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)
#: Letters that the last word of a query needs, so that it may be the beginning of one.
PREFIX = 3

_RUN = re.compile(f"[{_CJK}]+")
_PIECE = re.compile(f"([{_CJK}]+)|([^{_CJK}]+)")
_WORD = re.compile(r"[^\W_]")


def index_text(body: str) -> str:
    """Return what is to be indexed beside *body*: nothing where it has no such characters.

    Otherwise all of it, cut: words of other scripts often stand among them without spaces too.
    """
    if body.isascii() or not _RUN.search(body):
        return ""
    return " ".join(" ".join(pairs(run)) if run else other.strip() for run, other in _PIECE.findall(body))


def pairs(run: str) -> list[str]:
    """Return each two neighbouring characters of *run*, and its last one."""
    return [run[place : place + 2] for place in range(len(run))]


def phrases(query: str) -> list[tuple[list[str], bool]]:
    """Return what all must be in a message that *query* finds: words in a row, and whether the last is a beginning.

    A beginning is the last word of the query, which is perhaps still being typed, and a single Chinese character. What
    holds no letter and no digit looks for nothing and is left out.
    """
    found: list[tuple[list[str], bool]] = []
    for run, other in _PIECE.findall(query):
        if not run:
            found += [([word], False) for word in other.split() if _WORD.search(word)]
        else:
            # Two characters at least are complete words of the index; the last one alone would ask too much.
            found.append((pairs(run)[:-1], False) if len(run) > 1 else ([run], True))
    if found and query[-1:].strip() and len(found[-1][0]) == 1:
        last = found[-1][0][0]
        # So many words begin with one or two letters that it would take long, and show nearly everything.
        found[-1] = (found[-1][0], found[-1][1] or (len(last) >= PREFIX and not _RUN.match(last)))
    return found
