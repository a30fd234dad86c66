import httpx
import pytest

from shared.web.preferences import local


async def posted(client: httpx.AsyncClient, **fields: str) -> httpx.Response:
    await client.get("/health")
    token = client.cookies["csrftoken"]
    return await client.post("/preferences", data=fields | {"_csrf_token": token})


async def test_choices_are_kept_in_cookies(client: httpx.AsyncClient) -> None:
    """The server knows size and theme before it writes the first byte."""
    answer = await posted(client, text_size="elder", theme="dark", next="/sign-in")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert (client.cookies["text_size"], client.cookies["theme"]) == ("elder", "dark")


async def test_unknown_choices_are_refused(client: httpx.AsyncClient) -> None:
    """A cookie never holds what a page could not render."""
    answer = await posted(client, text_size="gigantic")
    assert answer.status_code == 422
    assert "text_size" not in client.cookies


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil", "", "x"])
def test_nobody_is_sent_to_another_host(address: str) -> None:
    """Only an address of this host is followed."""
    assert local(address) == "/"
    assert local("/home") == "/home"
