"""Faults in what decides about people and money outside the ledger, and the tests that see them.

Scores and grades, the survey, terms and recusal, objectors, statements, deductions, sign-in,
erasing. The list has the shape of ``ledger.py``.
"""

from tests.mutants.ledger import Mutant

BULK = "tests/points/work/test_bulk.py"
CASES = "tests/appraisal/casework/test_rules.py"
CHECKS = "tests/appraisal/duty/test_drawing.py"
CONTEST = "tests/appraisal/notice/test_contest.py"
CYCLE = "tests/appraisal/cycle/test_service.py"
DEDUCTIONS = "tests/points/work/test_deductions.py"
DRAW = "tests/appraisal/survey/test_draw.py"
DUTY = "tests/appraisal/duty/test_service.py"
EVIDENCE = "tests/appraisal/pool/test_rules.py"
GATHER = "tests/appraisal/scorecard/test_gather.py"
LEFT_OUT = "tests/appraisal/scorecard/test_left_out.py"
MONTH = "tests/points/work/test_month.py"
NOTICE = "tests/appraisal/notice/test_service.py"
PEOPLE = "tests/shared/retention/test_people.py"
POOL = "tests/appraisal/pool/test_service.py"
RANKING = "tests/appraisal/ranking/test_ranking.py"
RESULTS = "tests/appraisal/survey/test_results.py"
SAMPLE = "tests/appraisal/survey/test_rules.py"
SCORES = "tests/appraisal/scorecard/test_service.py"
SCORING = "tests/appraisal/scorecard/test_scoring.py"
SIGNIN = "tests/shared/identity/test_signin.py"
STATEMENTS = "tests/points/settlement/test_statements.py"
SURVEY = "tests/appraisal/survey/test_service.py"
TERMINALS = "tests/shared/identity/test_terminals.py"
VARIANTS = "tests/points/rulebook/test_variants.py"
WORK = "tests/points/work/test_service.py"

