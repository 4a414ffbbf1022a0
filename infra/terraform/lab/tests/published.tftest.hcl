# Hosts reached by ports on loopback, without a container engine: terraform test

mock_provider "lab" {
  mock_resource "lab_host" {
    defaults = {
      id              = "container"
      address         = "127.0.0.1"
      private_address = "10.203.7.2"
      ssh_port        = 40022
      http_port       = 40080
      host_key        = "ssh-ed25519 AAAA"
    }
  }
}

variables {
  site           = "shop"
  owner          = "0123abcd"
  web            = { count = 1, size = "small", image = "base" }
  balancer       = { count = 1, size = "small", image = "base" }
  authorized_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+E otto"
  settings       = { publish = "true" }
}

run "published_ports" {
  assert {
    condition     = output.endpoints[0].url == "http://127.0.0.1:40080/"
    error_message = "a published port is part of the URL"
  }
  assert {
    condition     = lab_host.hosts["shop-web-1"].publish
    error_message = "the setting reaches the hosts"
  }
}
