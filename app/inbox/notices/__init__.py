"""Looking at Stripe for what customers should hear before anything fails: cards that expire, invoices that fall due."""
