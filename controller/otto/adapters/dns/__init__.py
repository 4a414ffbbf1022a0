"""Zones by octoDNS and dnspython: planned, changed, checked, in processes of their own.

Nothing of either library is loaded by importing this: workers load them when there is work.
"""

from otto.adapters.dns.access import Server
from otto.adapters.dns.hosting import Nameserver
from otto.adapters.dns.zones import DnsOptions, DnsZones

__all__ = ["DnsOptions", "DnsZones", "Nameserver", "Server"]
