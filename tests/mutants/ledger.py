"""The list: one textual change each, and the tests that must fail because of it.

A mutant that survives is a test that is missing. ``old`` stands exactly once in its file, so the
list cannot rot unnoticed (test_mutants.py).
"""

import msgspec

SQL = "points/sql/31_post_batch.sql"
LANE = "points/ledger/batching.py"
COMMITTER = "points/ledger/committer.py"
ITEMS = "tests/points/ledger/test_items.py"
RACES = "tests/points/ledger/test_concurrency.py"
SETWISE = "tests/points/ledger/test_setwise.py"
PICKUPS = "tests/points/redemption/test_pickups.py"
STORAGE = "tests/points/ledger/test_storage.py"
VERIFIER = "tests/points/ledger/test_verifier.py"
SEAL = "tests/points/ledger/seal/test_service.py"
TREE = "tests/points/ledger/seal/test_merkle.py"
WIRE = "tests/points/ledger/test_committer.py"
SCHEDULES = "tests/points/ledger/test_schedules.py"


class Mutant(msgspec.Struct, frozen=True):
    """``tests`` are pytest's own arguments: files, or ``file::test``."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def sql(name: str, old: str, new: str, *tests: str) -> Mutant:
    """A change of the door itself."""
    return Mutant(name, SQL, old, new, tests)


MUTANTS = (
    sql(
        "no lock of the county",
        "PERFORM pg_advisory_xact_lock(1818584167, p_county);",
        "",
        f"{RACES}::test_q1_hundred_spends_of_the_whole_balance",
        f"{RACES}::test_q10_one_piece_left",
    ),
    sql(
        "a repeat inside the batch is new",
        "WHEN i.first < i.place AND i.first_hash = i.hash THEN '#' || i.first",
        "",
        f"{ITEMS}::test_repeat_inside_a_batch_gets_the_same_answer",
    ),
    sql(
        "a repeat of a stored id is refused",
        "WHEN i.known = i.hash THEN 'repeated'",
        "WHEN false THEN 'repeated'",
        f"{ITEMS}::test_repeat_gets_the_same_answer",
    ),
    sql(
        "no request hash: the same id is the same request",
        "WHEN i.known IS NOT NULL THEN 'id_reused'",
        "WHEN i.known IS NOT NULL THEN 'repeated'",
        f"{ITEMS}::test_same_id_other_content_is_refused",
    ),
    sql(
        "last expiring, first spent",
        "ORDER BY l.expires_on, l.id\n    LOOP",
        "ORDER BY l.expires_on DESC, l.id\n    LOOP",
        f"{ITEMS}::test_first_expiring_is_spent_first",
    ),
    sql(
        "no guard of the stock",
        "WHEN g.short IS NOT NULL THEN 'out_of_stock'",
        "WHEN false THEN 'out_of_stock'",
        f"{ITEMS}::test_stock_and_points_refusals",
    ),
    sql(
        "no guard of the wallet",
        "            WHEN f.available < g.amount THEN 'insufficient'\n",
        "",
        f"{ITEMS}::test_stock_and_points_refusals",
    ),
    sql(
        "held goods can be sold",
        "SELECT s.quantity - s.held AS free FROM points.stock s",
        "SELECT s.quantity AS free FROM points.stock s",
        f"{ITEMS}::test_held_goods_are_not_for_sale",
    ),
    sql(
        "held points can be spent",
        "SELECT sum(l.held) FROM points.lot l",
        "SELECT 0 * sum(l.held) FROM points.lot l",
        ITEMS,
    ),
    sql(
        "points end a day early",
        "(l.expires_on >= p_today) IS NOT FALSE",
        "(l.expires_on > p_today) IS NOT FALSE",
        f"{ITEMS}::test_the_last_day_counts",
    ),
    sql(
        "points end a day late",
        "l.expires_on < d.today AND NOT",
        "l.expires_on < d.today - 1 AND NOT",
        f"{ITEMS}::test_ended_points_cannot_be_spent_before_the_sweep",
    ),
    sql(
        "months turn at midnight in London",
        "date_trunc('month', x.at AT TIME ZONE interval '8 hours')::date AS month) AS d",
        "date_trunc('month', x.at AT TIME ZONE interval '0 hours')::date AS month) AS d",
        f"{ITEMS}::test_month_turns_at_midnight_in_china",
    ),
    sql(
        "the month's limit forgets holds",
        "        SELECT sum(h.amount) FROM points.hold h\n"
        "        WHERE h.county_id = p_county AND h.person_id = p_person AND h.month = p_month\n"
        "          AND h.status = 'pending'), 0))::int8",
        "        0::int8), 0))::int8",
        f"{ITEMS}::test_month_limit_counts_holds_and_forgets_undone",
    ),
    sql(
        "the month's limit is off by one",
        "IF p_limit < p_amount + points.month_points(p_county, p_person, p_month) THEN",
        "IF p_limit < p_amount - 10 + points.month_points(p_county, p_person, p_month) THEN",
        f"{ITEMS}::test_month_limit_is_exact",
    ),
    sql(
        "the bound of a month's points stands still",
        "ELSE d.used + d.amount END\n"
        "    WHERE a.county_id = p_county AND a.id = d.wallet;\n    FOR i",
        "ELSE d.used END\n    WHERE a.county_id = p_county AND a.id = d.wallet;\n    FOR i",
        f"{ITEMS}::test_month_limit_is_exact",
    ),
    sql(
        "set-wise: the bound of a month's points stands still",
        "THEN a.month_points ELSE k.used + k.amount END",
        "THEN a.month_points ELSE k.used END",
        SETWISE,
    ),
    sql(
        "the limit of pieces is off by one",
        "IF p_limits[i] < p_quantities[i]\n",
        "IF p_limits[i] < p_quantities[i] - 1\n",
        f"{ITEMS}::test_product_limit_counts_pieces",
    ),
    sql(
        "a spent code buys again",
        "WHEN c.used_by IS NOT NULL THEN 'code_used' END AS refusal",
        "END AS refusal",
        f"{ITEMS}::test_code_is_consumed_once",
    ),
    sql(
        "a code is never spent",
        "    v_till := points.account_id('shop', 'wallet', d.shop_id);\n"
        "    UPDATE points.code SET used_by = d.id "
        "WHERE county_id = p_county AND id = d.code_id;\n",
        "    v_till := points.account_id('shop', 'wallet', d.shop_id);\n",
        f"{ITEMS}::test_code_is_consumed_once",
    ),
    sql(
        "set-wise: a code is never spent",
        "UPDATE points.code c SET used_by = k.id FROM kept k\n        WHERE k.ok",
        "UPDATE points.code c SET used_by = k.id FROM kept k\n        WHERE false",
        SETWISE,
    ),
    sql(
        "a refused purchase spends the code",
        "    IF NOT v_ok THEN\n        RETURN d.refusal;",
        "    IF NOT v_ok THEN\n        UPDATE points.code SET used_by = d.id "
        "WHERE county_id = p_county AND id = d.code_id;\n        RETURN d.refusal;",
        ITEMS,
    ),
    sql(
        "set-wise: a refused purchase spends the code",
        "UPDATE points.code c SET used_by = k.id FROM kept k\n        WHERE k.ok AND",
        "UPDATE points.code c SET used_by = k.id FROM kept k\n        WHERE",
        SETWISE,
    ),
    sql(
        "a code lasts a moment longer",
        "WHEN c.expires_at <= x.at THEN 'code_expired'",
        "WHEN c.expires_at < x.at THEN 'code_expired'",
        f"{ITEMS}::test_code_refusals",
    ),
    sql(
        "a code works for somebody else",
        "WHEN c.id IS NULL OR c.person_id <> x.person_id THEN 'code_unknown'",
        "WHEN c.id IS NULL THEN 'code_unknown'",
        f"{ITEMS}::test_code_refusals",
    ),
    sql(
        "a refused purchase takes the goods",
        "    IF NOT v_ok THEN\n        RETURN d.refusal;",
        "    IF NOT v_ok THEN\n        UPDATE points.stock SET quantity = quantity - 1\n"
        "        WHERE county_id = p_county AND shop_id = d.shop_id AND quantity > 0;\n"
        "        RETURN d.refusal;",
        f"{ITEMS}::test_stock_and_points_refusals",
    ),
    sql(
        "set-wise: a refused purchase takes the goods",
        "WHERE k.ok GROUP BY k.shop_id, l.product",
        "GROUP BY k.shop_id, l.product",
        SETWISE,
    ),
    sql(
        "set-wise: one wallet twice is not looked at again",
        "SELECT place FROM judged WHERE asked AND met > 0",
        "SELECT place FROM judged WHERE asked AND met > 1",
        f"{ITEMS}::test_refused_item_consumes_nothing_for_the_next",
        SETWISE,
    ),
    sql(
        "set-wise: the last piece is sold twice",
        "WHERE quantity <= free AND quantity > free - before) AS again",
        "WHERE quantity <= free AND quantity > free - before + 1) AS again",
        f"{RACES}::test_q10_one_piece_left",
        SETWISE,
    ),
    sql(
        "a hold is handed over twice",
        "    ELSIF p_hold.status <> 'pending' THEN\n        refusal := 'hold_resolved';\n",
        "",
        f"{ITEMS}::test_hold_refusals",
    ),
    sql(
        "a hold is given up twice",
        "    ELSIF v_hold.status <> 'pending' THEN\n        RETURN 'hold_resolved';\n",
        "",
        f"{ITEMS}::test_hold_refusals",
    ),
    sql(
        "a hold is handed over after its time",
        "ELSIF p_hold.expires_at <= (p_item ->> 'at')::timestamptz THEN",
        "ELSIF p_hold.expires_at < (p_item ->> 'at')::timestamptz THEN",
        f"{ITEMS}::test_hold_times_out_once",
        f"{ITEMS}::test_hold_refusals",
    ),
    sql(
        "another shop hands a hold over",
        "    ELSIF p_hold.shop_id <> (p_item ->> 'shop_id')::uuid THEN\n"
        "        refusal := 'shop_mismatch';\n",
        "",
        f"{ITEMS}::test_hold_refusals",
    ),
    sql(
        "more is handed over than was held",
        "WHERE (k ->> 'quantity')::int8 > coalesce(g.quantity, 0) LIMIT 1;",
        "WHERE (k ->> 'quantity')::int8 > coalesce(g.quantity, 0) + 1 LIMIT 1;",
        f"{ITEMS}::test_hold_refusals",
    ),
    sql(
        "what was fetched before its cancelling is charged twice",
        """
        AND NOT EXISTS (SELECT FROM points.redemption r WHERE r.county_id = p_county
            AND r.hold_id = p_hold.id AND r.status = 'accepted')
