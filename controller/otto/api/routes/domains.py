"""Domains: nameservers and records of zones."""

from fastapi import APIRouter

router = APIRouter(tags=["domains"])
