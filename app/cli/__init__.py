"""The `recoup` command. One file a group of commands; each is thin, and loaded only when it is asked for."""

from importlib import import_module

import click

COMMANDS = {
    "backfill": ("backfill", "backfill", "Read the past of an account; open cases for old debts."),
    "bench": ("bench", "bench", "Measure how fast this machine is at Recoup's work."),
    "campaigns": ("campaigns", "campaigns", "Files of campaigns: plan, apply; coverage; move running cases."),
    "clock": ("processes", "run_clock", "Find what is due or was left behind and ring for it."),
    "connect": ("connect", "connect", "Connect a Stripe account by its restricted key."),
    "doctor": ("doctor", "doctor", "Look for what is wrong with this installation."),
    "erase-customer": ("erase", "erase_customer", "Forget a customer for good."),
    "inbox": ("inbox", "inbox", "Webhooks that were kept but could not be handled."),
    "keys": ("keys", "keys", "Keys to the API; keys that seal stored secrets."),
    "mails": ("mails", "mails", "Your own texts for mails, as a file."),
    "migrate": ("processes", "migrate", "Bring the database to the newest schema."),
    "mode": ("mode", "mode", "Who retries: Stripe (observe) or Recoup (drive)."),
    "reconcile": ("reconcile", "reconcile", "Find what was missed at Stripe, and mend it."),
    "rehearse": ("rehearse", "rehearse", "Play a campaign on invented customers; nothing real is touched."),
    "report": ("report", "report", "What became of failed payments."),
    "retries": ("retries", "retries", "Why a try is made when, and the planner measured."),
    "sandbox": ("sandbox", "sandbox", "Play with the pretend Stripe, turn the clock."),
    "up": ("up", "up", "Run everything in the foreground."),
    "users": ("users", "users", "Create people, give them new passwords, shut them out."),
    "verify": ("verify", "verify", "Check on live data what must always be true."),
    "web": ("processes", "web", "Serve the console, the payment page and the webhooks."),
    "worker": ("processes", "worker", "Do what bells ring for."),
}


class Commands(click.Group):
    """Lists its commands from the table above, so that `recoup --help` and a second terminal are quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"app.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(cls=Commands)
@click.version_option(package_name="recoup")
def main() -> None:
    """Failed-payment recovery for Stripe subscriptions that you host yourself."""
