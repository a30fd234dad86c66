"""The wallet page: where points came from and where they went, each with its receipt."""

from typing import Literal
from uuid import UUID

import msgspec
from litestar import MediaType, get
from litestar.params import FromPath, FromQuery
from litestar.response import Response, Template

from points.ledger import service
from points.ledger.seal import service as seal
from points.ledger.words import label
from shared.clock import today
from shared.identity.actor import Actor
from shared.web.application import Router
from shared.web.files import attachment
from shared.web.pages import Asked, moment, page

PAGE = 20


@get("/wallet")
async def wallet(
    request: Asked,
    after: FromQuery[UUID | None] = None,
    unit: FromQuery[Literal["wallet", "merit"]] = "wallet",
) -> Template:
    """One's own movements, newest first: 可兑换积分 or 履职积分."""
    actor: Actor = request.user
    rows = await service.transfers(
        actor.county_id, actor.person_id, before=after, limit=PAGE + 1, unit=unit
    )
    on = today(moment(request))
    return page(
        request,
        "ledger/m_wallet.html",
        block="rows" if after else None,
        on=on,
        rows=rows[:PAGE],
        unit=unit,
        label=label,
        more=len(rows) > PAGE,
        balances=await service.balances(actor.county_id, actor.person_id, moment(request)),
        ending=await service.first_ending(actor.county_id, actor.person_id, on),
    )


@get("/wallet/{transfer_id:uuid}")
async def receipt(request: Asked, transfer_id: FromPath[UUID]) -> Template:
    """One movement with the block of the chain that seals it."""
    actor: Actor = request.user
    found = await service.own_receipt(actor.county_id, actor.person_id, transfer_id)
    after = UUID(int=transfer_id.int + 1)
    [row] = await service.transfers(actor.county_id, actor.person_id, before=after, limit=1)
    file = await seal.receipt_file(actor.county_id, transfer_id)
    return page(
        request,
        "ledger/m_receipt.html",
        receipt=found,
        row=row,
        day=file.day,
        text=msgspec.json.encode(file).decode(),
        label=label,
    )


@get("/wallet/{transfer_id:uuid}/receipt.json")
async def download(request: Asked, transfer_id: FromPath[UUID]) -> Response[bytes]:
    """The receipt of one's own movement, to keep and to check anywhere (docs/receipts.md)."""
    actor: Actor = request.user
    found = await service.own_receipt(actor.county_id, actor.person_id, transfer_id)
    file = await seal.receipt_file(actor.county_id, transfer_id)
    name = f"积分凭证-{today(found.at)}-第{found.batch}页第{found.position}笔.json"
    return Response(msgspec.json.encode(file), media_type=MediaType.JSON, headers=attachment(name))


router = Router("/", route_handlers=[wallet, receipt, download], include_in_schema=False)
