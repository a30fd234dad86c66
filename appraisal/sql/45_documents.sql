-- Keys and checks of document templates (repeatable).
SELECT shared.harden('appraisal');

SELECT shared.reference('appraisal.document_template', 'uploaded_by', 'shared.person');
SELECT shared.ensure('appraisal.document_template', 'document_template_kind',
    $$kind IN ('sheet','ranking','notice','letter','decision')$$);
SELECT shared.ensure('appraisal.document_template', 'document_template_content',
    $$(content IS NULL) = (sha256 IS NULL)$$);

CREATE UNIQUE INDEX IF NOT EXISTS document_template_current ON appraisal.document_template
    (county_id, kind) WHERE current;
CREATE UNIQUE INDEX IF NOT EXISTS document_template_version ON appraisal.document_template
    (county_id, kind, version);
