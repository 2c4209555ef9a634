"""What a campaign is: who it is for, what is done on which day, how people may be written to. Pure values and rules.

No rows, no clock, no web: storage is in `app.recovery.campaigns`, files for people in `files` of this package.
"""
