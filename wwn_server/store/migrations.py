"""The tables, version by version: a step that was ever released is never edited."""

from typing import Final

_FIRST: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        password TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
        created REAL NOT NULL
    ) STRICT
    """,
    "CREATE TABLE homes (id TEXT PRIMARY KEY, created REAL NOT NULL) STRICT",
    """
    CREATE TABLE members (
        account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        home_id TEXT NOT NULL REFERENCES homes ON DELETE CASCADE,
        PRIMARY KEY (account_id, home_id)
    ) STRICT
    """,
    """
    CREATE TABLE sessions (
        token BLOB PRIMARY KEY,
        account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        expires REAL NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE clients (
        id TEXT PRIMARY KEY,
        secret BLOB NOT NULL,
        name TEXT NOT NULL,
        policy_uri TEXT NOT NULL,
        redirect_uris TEXT NOT NULL,
        version INTEGER NOT NULL,
        created REAL NOT NULL,
        accepted REAL,
        unused_since REAL
    ) STRICT
    """,
    """
    CREATE TABLE client_permissions (
        client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
        version INTEGER NOT NULL,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (client_id, version, name)
    ) STRICT
    """,
    """
    CREATE TABLE codes (
        code BLOB PRIMARY KEY,
        client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
        account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        redirect_uri TEXT,
        challenge TEXT,
        homes TEXT NOT NULL,
        permissions TEXT NOT NULL,
        client_version INTEGER NOT NULL,
        expires REAL NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE links (
        id INTEGER PRIMARY KEY,
        token BLOB NOT NULL UNIQUE,
        client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
        account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        homes TEXT NOT NULL,
        permissions TEXT NOT NULL,
        client_version INTEGER NOT NULL,
        created REAL NOT NULL,
        last_used REAL
    ) STRICT
    """,
    "CREATE INDEX links_by_client ON links (client_id)",
)

# Pages and streams name links by id: the id of one that ended must never stand for another.
_LINK_IDS_ONCE: Final = (
    """
    CREATE TABLE new_links (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        token BLOB NOT NULL UNIQUE,
        client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE,
        account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        homes TEXT NOT NULL,
        permissions TEXT NOT NULL,
        client_version INTEGER NOT NULL,
        created REAL NOT NULL,
        last_used REAL
    ) STRICT
    """,
    "INSERT INTO new_links SELECT * FROM links",
    "DROP TABLE links",
    "ALTER TABLE new_links RENAME TO links",
    "CREATE INDEX links_by_client ON links (client_id)",
)

# Who guesses codes is kept out over a restart, too.
_WRONG_CODES: Final = (
    "CREATE TABLE wrong_codes (client_id TEXT NOT NULL REFERENCES clients ON DELETE CASCADE, at REAL NOT NULL) STRICT",
    "CREATE INDEX wrong_codes_by_client ON wrong_codes (client_id, at)",
)

# What a person calls a home, where that is not what its source calls it.
_HOME_NAMES: Final = ("ALTER TABLE homes ADD COLUMN name TEXT",)

# A code that lets one person in, and where each person's Home Assistant is.
_INVITATIONS: Final = (
    """
    CREATE TABLE invitations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        code BLOB NOT NULL UNIQUE,
        account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        created REAL NOT NULL
    ) STRICT
    """,
    "ALTER TABLE accounts ADD COLUMN home_assistant TEXT",
)

# What stands behind a home, and every device that ever did. Numbers of sources are never used twice.
_SOURCES: Final = (
    """
    CREATE TABLE sources (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        settings TEXT NOT NULL,
        created REAL NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE devices (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        id TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL,
        told TEXT NOT NULL,
        name TEXT,
        room TEXT,
        PRIMARY KEY (kind, key)
    ) STRICT
    """,
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    _FIRST,
    _LINK_IDS_ONCE,
    _WRONG_CODES,
    _HOME_NAMES,
    _INVITATIONS,
    _SOURCES,
)
