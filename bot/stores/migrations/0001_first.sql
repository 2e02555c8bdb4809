-- Bodies are JSON of the nouns in bot/core/model/; columns are what queries ask for. Times are RFC 3339 text.

CREATE TABLE cases (
    service TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- Only incidents that opened: a suspicion that passes leaves nothing here.
CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    rev INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX incidents_newest ON incidents (opened_at);
CREATE INDEX incidents_of_service ON incidents (service, opened_at);

CREATE TABLE entries (
    incident TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (incident, seq)
) WITHOUT ROWID;

CREATE TABLE threads (
    incident TEXT NOT NULL,
    channel TEXT NOT NULL,
    ref TEXT NOT NULL DEFAULT '',
    heard INTEGER NOT NULL DEFAULT 0,
    shown INTEGER NOT NULL DEFAULT 0,
    closed INTEGER NOT NULL DEFAULT 0,
    trying TEXT NOT NULL DEFAULT '',
    tried_at TEXT,
    dead TEXT NOT NULL DEFAULT '',
    awake INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (incident, channel)
) WITHOUT ROWID;
-- A thread that is caught up sleeps until its incident changes, so years of them cost nothing.
CREATE INDEX threads_awake ON threads (channel) WHERE awake;

CREATE TABLE blobs (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

-- One row per service and hour (`hour` is its start in Unix seconds / 3600): body is JSON of bot.core.hours.Hour.
CREATE TABLE counts (
    service TEXT NOT NULL,
    hour INTEGER NOT NULL,
    fed INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (service, hour)
) WITHOUT ROWID;
