terraform {
  required_version = ">= 1.5"

  required_providers {
    lab = {
      source  = "otto.local/otto/lab"
      version = ">= 0.1.0"
    }
  }
}
