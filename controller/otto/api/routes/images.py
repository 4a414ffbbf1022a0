"""Images: the golden images there are."""

from fastapi import APIRouter

router = APIRouter(tags=["images"])
