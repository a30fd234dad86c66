"""Tests of appraisal.training."""
