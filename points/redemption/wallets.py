"""A wallet as the API shows it."""

from datetime import datetime
from uuid import UUID

from points.ledger import service as ledger
from points.redemption.schemas import TransferPage, Wallet, WalletTransfer
from shared.clock import now as clock_now
from shared.clock import today
from shared.identity.access import Action, Target, reach, require
from shared.identity.actor import Actor
from shared.roster import service as roster


async def mine(actor: Actor, now: datetime) -> Wallet:
    """The actor's own points."""
    found = await ledger.balances(actor.county_id, actor.person_id)
    return Wallet(
        person_id=actor.person_id,
        available=found.wallet,
        held=found.held,
        awaiting=found.awaiting,
        offset=found.offset,
        merit=found.merit,
        at=now,
    )


async def transfers(actor: Actor, person_id: UUID, before: UUID | None, limit: int) -> TransferPage:
    """Movements of one's own wallet or of a worker in the actor's units. Raises NotFound."""
    place, on = None, today(clock_now())
    for code in (*reach(actor, Action.WALLET_VIEW), ""):  # who has two villages is in the own one
        place = place or await roster.worker_place(actor.county_id, person_id, on, code)
    unit_code = place.village_code if place else ""
    require(actor, Action.WALLET_VIEW, Target(unit_code=unit_code, owner=person_id))
    rows = await ledger.transfers(actor.county_id, person_id, before=before, limit=limit + 1)
    items = tuple(
        WalletTransfer(
            id=row.id,
            at=row.at,
            unit=row.unit,
            code=row.code,
            amount=row.amount,
            memo=row.memo,
            shop_id=row.shop_id,
            redemption_id=row.redemption_id,
        )
        for row in rows[:limit]
    )
    more = str(items[-1].id) if len(rows) > limit else None
    return TransferPage(items, more)
