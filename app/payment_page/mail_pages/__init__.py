"""The pages behind the links of mails that are about no case: the way out of reminders, and what a notice leads to."""

from app.payment_page.mail_pages import notice, unsubscribe
from app.payment_page.mail_pages.door import mail_pages
from app.payment_page.problems import answer_for

answer_for(mail_pages)

__all__ = ["mail_pages", "notice", "unsubscribe"]
