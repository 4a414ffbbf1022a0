"""Runs: what was done to sites, step by step."""

from fastapi import APIRouter

router = APIRouter(tags=["runs"])
