"""Who reads what next: files that wait, pages that are left of files that are open, and what became of each.

Nothing here knows whether a worker is a process of this machine or of another one, so that every engine shares the
work out, tries again and gives up alike. A page is in the hands of one worker at a time. A page that takes its worker
with it is tried twice, and then it has failed, alone: the other pages of its file are read.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

TRIES: Final = 2
"""How often a page, or the opening of a file, may take a worker with it before it is given up."""
PAGES_AHEAD: Final = 2
"""Pages in a worker's hands at once: the one it reads, and the one it goes on with while we note the first."""

Error = dict[str, str]
"""{"type", "message"}."""


@dataclass(frozen=True, slots=True)
class Task:
    """One file to read. number : of no other task of this run. path : as the user named it.

    annotated : where its annotated pictures go, less "-read.png"; None draws none.
    """

    number: int
    path: str
    annotated: str | None = None

    def key(self, digest: str) -> str:
        """What a content is known by: its digest. Files of equal content are read once, unless each is to be drawn."""
        return digest if self.annotated is None else f"{digest} {self.annotated}"


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells that a file is still the one that was read. size : bytes, -1 where there is none. mtime_ns : its change."""

    size: int = -1
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class OpenFile:
    """Order to a worker: open this file. expected : the digest and state it must have, where another worker opened it before."""

    task: Task
    expected: tuple[str, FileState] | None = None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Order to a worker: read this page of the file that it has open."""

    page: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A file is open. digest : SHA-256 of its bytes. count : its pages."""

    task: Task
    digest: str
    state: FileState
    count: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that could not be opened. digest, state : where it could at least be read."""

    task: Task
    error: Error
    digest: str | None = None
    state: FileState = field(default_factory=FileState)


@dataclass(frozen=True, slots=True)
class PageDone:
    """A page was read, or has failed for good. task : under which its file was opened. content : see Task.key."""

    task: Task
    content: str
    page: int
    entry: dict[str, Any] | None
    error: Error | None = None


@dataclass(frozen=True, slots=True)
class FileDone:
    """Nothing of this file is left to be read. content : None where it could not be opened."""

    task: Task
    content: str | None


Order = OpenFile | ReadPage
Event = Opened | Refused | PageDone | FileDone
PagesKnown = Callable[[Opened], set[int]]
"""Pages of a file just opened that need no reading."""


@dataclass(slots=True, eq=False)
class _Book:
    """A file that is being read. left : pages in nobody's hands, out : how many are in somebody's.

    tries : by page, how many workers it took. opening_tries : the same of workers that came to help.
    """

    opened: Opened
    left: deque[int]
    out: int = 0
    opening_tries: int = 0
    tries: Counter[int] = field(default_factory=Counter)
    twins: list[Task] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Hand:
    """What a worker has: a file it was told to open, or has open, and the pages it was told to read."""

    task: Task
    book: _Book | None
    pages: deque[int] = field(default_factory=deque)
    is_open: bool = False


