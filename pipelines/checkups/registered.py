"""The registry: the version that serves is whole there, so that another machine can fetch it too."""

from components.core.errors import WinnowError
from components.core.model_versions import CHAMPION, versions
from components.core.version_files import fetch
from pipelines.checkups import Finding
from pipelines.settings import model_name


def champion() -> list[Finding]:
    """The champion's files are what was registered."""
    for version in versions(model_name()):
        if CHAMPION in version.aliases:
            try:
                fetch(version, fresh=True)
            except WinnowError as error:
                what, _, cure = str(error).partition(": ")
                return [Finding(f"the champion, {what}.", cure.rstrip(".") + ".")]
    return []
