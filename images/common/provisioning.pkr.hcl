# How what runs inside is run.

locals {
  as_root = "sudo env {{ .Vars }} bash {{ .Path }}"
  # In memory, so never in an image; and whatever boots beside us does not empty it, as it does /tmp.
  remote_folder = "/dev/shm"

  # Packer hands Ansible a server of its own, on loopback, for this one build; that of Packer 1.6 has an RSA key
  # signed with SHA-1, which OpenSSH takes only when told so. Packer's inventory is an INI file.
  ansible_environment = [
    "ANSIBLE_INVENTORY_ENABLED=ini",
    "ANSIBLE_SSH_ARGS=-F none -o ControlMaster=no -o IdentitiesOnly=yes -o IdentityAgent=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa -o LogLevel=ERROR",
  ]
}
