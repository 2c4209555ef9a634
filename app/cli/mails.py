"""`recoup mails`: an organization's own texts for mails, out to a file and in from one, for translators and reviews."""

from pathlib import Path

import click

from app.cli.common import find_organization, for_people, open_context
from app.errors import RecoupError
from app.messages import wording_files
from app.messages.wording import Author, all_texts, change
from app.messages.wording_files import TextFileInvalid
from emails.locales import languages

BY = Author("command line")
_ORGANIZATION = click.option("--organization", metavar="SLUG", help="Whose texts; not needed where there is only one.")


@click.group("mails")
def mails() -> None:
    """Your own texts for mails: write them to a file, read them from one."""


@mails.command("export")
@click.argument("languages_", nargs=-1, metavar="[LANGUAGE]...")
@click.option("--all", "with_ours", is_flag=True, help="Ours, too, where you have none: every text there is.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there instead of printing it.")
@_ORGANIZATION
@for_people
def export(languages_: tuple[str, ...], with_ours: bool, out: Path | None, organization: str | None) -> None:
    """Print your texts as a file that `import` reads; in all languages, unless some are named."""
    unknown = sorted(set(languages_) - set(languages()))
    if unknown:
        raise RecoupError(f"mails are not written in {unknown[0]}; the languages are {', '.join(languages())}")
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        texts = all_texts(session)
    chosen = {each: own for each, own in texts.items() if not languages_ or each in languages_}
    content = wording_files.write(chosen, (languages_ or languages()) if with_ours else ())
    if out:
        out.write_text(content, encoding="utf-8")
        click.echo(f"Written to {out}.")
    else:
        click.echo(content, nl=False)


@mails.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True))
@_ORGANIZATION
@for_people
def import_(file: Path, organization: str | None) -> None:
    """Bring the texts of FILE into use, all or none. Texts that it does not name stay; ones as ours are ours."""
    texts = wording_files.read(_content(file))
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        count = change(session, texts, BY, context.clock.now(), "import")
    click.echo(f"{count} {'text differs' if count == 1 else 'texts differ'} now." if count else "It is all so already.")


def _content(file: Path) -> str:
    with click.open_file(str(file), encoding="utf-8") as opened:
        try:
            content: str = opened.read()
        except UnicodeDecodeError as problem:
            raise TextFileInvalid(f"{file} is no text in UTF-8") from problem
    return content
