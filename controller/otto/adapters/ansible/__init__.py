"""Configuration over Ansible: plays for what runs on the hosts, facts for what they are."""

from otto.adapters.ansible.adapter import Ansible
from otto.adapters.ansible.inventory import host_variables, listing
from otto.adapters.ansible.options import AnsibleOptions

__all__ = ["Ansible", "AnsibleOptions", "host_variables", "listing"]
