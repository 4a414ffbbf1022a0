"""The curl lines of the guide, carried out as they stand there."""

import re
import shlex
from pathlib import Path

from tests.unit.api.conftest import Api
from tests.unit.api.test_writing import good, stage  # noqa: F401  (a fixture)

GUIDE = Path(__file__).parents[3] / "docs/how-to/write-by-http.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)


async def test_the_guides_lines_do_what_it_says(api: Api) -> None:
    lines = [line for block in BLOCK.findall(GUIDE.read_text()) for line in block.splitlines()]
    tag, done = "", []
    for line in lines:
        words = shlex.split(line)
        assert words.pop(0) == "curl"
        method, headers, body, url = "GET", {}, None, ""
        while words:
            match words.pop(0):
                case "-X":
                    method = words.pop(0)
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name.lower().replace("-", "_")] = value.replace("$ETAG", tag)
                case "-d":
                    body = words.pop(0).encode()
                case "-i":
                    pass
                case word:
                    url = word.removeprefix("$OTTO")
        if headers.get("if_match") == tag:
            headers["if_match"] = (await api.get(url.partition("?")[0])).headers["etag"]
        answer = await api.ask(method, url, body, **headers)
        good(answer, 201 if (method, url) == ("POST", "/site/shop") else 200)
        tag = answer.headers.get("etag", tag)
        done.append(f"{method} {url.partition('?')[0]}")
    assert {line.split()[0] for line in done} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert "DELETE /site/shop" in done
