# Where images are built: one source for each provider, named as specs name providers.

locals {
  short = substr(replace(var.digest, "sha256:", ""), 0, 7)
}

source "docker" "lab" {
  image  = var.lab_base
  pull   = false
  commit = true
  # Below /run, which is in memory: nothing of it is in the image.
  container_dir = "/run/packer"
  run_command   = var.lab_run
  changes = [
    "ENTRYPOINT []",
    "CMD [\"${local.init}\"]",
    "STOPSIGNAL SIGRTMIN+3",
    "LABEL otto.image=${local.name}",
    "LABEL otto.image.digest=${var.digest}",
    "LABEL otto.image.owner=${var.owner}",
    # A commit keeps the labels of the machine, and hosts get those of their image: none may be taken for it.
    "LABEL otto.builds=",
    "LABEL otto.owner=",
  ]
}

source "amazon-ebs" "aws" {
  region        = var.aws_region
  instance_type = var.aws_instance_type
  subnet_id     = var.aws_subnet
  ssh_username  = "admin"
  ami_name      = "otto-${local.name}-${local.short}"
  source_ami_filter {
    filters = {
      name                = var.aws_base
      virtualization-type = "hvm"
      root-device-type    = "ebs"
    }
    # Debian's own account (wiki.debian.org/Cloud/AmazonEC2Image).
    owners      = ["136693071363"]
    most_recent = true
  }
  run_tags = {
    "otto.builds" = local.name
    "otto.owner"  = var.owner
  }
  tags = {
    "otto.image"  = local.name
    "otto.digest" = var.digest
    "otto.owner"  = var.owner
  }
}

source "digitalocean" "digitalocean" {
  region        = var.digitalocean_region
  size          = var.digitalocean_size
  image         = var.digitalocean_base
  ssh_username  = "root"
  droplet_name  = "otto-build-${local.name}"
  snapshot_name = "otto-${local.name}-${local.short}"
  tags          = ["otto-build"]
}

source "googlecompute" "gcp" {
  project_id          = var.gcp_project
  zone                = var.gcp_zone
  machine_type        = var.gcp_machine_type
  source_image_family = var.gcp_base
  ssh_username        = "builder"
  image_name          = "otto-${local.name}-${local.short}"
  image_family        = "otto-${local.name}"
  image_labels = {
    otto-image = local.name
    otto-owner = var.owner
  }
}

source "vagrant" "vagrant" {
  communicator = "ssh"
  source_path  = var.vagrant_base
  provider     = var.vagrant_provider
  add_force    = false
  skip_add     = false
  # Below the folder Packer runs in, which goes with the build; what is kept is copied out of it.
  output_dir = "box"
}
