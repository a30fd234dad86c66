"""Which county a command is about."""

import click

from shared.errors import Invalid
from shared.scheduling import queries as scheduling

CODE = click.IntRange(100_000, 999_999)
COUNTY = click.option("--county", type=CODE, required=True, help="县代码，6 位。")


async def known(county_id: int) -> int:
    """The county of this code: a slip in it must not pass for an empty month. Raises Invalid."""
    if county_id not in await scheduling.counties():
        raise Invalid(f"库里没有 {county_id} 这个县，请核对县代码；新的县先导入花名册。")
    return county_id


async def only(county_id: int | None) -> int:
    """The county that was named, else the only one there is. Raises Invalid."""
    if county_id is not None:
        return await known(county_id)
    counties = await scheduling.counties()
    if len(counties) != 1:
        raise Invalid(f"库里有 {len(counties)} 个县，请用 --county 写明县代码。")
    return counties[0]
