"""Tokens: made, listed and taken back."""

from fastapi import APIRouter

router = APIRouter(tags=["tokens"])
