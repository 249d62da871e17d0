"""Write docs/events.md anew after a message has changed: `python -m scripts.write_docs`."""

from pathlib import Path

from events.catalogue import markdown

EVENTS_PAGE = Path(__file__).parent.parent / "docs" / "events.md"

if __name__ == "__main__":
    EVENTS_PAGE.write_text(markdown(), encoding="utf-8")
