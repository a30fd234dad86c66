"""Frozen ranks of a run, one row a worker."""

from piccolo.columns import UUID, Integer, Text
from piccolo.table import Table

from shared.columns import county, link
from shared.database import DB


class Ranking(Table, tablename="ranking", schema="appraisal", db=DB):
    """Where a worker stands at each level; key (county_id, run_id, county_place), see sql/21.

    A rank is shared by equal scores (1, 1, 3) and NULL for 不定等次 and for a veto. A place is the
    position in the list, dense from 1, so that any page of any list begins at a known place.
    """

    county_id = county()
    run_id = link()
    person_id = UUID(primary_key=True, default=None)
    grid_type = Text(default=None)
    township_code = Text(default=None)
    village_code = Text(default=None)
    county_place = Integer(default=None)
    county_rank = Integer(default=None, null=True)
    type_place = Integer(default=None)
    type_rank = Integer(default=None, null=True)
    township_place = Integer(default=None)
    township_rank = Integer(default=None, null=True)
    village_place = Integer(default=None)
    village_rank = Integer(default=None, null=True)
