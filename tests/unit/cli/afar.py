"""A controller's API on a real socket of this machine, over the world in memory, for commands to ask."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

import structlog
from tests.unit.cli.conftest import Stage
from typer.testing import Result

from otto.api.tls import Certificate
from otto.api.tokengate import GateOptions
from otto.cli.up.listening import listen
from otto.cli.up.served import Serving
from otto.cli.up.serving import api
from otto.config import ApiSettings, SourceSettings
from otto.decide import tokens
from otto.desk.house import Household, Lives, Way
from otto.model.caller import Scope, TokenWish
from otto.model.saying import Speaker
from otto.reconcile.controller import Controller

WAYS = ("line 1, json://hooks.example",)


async def ways(*, tried: bool) -> tuple[Way, ...]:
    return tuple(Way(name, "it does not answer" if tried else "") for name in WAYS)


class Afar:
    """A stage whose controller is started, and answers on a port: it has looked at nothing yet.

    Attributes:
        url: where it answers.
        controller: the controller; of another thread.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        gate: GateOptions | None = None,
        running: bool = False,
        certificate: Certificate | None = None,
    ) -> None:
        self.stage = stage
        self.url = ""
        self._running = running
        self._certificate = certificate
        self._gate = gate or GateOptions(anonymous=True)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="afar", daemon=True)

    @contextmanager
    def answering(self) -> Iterator["Afar"]:
        self._thread.start()
        assert self._ready.wait(20)
        if self._error:
            raise self._error
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(20)

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001  (raised where the test is)
            self._error = error
            self._ready.set()
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        world, home = self.stage.world, self.stage.home
        self.controller = Controller(world.kit(), home, SourceSettings(), lambda _: nullcontext(world.source))
        listener = listen(ApiSettings(port=0))
        scheme = "https" if self._certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        lives = Lives(timedelta(days=90), timedelta(days=366))
        how = Serving(
            gate=self._gate,
            household=Household(lives, ways, home / "logs" / "otto.jsonl", world.foundry),
            certificate=self._certificate,
        )
        async with api(self.controller, listener, how):
            if self._running:
                async with self.controller.running():
                    await self._until_over()
            else:
                await self.controller.start()
                await self._until_over()
                await self.controller.stop()

    async def _until_over(self) -> None:
        (self.stage.home / "otto.db").touch()
        self._ready.set()
        await self._over.wait()

    def ask(self, *words: str, token: str = "", typed: str | None = None) -> Result:
        """A command that asks it, by an environment without a home."""
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        environ = {"OTTO_TOKEN": token}
        return self.stage.otto("--server", self.url, *words, typed=typed, environ=environ)

    def token(
        self,
        scope: Scope = Scope.ADMIN,
        labels: dict[str, str] | None = None,
        name: str = "ci",
        number: int = 1,
    ) -> str:
        """A new token's secret."""
        secret = tokens.secret_of(bytes([number]) * 32)
        now = self.stage.world.clock.now()
        wish = TokenWish(name, scope, labels or {}, timedelta(days=3650))
        made = tokens.issue(
            wish, f"{number:012x}", secret, Speaker("ann", now, "ann"), longest=timedelta(days=4000)
        )
        asyncio.run(self.stage.world.store.tokens.add(made))
        return secret
