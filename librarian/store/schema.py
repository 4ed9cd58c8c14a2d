"""The tables of the store, a step for each version of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

# Tables with a column `scope`, as they were when keys of scopes got a cluster.
_SCOPED = (
    *("query", "scope", "reject", "usage", "queue", "waiting", "queue_look", "wanted", "account_usage", "ended"),
    *("known", "rollup", "month_usage", "month_ended", "day_usage", "bins", "limit_change"),
)


def _scopes_of(table: str) -> str:
    """The scopes in a table; the index finds each by itself, however many rows there are."""
    return f"""
    INSERT OR IGNORE INTO older_key
    WITH RECURSIVE every(scope) AS (
        SELECT min(scope) FROM {table}
        UNION ALL SELECT (SELECT min(scope) FROM {table} WHERE scope > every.scope) FROM every WHERE scope IS NOT NULL
    ) SELECT full_key(scope), scope FROM every WHERE scope IS NOT NULL;"""  # noqa: S608 (a name from above)


# Each script takes the file one schema version further; PRAGMA user_version counts them. Never edit one: add the next.
MIGRATIONS = (
    """
    CREATE TABLE text (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
    CREATE TABLE job (
        dbindex INTEGER PRIMARY KEY,  -- the unsigned 64 bits of Slurm's DBIndex as a signed number
        jobid INTEGER NOT NULL, submit INTEGER NOT NULL, eligible INTEGER NOT NULL,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, elapsed INTEGER NOT NULL, suspended INTEGER NOT NULL,
        user INTEGER NOT NULL, account INTEGER NOT NULL, qos INTEGER NOT NULL,
        partition INTEGER NOT NULL, state INTEGER NOT NULL, alloc_tres INTEGER NOT NULL
    );
    CREATE INDEX job_by_end ON job (qos, "end");
    CREATE TABLE query (
        id INTEGER PRIMARY KEY, scope TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
        seconds REAL NOT NULL, rows INTEGER NOT NULL, rejects INTEGER NOT NULL, error TEXT
    );
    CREATE INDEX query_by_scope ON query (scope, until);
    CREATE TABLE scope (
        scope TEXT PRIMARY KEY, covered_from INTEGER NOT NULL, complete_at INTEGER NOT NULL, full_at INTEGER NOT NULL
    );
    CREATE TABLE reject (
        scope TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, line TEXT NOT NULL, seen INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
    );
    CREATE TABLE usage (
        scope TEXT NOT NULL, start INTEGER NOT NULL, seconds INTEGER NOT NULL,
        observable TEXT NOT NULL, user TEXT NOT NULL, amount REAL NOT NULL,
        PRIMARY KEY (scope, start, observable, user)
    ) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL, seen INTEGER NOT NULL);
    """,
    """
    CREATE TABLE limit_change (
        qos TEXT NOT NULL, since INTEGER NOT NULL,
        slurm TEXT NOT NULL, overrides TEXT NOT NULL,  -- JSON: [GrpTRES, GrpJobs] or null; the configuration's
        PRIMARY KEY (qos, since)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE person (name TEXT PRIMARY KEY) WITHOUT ROWID;  -- every user who was ever told of
    INSERT OR IGNORE INTO person SELECT value FROM text WHERE id IN (SELECT user FROM job);
    INSERT OR IGNORE INTO person SELECT user FROM usage;
    """,
    """
    CREATE TABLE queue (  -- what squeue told last; error: why it told nothing newer since
        scope TEXT PRIMARY KEY, at INTEGER, error TEXT
    ) WITHOUT ROWID;
    CREATE TABLE waiting (  -- the rows of that answer; tres is what one task asks for
        scope TEXT NOT NULL, job TEXT NOT NULL, state TEXT NOT NULL, user TEXT NOT NULL, account TEXT NOT NULL,
        qos TEXT NOT NULL, partition TEXT NOT NULL, reason TEXT NOT NULL, tres TEXT NOT NULL, dependency TEXT NOT NULL,
        tasks INTEGER NOT NULL, submit INTEGER NOT NULL, eligible INTEGER NOT NULL, start INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        PRIMARY KEY (scope, job)
    ) WITHOUT ROWID;
    CREATE TABLE queue_look (  -- samples of the queue in a slot of time: five minutes, later an hour
        scope TEXT NOT NULL, start INTEGER NOT NULL, samples INTEGER NOT NULL,
        PRIMARY KEY (scope, start)
    ) WITHOUT ROWID;
    CREATE TABLE wanted (  -- what jobs that compete wanted, summed over the slot's samples; memory in GiB
        scope TEXT NOT NULL, start INTEGER NOT NULL, user TEXT NOT NULL,
        jobs REAL NOT NULL, cpus REAL NOT NULL, gpus REAL NOT NULL, memory REAL NOT NULL,
        PRIMARY KEY (scope, start, user)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE account_usage (
        scope TEXT NOT NULL, start INTEGER NOT NULL, seconds INTEGER NOT NULL,
        observable TEXT NOT NULL, account TEXT NOT NULL, amount REAL NOT NULL,
        PRIMARY KEY (scope, start, observable, account)
    ) WITHOUT ROWID;
    CREATE TABLE ended (
        scope TEXT NOT NULL, start INTEGER NOT NULL, seconds INTEGER NOT NULL,
        user TEXT NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL, runs INTEGER NOT NULL,
        PRIMARY KEY (scope, start, user, account, state)
    ) WITHOUT ROWID;
    CREATE TABLE known (  -- the spans of time that the tables usage, and account_usage and ended (runs), speak of
        scope TEXT NOT NULL, what TEXT NOT NULL, begin INTEGER NOT NULL, until INTEGER NOT NULL,
        PRIMARY KEY (scope, what, begin)
    ) WITHOUT ROWID;
    INSERT INTO known SELECT scope, 'usage', MIN(start), MAX(start + seconds) FROM usage GROUP BY scope;
    -- sums of the tables above over the months and days of one zone, so that nobody has to add up years
    CREATE TABLE rollup (scope TEXT PRIMARY KEY, zone TEXT NOT NULL);
    CREATE TABLE month_usage (
        scope TEXT NOT NULL, begin INTEGER NOT NULL, kind TEXT NOT NULL,  -- user or account
        name TEXT NOT NULL, observable TEXT NOT NULL, amount REAL NOT NULL,
        PRIMARY KEY (scope, begin, kind, name, observable)
    ) WITHOUT ROWID;
    CREATE TABLE month_ended (
        scope TEXT NOT NULL, begin INTEGER NOT NULL,
        user TEXT NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL, runs INTEGER NOT NULL,
        PRIMARY KEY (scope, begin, user, account, state)
    ) WITHOUT ROWID;
    CREATE TABLE day_usage (
        scope TEXT NOT NULL, begin INTEGER NOT NULL, observable TEXT NOT NULL, amount REAL NOT NULL,
        PRIMARY KEY (scope, begin, observable)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE bins (  -- what runs came to in bins that are over; of those from `until` on Slurm told something new
        scope TEXT PRIMARY KEY, until INTEGER NOT NULL, data BLOB NOT NULL
    );
    CREATE TABLE edition (number INTEGER NOT NULL);  -- counts the times that what was told of runs has changed
    INSERT INTO edition VALUES (0);
    """,
    """
    CREATE TABLE bins_of_subjects (  -- as bins was, with the subject that keeps them
        scope TEXT NOT NULL, subject TEXT NOT NULL, until INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (scope, subject)
    );
    INSERT INTO bins_of_subjects SELECT scope, 'usage', until, data FROM bins;
    DROP TABLE bins;
    ALTER TABLE bins_of_subjects RENAME TO bins;
    """,
    # Keys of scopes have a cluster now: `key`. The rows of years are not written anew for that: what they say stays.
    # Limits are those of a whole QoS, and get its key. Two functions, see `database`, make keys of what there was.
    """
    CREATE TABLE older_key (key TEXT PRIMARY KEY, stored TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE limit_change_of_scopes (
        scope TEXT NOT NULL, since INTEGER NOT NULL,
        slurm TEXT NOT NULL, overrides TEXT NOT NULL,  -- as they were
        PRIMARY KEY (scope, since)
    ) WITHOUT ROWID;
    INSERT INTO limit_change_of_scopes SELECT older_key_of(qos), since, slurm, overrides FROM limit_change;
    DROP TABLE limit_change;
    ALTER TABLE limit_change_of_scopes RENAME TO limit_change;
    """  # noqa: S608 (names from above)
    + "".join(map(_scopes_of, _SCOPED)),
    """
    ALTER TABLE query ADD COLUMN trouble TEXT;  -- the kind of `error`, which is all that readers of the site are told
    ALTER TABLE queue ADD COLUMN trouble TEXT;
    """,
    # What ended runs used: a row a run, as long as runs are kept; sums by slots of time for good.
    """
    CREATE TABLE use_who (
        id INTEGER PRIMARY KEY,
        qos TEXT NOT NULL, account TEXT NOT NULL, partition TEXT NOT NULL, user TEXT NOT NULL,
        UNIQUE (qos, account, partition, user)
    );
    CREATE TABLE run_use (  -- times in ms, sizes in bytes, NULL: not known; sources and flags in the words of the model
        dbindex INTEGER PRIMARY KEY,  -- as that of job
        jobid INTEGER NOT NULL, who INTEGER NOT NULL, state TEXT NOT NULL, start INTEGER NOT NULL,
        "end" INTEGER NOT NULL, elapsed INTEGER NOT NULL, "limit" INTEGER, alloc_tres TEXT NOT NULL,
        cpu INTEGER, cpu_source TEXT, user INTEGER, system INTEGER, memory INTEGER, memory_source TEXT, peak TEXT,
        gpu INTEGER, gpu_source TEXT, gpu_memory INTEGER, read INTEGER, written INTEGER, flags TEXT NOT NULL
    );
    CREATE INDEX run_use_by_end ON run_use ("end");
    CREATE TABLE use_sum (  -- 1024ths of unit-seconds of runs that ended, in slots and days; of user '' those of all
        seconds INTEGER NOT NULL, start INTEGER NOT NULL, who INTEGER NOT NULL, resource TEXT NOT NULL,
        allocated INTEGER NOT NULL, measured INTEGER NOT NULL, used INTEGER NOT NULL,
        PRIMARY KEY (seconds, start, who, resource)
    ) WITHOUT ROWID;
    """,
    # What is found of the use of runs that ended in a piece of time: made anew where it is missing.
    """
    CREATE TABLE use_tally (
        scope TEXT NOT NULL, rules TEXT NOT NULL, begin INTEGER NOT NULL, until INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (scope, begin, until)
    ) WITHOUT ROWID;
    """,
    # The place of runs in job arrays, and how they ended: not told of runs that are kept already.
    """
    ALTER TABLE job ADD COLUMN array INTEGER NOT NULL DEFAULT -1;
    ALTER TABLE job ADD COLUMN task INTEGER NOT NULL DEFAULT -1;
    ALTER TABLE job ADD COLUMN tasks INTEGER NOT NULL DEFAULT -1;
    ALTER TABLE job ADD COLUMN exit_code INTEGER NOT NULL DEFAULT -1;
    """,
    # The runs of a day as the page has them, by real names: made anew where what is known of the day has changed.
    """
    CREATE TABLE job_day (
        scope TEXT NOT NULL, begin INTEGER NOT NULL, signature TEXT NOT NULL,
        runs INTEGER NOT NULL, left_out INTEGER NOT NULL, users TEXT NOT NULL, partitions TEXT NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (scope, begin)
    ) WITHOUT ROWID;
    """,
)


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one after the other."""
    statement = ""
    for part in script.split(";")[:-1]:
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
