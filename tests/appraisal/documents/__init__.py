"""Tests of appraisal.documents."""
