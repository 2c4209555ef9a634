"""The past before Recoup: read once into tables of its own, without a message, a charge or a case.

Old debts become cases only when the operator asks for it, and then begin as of that day.
"""
