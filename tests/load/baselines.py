"""What the database can do by itself: the same redemption by hand, on the same tables.

B1 is pgbench sending its statements, B2 one PL/pgSQL call with the same statements, B1h and B2h the
same on one shop and product; B3 is COPY into tables with the same columns and indexes. None of
them checks a code, keeps a request's answer, counts limits or seals anything. They work in a
county of their own, 999999, beside the ledger's rows.
"""

import io
from time import perf_counter

import asyncpg

BASE_COUNTY = 999_999
WORKERS = 5_000
SHOPS = 8
PRODUCTS = 10

SETUP = f"""
INSERT INTO points.fund VALUES ({BASE_COUNTY}, pad(1), '999999', 'base', 100, 1000000000000);
INSERT INTO points.account (county_id, id, kind, unit, owner, balance)
SELECT {BASE_COUNTY}, pad(n), 'worker', 'wallet', pad(n), 100000000
FROM generate_series(1, {WORKERS}) n;
INSERT INTO points.lot (county_id, id, person_id, fund_id, award_id, earned_on, expires_on, amount,
    remaining, held)
SELECT {BASE_COUNTY}, pad(n), pad(n), pad(1), pad(n), '2026-01-01', '2099-12-31', 100000000,
    100000000, 0
FROM generate_series(1, {WORKERS}) n;
INSERT INTO points.stock (county_id, id, shop_id, product_id, quantity, held)
SELECT {BASE_COUNTY}, pad(s * 100 + p), pad(s), pad(p), 100000000, 0
FROM generate_series(1, {SHOPS}) s, generate_series(1, {PRODUCTS}) p;
"""
PAD = """
CREATE FUNCTION pad(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
"""
STEPS = f"""
INSERT INTO points.redemption (county_id, id, batch, position, status, request_hash, person_id,
    shop_id, amount, balance_after, month, at, lots, draws, means, authority, device, collector)
VALUES ({BASE_COUNTY}, :rid, :b, :n, 'accepted', '\\x00', pad(:w), pad(:s), 10, 0,
    '2026-11-01', now(), ARRAY[pad(:w)], ARRAY[10], 'token', 'shop', '', '')
ON CONFLICT DO NOTHING;
SELECT balance FROM points.account
WHERE county_id = {BASE_COUNTY} AND id = pad(:w) FOR UPDATE;
UPDATE points.account SET balance = balance - 10
WHERE county_id = {BASE_COUNTY} AND id = pad(:w) AND balance >= 10;
UPDATE points.lot SET remaining = remaining - 10
WHERE county_id = {BASE_COUNTY} AND id = pad(:w) AND remaining >= 10;
UPDATE points.stock SET quantity = quantity - 1
WHERE county_id = {BASE_COUNTY} AND shop_id = pad(:s) AND product_id = pad(:p) AND quantity >= 1;
INSERT INTO points.redemption_line (county_id, id, redemption_id, line, product_id, quantity, price,
    cost_fen)
VALUES ({BASE_COUNTY}, uuidv7(), :rid, 1, pad(:p), 1, 10, 80);
INSERT INTO points.transfer (county_id, batch, position, amount, id, debit, credit, about, unit,
    code)
VALUES ({BASE_COUNTY}, :b, :n, 10, uuidv7(), pad(:w), pad(900000 + :s), :rid,
    'wallet', 'redeem');
"""
DRAW = f"""
\\set w random(1, {WORKERS})
\\set b random(1, 2000000000)
\\set n random(1, 2000000000)
"""
SPREAD = f"\\set s random(1, {SHOPS})\n\\set p random(1, {PRODUCTS})\n"
HOT = "\\set s 1\n\\set p 1\n"
BY_HAND = (
    "BEGIN;"
    + STEPS.replace(":rid", "uuidv7()", 1).replace(
        "ON CONFLICT DO NOTHING;", "ON CONFLICT DO NOTHING RETURNING id AS rid \\gset"
    )
    + "COMMIT;\n"
)
BODY = STEPS.replace("SELECT balance", "PERFORM balance").replace(":", "")
CALLED = f"""
CREATE FUNCTION base_redeem(w int, s int, p int, rid uuid, b int, n int) RETURNS void
LANGUAGE plpgsql AS $$ BEGIN {BODY} END $$;
"""
ONE_CALL = "SELECT base_redeem(:w, :s, :p, uuidv7(), :b, :n);\n"
SCRIPTS = {
    "B1": DRAW + SPREAD + BY_HAND,
    "B1h": DRAW + HOT + BY_HAND,
    "B2": DRAW + SPREAD + ONE_CALL,
    "B2h": DRAW + HOT + ONE_CALL,
}
"""pgbench scripts."""

# What a record of work leaves behind: itself and its steps, its outcome and its two transfers.
COPY_TABLES = """
CREATE TABLE base_work (LIKE points.work_record INCLUDING ALL EXCLUDING GENERATED);
CREATE TABLE base_step (LIKE points.verification INCLUDING ALL);
CREATE TABLE base_posting (LIKE points.posting INCLUDING ALL);
CREATE TABLE base_lot (LIKE points.lot INCLUDING ALL EXCLUDING GENERATED);
CREATE TABLE base_transfer (LIKE points.transfer INCLUDING ALL);
"""
COPIED = {
    "base_work": "points.work_record",
    "base_step": "points.verification",
    "base_posting": "points.posting",
    "base_lot": "points.lot",
    "base_transfer": "points.transfer",
}


async def prepare(connection: asyncpg.Connection) -> None:
    """Rows and functions of B1 and B2, empty tables of B3."""
    for script in (PAD, SETUP, CALLED, COPY_TABLES):
        await connection.execute(script)


async def copied_rows_a_second(connection: asyncpg.Connection, county_id: int, since: int) -> float:
    """B3: what the last import wrote, streamed by COPY into tables with the same indexes.

    ``since`` is the number of the last batch before that import; answers work records a second.
    """
    files: dict[str, bytes] = {}
    rows = 0
    for target, source in COPIED.items():
        condition = {
            "base_work": "id IN (SELECT id FROM points.posting WHERE county_id = {0}"
            " AND batch > {1})",
            "base_step": "record_id IN (SELECT id FROM points.posting WHERE county_id = {0}"
            " AND batch > {1})",
            "base_posting": "batch > {1}",
            "base_lot": "award_id IN (SELECT id FROM points.posting WHERE county_id = {0}"
            " AND batch > {1})",
            "base_transfer": "batch > {1}",
        }[target].format(county_id, since)
        out = io.BytesIO()
        status = await connection.copy_from_query(
            f"SELECT * FROM {source} WHERE county_id = {county_id} AND {condition}",
            output=out, format="binary",
        )  # fmt: skip
        files[target] = out.getvalue()
        if target == "base_work":
            rows = int(status.split()[-1])
    started = perf_counter()
    async with connection.transaction():
        for target, data in files.items():
            await connection.copy_to_table(target, source=io.BytesIO(data), format="binary")
    seconds = perf_counter() - started
    await connection.execute("TRUNCATE " + ", ".join(COPIED))
    return rows / seconds
