"""What routes ask for: the running service and its parts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.core.door import Door
from app.services.bootstrap import Services
from app.workers.runtime import Runtime


def _runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    runtime.start()
    return runtime


def _services(runtime: Annotated[Runtime, Depends(_runtime)]) -> Services:
    return runtime.services


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door


RuntimeDep = Annotated[Runtime, Depends(_runtime)]
ServicesDep = Annotated[Services, Depends(_services)]
DoorDep = Annotated[Door, Depends(_door)]
