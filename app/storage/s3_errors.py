"""What an S3-compatible server refuses, in words that say what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.core.exceptions import AppError, InsufficientStorage, StorageUnavailable

log = logging.getLogger(__name__)

FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage"}


@contextmanager
def translated() -> Iterator[None]:
    """What boto3 raises becomes InsufficientStorage or StorageUnavailable that says what to do."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refusal(error.response) from error
    except BotoCoreError as error:
        raise StorageUnavailable(_trouble(error)) from error


def _refusal(response: dict[str, Any]) -> AppError:
    code, status = str(response.get("Error", {}).get("Code", "")), status_of(response)
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if status == 507 or code in FULL:
        return InsufficientStorage()
    if 300 <= status < 400 or code == "AuthorizationHeaderMalformed":
        log.error("storage.redirected", extra={"location": headers.get("location")})
        region = headers.get("x-amz-bucket-region") or response.get("Error", {}).get("Region")
        remedy = f"S3_REGION to {region}" if region else "S3_ENDPOINT_URL to the address that it redirects to"
        return StorageUnavailable(f"the storage answers with a redirect: set {remedy}")
    if status == 404 and code in ("404", "NoSuchBucket"):
        return StorageUnavailable("the bucket does not exist: create it, or correct STORAGE_URL")
    if status in (401, 403):
        return StorageUnavailable(
            f"the storage refuses the key ({code}): check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and the "
            "bucket's policy"
        )
    return StorageUnavailable(f"the storage answered {status} {code}")


def _trouble(error: Exception) -> str:
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return "there is no key for the storage: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY"
    if isinstance(error, exceptions.SSLError):
        return "the storage's certificate is not trusted: check S3_ENDPOINT_URL"
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return f"the storage cannot be reached ({type(error).__name__}): check S3_ENDPOINT_URL"
    return f"the storage cannot be used ({type(error).__name__})"


def status_of(response: dict[str, Any]) -> int:
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
