-- Keys and checks of protections and applicants (repeatable).
SELECT shared.reference('appraisal.shield', 'person_id', 'shared.person');
SELECT shared.reference('appraisal.shield', 'recorded_by', 'shared.person');
SELECT shared.reference('appraisal.applicant', 'case_id', 'appraisal.case_file');

SELECT shared.ensure('appraisal.shield', 'shield_kind', $$kind IN ('occupational_check',
    'work_injury','medical_period','maternity','long_service','other_law')
    AND (ends_on IS NULL OR starts_on <= ends_on)
    AND (revoked_at IS NULL) = (revoked_by IS NULL)$$);
SELECT shared.ensure('appraisal.applicant', 'applicant_purged',
    $$purged_at IS NULL OR (name IS NULL AND phone_cipher IS NULL AND phone_hmac IS NULL)$$);

CREATE INDEX IF NOT EXISTS shield_person ON appraisal.shield (county_id, person_id);
CREATE UNIQUE INDEX IF NOT EXISTS applicant_case ON appraisal.applicant (county_id, case_id);
CREATE INDEX IF NOT EXISTS applicant_purge ON appraisal.applicant (county_id, purge_on)
    WHERE purged_at IS NULL;
