"""As in the SCIM connector's tests: a test may be a coroutine."""

from tests.unit.connectors.scim.conftest import pytest_pyfunc_call

__all__ = ["pytest_pyfunc_call"]
