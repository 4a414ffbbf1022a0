"""The Terraform provider `otto.local/otto/lab`."""
