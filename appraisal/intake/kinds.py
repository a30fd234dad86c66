"""Every workbook the appraisal takes in, by the word in its address."""

from appraisal.duty import entry_sheets, random_sheets, sheets
from appraisal.intake.rules import Kind
from appraisal.training import sheets as training

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (sheets.KIND, *entry_sheets.KINDS, random_sheets.KIND, training.KIND)
}
