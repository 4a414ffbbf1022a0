# The module's contract, without a container engine: terraform test

mock_provider "lab" {
  mock_resource "lab_network" {
    defaults = {
      id      = "network"
      cidr    = "10.203.7.0/24"
      gateway = "10.203.7.1"
    }
  }
  mock_resource "lab_host" {
    defaults = {
      id              = "container"
      address         = "10.203.7.2"
      private_address = "10.203.7.2"
      ssh_port        = 22
      http_port       = 80
      host_key        = "ssh-ed25519 AAAA"
    }
  }
  mock_data "lab_image" {
    defaults = { id = "sha256:0123" }
  }
}

variables {
  site           = "shop"
  owner          = "0123abcd"
  web            = { count = 2, size = "small", image = "base" }
  balancer       = { count = 1, size = "medium", image = "base" }
  authorized_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+E otto"
}

run "names_and_roles" {
  assert {
    condition     = join(" ", [for host in output.hosts : host.name]) == "shop-balancer-1 shop-web-1 shop-web-2"
    error_message = "hosts are named SITE-ROLE-INDEX"
  }
  assert {
    condition     = lab_host.hosts["shop-web-2"].index == 2 && lab_host.hosts["shop-balancer-1"].size == "medium"
    error_message = "each host has its group's size and its own index"
  }
  assert {
    condition     = lab_network.site.name == "otto-0123abcd-shop"
    error_message = "the network is named after owner and site"
  }
}

run "outputs" {
  assert {
    condition     = distinct([for host in output.hosts : join(" ", keys(host))]) == tolist(["address host_key http_port id image name private_address role size ssh_port ssh_user"])
    error_message = "hosts have exactly the attributes of the contract"
  }
  assert {
    condition     = output.endpoints == [{ address = "10.203.7.2", port = 80, url = "http://10.203.7.2/" }]
    error_message = "the balancer is the endpoint, its port left out of the URL when it is 80"
  }
  assert {
    condition     = output.controllers == ["10.203.7.1"]
    error_message = "hosts see the controller at the gateway"
  }
}

run "pinned_hosts_keep_their_image" {
  variables {
    pinned = { "shop-web-2" = "sha256:4567", "shop-web-9" = "sha256:89ab" }
  }
  assert {
    condition     = lab_host.hosts["shop-web-2"].image == "sha256:4567"
    error_message = "a pinned host has the image it is pinned to"
  }
  assert {
    condition     = { for host in output.hosts : host.name => host.image if host.name != "shop-web-2" } == { "shop-balancer-1" = "sha256:0123", "shop-web-1" = "sha256:0123" }
    error_message = "the others have their group's, and a host that is not wanted is none"
  }
}

run "hosts_keep_their_size_for_now" {
  variables {
    web   = { count = 2, size = "large", image = "base" }
    sizes = { "shop-web-2" = "small", "shop-web-9" = "medium" }
  }
  assert {
    condition     = { for host in output.hosts : host.name => host.size } == { "shop-balancer-1" = "medium", "shop-web-1" = "large", "shop-web-2" = "small" }
    error_message = "a host that is named has the size it keeps, and the others their group's"
  }
}

run "no_balancer" {
  variables {
    balancer = { count = 0, size = "small", image = "base" }
  }
  assert {
    condition     = length(output.endpoints) == 2
    error_message = "without a balancer, visitors go to the web servers"
  }
}

run "nothing_at_all" {
  variables {
    web      = { count = 0, size = "small", image = "base" }
    balancer = { count = 0, size = "small", image = "base" }
  }
  assert {
    condition     = length(output.hosts) == 0 && length(output.endpoints) == 0
    error_message = "no hosts, no endpoints"
  }
}

run "bad_inputs_are_refused" {
  command = plan
  variables {
    site           = "-shop"
    owner          = "me"
    web            = { count = 1.5, size = "huge", image = "" }
    balancer       = { count = 9, size = "huge", image = "" }
    authorized_key = "secret"
    settings       = { publish = "yes" }
    pinned         = { "shop-web-1" = "" }
    sizes          = { "shop-web-1" = "huge" }
  }
  expect_failures = [
    var.site, var.owner, var.web, var.balancer, var.authorized_key, var.settings, var.pinned, var.sizes,
  ]
}
