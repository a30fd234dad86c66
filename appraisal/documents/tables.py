"""A county's own templates."""

from piccolo.columns import Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table

from shared.columns import county, key, link
from shared.database import DB


class DocumentTemplate(Table, tablename="document_template", schema="appraisal", db=DB):
    """One version of a kind's template; without content: back to the product's own."""

    county_id = county()
    id = key()
    kind = Text(default=None)
    version = Integer(default=None)
    current = Boolean(default=True)
    file_name = Text(default="")
    content = Bytea(default=None, null=True)
    sha256 = Bytea(default=None, null=True)
    reason = Text(default="")
    uploaded_by = link()
    uploaded_at = Timestamptz(default=None)
