"""What a person can get wrong, case by case: what was done, where it comes out, and what the answer must say."""

from bad_input_cases.commands import COMMANDS
from bad_input_cases.kinds import KINDS
from bad_input_cases.labels import LABELS
from bad_input_cases.pictures import PICTURES
from bad_input_cases.rules import RULES
from bad_input_cases.settings import SETTINGS
from bad_input_cases.stages import STAGES
from bad_input_cases.texts import TEXTS

SECTIONS = {
    "Settings, before anything runs": SETTINGS,
    "Methods of the wrong kind, before anything runs": KINDS,
    "Pictures, in the stage that reads them": PICTURES,
    "Texts, in the stage that reads them, and how they are asked for": TEXTS,
    "Labels": LABELS,
    "Rules as weak labels": RULES,
    "Stages": STAGES,
    "Commands": COMMANDS,
}
CASES = [case for cases in SECTIONS.values() for case in cases]
