"""The benchmark's messages are Streamlit's own, field by field."""

from __future__ import annotations

import pytest
from streamlit.proto import BackMsg_pb2, ForwardMsg_pb2

from train.bench import protocol

PAIRS = ((protocol.BackMsg, BackMsg_pb2.BackMsg), (protocol.ForwardMsg, ForwardMsg_pb2.ForwardMsg))


def check(ours, theirs, seen: set[str]) -> None:
    seen.add(ours.name)
    for name, field in ours.fields_by_name.items():
        same = theirs.fields_by_name[name]
        assert (field.number, field.is_repeated) == (same.number, same.is_repeated), name
        choice, its = field.containing_oneof, same.containing_oneof
        assert choice is None or choice.name == its.name, name
        if field.message_type:
            if field.message_type.name not in seen:
                check(field.message_type, same.message_type, seen)
        elif same.enum_type:
            assert (
                same.enum_type.values_by_name["FINISHED_SUCCESSFULLY"].number == protocol.FINISHED
            )
        else:
            assert field.type == same.type, name


def test_every_field_has_the_number_that_streamlit_gave_it():
    seen: set[str] = set()
    for ours, theirs in PAIRS:
        check(ours.DESCRIPTOR, theirs.DESCRIPTOR, seen)
    assert seen == set(protocol.FIELDS)


def test_streamlit_reads_what_is_written():
    ours = protocol.BackMsg()
    ours.rerun_script.page_name, ours.rerun_script.query_string = "analyze", "slice=9"
    widget = ours.rerun_script.widget_states.widgets.add(id="uploader")
    file = widget.file_uploader_state_value.uploaded_file_info.add(name="a.tif", size=7)
    file.file_urls.upload_url = "/upload"
    theirs = BackMsg_pb2.BackMsg.FromString(ours.SerializeToString())
    assert (theirs.rerun_script.page_name, theirs.rerun_script.query_string) == (
        "analyze",
        "slice=9",
    )
    (widget,) = theirs.rerun_script.widget_states.widgets
    (file,) = widget.file_uploader_state_value.uploaded_file_info
    assert (widget.id, file.name, file.size, file.file_urls.upload_url) == (
        "uploader",
        "a.tif",
        7,
        "/upload",
    )


@pytest.mark.parametrize("status", ["FINISHED_SUCCESSFULLY", "FINISHED_EARLY_FOR_RERUN"])
def test_the_end_of_a_run_is_told_from_a_run_that_makes_way(status):
    theirs = ForwardMsg_pb2.ForwardMsg()
    theirs.script_finished = getattr(theirs, status)
    ours = protocol.ForwardMsg.FromString(theirs.SerializeToString())
    assert ours.WhichOneof("type") == "script_finished"
    assert (ours.script_finished == protocol.FINISHED) == (status == "FINISHED_SUCCESSFULLY")


def test_an_element_of_a_kind_unknown_here_is_still_an_element():
    theirs = ForwardMsg_pb2.ForwardMsg()
    theirs.delta.new_element.markdown.body = "Words."
    ours = protocol.ForwardMsg.FromString(theirs.SerializeToString())
    assert ours.delta.HasField("new_element") and ours.delta.new_element.WhichOneof("type") is None
