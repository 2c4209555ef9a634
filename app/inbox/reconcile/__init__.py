"""What was missed: events that never arrived, and invoices that stand otherwise at Stripe than here.

Finds, says why it thinks so, and repairs by the same ways that a webhook takes. Missed events go into the inbox;
an invoice that has drifted is read again and applied. Both may be repeated without harm.
"""
