"""The sandbox's own pages, for whoever plays with it: stories, the clock, customers, trouble, and what was announced.

Plain forms and links that work without JavaScript. They show and press; what a press does is decided elsewhere.
"""
