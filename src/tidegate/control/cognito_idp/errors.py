"""The errors of user pools, in AWS's words. Source: *Amazon Cognito user pools API Reference*."""

from __future__ import annotations

from tidegate.core.errors import ControlError


def not_authorized(message: str = "Incorrect username or password.") -> ControlError:
    return ControlError("NotAuthorizedException", message)


def invalid(message: str) -> ControlError:
    return ControlError("InvalidParameterException", message)


def missing(message: str) -> ControlError:
    return ControlError("ResourceNotFoundException", message)


def no_user() -> ControlError:
    return ControlError("UserNotFoundException", "User does not exist.")


def unsupported(what: str) -> ControlError:
    """For a parameter that asks for something that is not done here."""
    return invalid(f"Tidegate does not support {what} yet")


def wrong_code() -> ControlError:
    return ControlError("CodeMismatchException", "Invalid verification code provided, please try again.")


def old_code() -> ControlError:
    return ControlError("ExpiredCodeException", "Invalid code provided, please request a code again.")
