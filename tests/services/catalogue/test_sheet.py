"""Tables of back catalogues as people make them, and what is wrong with some."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.exceptions import ConfigurationError
from app.schemas.call import CallOptions
from app.services.catalogue.sheet import COLUMNS, MOST_NAMED, Row, read_sheet


def sheet(folder: Path, text: str | bytes) -> Path:
    path = folder / "calls.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(folder: Path, text: str | bytes) -> tuple[Row, ...]:
    return read_sheet(sheet(folder, text))


def problems(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        rows(folder, text)
    first, *lines = caught.value.detail.split("\n  ")
    assert first == "calls.csv: nothing is loaded until the table is sound"
    return lines


def test_every_column_is_read_by_the_rules_of_an_upload(tmp_path: Path) -> None:
    (row,) = rows(
        tmp_path,
        "file,call_id,started_at,agent_id,team_id,customer_id,direction,language,agent_channel,"
        "num_speakers,vocabulary,metadata\n"
        "a/b.wav,CALL-1,2024-05-06T07:08:09+02:00,agent-7,emea,cust-42,outbound,EN,1,2,"
        '"Acme, Zed","{""campaign"": ""spring""}"\n',
    )
    form = row.form
    assert (row.line, row.file, form.call_id) == (2, "a/b.wav", "CALL-1")
    assert form.started_at == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert (form.agent_id, form.team_id, form.customer_id) == ("agent-7", "emea", "cust-42")
    assert form.direction == "outbound"
    assert form.options == CallOptions("en", 1, 2, ("Acme", "Zed"))
    assert form.metadata == {"campaign": "spring"}


@pytest.mark.parametrize(
    "text",
    [
        "file,agent_id\na.wav,agent-7\n",
        "\ufefffile,agent_id\r\na.wav,agent-7\r\n",
        "File Name;Agent\na.wav;agent-7",
        "agent-id\tRecording\nagent-7\ta.wav\n",
        " file , agent_id ,,\n\n a.wav , agent-7 ,,\n,,,\n",
        '"path","AGENT_ID","language"\n"a.wav","agent-7"\n',
        "file,agent\n./a.wav,agent-7\n",
    ],
)
def test_the_same_table_in_many_hands(tmp_path: Path, text: str) -> None:
    (row,) = rows(tmp_path, text)
    assert (row.file, row.form.agent_id, row.form.call_id) == ("a.wav", "agent-7", None)


def test_every_other_name_of_a_column_is_known(tmp_path: Path) -> None:
    for column, others in COLUMNS.items():
        for name in others:
            heading, cells = ("file," + name, "a.wav,") if column != "file" else (name, "a.wav")
            assert rows(tmp_path, f"{heading}\n{cells}\n")[0].file == "a.wav"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1, column file: is missing"),
        ("agent_id\na\n", "line 1, column file: is missing"),
        ("file,colour\na.wav,red\n",
         f"line 1, column 'colour': is not known; known are {', '.join(COLUMNS)}"),
        ("file,path\na.wav,b.wav\n", "line 1, column 'path': is the second one for file"),
        ("file\na.wav,b\n", "line 2: has more cells than there are columns"),
        ("file,agent_id\n,agent-7\n", "line 2, column file: names no file"),
        ("file\n../a.wav\n", "line 2, column file: must be a path within the folder"),
        ("file\n/a.wav\n", "line 2, column file: must be a path within the folder"),
        ("file,call_id\na.wav,a b\n",
         "line 2, column call_id: must be 1 to 128 of A-Z a-z 0-9 . _ : - and neither . nor .."),
        ("file,direction\na.wav,in\n", "line 2, column direction: Input should be 'inbound' or 'outbound'"),
        ("file,language\na.wav,english\n", "line 2, column language: must be an ISO 639-1 code such as en"),
        ("file,metadata\na.wav,{\n", "line 2, column metadata: is not valid JSON"),
        ("file,metadata\na.wav,[1]\n", "line 2, column metadata: Input should be a valid dictionary"),
        ("file\na.wav\nb.wav\n./a.wav\n", "line 4, column file: is the same as in line 2"),
        ("file,call_id\na.wav,C\nb.wav,C\n", "line 3, column call_id: is the same as in line 2"),
        ('file\n"a.wav\n', "line 2: is not CSV: unexpected end of data"),
        (b"file\na.wav\n\xfc.wav\n", "line 3: is not UTF-8: save the table as UTF-8"),
        ('file,metadata\n"a.wav","{\n}"\nb.wav,x\n', "line 4, column metadata: is not valid JSON"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_line_and_column(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert problems(tmp_path, text) == [expected]


def test_all_problems_are_told_at_once_in_order_and_not_without_end(tmp_path: Path) -> None:
    told = problems(
        tmp_path, "file,direction,language\nb.wav,in,xx\na.wav,,\n,inbound,\nb.wav,,zz\na.wav,,\n"
    )
    assert [line.partition(":")[0] for line in told] == [
        "line 2, column language",
        "line 2, column direction",
        "line 4, column file",
        "line 5, column language",
        "line 6, column file",
    ]
    many = problems(tmp_path, "file,direction\n" + "".join(f"{n}.wav,in\n" for n in range(1000)))
    assert (len(many), many[-1]) == (MOST_NAMED + 1, f"and {1000 - MOST_NAMED} more")
