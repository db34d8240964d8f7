"""A cache in front of `socket.getaddrinfo`, because the VPC's resolver drops what exceeds 1,024 packets a second.

The limit holds for each network interface and cannot be raised:
https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html

>>> import socket
>>> from baselib import dns
>>> asked = []
>>> def resolver(host, *rest):
...     asked.append(host)
...     return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))]
>>> dns.install(resolver)
>>> [socket.getaddrinfo("stock.internal", 80)[0][4] for _ in range(3)]
[('192.0.2.1', 80), ('192.0.2.1', 80), ('192.0.2.1', 80)]
>>> asked
['stock.internal']
>>> dns.uninstall()
"""

from baselib.dns.installation import install, resolve, uninstall

__all__ = ["install", "resolve", "uninstall"]
