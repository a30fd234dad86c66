"""Tests of appraisal.duty."""
