"""How many items a page of a list has."""

from starlette.requests import Request

from web.errors import invalid, shown

_LARGEST_PAGE = 100


def page_size(request: Request, usual: int) -> int:
    """``?limit=``, or ``usual`` without it. Raises ``ApiError``."""
    given = request.query_params.get("limit")
    if given is None:
        return usual
    if not given.isascii() or not given.isdigit() or len(given) > 9 or not 1 <= int(given) <= _LARGEST_PAGE:
        raise invalid(f"'limit' cannot be {shown(given)}: it is a number from 1 to {_LARGEST_PAGE}", "limit")
    return int(given)
