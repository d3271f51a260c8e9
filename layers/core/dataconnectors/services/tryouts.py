"""Try-outs: making addresses to try connectors with, and showing what came to them."""

from collections.abc import Callable
from typing import Any

from dataconnectors.kernel.errors import BadRequestError, NotFoundError
from dataconnectors.store.tryouts import TryOutStore
from dataconnectors.tryouts.try_out import (
    ENTROPY_BYTES,
    LIFETIME,
    MAXIMUM_TRY_OUTS,
    TryOut,
    TryOutAnswer,
    is_try_out_id,
    new_try_out_id,
    parse_answer,
)


class TryOutService:
    """The try-outs of any project. Checks no permission.

    `host` is the host name that the caller knows the API by; addresses begin with it.
    """

    def __init__(
        self,
        try_outs: TryOutStore,
        *,
        is_on: bool,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`is_on` says whether the stack serves the addresses; `entropy` gives random bytes."""
        self._try_outs = try_outs
        self._is_on = is_on
        self._entropy = entropy
        self._now = now

    def create(self, project: str, body: Any, host: str) -> dict[str, Any]:
        """Make a new address; raises `BadRequestError` when the project has enough of them."""
        self._check_on()
        answer, now = parse_answer(body, TryOutAnswer.OK), self._second()
        if len(self._try_outs.try_outs(project, now)) >= MAXIMUM_TRY_OUTS:
            raise BadRequestError(
                f"projects/{project} has {MAXIMUM_TRY_OUTS} try-outs: delete one first"
            )
        try_out_id = new_try_out_id(self._entropy(ENTROPY_BYTES))
        try_out = TryOut(project, try_out_id, answer, now, now + LIFETIME)
        self._try_outs.create(try_out)
        return try_out.to_api(host)

    def all_of(self, project: str, host: str) -> list[dict[str, Any]]:
        """All addresses of a project, the newest first."""
        self._check_on()
        found = self._try_outs.try_outs(project, self._now())
        found.sort(key=lambda try_out: try_out.create_time, reverse=True)
        return [try_out.to_api(host) for try_out in found]

    def get(self, project: str, try_out_id: str, host: str) -> dict[str, Any]:
        """An address with the deliveries that came to it; raises `NotFoundError`."""
        try_out = self._try_out(project, try_out_id)
        deliveries = self._try_outs.deliveries(try_out.id, self._now())
        return try_out.to_api(host) | {"deliveries": [each.to_api() for each in deliveries]}

    def update(self, project: str, try_out_id: str, body: Any, host: str) -> dict[str, Any]:
        """Set what an address answers, and serve it for another week; raises `NotFoundError`."""
        try_out, now = self._try_out(project, try_out_id), self._second()
        answer = parse_answer(body, try_out.answer)
        changed = self._try_outs.change(try_out, answer, now + LIFETIME, now)
        if changed is None:
            raise _absent(project, try_out_id)
        return changed.to_api(host)

    def delete(self, project: str, try_out_id: str) -> dict[str, Any]:
        """Serve an address no more; raises `NotFoundError`."""
        self._try_outs.remove(project, self._try_out(project, try_out_id).id)
        return {}

    def _second(self) -> float:
        """The current second: an address is shown with the same times whenever it is read."""
        return float(int(self._now()))

    def _try_out(self, project: str, try_out_id: str) -> TryOut:
        self._check_on()
        known = is_try_out_id(try_out_id)
        try_out = self._try_outs.try_out(project, try_out_id, self._now()) if known else None
        if try_out is None:
            raise _absent(project, try_out_id)
        return try_out

    def _check_on(self) -> None:
        if not self._is_on:
            raise NotFoundError(
                "this deployment has no try-out endpoint (TryOut=false): whoever deploys it can "
                "switch it on"
            )


def _absent(project: str, try_out_id: str) -> NotFoundError:
    return NotFoundError(f"projects/{project}/tryouts/{try_out_id:.100} is not there")
