"""Servers on this machine that speak the used parts of providers' APIs, as their documents describe them."""

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN = "dop_v1_0123456789abcdef0123456789abcdef"
API_KEY = "a powerdns api key"


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


class Api:
    """A server for one API.

    Attributes:
        calls: every request, as `METHOD /path`.
        refuse: given method and path of each request, what it is answered instead, None to let it pass.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.refuse: Callable[[str, str], RefusalError | None] = lambda _method, _path: None
        self._lock = threading.Lock()

    @contextmanager
    def serving(self) -> Iterator[Self]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                where = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(where.query).items()}
                with api._lock:
                    api.calls.append(f"{self.command} {where.path}")
                    try:
                        if refusal := api.refuse(self.command, where.path):
                            raise refusal
                        status, answer = api.answer(self.command, where.path, query, body, self.headers)
                        headers: Mapping[str, str] = {}
                    except RefusalError as refusal:
                        status, answer, headers = refusal.status, refusal.body, refusal.headers
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  (its names)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.port = server.server_port
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: Any
    ) -> tuple[int, Any]:
        raise NotImplementedError


class DigitalOceanApi(Api):
    """docs.digitalocean.com/reference/api/digitalocean: Domains, Domain Records."""

    def __init__(self) -> None:
        super().__init__()
        self.domains: dict[str, dict[int, dict[str, Any]]] = {}
        self._number = 100

    def answer(  # noqa: C901  (a table of routes)
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: Any
    ) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            raise RefusalError(401, {"id": "Unauthorized", "message": "Unable to authenticate you"})
        parts = path.removeprefix("/v2/").split("/")
        data = json.loads(body) if body else {}
        match method, parts:
            case "GET", ["domains"]:
                return 200, self._page("domains", [{"name": name} for name in self.domains], query)
            case "POST", ["domains"]:
                self.domains[data["name"]] = {}
                for name in ("ns1", "ns2", "ns3"):
                    self._add(
                        data["name"],
                        {"type": "NS", "name": "@", "data": f"{name}.digitalocean.com.", "ttl": 1800},
                    )
                if data.get("ip_address"):
                    self._add(
                        data["name"], {"type": "A", "name": "@", "data": data["ip_address"], "ttl": 1800}
                    )
                return 201, {"domain": {"name": data["name"]}}
            case "GET", ["domains", name]:
                self._records(name)
                return 200, {"domain": {"name": name, "ttl": 1800, "zone_file": ""}}
            case "GET", ["domains", name, "records"]:
                return 200, self._page("domain_records", list(self._records(name).values()), query)
            case "POST", ["domains", name, "records"]:
                self._records(name)
                return 201, {"domain_record": self._add(name, data)}
            case "DELETE", ["domains", name, "records", number]:
                if self._records(name).pop(int(number), None) is None:
                    raise self._missing()
                return 204, None
        raise self._missing()

    def _records(self, name: str) -> dict[int, dict[str, Any]]:
        if name not in self.domains:
            raise self._missing()
        return self.domains[name]

    def _add(self, zone: str, data: dict[str, Any]) -> dict[str, Any]:
        if data["type"] in ("CNAME", "MX", "NS", "SRV") and not data["data"].endswith("."):
            message = "Data needs to end with a dot (.)"
            raise RefusalError(422, {"id": "unprocessable_entity", "message": message})
        self._number += 1
        empty = dict.fromkeys(("priority", "port", "weight", "flags", "tag"))
        record = {**empty, **data, "id": self._number, "data": self._shown(data)}
        self.domains[zone][self._number] = record
        return record

    @staticmethod
    def _shown(data: dict[str, Any]) -> str:
        text = str(data["data"])
        return text.removesuffix(".") if data["type"] in ("CNAME", "MX", "NS", "SRV") else text

    def _page(self, key: str, items: list[Any], query: dict[str, str]) -> dict[str, Any]:
        size, page = int(query.get("per_page", 20)), int(query.get("page", 1))
        last = max(1, -(-len(items) // size))
        pages: dict[str, str] = {}
        if page > 1:
            pages |= {"first": "…page=1", "prev": f"…page={page - 1}"}
        if page < last:
            pages |= {"next": f"…page={page + 1}", "last": f"…page={last}"}
        links = {"pages": pages} if pages else {}
        return {key: items[(page - 1) * size : page * size], "links": links, "meta": {"total": len(items)}}

    @staticmethod
    def _missing() -> RefusalError:
        return RefusalError(
            404, {"id": "not_found", "message": "The resource you were accessing could not be found."}
        )


class GoogleApi(Api):
    """cloud.google.com/dns/docs/reference/rest/v1: managedZones, resourceRecordSets, changes; OAuth."""

    PROJECT = "a-project"
    PAGE = 100

    def __init__(self) -> None:
        super().__init__()
        self.zones: dict[str, dict[str, Any]] = {}
        self.sets: dict[str, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
        self.changes: dict[str, dict[str, Any]] = {}

    def credentials(self) -> str:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        told = {
            "type": "service_account",
            "project_id": self.PROJECT,
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": "otto@a-project.iam.gserviceaccount.com",
            "token_uri": f"{self.url}/token",
        }
        return json.dumps(told)

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: Any
    ) -> tuple[int, Any]:
        if path == "/token":
            assert b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer" in body
            return 200, {"access_token": "ya29.a-token-of-a-test", "expires_in": 3600, "token_type": "Bearer"}
        if headers.get("Authorization") != "Bearer ya29.a-token-of-a-test":
            raise self._error(401, "Request had invalid authentication credentials.", "authError")
        parts = path.removeprefix(f"/dns/v1/projects/{self.PROJECT}/").split("/")
        data = json.loads(body) if body else {}
        match method, parts:
            case "GET", ["managedZones"]:
                return 200, self._page("managedZones", list(self.zones.values()), query)
            case "POST", ["managedZones"]:
                return 200, self._make(data)
            case "GET", ["managedZones", zone, "rrsets"]:
                return 200, self._page("rrsets", list(self.sets[self._zone(zone)].values()), query)
            case "POST", ["managedZones", zone, "changes"]:
                return 200, self._change(self._zone(zone), data)
            case "GET", ["managedZones", _, "changes", number]:
                self.changes[number]["status"] = "done"
                return 200, self.changes[number]
        raise self._error(404, "Not found", "notFound")

    def _make(self, data: dict[str, Any]) -> dict[str, Any]:
        name, zone = data["name"], data["dnsName"]
        if not re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", name):
            raise self._error(400, f"Invalid value for 'entity.managedZone.name': '{name}'", "invalid")
        self.zones[name] = {**data, "id": str(len(self.zones) + 1), "visibility": "public", "nameServers": []}
        names = [f"ns-cloud-a{number}.googledomains.com." for number in (1, 2)]
        for type_, values in (("NS", names), ("SOA", [f"{names[0]} x. 1 21600 3600 259200 300"])):
            self.sets[name][zone, type_] = {"name": zone, "type": type_, "ttl": 21600, "rrdatas": values}
        return self.zones[name]

    def _change(self, zone: str, data: dict[str, Any]) -> dict[str, Any]:
        """All of it, or nothing."""
        sets = dict(self.sets[zone])
        assert len(data.get("additions", ())) <= 1000
        assert len(data.get("deletions", ())) <= 1000
        for number, each in enumerate(data.get("deletions", ())):
            found, what = sets.pop((each["name"], each["type"]), None), f"'entity.change.deletions[{number}]'"
            if found is None:
                what = f"{what} resource named '{each['name']} ({each['type']})'"
                raise self._error(404, f"The {what} does not exist.", "notFound")
            if (found["ttl"], found["rrdatas"]) != (int(each["ttl"]), each["rrdatas"]):
                raise self._error(412, f"Precondition not met for {what}", "conditionNotMet")
        for number, each in enumerate(data.get("additions", ())):
            if (each["name"], each["type"]) in sets:
                what = f"'entity.change.additions[{number}]' resource named '{each['name']} ({each['type']})'"
                raise self._error(409, f"The resource {what} already exists", "alreadyExists")
            kept = {key: each[key] for key in ("name", "type", "ttl", "rrdatas")}
            sets[each["name"], each["type"]] = {**kept, "ttl": int(kept["ttl"])}
        self.sets[zone] = sets
        name = str(len(self.changes) + 1)
        made = {**data, "id": name, "status": "pending", "startTime": "2026-01-01T00:00:00.000Z"}
        self.changes[name] = made
        return made

    def _zone(self, name: str) -> str:
        if name not in self.zones:
            raise self._error(
                404, f"The 'parameters.managedZone' resource named '{name}' does not exist.", "notFound"
            )
        return name

    def _page(self, key: str, items: list[Any], query: dict[str, str]) -> dict[str, Any]:
        start = int(query.get("pageToken", 0))
        page: dict[str, Any] = {key: items[start : start + self.PAGE]}
        if start + self.PAGE < len(items):
            page["nextPageToken"] = str(start + self.PAGE)
        return page

    @staticmethod
    def _error(code: int, message: str, reason: str) -> RefusalError:
        errors = [{"message": message, "domain": "global", "reason": reason}]
        return RefusalError(code, {"error": {"code": code, "message": message, "errors": errors}})

    @classmethod
    def throttled(cls) -> RefusalError:
        return cls._error(403, "Quota exceeded for quota metric 'Write requests'", "rateLimitExceeded")


class PowerDnsApi(Api):
    """doc.powerdns.com/authoritative/http-api: zones of one server."""

    def __init__(self) -> None:
        super().__init__()
        self.zones: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}

    def answer(
        self, method: str, path: str, query: dict[str, str], body: bytes, headers: Any
    ) -> tuple[int, Any]:
        if headers.get("X-API-Key") != API_KEY:
            raise RefusalError(401, {"error": "Unauthorized"})
        parts = [part for part in path.removeprefix("/api/v1/servers/localhost").split("/") if part]
        data = json.loads(body) if body else {}
        match method, parts:
            case "GET", []:
                return 200, {
                    "type": "Server",
                    "id": "localhost",
                    "daemon_type": "authoritative",
                    "version": "4.8.3",
                }
            case "GET", ["zones"]:
                return 200, [{"id": name, "name": name} for name in self.zones]
            case "POST", ["zones"]:
                self.zones[data["name"]] = {}
                self._change(data["name"], [{**each, "changetype": "REPLACE"} for each in data["rrsets"]])
                return 201, {"id": data["name"], "name": data["name"]}
            case "GET", ["zones", name] if name in self.zones:
                return 200, {"name": name, "kind": "Master", "rrsets": list(self.zones[name].values())}
            case "PATCH", ["zones", name] if name in self.zones:
                self._change(name, data["rrsets"])
                return 204, None
        raise RefusalError(404, {"error": "Not Found"})

    def _change(self, zone: str, changes: list[dict[str, Any]]) -> None:
        """All of it, or nothing."""
        sets = dict(self.zones[zone])
        for each in changes:
            key = (each["name"], each["type"])
            if each["changetype"] == "DELETE":
                sets.pop(key, None)
                continue
            if not each["name"].endswith(zone):
                raise RefusalError(
                    422, {"error": f"RRset {each['name']} IN {each['type']}: Name is out of zone"}
                )
            sets[key] = {name: each[name] for name in ("name", "type", "ttl", "records")}
        for name, type_ in sets:
            if type_ == "CNAME" and sum(other == name for other, _ in sets) > 1:
                raise RefusalError(
                    422, {"error": f"RRset {name} IN CNAME: Conflicts with pre-existing RRset"}
                )
        self.zones[zone] = sets


def throttled(seconds: int) -> RefusalError:
    """DigitalOcean's answer to too many requests; PowerDNS behind a proxy says the same in other headers."""
    body = {"id": "too_many_requests", "message": "API Rate limit exceeded."}
    return RefusalError(
        429, body, {"RateLimit-Limit": "5000", "RateLimit-Reset": str(int(time.time()) + seconds)}
    )
