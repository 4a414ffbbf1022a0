# otto: the controller with everything it drives (Python packages, Ansible, git, ssh, Terraform), as a service.

locals {
  name = "otto"
  init = "/sbin/init"
}

build {
  sources = [
    "source.docker.lab",
    "source.amazon-ebs.aws",
    "source.digitalocean.digitalocean",
    "source.googlecompute.gcp",
    "source.vagrant.vagrant",
  ]

  provisioner "shell" {
    script          = "${var.images}/scripts/prepare"
    remote_folder   = local.remote_folder
    execute_command = local.as_root
  }

  provisioner "ansible" {
    playbook_file    = "${var.ansible}/site.yml"
    groups           = ["web"]
    host_alias       = "golden"
    user             = build.User
    ansible_env_vars = concat(local.ansible_environment, ["ANSIBLE_CONFIG=${var.ansible}/ansible.cfg"])
    # Without the parts `seal` and `content`: a host made from it has never been configured.
    extra_arguments = ["--extra-vars", "@${var.images}/otto/variables.json", "--tags", "configure"]
  }

  # What `scripts/gather` put together.
  provisioner "file" {
    source      = var.parts
    destination = "/var/tmp/otto-parts.tar"
  }

  provisioner "shell" {
    script          = "${var.images}/scripts/controller"
    remote_folder   = local.remote_folder
    execute_command = local.as_root
  }

  provisioner "shell" {
    script          = "${var.images}/scripts/clean"
    remote_folder   = local.remote_folder
    execute_command = local.as_root
  }
}
