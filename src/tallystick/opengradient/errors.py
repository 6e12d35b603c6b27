"""Errors while OpenGradient's settlements are audited.

OpenGradientError
├── AuditError                    what is needed to judge is not here
└── BlobError                     a batch's blob cannot be used
    ├── BlobMissingError          nobody has it, or no longer: it says nothing about the batch
    ├── BlobUnreadableError       it could not be read this time
    └── BlobMalformedError        it is not the dump of a tree of items: the batch's own fault
"""

from tallystick.errors import TallystickError


class OpenGradientError(TallystickError, RuntimeError):
    """OpenGradient's settlements could not be audited or brought in."""


class AuditError(OpenGradientError):
    """Logs, keys or blobs that the audit needs are not in the data folder."""


class BlobError(OpenGradientError):
    """A batch's blob cannot be used."""

    status = ""
    """In one word."""


class BlobMissingError(BlobError):
    """There is no such blob; Walrus keeps blobs for a time only."""

    status = "missing"


class BlobUnreadableError(BlobError):
    """The blob could not be read; another time it may."""

    status = "unreadable"


class BlobMalformedError(BlobError):
    """The blob is not the dump of a tree of items, or its id is none."""

    status = "malformed"
