"""Inventory: hosts that OttO made, and hosts that people declared."""

from fastapi import APIRouter

router = APIRouter(tags=["inventory"])