class Schedule:
    """Shares files and pages out among workers, which are any objects that can be told apart."""

    def __init__(self, known: PagesKnown) -> None:
        """known : asked once for each file that is opened."""
        self._known = known
        self._waiting: deque[Task] = deque()
        self._books: dict[str, _Book] = {}
        self._hands: dict[Hashable, _Hand] = {}
        self._tries: Counter[Task] = Counter()

    def add(self, task: Task) -> None:
        """One more file; files are opened in the order in which they were added."""
        self._waiting.append(task)

    @property
    def unfinished(self) -> int:
        """Files to be opened and pages to be read, as far as is known."""
        opening = sum(hand.book is None for hand in self._hands.values())
        return len(self._waiting) + opening + sum(len(book.left) + book.out for book in self._books.values())

    def is_busy(self, worker: Hashable) -> bool:
        """Whether an answer of this worker is awaited."""
        hand = self._hands.get(worker)
        return hand is not None and (not hand.is_open or bool(hand.pages))

    def next_order(self, worker: Hashable) -> Order | None:
        """What a worker should do besides what it has; None when it has enough, or nothing is left."""
        hand = self._hands.get(worker)
        if hand is not None and not hand.is_open:
            return None
        if hand is not None and hand.book is not None and hand.book.left and len(hand.pages) < PAGES_AHEAD:
            page = hand.book.left.popleft()
            hand.book.out += 1
            hand.pages.append(page)
            return ReadPage(page)
        if hand is not None and hand.pages:
            return None
        return self._next_file(worker)

    def opened(self, worker: Hashable, answer: Opened) -> Iterator[Event]:
        """A worker has opened the file it was told to open."""
        hand = self._hands[worker]
        hand.is_open = True
        if hand.book is not None:  # It helps with a file that is being read.
            return
        content = answer.task.key(answer.digest)
        yield answer
        twin = self._books.get(content)
        if twin is not None:
            twin.twins.append(answer.task)
            del self._hands[worker]
            return
        known = self._known(answer)
        book = _Book(answer, deque(page for page in range(1, answer.count + 1) if page not in known))
        self._books[content], hand.book = book, book
        yield from self._closed(book)

    def refused(self, worker: Hashable, answer: Refused) -> Iterator[Event]:
        """A worker could not open the file it was told to open."""
        hand = self._hands.pop(worker)
        if hand.book is None:
            yield answer
            yield FileDone(answer.task, None if answer.digest is None else answer.task.key(answer.digest))
            return
        hand.book.opening_tries = TRIES
        yield from self._without_help(hand.book, answer.error)

    def answered(self, worker: Hashable, page: int, entry: dict[str, Any] | None, error: Error | None) -> Iterator[Event]:
        """A worker has read a page, or says why not."""
        hand = self._hands[worker]
        assert hand.book is not None
        hand.pages.remove(page)
        hand.book.out -= 1
        yield self._done(hand.book, page, entry, error)
        yield from self._closed(hand.book)

    def lost(self, worker: Hashable, how: str) -> Iterator[Event]:
        """A worker is gone. how : "ended before it answered", "took longer than 120 s"."""
        hand = self._hands.pop(worker, None)
        if hand is None:
            return
        if not hand.is_open:
            yield from self._lost_opening(hand, how)
            return
        book = hand.book
        if book is None or not hand.pages:
            return
        book.out -= len(hand.pages)
        first = hand.pages.popleft()  # The one it had begun; those behind it are blameless.
        book.left.extendleft(reversed(hand.pages))
        book.opening_tries = 0
        book.tries[first] += 1
        if book.tries[first] < TRIES:
            book.left.appendleft(first)
            return
        task = book.opened.task
        named = f"{task.path}: page {first}" if book.opened.count > 1 else task.path
        yield self._done(book, first, None, _given_up(named, how))
        yield from self._closed(book)

    def _next_file(self, worker: Hashable) -> OpenFile | None:
        if self._waiting:
            task = self._waiting.popleft()
            self._hands[worker] = _Hand(task, None)
            return OpenFile(task)
        books = [book for book in self._books.values() if book.left and book.opening_tries < TRIES]
        if not books:
            self._hands.pop(worker, None)
            return None
        book = max(books, key=lambda book: len(book.left))
        self._hands[worker] = _Hand(book.opened.task, book)
        return OpenFile(book.opened.task, (book.opened.digest, book.opened.state))

    def _lost_opening(self, hand: _Hand, how: str) -> Iterator[Event]:
        if hand.book is not None:
            hand.book.opening_tries += 1
            yield from self._without_help(hand.book, _given_up(hand.task.path, how))
            return
        self._tries[hand.task] += 1
        if self._tries[hand.task] < TRIES:
            self._waiting.appendleft(hand.task)
            return
        yield Refused(hand.task, _given_up(hand.task.path, how))
        yield FileDone(hand.task, None)

    def _without_help(self, book: _Book, error: Error) -> Iterator[Event]:
        """It cannot be opened a second time: those who have it open read it to its end, and without them nobody does."""
        if book.opening_tries < TRIES or any(hand.book is book for hand in self._hands.values()):
            return
        while book.left:
            yield self._done(book, book.left.popleft(), None, error)
        yield from self._closed(book)

    def _done(self, book: _Book, page: int, entry: dict[str, Any] | None, error: Error | None) -> PageDone:
        task = book.opened.task
        return PageDone(task, task.key(book.opened.digest), page, entry, error)

    def _closed(self, book: _Book) -> Iterator[FileDone]:
        """The file and its twins, when nothing of it is left."""
        content = book.opened.task.key(book.opened.digest)
        if book.left or book.out or content not in self._books:
            return
        del self._books[content]
        for worker in [worker for worker, hand in self._hands.items() if hand.book is book and hand.is_open]:
            del self._hands[worker]
        for task in (book.opened.task, *book.twins):
            yield FileDone(task, content)


def _given_up(named: str, how: str) -> Error:
    return {"type": "InputError", "message": f"{named}: its worker {how}, {TRIES} times; look at the file, or raise --timeout"}
