"""The words for where, on what, and what people see: codes that are stored, and names that people read.

Three vocabularies, fixed so that counts of years can be compared:

- symptom: one of `SYMPTOMS`;
- platform: one of `PLATFORMS`;
- region: an ISO 3166-1 code (`DE`), an ISO 3166-2 subdivision (`DE-BY`), `cloud:<provider>:<region>`, `asn:<number>`,
  or `*` for everywhere.

The readers below take what a stranger typed and answer a code or the empty string, never the stranger's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bot.core.countries import TABLE

EVERYWHERE = "*"
_LONGEST = 2000
_CLOUDS = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure", "cloudflare": "Cloudflare", "oci": "Oracle Cloud"}
_CLOUD = re.compile(r"cloud:([a-z0-9]{1,20}):([a-z0-9][a-z0-9-]{0,39})")
_ASN = re.compile(r"(?:asn?[ :]?)([1-9]\d{0,9})")
_SUBDIVISION = re.compile(r"([a-z]{2})[-_]([a-z0-9]{1,3})")

_SYMPTOMS: Mapping[str, tuple[str, str]] = {
    "login": (
        "Log-in",
        (
            "log in|logged out|logging in|log on|log-in|log-on|logon|sign in|signing in|sign-in|signin|signed out|auth"
            "|authentication|2fa|mfa|sso|password|anmelden|anmeldung|einloggen|connexion|iniciar sesión|mobile login"
        ),
    ),
    "payment": (
        "Payments",
        (
            "payments|checkout|card|transfer|transfers|purchase|atm|deposit|deposits|mobile banking|online banking"
            "|zahlung|bezahlen|paiement|pago"
        ),
    ),
    "api": ("API", "apis|webhook|webhooks|sdk|rate limit|rate limited|429"),
    "notifications": ("Notifications", "notification|push|benachrichtigung|benachrichtigungen"),
    "email": ("E-mail", "e-mail|mail|mails|inbox|smtp|imap"),
    "voice_video": (
        "Calls and video",
        "voice|video call|video calls|voice call|call|calls|screen share|screen sharing|microphone|meeting",
    ),
    "media_streaming": (
        "Streaming",
        "media streaming|video streaming|streaming|stream|playback|buffering|buffers|video",
    ),
    "gameplay": (
        "Game play",
        "game play|online gaming|matchmaking|lobby|game|games|glitch|glitches",
    ),
    "mobile_network": (
        "Mobile network",
        (
            "mobile network|mobile phone|no signal|no service|sms|voicemail|mobile internet|mobile data|5g|4g|netz"
            "|kein netz|pas de réseau"
        ),
    ),
    "fixed_network": (
        "Internet access",
        "fixed network|internet|wifi|wi-fi|wi fi|dsl|broadband|blackout|total blackout|fibre|fiber",
    ),
    "messaging": (
        "Messages",
        "message|messages|dm|dms|chat|send|sending|receive|receiving|text generation|nachricht|nachrichten",
    ),
    "upload_download": (
        "Files and images",
        (
            "upload|uploads|uploading|download|downloads|downloading|file|files|image|images|photo|photos|attachment"
            "|attachments|image generation"
        ),
    ),
    "search_feed": ("Feed and search", "search|feed|feeds|timeline|timelines|for you"),
    "data_loss": ("Missing data", "data loss|missing|deleted|lost|vanished|disappeared"),
    "performance": ("Slow", "slow|slowly|slowness|lag|laggy|lagging|latency|langsam|lent|lento|takes forever"),
    "connection": (
        "Connection",
        (
            "server connection|cannot connect|can't connect|connect|connecting|timeout|timed out|time out|disconnect"
            "|disconnected|disconnects|unreachable|verbindung|server"
        ),
    ),
    "app": (
        "App",
        "apps|crash|crashes|crashed|crashing|app won't open|absturz|stürzt ab|mobile app",
    ),
    "website": (
        "Website",
        (
            "site|web|webpage|web page|page|pages|500|502|503|504|5xx|error page|something went wrong|seite|webseite"
            "|blank|won't load|not loading"
        ),
    ),
    "other": ("Something else", "something else|sonstiges|otro|autre"),
}
"""Code to label and aliases, the more telling words first: a text is given the first symptom that it names."""

_PLATFORMS: Mapping[str, tuple[str, str]] = {
    "ios": ("iPhone and iPad", "iphone|ipad|ipados|apple phone"),
    "android": ("Android", "pixel|samsung phone|android app"),
    "console_playstation": ("PlayStation", "console playstation|playstation|ps4|ps5|psn"),
    "console_xbox": ("Xbox", "console xbox|xbox"),
    "console_switch": ("Nintendo Switch", "console switch|switch|nintendo"),
    "tv": ("TV", "smart tv|television|roku|fire tv|firestick|chromecast|apple tv|android tv|webos|tizen"),
    "web": ("Web", "desktop web|mobile web|browser|website|chrome|firefox|safari|edge"),
    "desktop_windows": ("Windows app", "desktop windows|windows|win10|win11|pc"),
    "desktop_macos": ("Mac app", "desktop macos|macos|mac|osx|os x|macbook|imac"),
    "desktop_linux": ("Linux app", "desktop linux|linux|ubuntu|fedora|debian"),
    "api": ("API", "rest api|sdk|webhook"),
    "unknown": ("Unknown platform", ""),
}

SYMPTOMS: Mapping[str, str] = {code: name for code, (name, _) in _SYMPTOMS.items()}
"""Every symptom code and its label."""

PLATFORMS: Mapping[str, str] = {code: name for code, (name, _) in _PLATFORMS.items()}
"""Every platform code and its label."""


def _read_countries() -> tuple[dict[str, str], dict[str, str]]:
    names, codes = {}, {}
    for line in TABLE.splitlines():
        code, three, spoken = line.split(" ", 2)
        name, *others = spoken.split("|")
        names[code] = name
        codes.update(dict.fromkeys((code.lower(), three.lower(), name.lower(), *others), code))
    return names, codes


COUNTRIES: Mapping[str, str]
"""Every ISO 3166-1 alpha-2 code and its short English name."""
COUNTRIES, _COUNTRY_CODES = _read_countries()
_EVERYWHERE_WORDS = frozenset({EVERYWHERE, "all", "everywhere", "global", "worldwide", "world", "international"})


def symptom(text: str) -> str:
    """The code of the symptom that a label, an alias or a sentence names; empty when it names none."""
    return _SYMPTOM_WORDS.find(text)


def platform(text: str) -> str:
    """The code of the platform that a label, an alias or a sentence names; empty when it names none."""
    return _PLATFORM_WORDS.find(text)


def region(text: str) -> str:
    """The code of a region given as a code or an English name; empty when it is none that we know.

    `de`, `DEU` and `Germany` are `DE`; `de-by` is `DE-BY`; `AS3320` is `asn:3320`; `worldwide` is `*`.
    """
    words = _plain(text)
    if words in _EVERYWHERE_WORDS:
        return EVERYWHERE
    return _COUNTRY_CODES.get(words) or _subdivision(words) or _network(words)


def country(code: str) -> str:
    """The region that a subdivision belongs to; any other code is its own answer."""
    head = code.split("-", 1)[0]
    return head if head in COUNTRIES else code


def label(code: str) -> str:
    """The name of any code for people, in English; a code of no vocabulary is its own name."""
    for names in (SYMPTOMS, PLATFORMS, COUNTRIES):
        if code in names:
            return names[code]
    if code in ("", EVERYWHERE):
        return "everywhere" if code else "unknown"
    return _compound_label(code)


def _compound_label(code: str) -> str:
    if made := _CLOUD.fullmatch(code):
        return f"{_CLOUDS.get(made[1], made[1])} {made[2]}"
    if code.startswith("asn:"):
        return f"AS{code.removeprefix('asn:')}"
    part = code.partition("-")
    return f"{COUNTRIES[part[0]]} ({part[2]})" if part[0] in COUNTRIES else code


def _subdivision(words: str) -> str:
    made = _SUBDIVISION.fullmatch(words)
    held = _COUNTRY_CODES.get(made[1]) if made else None
    return f"{held}-{made[2].upper()}" if made and held else ""


def _network(words: str) -> str:
    if made := _ASN.fullmatch(words):
        return f"asn:{made[1]}"
    return words if _CLOUD.fullmatch(words) else ""


def _plain(text: str) -> str:
    return " ".join(text[:_LONGEST].lower().replace("\u2019", "'").split())


class _Words:
    """Finds the first code, in the order of its vocabulary, that a text names by one of its whole words."""

    def __init__(self, vocabulary: Mapping[str, tuple[str, str]]) -> None:
        self._exact = {
            word: code for code, (name, aliases) in vocabulary.items() for word in _names(code, name, aliases)
        }
        self._order = {code: rank for rank, code in enumerate(vocabulary)}
        longest_first = sorted(self._exact, key=len, reverse=True)
        self._inside = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")

    def find(self, text: str) -> str:
        """The code named, or the empty string."""
        plain = _plain(text)
        if plain in self._exact:
            return self._exact[plain]
        named = {self._exact[word] for word in self._inside.findall(plain)}
        return min(named, key=self._order.__getitem__, default="")


def _names(code: str, name: str, aliases: str) -> Iterable[str]:
    return filter(None, (code, code.replace("_", " "), name.lower(), *aliases.split("|")))


_SYMPTOM_WORDS = _Words(_SYMPTOMS)
_PLATFORM_WORDS = _Words(_PLATFORMS)
