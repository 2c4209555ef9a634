"""What a mail comes to: its preview in a frame, and a test to the signed-in person's own address, and to no other."""

from flask import request
from flask.typing import ResponseReturnValue

from app.console import current, mail_words
from app.console.blueprint import console
from app.console.mail_frame import framed
from app.console.mail_place import Place, author, organization, place_of, sample_for
from app.console.mail_preview import MODES, document, leading_to, write
from app.console.mail_texts import Sent, read, wording_with
from app.errors import RecoupError
from app.messages import trial
from app.messages.branding import envelope_of
from app.messages.wording import Texts, own_texts
from emails.wording import split_key


@console.route("/mails/<kind>/preview", methods=["GET", "POST"])
def mail_preview(kind: str) -> ResponseReturnValue:
    """The mail in the words that were sent, or in those that are kept, about an invented customer."""
    with current.rows() as session:
        place = place_of(session, kind, request.values)
        stored, own = own_texts(session, place.language), organization(session)
    sent = read(request.form, place.language, stored)
    written = write(sample_for(place, own), wording_with(sent, stored), place.variant)
    left_out = [mail_words.part((split_key(key) or (key, None))[0]) for key in written.left_out]
    envelope = envelope_of(own, current.context().settings.mail_from)
    mode = request.values.get("mode", "")
    return framed(document(written, envelope, mode if mode in MODES else "light", left_out))


def send_trial(place: Place, sent: Sent, stored: Texts) -> tuple[str, str]:
    """Send the mail, in the words that were typed, to whoever is signed in; what became of it, and its tone."""
    context, person, now = current.context(), current.person(), current.now()
    try:
        with current.rows() as session:
            own = organization(session)
            trial.announce(session, place.kind, place.language, author(), now)
        page = f"{context.settings.base_url().rstrip('/')}{place.address()}"
        mail = write(leading_to(sample_for(place, own), page), wording_with(sent, stored), place.variant)
        sender = trial.send(context, own, mail, place.kind, person.user_email, now)
    except RecoupError as problem:
        return f"The test was not sent: {problem}", "bad"
    where = "into the outbox folder of this machine" if sender == "outbox" else f"to {person.user_email} by {sender}"
    return f"A test went {where}. Its links lead back here.", "good"
