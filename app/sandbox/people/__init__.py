"""Customers who read their mail: when they open it, whether they press its link, and what they do on the pages.

They know what a person knows: an address, a mail, a page with buttons. Nothing of the sender's books.
"""
