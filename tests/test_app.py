import httpx


async def test_health(client: httpx.AsyncClient) -> None:
    """The process answers, and so does its database."""
    assert (await client.get("/health")).json() == {"status": "ok"}
    assert (await client.get("/ready")).json()["database"] == "ok"


async def test_absent_page_is_one_chinese_sentence(client: httpx.AsyncClient) -> None:
    """A wrong address shows a page, and a program gets a problem document."""
    page = await client.get("/nowhere", headers={"accept": "application/json"})
    assert (page.status_code, page.json()["code"]) == (404, "not_found")
