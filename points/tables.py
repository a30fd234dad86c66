"""All tables of the points schema, gathered for Piccolo; each feature keeps its own."""

from points.ledger.seal.tables import DayRoot
from points.ledger.tables import (
    Account,
    Awaiting,
    Batch,
    Closing,
    ClosingBalance,
    Code,
    Fund,
    Hold,
    Lot,
    Posting,
    Redemption,
    RedemptionLine,
    Resolution,
    Stock,
    StockMove,
    Transfer,
)
from points.mall.tables import Agreement, Price, Product, Shop
from points.redemption.tables import Card, CounterTries, Pickup
from points.rulebook.tables import RuleVariant, RuleVersion
from points.settlement.tables import (
    Correction,
    Publication,
    Statement,
    StatementDispute,
    StatementLine,
    StatementSignature,
)
from points.work.tables import (
    Deduction,
    Objection,
    Verification,
    VillageMonth,
    WorkRecord,
)

__all__ = [
    "Account",
    "Agreement",
    "Awaiting",
    "Batch",
    "Card",
    "Closing",
    "ClosingBalance",
    "Code",
    "Correction",
    "CounterTries",
    "DayRoot",
    "Deduction",
    "Fund",
    "Hold",
    "Lot",
    "Objection",
    "Pickup",
    "Posting",
    "Price",
    "Product",
    "Publication",
    "Redemption",
    "RedemptionLine",
    "Resolution",
    "RuleVariant",
    "RuleVersion",
    "Shop",
    "Statement",
    "StatementDispute",
    "StatementLine",
    "StatementSignature",
    "Stock",
    "StockMove",
    "Transfer",
    "Verification",
    "VillageMonth",
    "WorkRecord",
]
