"""Operations on sites: what `otto reconcile`, `suspend`, `approve`, … do, by the same code."""

from fastapi import APIRouter

router = APIRouter(tags=["operations"])
