"""The faults that `dirty_texts` plants in a table: rows of each, and the sentence that must name it."""

import unicodedata
from dataclasses import dataclass, field

import numpy as np

TOPICS = {
    "sea": "harbor boat anchor tide wave sail captain storm coast island reef gull pier buoy deck mast rope net fisher "
    "salt shore beach current lighthouse keel cargo ferry canal dock crew whale seal crab kelp foam",
    "law": "court judge appeal verdict clerk statute lawyer trial jury witness oath motion brief ruling bench docket "
    "plaintiff fine bail hearing charter treaty clause contract lease deed tort claim decree notary panel writ guilt",
}
SCRIPTS = (
    "The ferry leaves at noon, and the crew is late again.",
    "Die Fähre läuft um zwölf aus, und die Mannschaft fehlt.",
    "El ferry sale a mediodía; ¿dónde está la tripulación?",
    "Паром отходит в полдень, а команды всё ещё нет.",
    "Το πλοίο φεύγει το μεσημέρι και το πλήρωμα λείπει.",
    "המעבורת יוצאת בצהריים והצוות עדיין לא הגיע.",
    "العبّارة تغادر ظهرًا والطاقم لم يصل بعد.",
    "नाव दोपहर को निकलती है और चालक दल अभी नहीं आया।",
    "渡轮中午开船，船员还没有到。",
    "フェリーは正午に出ますが、乗組員がまだ来ません。",
    "페리는 정오에 떠나는데 선원들이 아직 오지 않았다.",
    "เรือข้ามฟากออกตอนเที่ยงแต่ลูกเรือยังไม่มา",
)
SHORT = ("omw", "k thx", "u coming 2nite?", "lol no way!!", "c u l8r", "brb, gtg", "idk tbh")
HEAD = "You get this message because you signed up for the newsletter of the harbor office."
FOOT = "-- \nSent from my phone, please excuse typos and the tone."
HTML = (
    "<script>alert('ahoy')</script> the boat is in",
    '<img src=x onerror="alert(1)"> the judge is out',
    "</blockquote></td></table><h1>LARGE</h1> a ruling",
    "{{ 7 * 7 }} ${7*7} <!-- a comment --> &lt;b&gt; a clause",
    "'\"><svg/onload=alert(2)> the tide",
)
PLAIN = (
    "anchor tide wave sail captain storm coast island reef gull pier buoy deck mast rope net fisher salt shore beach"
)


@dataclass(frozen=True)
class Row:
    """A text as it is planted, and as it is to be kept where that differs."""

    id: str
    text: str
    label: str
    split: str
    as_kept: str | None = None

    @property
    def kept(self) -> str:
        """As the store must have it."""
        return unicodedata.normalize("NFC", self.text if self.as_kept is None else self.as_kept)


@dataclass(frozen=True)
class Fault:
    """says: a pattern of the sentence that names it; empty: each text's own reason does, or nothing is wrong."""

    name: str
    says: str = field(default="", compare=False)


def faults() -> dict[Fault, list[Row]]:
    """Rows by fault; what is in a test split is said by the row."""
    found = {**_kept_as_they_are(), **_mended(), **_copies()}
    found[Fault("a head that many share", "texts begin alike")] = _rows(
        "head", [f"{HEAD}\n{_own(number)}" for number in range(30)]
    )
    found[Fault("a foot that many share", "texts end alike")] = _rows(
        "foot", [f"{_own(number + 30)}\n{FOOT}" for number in range(30)]
    )
    return found


def _kept_as_they_are() -> dict[Fault, list[Row]]:
    return {
        Fault("quotes, separators and line ends in a cell"): _rows(
            "quotes", ['He said, "Anchor!", twice;\nthen left', '"', "a\tb | c, d"], kept={1: '"', 2: "a b | c, d"}
        ),
        Fault("cells that look like formulas"): _rows("formula", ["=1+1", "=HYPERLINK('x')", "@SUM(A1)", "+49 30 1"]),
        Fault("twelve languages in ten scripts"): _rows("script", list(SCRIPTS)),
        Fault("emoji, families and skins"): _rows("emoji", ["⚓🌊⛵", "ok 👍🏽❤️", "👨‍👩‍👧‍👦 at sea 🏴‍☠️"]),
        Fault("texts as short as a message"): _rows("short", list(SHORT)),
        Fault("a single character"): _rows("single", ["x", "!", "海"]),
        Fault("HTML, scripts and templates"): _rows("html", list(HTML)),
        Fault("accents apart from their letters"): _rows("apart", ["Cafe\u0301 au lait on deck"]),
    }


def _mended() -> dict[Fault, list[Row]]:
    enormous = " ".join(f"{PLAIN.split()[number % 20]}{number % 977}" for number in range(100_000))
    return {
        Fault("NUL and control characters", "control characters"): _rows(
            "control", ["an\x00chor\x07 up", "de\x1bck"], kept={0: "anchor up", 1: "deck"}
        ),
        Fault("marks that turn the direction of writing", "control characters"): _rows(
            "turn", ["the \u202egnp.exe\u202c file", "\u200fשלום\u200f ים"], kept={0: "the gnp.exe file", 1: "שלום ים"}
        ),
        Fault("100,000 words", "longer than ingest.modality.characters"): _rows(
            "enormous", [enormous], kept={0: enormous[:10_000].rstrip()}
        ),
        Fault("nothing, blanks and line ends alone"): _rows("empty", ["", "  \n\t ", "\u200f\x00"]),
    }


def _copies() -> dict[Fault, list[Row]]:
    near = f"{PLAIN} {TOPICS['law']} again and again until the evening came over the bay and all was still"
    under_two = "the same words under two classes are a question for a person"
    slightly = f"{PLAIN} while nobody on the pier could say whose boat that was"
    close = f"{' '.join(PLAIN.split()[::-1])} and then the fog lay on the water for a whole day"
    return {
        Fault("exact copies"): [Row(f"copy-{n}", "this stands here twice, word by word", "sea", "train") for n in "01"],
        Fault("near-duplicates", "nearly the same"): [
            Row("near-0", near, "sea", "train"),
            Row("near-1", f"{near}!", "sea", "train"),
        ],
        Fault("one text under two classes"): [
            Row("conflict-0", under_two, "sea", "train"),
            Row("conflict-1", under_two, "law", "train"),
        ],
        Fault("nearly one text under two classes", "bear different classes"): [
            Row("slight-0", slightly, "sea", "train"),
            Row("slight-1", f"{slightly}!", "law", "train"),
        ],
        Fault("a training text in the test split"): [
            Row("leak-0", "what the test asks was learned by heart", "law", "train"),
            Row("leak-1", "what the test asks was learned by heart", "law", "test"),
        ],
        Fault("nearly a training text in the test split", "in both splits"): [
            Row("close-0", close, "law", "train"),
            Row("close-1", f"{close}!", "law", "test"),
        ],
    }


def _own(number: int) -> str:
    """A text of its own words."""
    words = np.array(" ".join(TOPICS.values()).split())
    return " ".join(np.random.default_rng(number).permutation(words)[:24].tolist())


def _rows(name: str, texts: list[str], *, kept: dict[int, str] | None = None) -> list[Row]:
    return [
        Row(f"{name}-{number}", text, "sea" if number % 2 else "law", "train", (kept or {}).get(number))
        for number, text in enumerate(texts)
    ]
