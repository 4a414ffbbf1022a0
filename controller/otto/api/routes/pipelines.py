"""Pipelines: what pushes, webhooks and people set going."""

from fastapi import APIRouter

router = APIRouter(tags=["pipelines"])
