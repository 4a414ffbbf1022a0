variable "site" {
  description = "Name of the site."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", var.site))
    error_message = "site: up to 40 lower-case letters, digits and '-', beginning with a letter and not ending with '-'."
  }
}

variable "owner" {
  description = "Whose site it is: 8 hexadecimal digits, one value for each OTTO_HOME."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-f]{8}$", var.owner))
    error_message = "owner: 8 hexadecimal digits."
  }
}

variable "web" {
  description = "The web servers: how many, of which size (small, medium, large), from which image."
  type        = object({ count = number, size = string, image = string })
  nullable    = false

  validation {
    condition     = var.web.count >= 0 && var.web.count <= 100 && floor(var.web.count) == var.web.count
    error_message = "web.count: a whole number from 0 to 100."
  }
  validation {
    condition     = contains(["small", "medium", "large"], var.web.size)
    error_message = "web.size: the lab knows small, medium and large."
  }
  validation {
    condition     = length(var.web.image) > 0
    error_message = "web.image: the name, reference or id of an image."
  }
}

variable "balancer" {
  description = "The balancers: how many, of which size (small, medium, large), from which image."
  type        = object({ count = number, size = string, image = string })
  nullable    = false

  validation {
    condition     = var.balancer.count >= 0 && var.balancer.count <= 8 && floor(var.balancer.count) == var.balancer.count
    error_message = "balancer.count: a whole number from 0 to 8."
  }
  validation {
    condition     = contains(["small", "medium", "large"], var.balancer.size)
    error_message = "balancer.size: the lab knows small, medium and large."
  }
  validation {
    condition     = length(var.balancer.image) > 0
    error_message = "balancer.image: the name, reference or id of an image."
  }
}

variable "pinned" {
  description = "Hosts that keep another image than their group's: name of the host -> id of the image."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for image in values(var.pinned) : length(image) > 0])
    error_message = "pinned: every host needs the id of an image."
  }
}

variable "sizes" {
  description = "Hosts that keep another size than their group's for now: name of the host -> its size."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for size in values(var.sizes) : contains(["small", "medium", "large"], size)])
    error_message = "sizes: the lab knows small, medium and large."
  }
}

variable "authorized_key" {
  description = "OpenSSH public key that may log in to every host as otto."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(ssh-|ecdsa-|sk-)[^ \n]+ [A-Za-z0-9+/=]+( [^\n]*)?$", var.authorized_key))
    error_message = "authorized_key: one line, as \"ssh-ed25519 AAAA… comment\"."
  }
}

variable "settings" {
  description = "Of this provider: publish (\"true\" reaches hosts by ports on loopback). Others are ignored."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = contains(["true", "false"], lookup(var.settings, "publish", "false"))
    error_message = "settings.publish: \"true\" or \"false\"."
  }
}
