"""Demo people as the services see them."""

from datetime import datetime
from uuid import UUID

from deploy.demo.county import COUNTY
from shared.clock import today
from shared.identity.actor import Actor
from shared.ids import new_id
from shared.roster import service as roster


async def act(person_id: UUID, at: datetime) -> Actor:
    """A demo person as the services see them, with the duties held at a moment.

    They have just given their password, as closing a cycle asks.
    """
    card = await roster.person(COUNTY, person_id)
    return Actor(
        county_id=COUNTY,
        person_id=person_id,
        name=card.name if card else "",
        account_id=new_id(),
        session_id=new_id(),
        confirmed_at=at,
        duties=await roster.duties_at(COUNTY, person_id, today(at)),
        device="demo",
    )
