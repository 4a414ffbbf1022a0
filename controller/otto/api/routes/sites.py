"""Sites: what there is of each, and what is known of it."""

from fastapi import APIRouter

router = APIRouter(tags=["sites"])
