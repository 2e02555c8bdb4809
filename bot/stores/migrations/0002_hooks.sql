-- What hooks remember. `body` is MessagePack of bot.core.alerts.Alerts; `watch` is service/watch.
CREATE TABLE alerts (
    watch TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- Messages taken in, by a digest of the sender's own name for them; `at` is in Unix seconds.
CREATE TABLE messages (
    watch TEXT NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (watch, id)
) WITHOUT ROWID;
CREATE INDEX messages_oldest ON messages (at);
