"""Orphans: hosts that no spec and no state owns."""

from fastapi import APIRouter

router = APIRouter(tags=["orphans"])
