"""The outbox with the sender that needs no provider: one mail a step, and a reason for each that did not go."""

from email import message_from_bytes
from email.policy import default

from app.vocabulary import MessageState
from tests.integration.messages.conftest import Post


def test_a_planned_mail_leaves_once_however_often_it_is_asked_to(post: Post) -> None:
    message_id = post.queue()
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert post.deliver(message_id) is MessageState.DELIVERED
    [file] = post.files()
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert mail["To"] == "anna.schmidt@example.com"
    assert "https://pay.example.com/pay/" in mail.get_body(("plain",)).get_content()
    assert "https://pay.example.com/pay/" in mail.get_body(("html",)).get_content()