$$;""",
        "\n$$;",
        f"{PICKUPS}::test_fetched_offline_and_cancelled_before_the_upload",
    ),
    sql(
        "the shop's word is enough for a cancelled order",
        "p_hold.status = 'voided' AND (p_item ->> 'shown')::boolean",
        "p_hold.status = 'voided'",
        f"{PICKUPS}::test_fetched_offline_and_cancelled_before_the_upload",
    ),
    sql(
        "an order that the shop gave up is charged",
        "AND v.authority = 'self' AND v.at >",
        "AND v.at >",
        f"{PICKUPS}::test_given_up_by_the_shop_is_not_charged",
    ),
    sql(
        "a cancelled order is charged from an empty wallet",
        "IF refusal IS NULL AND points.spendable(p_county, p_hold.person_id, p_at) < p_amount THEN",
        "IF false THEN",
        f"{PICKUPS}::test_cancelled_and_spent_before_the_upload",
    ),
    sql(
        "a part of a hold takes all its points",
        "array_agg(least(draw, v_amount - before) ORDER BY n)",
        "array_agg(draw ORDER BY n)",
        f"{ITEMS}::test_partial_post_returns_the_rest",
    ),
    sql(
        "an undoing is done twice",
        "    ELSIF EXISTS (SELECT FROM points.posting\n"
        "                  WHERE county_id = p_county AND target = r.id AND kind = 'undo') THEN\n"
        "        RETURN 'already_undone';\n",
        "",
        f"{ITEMS}::test_undo_refusals",
    ),
    sql(
        "an undoing keeps the goods",
        "UPDATE points.stock s SET quantity = s.quantity + l.quantity",
        "UPDATE points.stock s SET quantity = s.quantity",
        ITEMS,
    ),
    sql(
        "an award is reversed twice",
        "WHERE county_id = p_county AND target = v_award.id AND kind = 'reverse') THEN",
        "WHERE false) THEN",
        f"{ITEMS}::test_reversal_refusals",
    ),
    sql(
        "more is reversed than was given",
        "ELSIF v_amount > greatest(v_award.amount, v_award.wallet + v_award.waiting) THEN",
        "ELSIF v_amount > 1 + greatest(v_award.amount, v_award.wallet + v_award.waiting) THEN",
        ITEMS,
    ),
    sql(
        "what was spent and is reversed is forgotten",
        "owed := p_amount - waiting - taken;",
        "owed := 0;",
        f"{ITEMS}::test_reversal_of_spent_points_becomes_an_offset",
    ),
    sql(
        "points that ended unspent are taken back once more",
        "owed := greatest(0, owed - coalesce((",
        "owed := greatest(0, owed - 0 * coalesce((",
        f"{ITEMS}::test_points_that_ended_are_not_taken_back_once_more",
    ),
    sql(
        "returned points do not settle what is owed",
        "    IF v_owed = 0 THEN\n        RETURN v_leg;",
        "    IF true THEN\n        RETURN v_leg;",
        f"{ITEMS}::test_undo_settles_an_offset",
    ),
    sql(
        "awards of one batch share the budget unseen",
        "greatest(0, least(wallet, room - coalesce(sum(wallet) OVER (",
        "greatest(0, least(wallet, room - 0 * coalesce(sum(wallet) OVER (",
        f"{ITEMS}::test_award_beyond_budget_waits_in_order",
    ),
    sql(
        "a correction takes away what is issued",
        "      AND (f.budget_fen + v_fen) * 10 + f.point_value_fen * (",
        "      AND (f.budget_fen + abs(v_fen)) * 10 + f.point_value_fen * (",
        f"{ITEMS}::test_a_mistyped_resolution_is_corrected_down_to_what_is_issued",
    ),
    sql(
        "a correction starts from what somebody else corrected",
        "    IF v_was <> (SELECT sum(amount_fen) FROM points.resolution",
        "    IF 0 > (SELECT sum(amount_fen) FROM points.resolution",
        f"{ITEMS}::test_a_mistyped_resolution_is_corrected_down_to_what_is_issued",
    ),
    sql(
        "an award overtakes those that wait",
        "CASE WHEN f.id IS NULL OR f.waiting THEN 0 ELSE f.room END AS room",
        "CASE WHEN f.id IS NULL THEN 0 ELSE f.room END AS room",
        f"{ITEMS}::test_no_award_overtakes_those_that_wait",
    ),
    sql(
        "the sweep takes the last day away",
        "AND expires_on < (p_item ->> 'on')::date\n",
        "AND expires_on <= (p_item ->> 'on')::date\n",
        f"{ITEMS}::test_expiry_writes_off_due_lots_once",
    ),
    sql(
        "the sweep does not mind an appeal",
        "              AND NOT points.appealing(p_county, person_id)\n",
        "",
        f"{ITEMS}::test_expiry_writes_off_due_lots_once",
    ),
    sql(
        "the counter does not mind an appeal",
        " AND NOT points.appealing(p_county, w.person) AS ended",
        " AS ended",
        f"{ITEMS}::test_who_appeals_spends_points_past_their_last_day",
    ),
    sql(
        "ended lots of who appeals are not drawn on",
        "IS NOT FALSE\n                       OR points.appealing(p_county, p_person))",
        "IS NOT FALSE)",
        f"{ITEMS}::test_who_appeals_spends_points_past_their_last_day",
    ),
    sql(
        "the sweep takes held points",
        "WHERE county_id = p_county AND live AND held = 0\n",
        "WHERE county_id = p_county AND live\n",
        f"{ITEMS}::test_expiry_writes_off_due_lots_once",
    ),
    sql(
        "a batch goes back into a closed month",
        "greatest(p_at, b.at,\n        (SELECT at FROM points.closing WHERE county_id = p_county"
        " ORDER BY month DESC LIMIT 1))",
        "greatest(p_at, b.at)",
        f"{STORAGE}::test_a_month_is_closed_once_and_nothing_comes_into_it",
    ),
    sql(
        "the chain does not seal amounts",
        "t.credit, t.amount, t.about)::text",
        "t.credit, t.about)::text",
        f"{SEAL}::test_a_receipt_proves_its_transfer",
    ),
    sql(
        "a block does not hold the one before",
        "SELECT sha256(p_previous || convert_to(",
        "SELECT sha256(convert_to(",
        f"{SEAL}::test_a_receipt_proves_its_transfer",
    ),
    sql(
        "the chain seals no memo",
        "p.actor_id, p.authority, p.memo)::text",
        "p.actor_id, p.authority)::text",
        VERIFIER,
    ),
    Mutant(
        "the fingerprint does not see the content",
        "points/ledger/items.py",
        "msgspec.json.encode((kind, self.content()))",
        "msgspec.json.encode((kind,))",
        (f"{ITEMS}::test_same_id_other_content_is_refused",),
    ),
    Mutant(
        "today is closed already",
        "points/ledger/seal/service.py",
        "if day >= today(now):",
        "if day > today(now):",
        (f"{SEAL}::test_a_day_closes_after_its_midnight_in_china",),
    ),
    Mutant(
        "a row can pass for a node",
        "points/ledger/seal/merkle.py",
        r'sha256(b"\x00" + data)',
        "sha256(data)",
        (TREE,),
    ),
    Mutant(
        "acknowledged before the commit",
        COMMITTER,
        "            outcomes = await queries.post_tickets(",
        "            for ticket in batch.tickets:\n"
        "                ticket.reply.done() or ticket.reply.set_result(None)\n"
        "            outcomes = await queries.post_tickets(",
        (WIRE,),
    ),
    Mutant(
        "a lost answer is taken for a refusal",
        COMMITTER,
        "            self._lose(repr(error))\n        except PostgresError",
        "            _tell(*self.lane.turned_away())\n        except PostgresError",
        (WIRE,),
    ),
    Mutant(
        "a transaction does not keep its own items",
        COMMITTER,
        "if committer is None or DB.current_transaction.get() is not None:",
        "if committer is None:",
        (f"{WIRE}::test_a_serving_process_uses_it_and_a_transaction_does_not",),
    ),
    Mutant(
        "the second loss is forgotten",
        LANE,
        "Batch(batch.county_id, batch.tickets, again=True)",
        "Batch(batch.county_id, batch.tickets)",
        (WIRE, SCHEDULES),
    ),
    Mutant(
        "a poison item takes its batch along",
        LANE,
        "if len(batch.tickets) == 1:",
        "if batch.tickets:",
        (f"{WIRE}::test_a_poison_item_fails_alone", SCHEDULES),
    ),
    Mutant(
        "halves of a batch change places",
        LANE,
        "(batch.tickets[half:], batch.tickets[:half])",
        "(batch.tickets[:half], batch.tickets[half:])",
        (SCHEDULES,),
    ),
    Mutant(
        "the queue has no bound",
        LANE,
        "if self.waiting >= self.limit or wait > self.patience:",
        "if wait > self.patience:",
        (SCHEDULES, WIRE),
    ),
    Mutant(
        "one shop may fill the queue",
        LANE,
        "own >= max(FEWEST, self.limit // (len(shops) + 1))",
        "own >= self.limit",
        (SCHEDULES,),
    ),
    Mutant(
        "a closing lane takes more",
        LANE,
        "        if self.closed:\n            return BACK_SOON\n",
        "",
        (SCHEDULES, WIRE),
    ),
    Mutant(
        "who hangs up stays in the queue",
        LANE,
        "        queue.remove(ticket)\n        self.waiting -= 1\n",
        "        queue.remove(ticket)\n",
        (SCHEDULES,),
    ),
    Mutant(
        "two batches fly at once",
        LANE,
        "        if self.flying is not None:\n            return None\n",
        "",
        (SCHEDULES,),
    ),
)
SHORT = (
    "no request hash: the same id is the same request",
    "last expiring, first spent",
    "set-wise: one wallet twice is not looked at again",
    "an undoing is done twice",
    "halves of a batch change places",
)
"""Played by ``make test``; ``make mutants`` plays all."""
