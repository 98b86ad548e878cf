"""``tandem serve``: the whole local stack in the foreground."""

from orchestrator.acceptance_readiness import configured_card
from orchestrator.settings_file import settings_path
from orchestrator.stack.part import StackError
from orchestrator.stack.serve import serve as serve_stack
from orchestrator.verifiers import build_verifier
from routers.acceptance.card import CardUnreadable
from routers.asking.card import find_asking_card
from web.cli.options import Config, settings_or_exit
from web.cli.terminal import plain_console, print_error
from workers.model_files.errors import ModelUnavailable


def serve(config: Config = None) -> None:
    """Start Redis, the engines, a worker and the gateway; Ctrl-C stops all of them."""
    settings = settings_or_exit(config)
    try:
        # The gateway reads the cards as well, but what it says then is in its log only.
        configured_card(settings)
        build_verifier(settings)
        find_asking_card(settings.auto.asking_card)
        serve_stack(settings, settings_path(config), plain_console())
    except (StackError, ModelUnavailable, CardUnreadable) as error:
        print_error(error)
        raise SystemExit(1) from None
