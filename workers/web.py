"""What granian loads in each web process: the web program over this process's context."""

from app import create_app
from workers import boot

app = create_app(boot.begin("web"))
