"""Tests of redemption."""
