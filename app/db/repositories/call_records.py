"""Rows of ``calls`` and the frozen values that the service knows them by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.schemas.analysis import CallStatus
from app.schemas.call import CallOptions, CallRecord, Failure, NewCall, Queue


def record_of(row: Row[Any]) -> CallRecord:
    return CallRecord(
        call_id=row.call_id,
        status=CallStatus(row.status),
        fingerprint=row.fingerprint,
        audio_key=row.audio_key,
        audio_sha256=row.audio_sha256,
        audio_bytes=row.audio_bytes,
        agent_id=row.agent_id,
        team_id=row.team_id,
        customer_id=row.customer_id,
        options=CallOptions(
            row.language,
            row.agent_channel,
            row.num_speakers,
            None if row.vocabulary is None else tuple(row.vocabulary),
            row.playbook,
        ),
        started_at=row.started_at,
        direction=row.direction,
        metadata=row.metadata,
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
        stage=row.stage,
        owner=row.owner,
        heartbeat_at=row.heartbeat_at,
        failure=_failure_of(row),
        duration_s=row.duration_s,
        queue=None if row.queue is None else Queue(row.queue),
        priority=row.priority,
        queued_at=row.queued_at,
        percent=row.percent,
        attempts=row.attempts,
        duplicate_of=row.duplicate_of,
        legal_hold=row.legal_hold,
        audio_missing_at=row.audio_missing_at,
        audio_deleted_at=row.audio_deleted_at,
        text_deleted_at=row.text_deleted_at,
    )


def _failure_of(row: Row[Any]) -> Failure | None:
    if row.failure_code is None or row.failure_status is None:
        return None
    return Failure(row.failure_code, row.failure_stage, row.failure_detail or "", row.failure_status)


def queued_values(new: NewCall, now: datetime) -> dict[str, Any]:
    """Every column but the key of a call whose recording has just arrived."""
    return {
        "status": CallStatus.QUEUED,
        "fingerprint": new.fingerprint,
        "audio_key": new.audio_key,
        "audio_sha256": new.audio_sha256,
        "audio_bytes": new.audio_bytes,
        "agent_id": new.agent_id,
        "team_id": new.team_id,
        "customer_id": new.customer_id,
        "language": new.options.language,
        "agent_channel": new.options.agent_channel,
        "num_speakers": new.options.num_speakers,
        "vocabulary": new.options.vocabulary,
        "playbook": new.options.playbook,
        "started_at": new.started_at,
        "direction": new.direction,
        "metadata": new.metadata,
        "webhook_url": new.webhook_url,
        "created_at": now,
        "updated_at": now,
        "completed_at": None,
        "queue": new.queue,
        "priority": new.priority,
        "queued_at": now,
        "rung_at": None,
        "stage": None,
        "percent": 0.0,
        "attempts": 0,
        "owner": None,
        "heartbeat_at": None,
        **failure_values(None),
        "duration_s": None,
        "current_result_id": None,
        "legal_hold": False,
        "audio_missing_at": None,
        "audio_deleted_at": None,
        "text_deleted_at": None,
    }


def failure_values(failure: Failure | None) -> dict[str, Any]:
    return {
        "failure_code": failure and failure.code,
        "failure_stage": failure and failure.stage,
        "failure_detail": failure and failure.detail,
        "failure_status": failure and failure.status,
    }
