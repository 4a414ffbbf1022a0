# The life of a site on a real container engine:
#   terraform test -test-directory=tests/real -var 'settings={socket="…"}' -var owner=…

provider "lab" {
  socket = var.settings["socket"]
  pool   = lookup(var.settings, "pool", "10.203.0.0/16")
}

variables {
  site           = "tftest"
  web            = { count = 1, size = "small", image = "base" }
  balancer       = { count = 1, size = "small", image = "base" }
  authorized_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICWpXH1ZiRHhfOvpEi8fLkXytEKzI183BeBvzijimtH6 test"
}

run "create" {
  assert {
    condition     = alltrue([for host in output.hosts : startswith(host.host_key, "ssh-ed25519 AAAA")])
    error_message = "every host has its own key"
  }
  assert {
    condition     = alltrue([for host in values(lab_host.hosts) : host.state == "running" && host.connected])
    error_message = "every host runs"
  }
  assert {
    condition     = cidrhost(lab_network.site.cidr, 2) == lab_host.hosts["tftest-balancer-1"].private_address
    error_message = "the first balancer has the second address"
  }
}

run "scale_out" {
  variables {
    web = { count = 2, size = "small", image = "base" }
  }
  assert {
    condition     = lab_host.hosts["tftest-web-1"].id == run.create.hosts[1].id
    error_message = "scaling out leaves the first host alone"
  }
}

run "resize" {
  variables {
    web = { count = 2, size = "medium", image = "base" }
  }
  assert {
    condition     = lab_host.hosts["tftest-web-1"].memory == 512 && lab_host.hosts["tftest-web-1"].id == run.create.hosts[1].id
    error_message = "a host changes its size in place"
  }
}
