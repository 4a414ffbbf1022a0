"""Price tables: ours, the operator's, and what is no price table."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from otto import resources
from otto.adapters.prices import FilePrices, open_prices
from otto.model.cost import PriceTable
from otto.model.errors import UsageError
from otto.model.spec import Provider

OURS = resources.path("infra", "prices")
SCHEMA = resources.path("schemas", "prices.json")
GOOD = """\
provider: lab
currency: EUR
source: a contract
updated: 2026-01-31
hosts:
  small: 0.5
  "2": 1
"""


def opened(home: Path) -> FilePrices:
    return open_prices(OURS, home / "prices", SCHEMA)


def put(home: Path, text: str | bytes, name: str = "lab.yaml") -> Path:
    path = home / "prices" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_labs_table_comes_with_otto(tmp_path: Path) -> None:
    prices = opened(tmp_path)
    table = prices.table(Provider.LAB)
    assert table is not None
    assert (table.provider, table.currency) == ("lab", "EUR")
    assert table.hosts == {"small": 0.006, "medium": 0.012, "large": 0.024}
    assert prices.table(Provider.AWS) is None


def test_the_operators_table_takes_its_place(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    assert opened(tmp_path).table(Provider.LAB) == PriceTable(
        "lab", "EUR", {"small": 0.5, "2": 1.0}, "a contract", "2026-01-31"
    )


def test_another_providers_table_stands_beside_ours(tmp_path: Path) -> None:
    put(tmp_path, "provider: aws\ncurrency: EUR\nhosts: {t3.micro: 0.01}\n", "aws.yaml")
    prices = opened(tmp_path)
    assert prices.table(Provider.AWS) == PriceTable("aws", "EUR", {"t3.micro": 0.01})
    assert prices.table(Provider.LAB) is not None


def test_other_files_are_nobodys_business(tmp_path: Path) -> None:
    put(tmp_path, "no table", "README.md")
    put(tmp_path, "no table", "lab.yaml~")
    assert opened(tmp_path).table(Provider.LAB) is not None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "it is empty"),
        ("42\n", 1, "is not of type 'object'"),
        ("- a\n", 1, "table: a single value belongs here"),
        ("provider: lab\ncurrency: [\n", 3, ""),
        ("provider: lab\n\tcurrency: EUR\n", 2, ""),
        (b"provider: lab\n# \xff\n", 2, "it is not UTF-8 text"),
        (GOOD.replace("currency: EUR\n", ""), 1, "table: 'currency' is a required property"),
        (GOOD.replace("EUR", "euros"), 2, "currency: 'euros' does not match"),
        (GOOD.replace("provider: lab", "provider: aws"), 1, "this is the table of aws, and called lab.yaml"),
        (GOOD.replace("provider: lab", "provider: asw"), 1, "provider: 'asw' is not one of"),
        (GOOD.replace("small: 0.5", "small: -0.5"), 6, "hosts.small: -0.5 is less than the minimum of 0"),
        (GOOD.replace("small: 0.5", "small: .inf"), 6, "hosts.small: '.inf' is no plain number"),
        (GOOD.replace("small: 0.5", "small: -.inf"), 6, "'-.inf' is no plain number"),
        (GOOD.replace("small: 0.5", "small: .nan"), 6, "'.nan' is no plain number"),
        (GOOD.replace("small: 0.5", "small: 1:30"), 6, "'1:30' is no plain number"),
        (GOOD.replace("small: 0.5", "small: 0x10"), 6, "'0x10' is no plain number"),
        (GOOD.replace("small: 0.5", f"small: {'9' * 400}"), 6, "is no plain number"),
        (GOOD.replace("small: 0.5", "small: 1e3"), 6, "hosts.small: '1e3' is not of type 'number'"),
        (GOOD.replace("small: 0.5", "small: 0,5"), 6, "hosts.small: '0,5' is not of type 'number'"),
        (GOOD.replace("small: 0.5", "small:"), 6, "hosts.small: '' is no plain number"),
        (GOOD.replace("small: 0.5", "small: yes"), 6, "hosts.small: 'yes' is no plain number"),
        (GOOD.replace("small: 0.5", "small: 2000000"), 6, "greater than the maximum"),
        (GOOD.replace("small: 0.5", "small: [1]"), 6, "hosts.small: a single value belongs here"),
        (GOOD.replace("small: 0.5", "small: {a: 1}"), 6, "hosts.small: a single value belongs here"),
        (GOOD.replace("small: 0.5", "no: 0.5"), 6, "'no' is no text"),
        (GOOD.replace("small: 0.5", "2: 0.5"), 6, "'2' is no text; a name like this belongs in quotation"),
        (GOOD.replace("small: 0.5", "? [a]\n  : 0.5"), 6, "'this' is no text"),
        (GOOD + "  small: 0.6\n", 8, "'small' stands here twice, first in line 6"),
        (GOOD + "currency: USD\n", 8, "'currency' stands here twice, first in line 2"),
        (GOOD + "price: 3\n", 1, "'price' was unexpected"),
        (GOOD + "---\nmore: 1\n", 8, ""),
        (GOOD.replace("a contract", "x" * 400), 3, "source: "),
        ("a: &a [1]\nb: *a\n", 1, "a: a single value belongs here"),
        pytest.param("x: " + "[" * 500_000, 1, "this lies too deep", id="deep"),
        pytest.param(b"#" * (1024 * 1024 + 1), 1, "it is larger than", id="large"),
    ],
)
def test_what_is_no_price_table(tmp_path: Path, text: str | bytes, line: int, said: str) -> None:
    path = put(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        opened(tmp_path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert said in caught.value.message
    assert len(caught.value.message) < len(str(path)) + 300
    assert "budgets.md" in caught.value.mend


@pytest.mark.parametrize("name", ["lab.yml", "asw.yaml", "LAB.yaml"])
def test_a_file_that_belongs_to_no_provider(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, GOOD, name)
    with pytest.raises(UsageError, match="this is no provider's price table") as caught:
        opened(tmp_path)
    assert str(path) in caught.value.message
    assert "lab.yaml" in caught.value.mend


def test_one_fleet_has_one_currency(tmp_path: Path) -> None:
    path = put(tmp_path, "provider: aws\ncurrency: USD\nhosts: {}\n", "aws.yaml")
    with pytest.raises(UsageError, match="several currencies") as caught:
        opened(tmp_path)
    assert f"{path}: USD" in caught.value.message
    put(tmp_path, GOOD.replace("EUR", "USD"))
    assert opened(tmp_path).table(Provider.AWS) is not None


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "prices" / "lab.yaml").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"lab\.yaml cannot be read: Is a directory"):
        opened(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file cannot be read: Not a directory"):
        open_prices(OURS, tmp_path / "file", SCHEMA)


@given(st.one_of(st.binary(max_size=60), st.text("abc:-{}[]&*!?|>'\"\n #%@0.1", max_size=60)))
@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_file_says_it_is_read_or_refused(tmp_path: Path, text: bytes | str) -> None:
    put(tmp_path, text)
    with pytest.raises(UsageError):
        opened(tmp_path)
