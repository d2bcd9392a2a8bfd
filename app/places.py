"""Places in documents, in words for people. Knows no language but digits."""


def clock_time(seconds: float) -> str:
    """Write a time in a recording as a player shows it: 2:05, or 1:02:05."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def clock_range(seconds: tuple[float, float]) -> str:
    """Write a stretch of a recording: 2:05-2:11."""
    start, end = seconds
    return f"{clock_time(start)}-{clock_time(end)}"