MUTANTS = (
    Mutant(
        "a worker whose post ended before the last day is appraised",
        "appraisal/scorecard/scoring_queries.py",
        "a.valid_to > r.ends_on) AS at_end",
        "a.valid_to >= r.ends_on) AS at_end",
        (f"{GATHER}::test_the_last_day_decides_who_is_there",),
    ),
    Mutant(
        "points of the period's last day are lost",
        "appraisal/scorecard/scoring_queries.py",
        "AND m.day <= (SELECT ends_on FROM run)",
        "AND m.day < (SELECT ends_on FROM run)",
        (f"{GATHER}::test_the_facts_are_those_of_the_sources",),
    ),
    Mutant(
        "a year takes in a half-year without a grade",
        "appraisal/scorecard/scoring_queries.py",
        " AND s.grade <> 'undetermined'",
        "",
        (f"{GATHER}::test_the_annual_result_takes_in_the_closed_half_year",),
    ),
    Mutant(
        "a score at the line is not excellent",
        "appraisal/scorecard/scoring_queries.py",
        "AND final >= excellent_line",
        "AND final > excellent_line",
        (f"{SCORING}::test_a_grade_begins_at_its_line",),
    ),
    Mutant(
        "ninety days in post are too few",
        "appraisal/scorecard/scoring_queries.py",
        "WHEN days < min_days OR final IS NULL THEN 'undetermined'",
        "WHEN days <= min_days OR final IS NULL THEN 'undetermined'",
        (f"{SCORING}::test_a_grade_begins_at_its_line",),
    ),
    Mutant(
        "the share of excellent is rounded up",
        "appraisal/scorecard/scoring_queries.py",
        "1 + GREATEST(w.workers * u.excellent_share / 100,",
        "1 + GREATEST((w.workers * u.excellent_share + 99) / 100,",
        (f"{SCORING}::test_one_of_five_may_be_excellent_and_of_four_none",),
    ),
    Mutant(
        "a tie at the quota's edge is in",
        "appraisal/scorecard/scoring_queries.py",
        "merits > COALESCE(q.bar, 0) AS within",
        "merits >= COALESCE(q.bar, 1) AS within",
        (f"{SCORING}::test_quota_of_excellent_is_the_townships",),
    ),
    Mutant(
        "satisfaction breaks no tie",
        "appraisal/scorecard/scoring_queries.py",
        "(final::int8 << 24) + (COALESCE(liked + 1, 0)::int8 << 14) + results",
        "(final::int8 << 24) + results",
        (f"{SCORING}::test_equal_scores_go_by_satisfaction_then_results",),
    ),
    Mutant(
        "an objection grades everybody again",
        "appraisal/scorecard/calibrating.py",
        "person_id if out else None",
        "None",
        (f"{SCORES}::test_an_objection_takes_no_grade_from_who_was_told",),
    ),
    Mutant(
        "a chief sees ranks",
        "appraisal/scorecard/queries.py",
        "CASE WHEN EXISTS (SELECT FROM unnest($4::text[]) c WHERE "
        "starts_with(i.grid_code, c))\n"
        "            THEN r.township_rank END AS rank",
        "r.township_rank AS rank",
        (f"{SCORES}::test_ranks_are_for_the_township_and_above",),
    ),
    Mutant(
        "sixty per cent of the households are rounded down",
        "appraisal/survey/rules.py",
        "-(-asked * ANSWERED_SHARE // 100)",
        "asked * ANSWERED_SHARE // 100",
        (f"{SAMPLE}::test_households_are_added_until_enough_have_answered",),
    ),
    Mutant(
        "each group of households gives one more",
        "appraisal/survey/draw.py",
        "taken = left[one.group] > 0",
        "taken = left[one.group] >= 0",
        (f"{DRAW}::test_every_group_has_its_share",),
    ),
    Mutant(
        "who keyed a paper decides what it says",
        "appraisal/survey/ballots.py",
        "if actor.person_id in {row.first_by, row.second_by}:",
        "if actor.person_id in {row.first_by}:",
        (f"{SURVEY}::test_a_third_look_decides_what_two_read_differently",),
    ),
    Mutant(
        "one of the village interviews it",
        "appraisal/survey/field.py",
        "return village_code in codes and may_interview(actor.duties, village_code[:12])",
        "return village_code in codes",
        (f"{SURVEY}::test_who_comes_into_the_village_interviews_it_no_more",),
    ),
    Mutant(
        "a counted slip is taken again",
        "appraisal/survey/ballot_queries.py",
        "s.state = 'drawn' AND NOT EXISTS (\n"
        "        SELECT FROM appraisal.ballot_spent WHERE county_id = $1 AND id = "
        "$3) AND EXISTS (",
        "s.state = 'drawn' AND EXISTS (",
        (f"{SURVEY}::test_a_slip_scanned_twice_at_once_counts_once",),
    ),
    Mutant(
        "an empty ballot makes a group of five",
        "appraisal/sql/31_survey_count.sql",
        "(a.answers <> '{0,0,0,0,0,0}')::int AS counts",
        "1 AS counts",
        (f"{RESULTS}::test_four_are_told_nowhere",),
    ),
    Mutant(
        "four ballots of a village are told",
        "appraisal/sql/31_survey_count.sql",
        "SELECT v.id, v.aware, v.answers, v.counts,\n               CASE WHEN v.n >= 5",
        "SELECT v.id, v.aware, v.answers, v.counts,\n               CASE WHEN v.n >= 4",
        (f"{RESULTS}::test_four_are_told_nowhere",),
    ),
    Mutant(
        "ballots that rate nothing make a sample",
        "appraisal/sql/32_survey_result.sql",
        "coalesce(c.counted >= 20, FALSE)",
        "coalesce(c.ballots >= 20, FALSE)",
        (f"{RESULTS}::test_a_result_counts_from_twenty",),
    ),
    Mutant(
        "a relative serves the letter",
        "appraisal/casework/rules.py",
        "if (not step.own or HOW in step.fields) and actor in world.kin:",
        "if not step.own and actor in world.kin:",
        (f"{NOTICE}::test_no_relative_serves_a_letter",),
    ),
    Mutant(
        "the last day of a term is too late",
        "appraisal/casework/rules.py",
        "and on > ends[within]:",
        "and on >= ends[within]:",
        (f"{CASES}::test_a_late_paper_reopens_what_had_lapsed",),
    ),
    Mutant(
        "a term is over on its last day",
        "appraisal/casework/rules.py",
        "and on <= ends[term]:",
        "and on < ends[term]:",
        (f"{CASES}::test_the_last_day_of_a_term_is_part_of_it",),
    ),
    Mutant(
        "the engine ends a post before the appeal is over",
        "appraisal/casework/rules.py",
        "if not after or after[-1] not in APPEAL_OVER:",
        "if False:",
        (f"{CASES}::test_the_engine_holds_any_machine_to_due_process",),
    ),
    Mutant(
        "the engine asks for no protected period",
        "appraisal/casework/rules.py",
        "missing = {Need.SUBSTANTIAL, Need.UNPROTECTED} - set(step.needs)",
        "missing = {Need.SUBSTANTIAL} & set()",
        (f"{CASES}::test_the_engine_holds_any_machine_to_due_process",),
    ),
    Mutant(
        "a dismissal has twenty-nine days of notice",
        "appraisal/casework/rules.py",
        "Span.DISMISSAL: (30, False)",
        "Span.DISMISSAL: (29, False)",
        (f"{POOL}::test_terms_have_the_length_that_rules_and_law_give_them",),
    ),
    Mutant(
        "who keyed in an appeal answers it",
        "appraisal/casework/machines.py",
        'fresh=(*decided, "appealed", "*"),',
        'fresh=(*decided, "*"),',
        (f"{NOTICE}::test_who_decided_before_does_not_decide_again",),
    ),
    Mutant(
        "who decided an exit answers the appeal",
        "appraisal/casework/machines.py",
        'fresh=("decided", "appealed", "*"),',
        'fresh=("appealed", "*"),',
        (f"{POOL}::test_an_appeal_keeps_somebody",),
    ),
    Mutant(
        "who nominated somebody agrees with them",
        "appraisal/casework/machines.py",
        '            fresh=("nominated",),\n',
        "",
        (f"{POOL}::test_who_nominates_somebody_does_not_agree_with_them",),
    ),
    Mutant(
        "a term ends in a protected period",
        "appraisal/casework/machines.py",
        "needs=(Need.UNPROTECTED, Need.TERM_OVER, Need.IN_POST)",
        "needs=(Need.TERM_OVER, Need.IN_POST)",
        (f"{POOL}::test_a_term_ends_after_its_last_day_and_never_in_a_protection",),
    ),
    Mutant(
        "a re-check fails on thin evidence",
        "appraisal/casework/machines.py",
        "(Need.STANDS, Need.SUBSTANTIAL, Need.IN_POST),\n                    Outcome.FAILED_AGAIN",
        "(Need.STANDS, Need.IN_POST),\n                    Outcome.FAILED_AGAIN",
        (f"{POOL}::test_nobody_is_talked_to_or_fails_again_on_thin_evidence",),
    ),
    Mutant(
        "a result is settled on the last day to object",
        "appraisal/casework/world.py",
        "    if matter.on <= served.objection_until:",
        "    if matter.on < served.objection_until:",
        (f"{POOL}::test_no_warning_before_the_result_is_settled",),
    ),
    Mutant(
        "who gave the warning has decided nothing",
        "appraisal/casework/world.py",
        "if opening.origin_id and opening.machine != OBJECTION.key:",
        "if False:",
        (f"{POOL}::test_an_appeal_keeps_somebody",),
    ),
    Mutant(
        "half of the meeting is a majority",
        "appraisal/casework/effects.py",
        "if out and against * 2 <= present:",
        "if out and against * 2 < present:",
        (f"{POOL}::test_a_meeting_that_would_keep_somebody_carries_no_exit",),
    ),
    Mutant(
        "the clock opens an exit beside another",
        "appraisal/casework/queries.py",
        "AND o.basis <> 'wish' AND o.id <> f.id)",
        "AND false)",
        (f"{POOL}::test_the_clock_opens_no_exit_beside_another",),
    ),
    Mutant(
        "kinship counts one way only",
        "appraisal/casework/queries.py",
        "AND $2 IN (k.person_id, k.relative_id)",
        "AND $2 = k.person_id",
        (f"{NOTICE}::test_relatives_are_recused",),
    ),
    Mutant(
        "an objector is stored readable",
        "appraisal/casework/service.py",
        "form = msgspec.structs.replace(form, answers=_sealed(form.answers))",
        "pass",
        (f"{CONTEST}::test_the_objector_is_unreadable_in_the_database",),
    ),
    Mutant(
        "a relative is told who objected",
        "appraisal/casework/service.py",
        "    if await _is_kin(actor, case):\n"
        '        raise Forbidden("您与当事人是近亲属，依规应当回避，不能查看反映人。")\n',
        "",
        (f"{CONTEST}::test_a_relative_is_not_told_who_objected",),
    ),
    Mutant(
        "an objector is erased a day early",
        "appraisal/casework/service.py",
        "ERASED_AFTER_DAYS = OBJECTOR.days",
        "ERASED_AFTER_DAYS = OBJECTOR.days - 1",
        (f"{CONTEST}::test_who_objected_is_erased_in_time",),
    ),
    Mutant(
        "a notice is over on its last day",
        "appraisal/notice/service.py",
        "if on <= found.ends_on else []",
        "if on < found.ends_on else []",
        (f"{NOTICE}::test_a_cycles_terms_are_over_the_day_after_their_last",),
    ),
    Mutant(
        "papers on their way have four days",
        "appraisal/notice/service.py",
        "LATE_PAPERS = timedelta(days=5)",
        "LATE_PAPERS = timedelta(days=4)",
        (f"{NOTICE}::test_a_cycles_terms_are_over_the_day_after_their_last",),
    ),
    Mutant(
        "a protection ends a day early",
        "appraisal/pool/rules.py",
        "(shield.ends_on is None or on <= shield.ends_on)",
        "(shield.ends_on is None or on < shield.ends_on)",
        (f"{EVIDENCE}::test_protection_holds_on_its_days",),
    ),
    Mutant(
        "an interval that touches the line is no doubt",
        "appraisal/pool/rules.py",
        "found.final + reach >= line",
        "found.final + reach > line",
        (f"{EVIDENCE}::test_thin_evidence",),
    ),
    Mutant(
        "the database lets an official be recalled at once",
        "appraisal/sql/50_casework.sql",
        "'agreement_ended','recalled'))",
        "'agreement_ended'))",
        (f"{POOL}::test_the_database_refuses_what_no_code_should_try",),
    ),
    Mutant(
        "an old signature opens a closed cycle",
        "appraisal/sql/10_cycle.sql",
        "AND s.source = 'closed' AND s.at >= OLD.closed_at));",
        "AND s.source = 'closed'));",
        (f"{CYCLE}::test_a_closed_cycle_opens_by_a_fresh_signature_and_with_nothing_else",),
    ),
    Mutant(
        "a month's first instant is the last one's",
        "points/settlement/queries.py",
        "r.status = 'accepted' AND r.at < $2",
        "r.status = 'accepted' AND r.at <= $2",
        (f"{STATEMENTS}::test_midnight_belongs_to_the_month_that_begins",),
    ),
    Mutant(
        "a line that was paid is carried over",
        "points/settlement/queries.py",
        "\n      AND d.decided_at > s.frozen_at",
        "",
        (f"{STATEMENTS}::test_who_objected_leaves_the_decision_to_others",),
    ),
    Mutant(
        "an objection to a frozen statement is withdrawn",
        "points/settlement/service.py",
        "        row, found = await _disputed(actor, dispute_id)\n"
        "        if found.frozen:\n"
        "            raise StatementFrozen\n",
        "        row, found = await _disputed(actor, dispute_id)\n",
        (f"{STATEMENTS}::test_dispute_decided_after_the_freeze_is_paid_with_the_next_statement",),
    ),
    Mutant(
        "one person confirms both steps",
        "points/work/rules.py",
        "            people = tuple(held for held in people if held.person_id not in confirmed)\n",
        "            pass\n",
        (f"{WORK}::test_v2_where_one_person_holds_both_posts",),
    ),
    Mutant(
        "a deduction is decided on the last day to answer",
        "points/work/deductions.py",
        "today(now) <= row.answer_due_on",
        "today(now) < row.answer_due_on",
        (f"{DEDUCTIONS}::test_a_decision_waits_for_the_answer_or_its_term",),
    ),
    Mutant(
        "who proposed a deduction decides the appeal",
        "points/work/deductions.py",
        "makers = {row.proposed_by, row.decided_by}",
        "makers = {row.decided_by}",
        (f"{DEDUCTIONS}::test_an_appeal_stops_it_until_somebody_else_decides",),
    ),
    Mutant(
        "a review asked for on the last day is late",
        "points/work/month.py",
        "        if today(now) > last:\n",
        "        if today(now) >= last:\n",
        (f"{MONTH}::test_an_objection_holds_its_record_back",),
    ),
    Mutant(
        "a revoked session lives on",
        "shared/identity/queries.py",
        "AND s.revoked_at IS NULL AND s.expires_at > $3 AND a.disabled_at IS NULL",
        "AND s.expires_at > $3 AND a.disabled_at IS NULL",
        (f"{SIGNIN}::test_disabled_account_and_revoked_session_end_at_once",),
    ),
    Mutant(
        "one code signs two in",
        "shared/identity/queries.py",
        'AND totp_last_step < $3"',
        'AND totp_last_step <= $3"',
        (f"{SIGNIN}::test_desk_needs_password_and_a_fresh_code",),
    ),
    Mutant(
        "another password ends no session",
        "shared/identity/signin.py",
        "        await queries.change_password(actor.county_id, actor.account_id, "
        "password_hash)\n"
        "        await queries.revoke_sessions(actor.county_id, actor.account_id, "
        "now, keep=actor.session_id)\n",
        "        await queries.change_password(actor.county_id, actor.account_id, password_hash)\n",
        (f"{SIGNIN}::test_desk_needs_password_and_a_fresh_code",),
    ),
    Mutant(
        "a card opens for ever",
        "shared/identity/signin.py",
        "    if not duties and not former:\n        raise Forbidden(CARD_ENDED)",
        "    if False:\n        raise Forbidden(CARD_ENDED)",
        (f"{SIGNIN}::test_a_card_opens_for_ninety_days_after_the_last_post",),
    ),
    Mutant(
        "a stopped keeper's key signs",
        "shared/identity/terminals.py",
        "account is None or account.disabled_at is not None:",
        "account is None:",
        (f"{TERMINALS}::test_a_key_ends_with_revocation_and_with_the_keeper",),
    ),
    Mutant(
        "who left is erased a day early",
        "shared/retention/queries.py",
        "AND (a.valid_to IS NULL OR a.valid_to > $2))",
        "AND (a.valid_to IS NULL OR a.valid_to >= $2))",
        (f"{PEOPLE}::test_who_left_is_erased_on_the_day_and_not_one_earlier",),
    ),
    Mutant(
        "satisfaction names nobody within a rank",
        "appraisal/ranking/queries.py",
        "PARTITION BY town ORDER BY top DESC, rest DESC, person_id)",
        "PARTITION BY town ORDER BY top DESC, person_id)",
        (f"{RANKING}::test_equal_scores_share_a_rank_and_everybody_has_one_place",),
    ),
    Mutant(
        "who keyed in an objection reviews it",
        "appraisal/casework/machines.py",
        'fresh=("raised", "*"),',
        'fresh=("*",),',
        (f"{NOTICE}::test_who_decided_before_does_not_decide_again",),
    ),
    Mutant(
        "who reported that somebody was left out looks into it",
        "appraisal/casework/machines.py",
        '            key="not_added",\n'
        '            title="核查：不属于漏评",\n'
        '            after=("reported", "escalated"),\n'
        "            signs=UPPER,\n"
        "            level=TOWNSHIP_LEVEL,\n"
        '            fresh=("reported", "*"),',
        '            key="not_added",\n'
        '            title="核查：不属于漏评",\n'
        '            after=("reported", "escalated"),\n'
        "            signs=UPPER,\n"
        "            level=TOWNSHIP_LEVEL,\n"
        '            fresh=("*",),',
        (f"{LEFT_OUT}::test_who_was_not_left_out_is_told_and_may_appeal",),
    ),
    Mutant(
        "somebody is let go in a protected period",
        "appraisal/casework/machines.py",
        "            after=before,\n"
        "            signs=UPPER,\n"
        "            level=TOWNSHIP_LEVEL,\n"
        "            needs=FAIR,\n",
        "            after=before,\n            signs=UPPER,\n            level=TOWNSHIP_LEVEL,\n",
        (f"{POOL}::test_a_serious_fault_needs_a_hearing",),
    ),
    Mutant(
        "an exit begins on thin evidence",
        "appraisal/casework/machines.py",
        "needs=(Need.FAILED_TWICE, Need.STANDS, Need.SUBSTANTIAL, Need.IN_POST)",
        "needs=(Need.FAILED_TWICE, Need.STANDS, Need.IN_POST)",
        (f"{POOL}::test_an_exit_does_not_begin_before_its_ground",),
    ),
    Mutant(
        "a term ends within the thirty days",
        "appraisal/casework/machines.py",
        '            past=(Term(("served",), Span.TERM_END),),\n',
        "",
        (f"{POOL}::test_nobody_leaves_at_the_end_of_a_term_who_resigned_before_it",),
    ),
    Mutant(
        "what was corrected counts beside its correction",
        "appraisal/sql/70_duty_total.sql",
        "t.county_id = c.county_id AND t.current\n            AND t.month",
        "t.county_id = c.county_id\n            AND t.month",
        (f"{DUTY}::test_the_total_adds_up_by_cycle_and_never_guesses",),
    ),
    Mutant(
        "a correction takes a fact out of a scored cycle",
        "appraisal/duty/entries.py",
        "        await service.expect_open(actor.county_id, [old.happened_on])\n"
        '        await queries.settle(actor.county_id, entry_id, "replaced", reason)\n',
        '        await queries.settle(actor.county_id, entry_id, "replaced", reason)\n',
        (f"{DUTY}::test_a_cycle_past_collecting_freezes_its_days_and_no_others",),
    ),
    Mutant(
        "a check of a scored cycle is taken back",
        "appraisal/duty/drawing.py",
        '            raise Conflict("这次核查已经作废。")\n'
        "        await service.expect_open(actor.county_id, [row.last_day])\n",
        '            raise Conflict("这次核查已经作废。")\n',
        (f"{CHECKS}::test_a_scored_cycle_s_checks_change_no_more",),
    ),
    Mutant(
        "the last day of a year has points of its own",
        "points/work/posting_queries.py",
        "make_date($5, 12, 31)",
        "make_date($5, 12, 30)",
        (f"{BULK}::test_a_run_knows_what_earlier_ones_gave",),
    ),
    Mutant(
        "the next run forgets what a village paid",
        "points/work/posting_queries.py",
        "sum(COALESCE(r.wallet, r.posted))::int8 AS paid",
        "sum(r.posted)::int8 AS paid",
        (f"{VARIANTS}::test_the_wallet_follows_the_village_and_merit_the_county",),
    ),
    Mutant(
        "a village's day is capped by the county's points",
        "points/work/posting.py",
        "self.paid_day[due.worker_id, due.rule_code, due.work_date] += paid",
        "self.paid_day[due.worker_id, due.rule_code, due.work_date] += amount",
        (f"{VARIANTS}::test_a_random_month_is_paid_as_a_second_reading_says",),
    ),
    Mutant(
        "who proposed a deduction keys in the answer",
        "points/work/deductions.py",
        "apart = actor.person_id not in {row.worker_id, row.proposed_by, row.decided_by}",
        "apart = actor.person_id not in {row.worker_id, row.decided_by}",
        (f"{DEDUCTIONS}::test_an_appeal_stops_it_until_somebody_else_decides",),
    ),
    Mutant(
        "a false claim is deducted twice",
        "points/work/deduction_queries.py",
        "AND state NOT IN ('dropped', 'annulled'))",
        "AND state NOT IN ('dropped', 'annulled', 'final'))",
        (f"{DEDUCTIONS}::test_a_false_claim_is_taken_back_whole",),
    ),
    Mutant(
        "a signature stays on a file that an undoing changed",
        "points/settlement/building.py",
        "            await queries.void_signatures(county_id, found.id, at)\n",
        "",
        (f"{STATEMENTS}::test_an_undoing_settles_the_objection_to_its_line",),
    ),
    Mutant(
        "a lost phone stays known",
        "shared/identity/accounts.py",
        "        await queries.forget_devices(actor.county_id, account.id)\n",
        "",
        (f"{SIGNIN}::test_disabled_account_and_revoked_session_end_at_once",),
    ),
    Mutant(
        "the WeChat of who was erased opens the account",
        "shared/retention/queries.py",
        "wechat_hash = NULL, wechat_at = NULL,\n",
        "\n",
        (f"{PEOPLE}::test_who_left_is_erased_on_the_day_and_not_one_earlier",),
    ),
)
