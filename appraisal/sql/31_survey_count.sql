-- The two counts that part a ballot from its slip (repeatable).
--
-- A ballot and its slip are stored in one transaction, so while they wait their row headers could
-- be laid side by side. A count takes five or more of a grid, writes answers and slips again in
-- the order of fresh random ids, all in its own transaction, and empties the waiting tables with
-- TRUNCATE, because a deleted row's header stays in the file. What must go on waiting is written
-- again, shuffled. TRUNCATE is the owner's privilege, hence SECURITY DEFINER.

-- Count what is ready in a county; returns how many ballots moved.
CREATE OR REPLACE FUNCTION appraisal.count_ballots(p_county int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_inbox appraisal.ballot_inbox[];
    v_burnt appraisal.ballot_burnt[];
    v_paper appraisal.ballot_paper[];
    v_ready text[];
    v_moved int := 0;
BEGIN
    -- First of all, and in the order in which a ballot takes them: no deadlock.
    LOCK TABLE appraisal.ballot_paper, appraisal.ballot_burnt, appraisal.ballot_inbox
        IN ACCESS EXCLUSIVE MODE;
    UPDATE appraisal.survey s SET lost = s.lost + s.waiting - w.waiting
    FROM (SELECT o.id, (SELECT count(*) FROM appraisal.ballot_inbox i
                        WHERE i.county_id = p_county AND i.survey_id = o.id)::int AS waiting
          FROM appraisal.survey o WHERE o.county_id = p_county AND o.state = 'drawn') w
    WHERE s.county_id = p_county AND s.id = w.id AND s.waiting > w.waiting;
    SELECT array_agg(ready.key) INTO v_ready FROM (
        SELECT i.survey_id || i.grid_code AS key FROM appraisal.ballot_inbox i
        WHERE i.county_id = p_county GROUP BY 1 HAVING count(*) >= 5) ready;
    IF v_ready IS NOT NULL THEN
        INSERT INTO appraisal.ballot_box
            (county_id, id, survey_id, grid_code, aware, answers, comment)
        SELECT * FROM (
            SELECT i.county_id, gen_random_uuid() AS id, i.survey_id, i.grid_code, i.aware,
                   i.answers, i.comment
            FROM appraisal.ballot_inbox i
            WHERE i.county_id = p_county AND i.survey_id || i.grid_code = ANY (v_ready)) shuffled
        ORDER BY shuffled.id;
        GET DIAGNOSTICS v_moved = ROW_COUNT;
        INSERT INTO appraisal.ballot_spent (county_id, id, survey_id, grid_code)
        SELECT b.county_id, b.id, b.survey_id, b.grid_code FROM appraisal.ballot_burnt b
        WHERE b.county_id = p_county AND b.survey_id || b.grid_code = ANY (v_ready)
        ORDER BY b.id;
    END IF;
    SELECT array_agg(i ORDER BY gen_random_uuid()) INTO v_inbox FROM appraisal.ballot_inbox i
    WHERE i.county_id <> p_county OR i.survey_id || i.grid_code <> ALL (coalesce(v_ready, '{}'));
    SELECT array_agg(b ORDER BY b.id) INTO v_burnt FROM appraisal.ballot_burnt b
    WHERE b.county_id <> p_county OR b.survey_id || b.grid_code <> ALL (coalesce(v_ready, '{}'));
    SELECT array_agg(p ORDER BY p.id) INTO v_paper FROM appraisal.ballot_paper p;
    TRUNCATE appraisal.ballot_inbox, appraisal.ballot_burnt, appraisal.ballot_paper;
    INSERT INTO appraisal.ballot_inbox SELECT (unnest(v_inbox)).*;
    INSERT INTO appraisal.ballot_burnt SELECT (unnest(v_burnt)).*;
    INSERT INTO appraisal.ballot_paper SELECT (unnest(v_paper)).*;
    UPDATE appraisal.survey s SET waiting = w.waiting
    FROM (SELECT o.id, (SELECT count(*) FROM appraisal.ballot_inbox i
                        WHERE i.county_id = p_county AND i.survey_id = o.id)::int AS waiting
          FROM appraisal.survey o WHERE o.county_id = p_county AND o.state = 'drawn') w
    WHERE s.county_id = p_county AND s.id = w.id AND s.waiting <> w.waiting;
    RETURN v_moved;
END $$;

-- The last count of a survey: every ballot, once, in the order of random ids and in one
-- transaction. Where fewer than five answered in a grid their ballots are told from the village
-- only, if need be from the township or the county; then every published figure is about a union
-- of groups of five or more, and so is every difference of two. Words are parted from the answers
-- and grouped in the same way. Returns how many ballots had to be dropped.
CREATE OR REPLACE FUNCTION appraisal.close_ballots(p_county int, p_survey uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_grids text[];
    v_aware boolean[];
    v_answers text[];
    v_comments text[];
    v_box appraisal.ballot_box[];
    v_inbox appraisal.ballot_inbox[];
    v_burnt appraisal.ballot_burnt[];
    v_paper appraisal.ballot_paper[];
    v_total int;
    v_kept int;
BEGIN
    LOCK TABLE appraisal.ballot_paper, appraisal.ballot_burnt, appraisal.ballot_inbox,
        appraisal.ballot_box IN ACCESS EXCLUSIVE MODE;
    SELECT array_agg(a.grid_code), array_agg(a.aware), array_agg(a.answers), array_agg(a.comment),
           count(*)
    INTO v_grids, v_aware, v_answers, v_comments, v_total
    FROM (
        SELECT x.grid_code, x.aware, x.answers::text, x.comment FROM appraisal.ballot_box x
        WHERE x.county_id = p_county AND x.survey_id = p_survey
        UNION ALL
        SELECT i.grid_code, i.aware, i.answers::text, i.comment FROM appraisal.ballot_inbox i
        WHERE i.county_id = p_county AND i.survey_id = p_survey) a;
    SELECT array_agg(x ORDER BY x.id) INTO v_box FROM appraisal.ballot_box x
    WHERE x.county_id <> p_county OR x.survey_id <> p_survey;
    SELECT array_agg(i ORDER BY gen_random_uuid()) INTO v_inbox FROM appraisal.ballot_inbox i
    WHERE i.county_id <> p_county OR i.survey_id <> p_survey;
    SELECT array_agg(b ORDER BY b.id) INTO v_burnt FROM appraisal.ballot_burnt b
    WHERE b.county_id <> p_county OR b.survey_id <> p_survey;
    SELECT array_agg(p ORDER BY p.id) INTO v_paper FROM appraisal.ballot_paper p
    WHERE p.county_id <> p_county OR p.survey_id <> p_survey;
    TRUNCATE appraisal.ballot_box, appraisal.ballot_inbox, appraisal.ballot_burnt,
        appraisal.ballot_paper;
    INSERT INTO appraisal.ballot_box SELECT (unnest(v_box)).*;
    INSERT INTO appraisal.ballot_inbox SELECT (unnest(v_inbox)).*;
    INSERT INTO appraisal.ballot_burnt SELECT (unnest(v_burnt)).*;
    INSERT INTO appraisal.ballot_paper SELECT (unnest(v_paper)).*;
    DELETE FROM appraisal.ballot_spent s WHERE s.county_id = p_county AND s.survey_id = p_survey;

    INSERT INTO appraisal.ballot (county_id, id, survey_id, unit_code, aware, answers)
    WITH one AS (
        SELECT gen_random_uuid() AS id, a.aware, a.answers::smallint[] AS answers, a.unit,
               (a.answers <> '{0,0,0,0,0,0}')::int AS counts
        FROM unnest(v_grids, v_aware, v_answers) AS a (unit, aware, answers)),
    grid AS (SELECT o.*, sum(o.counts) OVER (PARTITION BY o.unit) AS n FROM one o),
    village AS (
        SELECT g.id, g.aware, g.answers, g.counts,
               CASE WHEN g.n >= 5 THEN g.unit ELSE left(g.unit, 12) END AS unit FROM grid g),
    village_n AS (SELECT v.*, sum(v.counts) OVER (PARTITION BY v.unit) AS n FROM village v),
    township AS (
        SELECT v.id, v.aware, v.answers, v.counts,
               CASE WHEN v.n >= 5 THEN v.unit ELSE left(v.unit, 9) END AS unit FROM village_n v),
    township_n AS (SELECT t.*, sum(t.counts) OVER (PARTITION BY t.unit) AS n FROM township t),
    county AS (
        SELECT t.id, t.aware, t.answers, t.counts,
               CASE WHEN t.n >= 5 THEN t.unit ELSE left(t.unit, 6) END AS unit FROM township_n t),
    county_n AS (SELECT c.*, sum(c.counts) OVER (PARTITION BY c.unit) AS n FROM county c)
    SELECT p_county, c.id, p_survey, c.unit, c.aware, c.answers
    FROM county_n c WHERE c.n >= 5 ORDER BY c.id;
    GET DIAGNOSTICS v_kept = ROW_COUNT;

    INSERT INTO appraisal.ballot_comment (county_id, id, survey_id, unit_code, text)
    WITH one AS (
        SELECT gen_random_uuid() AS id, a.comment, a.unit
        FROM unnest(v_grids, v_comments) AS a (unit, comment) WHERE a.comment <> ''),
    grid AS (SELECT o.*, count(*) OVER (PARTITION BY o.unit) AS n FROM one o),
    village AS (
        SELECT g.id, g.comment, CASE WHEN g.n >= 5 THEN g.unit ELSE left(g.unit, 12) END AS unit
        FROM grid g),
    village_n AS (SELECT v.*, count(*) OVER (PARTITION BY v.unit) AS n FROM village v),
    township AS (
        SELECT v.id, v.comment, CASE WHEN v.n >= 5 THEN v.unit ELSE left(v.unit, 9) END AS unit
        FROM village_n v),
    township_n AS (SELECT t.*, count(*) OVER (PARTITION BY t.unit) AS n FROM township t),
    county AS (
        SELECT t.id, t.comment, CASE WHEN t.n >= 5 THEN t.unit ELSE left(t.unit, 6) END AS unit
        FROM township_n t),
    county_n AS (SELECT c.*, count(*) OVER (PARTITION BY c.unit) AS n FROM county c)
    SELECT p_county, c.id, p_survey, c.unit, c.comment FROM county_n c WHERE c.n >= 5
    ORDER BY c.id;
    RETURN v_total - v_kept;
END $$;
