"""Tests about the code: what no reviewer should have to say twice."""
