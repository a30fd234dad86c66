"""What no page of ours sends is refused with a sentence before any handler looks at it."""

from datetime import date, datetime
from decimal import Decimal

import httpx
import msgspec
import pytest

from shared.errors import Invalid
from shared.web import forms
from tests.factories import small_county
from tests.shared.identity.test_matrix import act_as, token


class Form(msgspec.Struct):
    """One of each kind."""

    day: date = date(2026, 1, 1)
    at: datetime = datetime(2026, 1, 1)  # noqa: DTZ001  a default
    whole: int | None = None
    several: list[int] = []
    amount: Decimal = Decimal(0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("day", "0001-01-01"),
        ("day", "1899-12-31"),
        ("day", "9999-12-31"),
        ("at", "0001-01-01T00:00:00Z"),
        ("whole", str(2**31)),
        ("whole", str(-(2**63))),
        ("several", ["1", str(2**40)]),
    ],
)
def test_what_nothing_keeps_is_refused(field: str, value: object) -> None:
    """Days without a neighbour, which the database takes for endless, and too large numbers."""
    with pytest.raises(Invalid) as refused:
        forms.bind(Form, {field: value})
    assert refused.value.fields.keys() == {field}


def test_what_is_kept_passes() -> None:
    """The first and the last of each."""
    sent = {"day": "1900-01-01", "at": "2199-12-31T00:00:00Z", "whole": str(2**31 - 1)}
    assert forms.bind(Form, sent).day == date(1900, 1, 1)
    assert forms.bind(Form, {"amount": "99999999999.5"}).amount == Decimal("99999999999.5")


async def test_a_field_twice_or_a_file_for_text_is_refused(client: httpx.AsyncClient) -> None:
    """A list stays a list, of one too; whatever else comes twice is no form of ours."""
    town = await small_county()
    await act_as(client, town.department)
    headers = {"x-csrftoken": await token(client), "accept": "text/html"}
    twice = await client.post("/me/look", data={"theme": ["dark", "light"]}, headers=headers)
    file = await client.post("/me/look", files={"theme": ("x.txt", b"dark")}, headers=headers)
    for answer in (twice, file):
        assert (answer.status_code, "请求的内容有误，请检查后重试。" in answer.text) == (400, True)
    address = "/desk/roster/units/421222100001/post"
    grids = ["421222100001001", "421222100001002"]
    for chosen in (grids, grids[:1]):
        form = {"role": "lead", "grids": chosen}
        answer = await client.post(address, data=form, headers=headers)
        assert answer.status_code == 303, answer.text


async def test_a_token_of_other_letters_is_refused(client: httpx.AsyncClient) -> None:
    """In the form, in the header, in the cookie, or as a file: never a defect."""
    right = await token(client)
    odd = right[:-1] + "中"
    for form in ({"_csrf_token": odd}, {"_csrf_token": [right, odd]}):
        assert (await client.post("/sign-in", data=form)).status_code in {400, 403, 422}
    sent = {"_csrf_token": ("x.txt", right.encode())}
    assert (await client.post("/sign-in", files=sent)).status_code == 400
    gbk = {b"x-csrftoken": odd.encode("gbk")}
    assert (await client.post("/sign-in", headers=gbk)).status_code == 403
    client.cookies.clear()
    headers = {"x-csrftoken": right, "cookie": f"csrftoken={right[:-1]}%E4%B8%AD"}
    assert (await client.post("/sign-in", headers=headers)).status_code == 403
