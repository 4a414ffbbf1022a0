# What `otto images build` hands over. None of them is a secret: credentials come from the environment, as each
# provider's own tools read them.

variable "digest" {
  type        = string
  default     = "sha256:unnamed"
  description = "Names everything that goes into the image; a label or tag of what is built."
}

variable "owner" {
  type        = string
  default     = "nobody"
  description = "Whose build it is: the mark of an OTTO_HOME."
}

variable "ansible" {
  type        = string
  description = "Folder of the playbook and the roles: infra/ansible."
}

variable "images" {
  type        = string
  description = "This folder: its scripts run inside, its variables are the roles'."
}

variable "parts" {
  type        = string
  default     = ""
  description = "Images with the controller in it: the archive that scripts/gather makes."
}

# The lab

variable "lab_base" {
  type        = string
  default     = "localhost/otto-lab-base"
  description = "Lab: the image to begin with, by reference or id."
}

variable "lab_run" {
  type        = list(string)
  default     = ["-d", "--systemd=always", "{{.Image}}", "/sbin/init"]
  description = "Lab: arguments of `docker run`."
}

# AWS

variable "aws_region" {
  type        = string
  default     = "eu-central-1"
  description = "AWS: where the image is built and kept."
}

variable "aws_instance_type" {
  type        = string
  default     = "t3.small"
  description = "AWS: the machine that builds."
}

variable "aws_base" {
  type        = string
  default     = "debian-12-amd64-*"
  description = "AWS: name of the image to begin with; the newest of Debian's own that matches."
}

variable "aws_subnet" {
  type        = string
  default     = ""
  description = "AWS: subnet of the machine that builds; empty: the default VPC's."
}

# DigitalOcean

variable "digitalocean_region" {
  type        = string
  default     = "fra1"
  description = "DigitalOcean: where the snapshot is made."
}

variable "digitalocean_size" {
  type        = string
  default     = "s-1vcpu-1gb"
  description = "DigitalOcean: the machine that builds."
}

variable "digitalocean_base" {
  type        = string
  default     = "debian-12-x64"
  description = "DigitalOcean: the image to begin with."
}

# Google Cloud

variable "gcp_project" {
  type        = string
  default     = "unset"
  description = "Google Cloud: the project that pays for it and keeps the image."
}

variable "gcp_zone" {
  type        = string
  default     = "europe-west3-a"
  description = "Google Cloud: where the machine that builds stands."
}

variable "gcp_machine_type" {
  type        = string
  default     = "e2-small"
  description = "Google Cloud: the machine that builds."
}

variable "gcp_base" {
  type        = string
  default     = "debian-12"
  description = "Google Cloud: family of the image to begin with."
}

# Vagrant

variable "vagrant_base" {
  type        = string
  default     = "debian/bookworm64"
  description = "Vagrant: the box to begin with."
}

variable "vagrant_provider" {
  type        = string
  default     = "libvirt"
  description = "Vagrant: what runs the machine that builds."
}
