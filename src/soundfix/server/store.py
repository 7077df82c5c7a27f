"""Jobs and their results, in SQLite or another database: there after a restart, gone after some days."""

from collections.abc import Sequence
from pathlib import Path
from time import time
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)

from soundfix.server.job import ENDED, Job

DAY_S = 86_400.0
TABLES = MetaData()
JOBS = Table(
    "jobs", TABLES,
    Column("id", String(32), primary_key=True), Column("kind", String(16)), Column("state", String(16), index=True),
    Column("client", String(64)), Column("options", Text), Column("progress", Float), Column("attempts", Integer),
    Column("created_s", Float), Column("ended_s", Float, nullable=True), Column("status", Integer), Column("sentence", Text),
)  # fmt: skip
RESULTS = Table("results", TABLES, Column("job", String(32), primary_key=True), Column("document", Text))
SETS = Table("microphone_sets", TABLES, Column("name", String(64), primary_key=True), Column("file", String(255)),
             Column("content", Text), Column("created_s", Float))  # fmt: skip


class Store:
    """url: of SQLAlchemy, `sqlite:///path` or `postgresql+psycopg://...`."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, pool_pre_ping=True)
        if self._engine.dialect.name == "sqlite":
            _wait_for_others(self._engine)
        TABLES.create_all(self._engine)

    @classmethod
    def in_folder(cls, folder: Path) -> "Store":
        """In a file of its own."""
        return cls(f"sqlite:///{folder / 'soundfix.sqlite'}")

    def add(self, job: Job) -> None:
        """A new one."""
        with self._engine.begin() as run:
            run.execute(insert(JOBS).values(job._asdict()))

    def job(self, name: str) -> Job | None:
        """Of this id."""
        with self._engine.connect() as run:
            found = run.execute(select(JOBS).where(JOBS.c.id == name)).mappings().first()
        return Job(**found) if found else None

    def change(self, name: str, **values: Any) -> None:
        """Some columns of a job."""
        with self._engine.begin() as run:
            run.execute(update(JOBS).where(JOBS.c.id == name).values(values))

    def end(self, name: str, *, document: str | None, status: int, sentence: str) -> None:
        """A job is over: done with this document, or failed with this sentence; both or nothing."""
        state = "done" if document is not None else "failed"
        with self._engine.begin() as run:
            changed = run.execute(
                update(JOBS).where(JOBS.c.id == name).values(
                    state=state, status=status, sentence=sentence, progress=1.0, ended_s=time()
                )
            )  # fmt: skip
            if document is not None and changed.rowcount:
                run.execute(insert(RESULTS).values(job=name, document=document))

    def document(self, name: str) -> str | None:
        """The result of a job, as text."""
        with self._engine.connect() as run:
            found: str | None = run.execute(select(RESULTS.c.document).where(RESULTS.c.job == name)).scalar()
        return found

    def unfinished(self) -> list[Job]:
        """In the order in which they came."""
        asked = select(JOBS).where(JOBS.c.state.not_in(ENDED)).order_by(JOBS.c.created_s)
        with self._engine.connect() as run:
            return [Job(**row) for row in run.execute(asked).mappings()]

    def remove(self, names: Sequence[str]) -> None:
        """Jobs and their results."""
        with self._engine.begin() as run:
            run.execute(delete(RESULTS).where(RESULTS.c.job.in_(names)))
            run.execute(delete(JOBS).where(JOBS.c.id.in_(names)))

    def older_than(self, days: float) -> list[str]:
        """Ids of jobs that ended before that."""
        asked = select(JOBS.c.id).where(JOBS.c.ended_s < time() - days * DAY_S)
        with self._engine.connect() as run:
            return list(run.execute(asked).scalars())

    def is_there(self) -> bool:
        """Whether the database answers; raises what it raises where it does not."""
        with self._engine.connect() as run:
            return run.execute(select(func.count()).select_from(SETS)).scalar() is not None

    def keep_set(self, name: str, file: str, content: str) -> None:
        """A list of microphones under a name, instead of one of before."""
        with self._engine.begin() as run:
            run.execute(delete(SETS).where(SETS.c.name == name))
            run.execute(insert(SETS).values(name=name, file=file, content=content, created_s=time()))

    def set_of(self, name: str) -> tuple[str, str] | None:
        """The file name and the content of a list that was kept."""
        with self._engine.connect() as run:
            found = run.execute(select(SETS.c.file, SETS.c.content).where(SETS.c.name == name)).first()
        return found and (found[0], found[1])

    def sets(self) -> list[str]:
        """Names of all lists."""
        with self._engine.connect() as run:
            return list(run.execute(select(SETS.c.name).order_by(SETS.c.name)).scalars())

    def drop_set(self, name: str) -> bool:
        """Whether there was one."""
        with self._engine.begin() as run:
            return bool(run.execute(delete(SETS).where(SETS.c.name == name)).rowcount)

    def close(self) -> None:
        self._engine.dispose()


def _wait_for_others(engine: Engine) -> None:
    """SQLite lets many read while one writes (WAL), and who comes second waits."""

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA busy_timeout=30000")
