output "hosts" {
  description = "Every host: how it is called, what it does, and how it is reached."
  value = [
    for host in values(lab_host.hosts) : {
      name            = host.name
      role            = host.role
      id              = host.id
      address         = host.address
      private_address = host.private_address
      ssh_port        = host.ssh_port
      ssh_user        = "otto"
      http_port       = host.http_port
      host_key        = host.host_key
      image           = host.image
      size            = host.size
    }
  ]
}

output "endpoints" {
  description = "Where visitors reach the site: its balancers, or its web servers when it has none."
  value = [
    for host in values(lab_host.hosts) : {
      address = host.address
      port    = host.http_port
      url     = host.http_port == 80 ? "http://${host.address}/" : "http://${host.address}:${host.http_port}/"
    } if host.role == (var.balancer.count > 0 ? "balancer" : "web")
  ]
}

output "controllers" {
  description = "The controller's addresses as the hosts see them: the machine's own, on the site's bridge."
  value       = [lab_network.site.gateway]
}
