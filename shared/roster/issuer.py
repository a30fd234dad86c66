"""Who issues a paper."""

from shared import settings_county
from shared.roster import service as roster
from shared.roster.rules import county_code


async def issuer(county_id: int) -> str:
    """云溪县组织部: the county with its department, unless the department's name says it."""
    department = (await settings_county.get(county_id)).department_name
    county = await roster.unit_name(county_id, county_code(county_id))
    return department if county in department else f"{county}{department}"
