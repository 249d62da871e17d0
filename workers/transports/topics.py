"""Topic patterns as AMQP defines them: `*` is exactly one word, `#` any number of words, even none.

Words are parted by dots and may be empty; an empty key has no words. Proved equal to RabbitMQ's own
answers by a test.
"""


def matches(pattern: str, routing_key: str) -> bool:
    """Tell whether a binding with this pattern takes a message with this routing key."""
    wanted = _words(pattern)
    # Where in the pattern we may stand after the words read so far; `#` makes it several places.
    places = _past_hashes({0}, wanted)
    for word in _words(routing_key):
        after = set()
        for place in places:
            if place == len(wanted):
                continue
            if wanted[place] == "#":
                after.add(place)
            elif wanted[place] in ("*", word):
                after.add(place + 1)
        places = _past_hashes(after, wanted)
    return len(wanted) in places


def _words(text: str) -> list[str]:
    return text.split(".") if text else []


def _past_hashes(places: set[int], wanted: list[str]) -> set[int]:
    """Add the places behind every `#`, since it may stand for no word."""
    reached = set(places)
    for place in places:
        following = place
        while following < len(wanted) and wanted[following] == "#":
            following += 1
            reached.add(following)
    return reached
