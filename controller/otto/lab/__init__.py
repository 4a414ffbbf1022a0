"""The lab: container hosts that boot systemd and sshd, and the Terraform provider that makes them."""
