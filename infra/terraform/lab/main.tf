locals {
  publish = lookup(var.settings, "publish", "false") == "true"
  groups  = { web = var.web, balancer = var.balancer }

  # By name: a host that comes or goes leaves the others alone.
  hosts = merge([
    for role, group in local.groups : {
      for index in range(1, group.count + 1) : "${var.site}-${role}-${index}" => {
        role  = role
        index = index
        size  = lookup(var.sizes, "${var.site}-${role}-${index}", group.size)
      }
    }
  ]...)
}

# An id is what it says; a name is looked up.
data "lab_image" "role" {
  for_each = local.groups

  name = each.value.image
}

resource "lab_network" "site" {
  name  = "otto-${var.owner}-${var.site}"
  site  = var.site
  owner = var.owner
}

resource "lab_host" "hosts" {
  for_each = local.hosts

  name           = each.key
  site           = var.site
  owner          = var.owner
  role           = each.value.role
  index          = each.value.index
  size           = each.value.size
  image          = lookup(var.pinned, each.key, data.lab_image.role[each.value.role].id)
  network        = lab_network.site.name
  authorized_key = var.authorized_key
  publish        = local.publish
}
