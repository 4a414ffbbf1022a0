"""What visitors and neighbours get from the hosts: headers, pages, statistics, and never a lost request."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from otto.model.host import Host

from .conftest import PAGES, Site
from .fleet import podman
from .visitors import visiting

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]


async def get(host: Host, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, str]:
    timeout = aiohttp.ClientTimeout(total=10)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    url = f"http://{host.address}{path}"
    async with (
        aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
        session.request(method, url, headers=named, allow_redirects=False) as response,
    ):
        return response.status, response.headers, (await response.read()).decode("latin-1")


async def raw(host: Host, request: bytes) -> str:
    reader, writer = await asyncio.open_connection(host.address, 80)
    async with asyncio.timeout(10):
        writer.write(request)
        answer = await reader.read()
    writer.close()
    return answer.decode("latin-1")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/about", "GET", 301),
        ("/about/", "GET", 200),
        ("/nothing", "GET", 404),
        ("/.git/config", "GET", 404),
        ("/.well-known/otto-revision", "GET", 200),
        ("/", "HEAD", 200),
        ("/", "POST", 405),
        ("/style.css/../../../../etc/passwd", "GET", 404),
    ],
)
async def test_every_answer_names_its_server(ready: Site, path: str, method: str, status: int) -> None:
    for host in ready.fleet.web:
        got, headers, _ = await get(host, path, method)
        assert (got, headers["X-Otto-Server"]) == (status, host.name)
        assert headers["Server"] == "nginx"
        for name in ("X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options", "Permissions-Policy"):
            assert headers[name]
        assert "frame-ancestors" in headers["Content-Security-Policy"]


async def test_malformed_requests_are_answered_with_the_servers_name(ready: Site) -> None:
    web = ready.fleet.web[0]
    assert "X-Otto-Server: shop-web-1" in await raw(web, b"GET / HTTP/1.1\r\n\r\n")
    assert "X-Otto-Server: shop-web-1" in await raw(web, b"NONSENSE\r\n\r\n")


@pytest.mark.parametrize("name", ["shop.example", "www.shop.example", "unknown.example", "127.0.0.1"])
async def test_every_name_gets_the_site_and_its_revision(ready: Site, name: str) -> None:
    web = ready.fleet.web[1]
    assert (await get(web, "/", Host=name))[2] == PAGES["index.html"]
    assert (await get(web, "/.well-known/otto-revision", Host=name))[2].strip() == "one"


async def test_pages_are_compressed_and_asked_for_again(ready: Site) -> None:
    one, two = [await get(host, "/style.css", Accept_Encoding="gzip") for host in ready.fleet.web]
    assert one[1]["Content-Encoding"] == "gzip"
    assert (one[1]["Cache-Control"], "Last-Modified" in one[1]) == ("no-cache", False)
    assert one[1]["ETag"] == two[1]["ETag"], "servers disagree about the same bytes"
    again = await get(ready.fleet.web[1], "/style.css", If_None_Match=one[1]["ETag"], Accept_Encoding="gzip")
    assert (again[0], again[1]["X-Otto-Server"]) == (304, "shop-web-2")
    folder = await get(ready.fleet.web[0], "/about")
    assert folder[1]["Location"] == "/about/"


async def test_the_same_length_in_the_same_second_is_another_etag(ready: Site) -> None:
    before = (await get(ready.fleet.web[0], "/"))[1]["ETag"]
    await ready.deploy("uno", PAGES | {"index.html": "<h1>eno</h1>"})
    assert (await get(ready.fleet.web[0], "/"))[1]["ETag"] != before


async def test_the_balancer_spreads_and_tells_where_from(ready: Site) -> None:
    balancer = ready.fleet.balancers[0]
    servers = [(await get(balancer, "/"))[1]["X-Otto-Server"] for _ in range(10)]
    assert {servers.count(name) for name in ("shop-web-1", "shop-web-2")} == {5}
    line = ready.fleet.ssh(balancer, "journalctl -u haproxy -o cat -n 1 -g '\"uri\"'")
    said = json.loads(line)
    assert (said["site"], said["status"], said["method"]) == ("shop", 200, "GET")


async def test_access_logs_are_json_whatever_visitors_send(ready: Site) -> None:
    web = ready.fleet.web[0]
    await get(web, '/"quoted"\\path?a=%22', User_Agent='evil "agent" \\ \t end', Referer='"')
    await raw(web, b"GET /ancient\r\n")
    await asyncio.sleep(1.3)  # nginx writes its buffer once a second
    lines = [
        json.loads(line) for line in ready.fleet.ssh(web, "tail -n 5 /var/log/nginx/access.log").splitlines()
    ]
    assert any('evil "agent"' in line["agent"] for line in lines)
    assert all(line["server"] == "shop-web-1" and isinstance(line["status"], int) for line in lines)
    assert not any("otto-revision" in line["uri"] for line in lines), "health checks fill the log"


async def test_statistics_are_for_controllers_alone(ready: Site) -> None:
    balancer, web = ready.fleet.balancers[0], ready.fleet.web[0]
    url = f"http://{balancer.address}:8404/stats;csv"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        text = await response.text()
    rows = [line.split(",") for line in text.splitlines()]
    states = {row[1]: row[17] for row in rows if row[0] == "web"}
    assert states == {"shop-web-1": "UP", "shop-web-2": "UP", "BACKEND": "UP"}
    refused = ready.fleet.ssh(web, f"curl -s -m 3 -o /dev/null '{url}'; echo $?")
    assert refused.strip() != "0", "a neighbour reads the statistics"
    assert "shop-web-1" in ready.fleet.ssh(balancer, "curl -s -m 3 'http://127.0.0.1:8404/stats;csv'")


async def test_a_killed_server_costs_no_visitor_anything(ready: Site) -> None:
    fleet = ready.fleet
    async with visiting(f"http://{fleet.balancers[0].address}/", rate=100) as visits:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(podman, "kill", fleet.container("web-1"))
        await asyncio.sleep(2.5)
        await asyncio.to_thread(podman, "start", fleet.container("web-1"))
        await asyncio.sleep(2)
    assert (visits.errors, visits.statuses, visits.bodies) == ([], {200}, {PAGES["index.html"]})
    assert visits.count > 200


async def test_a_paused_server_costs_readers_nothing_and_writes_are_not_repeated(ready: Site) -> None:
    fleet = ready.fleet
    url = f"http://{fleet.balancers[0].address}/"
    async with visiting(url, rate=50) as reads, visiting(url, rate=20, method="POST") as writes:
        await asyncio.to_thread(podman, "pause", fleet.container("web-2"))
        await asyncio.sleep(4)
        await asyncio.to_thread(podman, "unpause", fleet.container("web-2"))
    assert (reads.errors, reads.statuses) == ([], {200})
    assert writes.statuses == {405, 504}, "a POST that fell silent was sent to another server"


# nginx writes its log within a second, and the balancer's health checks crowd it.
LOGGED = "grep -hE 'through|direct' /var/log/nginx/access.log || true"


async def test_the_client_is_who_the_balancer_says(ready: Site) -> None:
    seen: dict[str, str] = {}
    async with asyncio.timeout(20):
        while seen.keys() != {"/through", "/direct"}:
            told = {"X_Forwarded_For": "192.0.2.7", "Forwarded": "for=192.0.2.8"}
            await get(ready.fleet.balancers[0], "/through", **told)
            await get(ready.fleet.web[0], "/direct", X_Forwarded_For="192.0.2.9")
            await asyncio.sleep(0.5)
            logs = [ready.fleet.ssh(web, LOGGED) for web in ready.fleet.web]
            lines = map(json.loads, "".join(logs).splitlines())
            seen = {line["uri"]: line["client"] for line in lines}
    assert seen["/through"] == seen["/direct"] == ready.fleet.gateway
