"""Golden images by Packer: built, looked into, booted, tried."""

from otto.adapters.packer.builder import PackerBuilder, tidy
from otto.adapters.packer.options import PackerOptions
from otto.adapters.packer.recipes import RECIPES
from otto.adapters.packer.workshop import Trial, Workshop

__all__ = ["RECIPES", "PackerBuilder", "PackerOptions", "Trial", "Workshop", "tidy"]
