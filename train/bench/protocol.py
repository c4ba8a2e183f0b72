"""The messages between Streamlit's server and its page, as far as the benchmark reads and writes them.

Streamlit's protocol is Protocol Buffers over a websocket (its folder ``proto``). A reader skips every field
that it does not know, so the few that a visit needs are described here, by number; a test holds the numbers
to those of the installed Streamlit. So `train` stays free of it: what is measured is a site in a process of
its own.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message

FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "BackMsg": {
        "rerun_script": (11, "ClientState"),
        "file_urls_request": (16, "FileURLsRequest"),
    },
    "ClientState": {
        "query_string": (1, "string"),
        "widget_states": (2, "WidgetStates"),
        "page_name": (4, "string"),
    },
    "WidgetStates": {"widgets": (1, "WidgetState*")},
    "WidgetState": {"id": (1, "string"), "file_uploader_state_value": (13, "FileUploaderState")},
    "FileUploaderState": {"uploaded_file_info": (2, "UploadedFileInfo*")},
    "UploadedFileInfo": {
        "name": (2, "string"),
        "size": (3, "uint64"),
        "file_id": (4, "string"),
        "file_urls": (5, "FileURLs"),
    },
    "FileURLs": {
        "file_id": (1, "string"),
        "upload_url": (2, "string"),
        "delete_url": (3, "string"),
    },
    "FileURLsRequest": {"request_id": (1, "string"), "file_names": (2, "string*")},
    "FileURLsResponse": {"file_urls": (2, "FileURLs*")},
    "ForwardMsg": {
        "delta": (5, "Delta"),
        "script_finished": (6, "int32"),
        "file_urls_response": (19, "FileURLsResponse"),
    },
    "Delta": {"new_element": (3, "Element")},
    "Element": {
        "exception": (8, "Exception"),
        "alert": (30, "Alert"),
        "file_uploader": (33, "FileUploader"),
        "dataframe": (40, "Dataframe"),
        "heading": (47, "Heading"),
        "bidi_component": (59, "BidiComponent"),
    },
    "Exception": {"message": (2, "string")},
    "Alert": {"body": (1, "string")},
    "FileUploader": {"id": (1, "string")},
    "Dataframe": {},
    "Heading": {},
    "BidiComponent": {"component_name": (2, "string")},
}
"""By message its fields: number and type, with a star where there may be several."""

CHOICES = ("BackMsg", "ForwardMsg", "Delta", "Element")
"""Messages that hold one of their fields."""

FINISHED = 0
"""``script_finished`` of a run that came to its end."""

_SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
}


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="visit.proto", package="visit", syntax="proto3")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        if name in CHOICES:
            message.oneof_decl.add(name="type")
        for field, (number, kind) in fields.items():
            added = message.field.add(name=field, number=number)
            many, kind = kind.endswith("*"), kind.rstrip("*")
            added.label = (
                FieldDescriptorProto.LABEL_REPEATED if many else FieldDescriptorProto.LABEL_OPTIONAL
            )
            added.type = _SCALARS.get(kind, FieldDescriptorProto.TYPE_MESSAGE)
            if kind not in _SCALARS:
                added.type_name = f".visit.{kind}"
            if name in CHOICES:
                added.oneof_index = 0
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_described())


def _class(name: str) -> type[Message]:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"visit.{name}"))


BackMsg, ForwardMsg = _class("BackMsg"), _class("ForwardMsg")
"""What a page sends, and what the server answers."""
