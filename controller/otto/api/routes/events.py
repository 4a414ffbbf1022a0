"""Events: everything that happens, as it happens."""

from fastapi import APIRouter

router = APIRouter(tags=["events"])
