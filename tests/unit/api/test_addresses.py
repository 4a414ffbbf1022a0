"""Where requests come from, and to whom they were sent, whatever their headers say."""

import pytest

from otto.api import addresses
from otto.model.errors import UsageError

PROXIES = addresses.networks("127.0.0.1, 10.1.0.0/16,fd00::/8", "api.proxies")


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "127.0.0.1", "192.0.2.7"),  # from nobody we know: not believed
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.4", "198.51.100.4"),
        ("127.0.0.1", "127.0.0.1, 198.51.100.4", "198.51.100.4"),  # what the client made up stands first
        ("127.0.0.1", "203.0.113.9, 198.51.100.4, 10.1.2.3", "198.51.100.4"),
        ("10.1.2.3", "10.1.9.9, 127.0.0.1", "10.1.9.9"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.4, ", "127.0.0.1"),
        ("::ffff:127.0.0.1", "198.51.100.4", "198.51.100.4"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "198.51.100.4", ""),
        ("127.0.0.1", ", ".join(["127.0.0.1"] * 1000 + ["198.51.100.4"]), "198.51.100.4"),
    ],
)
def test_who_sent_a_request(peer: str, forwarded: str, sender: str) -> None:
    assert addresses.sender(peer, {"x-forwarded-for": forwarded} if forwarded else {}, PROXIES) == sender


def test_what_is_no_address_of_a_proxy() -> None:
    assert addresses.networks("", "api.proxies") == ()
    with pytest.raises(UsageError, match=r"'proxy\.example' is no address"):
        addresses.networks("127.0.0.1,proxy.example", "api.proxies")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("LOCALHOST:7070", True),
        ("127.0.0.1:7070", True),
        ("127.9.9.9", True),
        ("[::1]:7070", True),
        ("otto.internal:7070", True),
        ("otto.example", False),
        ("localhost.example", False),
        ("user@localhost", False),
        ("localhost@otto.example", False),
        ("", False),
        ("[::1", False),
        ("otto.internal.", False),
        ("127.0.0.1.example", False),
    ],
)
def test_names_of_this_machine(host: str, *, ours: bool) -> None:
    assert addresses.names_us(host, ("otto.internal",)) is ours


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_who_guesses_together(one: str, other: str, *, together: bool) -> None:
    assert (addresses.crowd(one) == addresses.crowd(other)) is together
